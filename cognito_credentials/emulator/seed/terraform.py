"""
The resources of a Terraform state or plan in, the parts of a seed out.

Source: https://registry.terraform.io/providers/hashicorp/aws/latest/docs, the pages of the types below.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from cognito_credentials.emulator.model.names import ACCOUNT_ID, DEFAULT_REGION, partition_of
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
from cognito_credentials.emulator.seed.terraform_files import Resource, TerraformFile, read_file
from cognito_credentials.emulator.seed.terraform_plan import Plan

_TOKENS = {
    "id_token_minutes": "id_token",
    "access_token_minutes": "access_token",
    "refresh_token_days": "refresh_token",
}
_RULE = {"Claim": "claim", "MatchType": "match_type", "Value": "value", "RoleARN": "role_arn"}
_NEEDS = {name: f"require_{name}" for name in ("lowercase", "uppercase", "numbers", "symbols")}
_NOT_NEEDED = {"aws_cognito_user_pool_domain": "the sign-in pages are at the emulator's own address"}


def read_terraform(path: str, body: Mapping[str, Any], region: str | None) -> Parts | None:
    """
    The parts of a state or a plan; None if the file is neither.

    Args:
        region: The region of new pools of a plan; None is that of the code.

    Raises:
        SeedError: Something in it has the wrong type, or is of another version.
    """
    file = read_file(path, body)
    return None if file is None else _Reader(path, file, region).read()


class _Reader:
    def __init__(self, path: str, file: TerraformFile, region: str | None) -> None:
        self._path = path
        self._file = file
        self._parts = Parts()
        self._plan = Plan(file) if file.configuration is not None else None
        self._region = region or (self._plan.region() if self._plan else None) or DEFAULT_REGION

    def read(self) -> Parts:
        by_type: dict[str, list[Resource]] = {}
        for resource in self._file.resources:
            if not resource.is_data:
                by_type.setdefault(resource.type, []).append(resource)
        if self._plan is not None:
            for made in _MADE_FIRST:
                for resource in by_type.get(made, ()):
                    self._make(resource)
            for resource in self._file.resources:
                self._plan.fill(resource)
        for kind, read in self._readers().items():
            for resource in by_type.pop(kind, ()):
                read(resource.address, Members(self._path, resource.address, resource.values))
        for kind, resources in by_type.items():
            for resource in resources:
                why = _NOT_NEEDED.get(kind, "the emulator has no such resources")
                self._parts.leave_out(resource.address, why)
        self._read_outputs()
        return self._parts

    def _readers(self) -> Mapping[str, Callable[[str, Members], None]]:
        """Which method reads a type. What others belong to comes first."""
        return {
            "aws_iam_role": self._role,
            "aws_iam_openid_connect_provider": self._oidc_provider,
            "aws_iam_saml_provider": self._saml_provider,
            "aws_cognito_user_pool": self._user_pool,
            "aws_cognito_user_pool_client": self._client,
            "aws_cognito_managed_user_pool_client": self._client,
            "aws_cognito_user_group": self._group,
            "aws_cognito_user": self._user,
            "aws_cognito_user_in_group": self._membership,
            "aws_cognito_identity_pool": self._identity_pool,
            "aws_cognito_identity_pool_roles_attachment": self._roles,
            "aws_cognito_identity_pool_provider_principal_tag": self._principal_tag,
        }

    def _make(self, resource: Resource) -> None:
        """Give a new resource of a plan the attributes that AWS would make."""
        values, name = resource.values, resource.address
        members = Members(self._path, name, values)
        region = members.text("region") or self._region
        made: dict[str, Any] = {}
        if resource.type == "aws_cognito_identity_pool":
            made = {"id": identity_pool_id(region, name)}
        elif resource.type == "aws_cognito_user_pool":
            pool = members.text("id") or user_pool_id(region, name)
            arn = f"arn:{partition_of(region)}:cognito-idp:{region}:{ACCOUNT_ID}:userpool/{pool}"
            made = {"id": pool, "endpoint": provider_name(pool), "arn": arn}
        elif resource.type == "aws_cognito_user_pool_client":
            secret = {"client_secret": client_secret(name)} if members.flag("generate_secret") else {}
            made = {"id": client_id(name), **secret}
        elif resource.type == "aws_iam_role":
            role = members.text("name") or re.sub(r"[^\w+=,.@-]", "-", name, flags=re.ASCII)[-64:]
            made = {"name": role, "id": role, "arn": _arn(region, f"role{members.text('path') or '/'}{role}")}
        elif resource.type == "aws_iam_openid_connect_provider" and members.text("url"):
            arn = _arn(region, f"oidc-provider/{_without_scheme(members.needed('url'))}")
            made = {"arn": arn, "id": arn}
        elif resource.type == "aws_iam_saml_provider":
            arn = _arn(region, f"saml-provider/{members.text('name') or resource.name}")
            made = {"arn": arn, "id": arn}
        for member, value in made.items():
            if values.get(member) is None:
                values[member] = value

    def _role(self, address: str, members: Members) -> None:
        arn = members.needed("arn")
        self._parts.ids[address] = arn
        text = members.text("assume_role_policy")
        if text is None:
            why = "it is not known before apply; the role trusts the pools that use it"
            self._parts.leave_out(f"{address}.assume_role_policy", why)
            return
        try:
            policy = json.loads(text)
        except (ValueError, RecursionError):
            raise members.mistake("assume_role_policy", "not JSON") from None
        self._parts.add_role(address, arn, policy, members.number("max_session_duration"))

    def _oidc_provider(self, address: str, members: Members) -> None:
        provider = _without_scheme(members.needed("url"))
        self._parts.ids[address] = members.needed("arn")
        table = {"provider": provider, "client_ids": members.texts("client_id_list")}
        self._parts.add("issuers", provider, address, table)

    def _saml_provider(self, address: str, members: Members) -> None:
        arn = members.needed("arn")
        self._parts.ids[address] = arn
        table = {"arn": arn, "metadata": members.needed("saml_metadata_document")}
        self._parts.add("saml_providers", arn, address, table)

    def _user_pool(self, address: str, members: Members) -> None:
        if members.values.get("lambda_config"):
            self._parts.leave_out(f"{address}.lambda_config", "the emulator calls no triggers")
        pool = self._parts.ids[address] = members.needed("id")
        devices, needs = members.inner("device_configuration"), members.inner("password_policy")
        asks = devices.flag("device_only_remembered_on_user_prompt")
        allowed = members.inner("sign_in_policy").texts("allowed_first_auth_factors")
        invited = members.inner("admin_create_user_config").flag("allow_admin_create_user_only")
        table = {
            "id": pool,
            "mfa": (members.text("mfa_configuration") or "OFF").lower(),
            "devices": ("ask" if asks else "always") if devices.values else None,
            "first_factors": first_factors(allowed) or None,
            "sign_up": not invited,
            "shortest_password": needs.number("minimum_length"),
            "password_needs": password_needs(needs, _NEEDS),
            "required_attributes": [
                one.needed("name") for one in members.each("schema") if one.flag("required")
            ],
        }
        self._parts.add("user_pools", pool, address, table)

    def _client(self, address: str, members: Members) -> None:
        client = {
            "id": members.needed("id"),
            "secret": members.text("client_secret"),
            "flows": flows(members.texts("explicit_auth_flows")),
            "scopes": members.texts("allowed_oauth_scopes"),
            "callback_urls": members.texts("callback_urls"),
            "logout_urls": members.texts("logout_urls"),
            "hides_users": members.text("prevent_user_existence_errors") == "ENABLED",
        }
        pool = self._parts.add_client(address, members.text("user_pool_id"), client)
        units = members.inner("token_validity_units")
        for member, token in _TOKENS.items():
            number, unit = members.number(f"{token}_validity"), units.text(token)
            self._parts.limit_tokens(address, pool, member, number, unit)
        self._parts.set_for_pool(address, pool, "session_minutes", members.number("auth_session_validity"))
        rotation = members.inner("refresh_token_rotation")
        if rotation.text("feature") == "ENABLED":
            grace = rotation.number("retry_grace_period_seconds")
            self._parts.set_for_pool(address, pool, "rotate_refresh_tokens", True)
            self._parts.set_for_pool(address, pool, "rotation_grace_seconds", grace)

    def _group(self, address: str, members: Members) -> None:
        role, precedence = members.text("role_arn"), members.number("precedence")
        table = {"name": members.needed("name"), "role": role, "precedence": precedence}
        self._parts.add_group(address, members.text("user_pool_id"), table)

    def _user(self, address: str, members: Members) -> None:
        attributes = members.text_map("attributes")
        attributes.pop("sub", None)
        password = members.text("password")
        table = {
            "name": members.needed("username"),
            "sub": members.text("sub"),
            "password": password or members.text("temporary_password"),
            "enabled": members.flag("enabled"),
            "attributes": attributes,
        }
        self._parts.add_user(address, members.text("user_pool_id"), table, is_temporary=password is None)

    def _membership(self, address: str, members: Members) -> None:
        user, group = members.text("username"), members.text("group_name")
        self._parts.add_membership(address, members.text("user_pool_id"), user, group)

    def _identity_pool(self, address: str, members: Members) -> None:
        pool = members.needed("id")
        self._parts.ids[address] = pool
        providers = []
        for provider in members.each("cognito_identity_providers"):
            name, client = provider.text("provider_name"), provider.text("client_id")
            if name is None or client is None:
                self._parts.leave_out(provider.place, "its provider or client is not known before apply")
                continue
            check = provider.flag("server_side_token_check") or False
            providers.append({"ProviderName": name, "ClientId": client, "ServerSideTokenCheck": check})
        table = {
            "IdentityPoolId": pool,
            "IdentityPoolName": members.needed("identity_pool_name"),
            "AllowUnauthenticatedIdentities": members.flag("allow_unauthenticated_identities") or False,
            "AllowClassicFlow": members.flag("allow_classic_flow"),
            "DeveloperProviderName": members.text("developer_provider_name"),
            "OpenIdConnectProviderARNs": members.texts("openid_connect_provider_arns"),
            "SamlProviderARNs": members.texts("saml_provider_arns"),
            "SupportedLoginProviders": members.text_map("supported_login_providers"),
            "CognitoIdentityProviders": providers,
            "IdentityPoolTags": members.text_map("tags_all") or members.text_map("tags"),
        }
        self._parts.add("pools", pool, address, table)

    def _roles(self, address: str, members: Members) -> None:
        mappings = {}
        for mapping in members.each("role_mapping"):
            provider = mapping.text("identity_provider")
            if provider is None:
                self._parts.leave_out(mapping.place, "its provider is not known before apply")
                continue
            table: dict[str, Any] = {"Type": mapping.needed("type")}
            if mapping.text("ambiguous_role_resolution"):
                table["AmbiguousRoleResolution"] = mapping.text("ambiguous_role_resolution")
            rules = [
                {member: rule.needed(name) for member, name in _RULE.items()}
                for rule in mapping.each("mapping_rule")
            ]
            if rules:
                table["RulesConfiguration"] = {"Rules": rules}
            mappings[provider] = table
        pool, roles = members.text("identity_pool_id"), members.text_map("roles")
        self._parts.set_roles(address, pool, roles, mappings)

    def _principal_tag(self, address: str, members: Members) -> None:
        pool, provider = members.text("identity_pool_id"), members.text("identity_provider_name")
        if provider is None:
            self._parts.leave_out(address, "its provider is not known before apply")
            return
        tags, defaults = members.text_map("principal_tags"), members.flag("use_defaults")
        self._parts.set_principal_tags(address, pool, provider, tags, defaults)

    def _read_outputs(self) -> None:
        self._parts.outputs.update(self._file.outputs)
        for name, why in self._file.hidden.items():
            value = self._plan.output(name) if self._plan and why != "it is sensitive" else None
            if value is None:
                self._parts.leave_out(f"output {name}", why)
            else:
                self._parts.outputs[name] = value


_MADE_FIRST = (
    "aws_cognito_identity_pool",
    "aws_cognito_user_pool",
    "aws_cognito_user_pool_client",
    "aws_iam_role",
    "aws_iam_openid_connect_provider",
    "aws_iam_saml_provider",
)
"""The types that have attributes that only AWS makes."""


def _arn(region: str, resource: str) -> str:
    return f"arn:{partition_of(region)}:iam::{ACCOUNT_ID}:{resource}"


def _without_scheme(url: str) -> str:
    return url.partition("://")[2] or url
