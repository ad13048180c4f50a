"""
A CloudFormation template in, the parts of a seed out. What CDK and SAM synthesise are such templates.

Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_Cognito.html and
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_IAM.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from cognito_credentials.emulator.model.names import ACCOUNT_ID, partition_of
from cognito_credentials.emulator.seed.intrinsics import STACK, Template, UnknownError
from cognito_credentials.emulator.seed.members import Members
from cognito_credentials.emulator.seed.parts import (
    Parts,
    client_id,
    client_secret,
    first_factors,
    flows,
    identity_pool_id,
    password_needs,
    provider_name,
    user_pool_id,
)

_CDK_OIDC_PROVIDER = "Custom::AWSCDKOpenIdConnectProvider"
_TOKENS = {
    "id_token_minutes": "IdToken",
    "access_token_minutes": "AccessToken",
    "refresh_token_days": "RefreshToken",
}
_UNREAD = ("ManagedPolicyArns", "PermissionsBoundary", "ServiceToken", "Tags")
"""Properties that nothing here reads: the emulator does not know what roles allow."""
_NEEDS = {
    "lowercase": "RequireLowercase",
    "uppercase": "RequireUppercase",
    "numbers": "RequireNumbers",
    "symbols": "RequireSymbols",
}
_NOT_NEEDED = {
    "AWS::Cognito::UserPoolDomain": "the sign-in pages are at the emulator's own address",
    "AWS::CDK::Metadata": "the emulator has no use for it",
}


def read_template(
    path: str, body: Mapping[str, Any], region: str, parameters: Mapping[str, Any] | None
) -> Parts:
    """
    The parts of a template.

    Raises:
        SeedError: The template is wrong: it names what it does not have, or itself.
    """
    return _Stack(path, body, region, parameters or {}).read()


class _Stack:
    def __init__(
        self, path: str, body: Mapping[str, Any], region: str, parameters: Mapping[str, Any]
    ) -> None:
        self._path = path
        self._region = region
        self._partition = partition_of(region)
        self._parts = Parts()
        self._template = Template(path, body, region, parameters, self._attributes, self._parts.leave_out)

    def read(self) -> Parts:
        resources = self._template.resources
        by_type: dict[str, list[str]] = {}
        for name, resource in resources.items():
            kind = resource.get("Type")
            if not isinstance(kind, str):
                raise self._template.mistake(f"Resources.{name}", "Type is missing; it is a text")
            if self._template.exists(resource, f"Resources.{name}"):
                by_type.setdefault(kind, []).append(name)
        readers = self._readers()
        for kind, read in readers.items():
            for name in by_type.pop(kind, ()):
                properties = self._template.properties(name, _UNREAD)
                read(name, Members(self._path, f"Resources.{name}.Properties", properties))
        for kind, names in by_type.items():
            for name in names:
                why = _NOT_NEEDED.get(kind, "the emulator has no such resources")
                self._parts.leave_out(f"{name} ({kind})", why)
        self._template.check_circles()
        self._read_outputs()
        return self._parts

    def _readers(self) -> Mapping[str, Callable[[str, Members], None]]:
        """Which method reads a type. What others belong to comes first."""
        return {
            "AWS::IAM::Role": self._role,
            "AWS::IAM::OIDCProvider": self._oidc_provider,
            _CDK_OIDC_PROVIDER: self._oidc_provider,
            "AWS::IAM::SAMLProvider": self._saml_provider,
            "AWS::Cognito::UserPool": self._user_pool,
            "AWS::Cognito::UserPoolClient": self._client,
            "AWS::Cognito::UserPoolGroup": self._group,
            "AWS::Cognito::UserPoolUser": self._user,
            "AWS::Cognito::UserPoolUserToGroupAttachment": self._membership,
            "AWS::Cognito::IdentityPool": self._identity_pool,
            "AWS::Cognito::IdentityPoolRoleAttachment": self._roles,
            "AWS::Cognito::IdentityPoolPrincipalTag": self._principal_tag,
        }

    def _attributes(self, name: str) -> Mapping[str, Any] | None:
        """What Ref and Fn::GetAtt return for a resource; None if only AWS can tell."""
        kind = self._template.resources[name].get("Type")
        if kind == "AWS::Cognito::IdentityPool":
            pool = identity_pool_id(self._region, name)
            return {"Ref": pool, "Id": pool, "Name": lambda: self._text(name, "IdentityPoolName") or name}
        if kind == "AWS::Cognito::UserPool":
            pool = user_pool_id(self._region, name)
            arn = f"arn:{self._partition}:cognito-idp:{self._region}:{ACCOUNT_ID}:userpool/{pool}"
            provider = provider_name(pool)
            url = f"https://{provider}"
            return {"Ref": pool, "UserPoolId": pool, "Arn": arn, "ProviderName": provider, "ProviderURL": url}
        if kind == "AWS::Cognito::UserPoolClient":
            secret = {"ClientSecret": client_secret(name)} if self._has_secret(name) else {}
            return {
                "Ref": client_id(name),
                "ClientId": client_id(name),
                "Name": lambda: self._text(name, "ClientName") or name,
                **secret,
            }
        if kind == "AWS::IAM::Role":
            role = self._role_name(name)
            return {"Ref": role, "Arn": self._arn(f"role{self._role_path(name)}{role}")}
        named = {
            "AWS::Cognito::UserPoolGroup": "GroupName",
            "AWS::Cognito::UserPoolUser": "Username",
            "AWS::Cognito::UserPoolDomain": "Domain",
        }
        if kind in named:
            return {"Ref": self._text(name, named[kind]) or f"{STACK}-{name}"}
        if kind in ("AWS::IAM::OIDCProvider", _CDK_OIDC_PROVIDER):
            address = self._text(name, "Url")
            return self._of_arn(f"oidc-provider/{_without_scheme(address)}") if address else None
        if kind == "AWS::IAM::SAMLProvider":
            return self._of_arn(f"saml-provider/{self._text(name, 'Name') or name}")
        return None

    def _of_arn(self, resource: str) -> Mapping[str, Any]:
        return {"Ref": self._arn(resource), "Arn": self._arn(resource)}

    def _text(self, name: str, member: str) -> str | None:
        value = self._template.property(name, member)
        return Members(self._path, f"Resources.{name}.Properties", {member: value}).text(member)

    def _has_secret(self, name: str) -> bool:
        return self._text(name, "GenerateSecret") == "true"

    def _role_name(self, name: str) -> str:
        return self._text(name, "RoleName") or f"{STACK}-{name}"[:64]

    def _role_path(self, name: str) -> str:
        return self._text(name, "Path") or "/"

    def _arn(self, resource: str) -> str:
        return f"arn:{self._partition}:iam::{ACCOUNT_ID}:{resource}"

    def _role(self, name: str, members: Members) -> None:
        arn = self._arn(f"role{self._role_path(name)}{self._role_name(name)}")
        self._parts.ids[name] = arn
        policy = members.values.get("AssumeRolePolicyDocument")
        self._parts.add_role(name, arn, policy, members.number("MaxSessionDuration"))

    def _oidc_provider(self, name: str, members: Members) -> None:
        provider = _without_scheme(members.needed("Url"))
        self._parts.ids[name] = self._arn(f"oidc-provider/{provider}")
        ids = members.texts("ClientIdList") or members.texts("ClientIDList")  # the latter is CDK's
        table = {"provider": provider, "client_ids": ids}
        self._parts.add("issuers", provider, name, table)

    def _saml_provider(self, name: str, members: Members) -> None:
        arn = self._arn(f"saml-provider/{members.text('Name') or name}")
        self._parts.ids[name] = arn
        table = {"arn": arn, "metadata": members.needed("SamlMetadataDocument")}
        self._parts.add("saml_providers", arn, name, table)

    def _user_pool(self, name: str, members: Members) -> None:
        if members.values.get("LambdaConfig"):
            self._parts.leave_out(f"{name}.LambdaConfig", "the emulator calls no triggers")
        pool = self._parts.ids[name] = user_pool_id(self._region, name)
        devices, policies = members.inner("DeviceConfiguration"), members.inner("Policies")
        asks = devices.flag("DeviceOnlyRememberedOnUserPrompt")
        needs = policies.inner("PasswordPolicy")
        allowed = policies.inner("SignInPolicy").texts("AllowedFirstAuthFactors")
        invited = members.inner("AdminCreateUserConfig").flag("AllowAdminCreateUserOnly")
        table = {
            "id": pool,
            "mfa": (members.text("MfaConfiguration") or "OFF").lower(),
            "devices": ("ask" if asks else "always") if devices.values else None,
            "first_factors": first_factors(allowed) or None,
            "sign_up": not invited,
            "shortest_password": needs.number("MinimumLength"),
            "password_needs": password_needs(needs, _NEEDS),
            "required_attributes": [
                one.needed("Name") for one in members.each("Schema") if one.flag("Required")
            ],
        }
        self._parts.add("user_pools", pool, name, table)

    def _client(self, name: str, members: Members) -> None:
        client = {
            "id": client_id(name),
            "secret": client_secret(name) if members.flag("GenerateSecret") else None,
            "flows": flows(members.texts("ExplicitAuthFlows")),
            "scopes": members.texts("AllowedOAuthScopes"),
            "callback_urls": members.texts("CallbackURLs"),
            "logout_urls": members.texts("LogoutURLs"),
            "hides_users": members.text("PreventUserExistenceErrors") == "ENABLED",
        }
        pool = self._parts.add_client(name, members.text("UserPoolId"), client)
        units = members.inner("TokenValidityUnits")
        for member, token in _TOKENS.items():
            number, unit = members.number(f"{token}Validity"), units.text(token)
            self._parts.limit_tokens(name, pool, member, number, unit)
        self._parts.set_for_pool(name, pool, "session_minutes", members.number("AuthSessionValidity"))
        rotation = members.inner("RefreshTokenRotation")
        if rotation.text("Feature") == "ENABLED":
            grace = rotation.number("RetryGracePeriodSeconds")
            self._parts.set_for_pool(name, pool, "rotate_refresh_tokens", True)
            self._parts.set_for_pool(name, pool, "rotation_grace_seconds", grace)

    def _group(self, name: str, members: Members) -> None:
        group = self._parts.ids[name] = members.text("GroupName") or f"{STACK}-{name}"
        table = {"name": group, "role": members.text("RoleArn"), "precedence": members.number("Precedence")}
        self._parts.add_group(name, members.text("UserPoolId"), table)

    def _user(self, name: str, members: Members) -> None:
        user = self._parts.ids[name] = members.text("Username") or f"{STACK}-{name}"
        given = {one.needed("Name"): one.text("Value") or "" for one in members.each("UserAttributes")}
        table = {"name": user, "sub": given.pop("sub", None), "attributes": given}
        self._parts.add_user(name, members.text("UserPoolId"), table)

    def _membership(self, name: str, members: Members) -> None:
        user, group = members.text("Username"), members.text("GroupName")
        self._parts.add_membership(name, members.text("UserPoolId"), user, group)

    def _identity_pool(self, name: str, members: Members) -> None:
        pool = identity_pool_id(self._region, name)
        self._parts.ids[name] = pool
        table: dict[str, Any] = {
            "IdentityPoolId": pool,
            "IdentityPoolName": members.text("IdentityPoolName") or name,
            "AllowUnauthenticatedIdentities": members.flag("AllowUnauthenticatedIdentities"),
            "AllowClassicFlow": members.flag("AllowClassicFlow"),
            "DeveloperProviderName": members.text("DeveloperProviderName"),
            "OpenIdConnectProviderARNs": members.texts("OpenIdConnectProviderARNs"),
            "SamlProviderARNs": members.texts("SamlProviderARNs"),
            "SupportedLoginProviders": members.text_map("SupportedLoginProviders"),
            "CognitoIdentityProviders": [
                {
                    "ProviderName": provider.needed("ProviderName"),
                    "ClientId": provider.needed("ClientId"),
                    "ServerSideTokenCheck": provider.flag("ServerSideTokenCheck") or False,
                }
                for provider in members.each("CognitoIdentityProviders")
                if self._is_whole(provider)
            ],
            "IdentityPoolTags": {
                tag.needed("Key"): tag.text("Value") or "" for tag in members.each("IdentityPoolTags")
            },
        }
        self._parts.add("pools", pool, name, table)
        for unused in ("CognitoEvents", "CognitoStreams", "PushSync"):
            if members.values.get(unused):
                self._parts.leave_out(f"{name}.{unused}", "the emulator has no Cognito Sync")

    def _is_whole(self, provider: Members) -> bool:
        """Whether a provider of an identity pool is known; one of another stack may not be."""
        return all(provider.text(name) is not None for name in ("ProviderName", "ClientId"))

    def _roles(self, name: str, members: Members) -> None:
        mappings = {}
        for key, mapping in members.named("RoleMappings"):
            table: dict[str, Any] = {"Type": mapping.needed("Type")}
            if mapping.text("AmbiguousRoleResolution"):
                table["AmbiguousRoleResolution"] = mapping.text("AmbiguousRoleResolution")
            rules = [
                {member: rule.needed(member) for member in ("Claim", "MatchType", "Value", "RoleARN")}
                for rule in mapping.inner("RulesConfiguration").each("Rules")
            ]
            if rules:
                table["RulesConfiguration"] = {"Rules": rules}
            mappings[mapping.text("IdentityProvider") or key] = table
        self._parts.set_roles(name, members.text("IdentityPoolId"), members.text_map("Roles"), mappings)

    def _principal_tag(self, name: str, members: Members) -> None:
        pool, provider = members.text("IdentityPoolId"), members.needed("IdentityProviderName")
        tags, defaults = members.text_map("PrincipalTags"), members.flag("UseDefaults")
        self._parts.set_principal_tags(name, pool, provider, tags, defaults)

    def _read_outputs(self) -> None:
        """Resolve the outputs. One that is unknown or names what the template does not have is left out."""
        for name, output in self._template.outputs.items():
            place = f"Outputs.{name}"
            if not self._template.exists(output, place):
                continue
            try:
                self._parts.outputs[name] = self._template.value(output.get("Value"), f"{place}.Value")
            except UnknownError as unknown:
                self._parts.leave_out(place, str(unknown))


def _without_scheme(url: str) -> str:
    return url.partition("://")[2] or url
