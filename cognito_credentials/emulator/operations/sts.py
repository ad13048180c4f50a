"""
The two STS operations that Cognito's flows need. The numbers in comments are those of the checks.

Source: `reference/service.md#9`; the checks are `reference/service.md#9.3`.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from cognito_credentials.emulator import assumed
from cognito_credentials.emulator.errors import ServiceError
from cognito_credentials.emulator.logins.issuers import names_of
from cognito_credentials.emulator.logins.tokens import Jwt, is_service_token, read_jwt
from cognito_credentials.emulator.logins.verifier import read_service_token
from cognito_credentials.emulator.model.names import (
    is_role,
    is_service_host,
    oidc_provider_arn,
    region_of,
    service_host,
)
from cognito_credentials.emulator.operations.principal_tags import are_well_formed
from cognito_credentials.emulator.service import DEFAULT_CREDENTIAL_SECONDS, Caller, Service
from cognito_credentials.emulator.sts.session_policies import is_policy, packed_percent
from cognito_credentials.emulator.sts.sessions import AssumedRole, MintedCredentials
from cognito_credentials.emulator.sts.trust import Assumption, max_session_seconds, may_assume
from cognito_credentials.emulator.trail import checked, decided

_MAX_POLICY_ARNS = 10


def get_caller_identity(service: Service, request: Mapping[str, Any], caller: Caller) -> Mapping[str, Any]:
    del service, request  # it has no members
    return {"Arn": caller.arn, "UserId": caller.user_id, "Account": caller.account}


def assume_role_with_web_identity(
    service: Service, request: Mapping[str, Any], caller: Caller
) -> Mapping[str, Any]:
    """Issues credentials for an OpenID Connect token: the basic flow. It is not signed."""
    del caller
    policy_arns = policy_arns_of(request)
    token = read_jwt(request["WebIdentityToken"])  # 2
    if token is None:
        raise _invalid_token(
            "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)"
        )
    if "ProviderId" in request:
        raise ServiceError("ValidationError", assumed.STS_PROVIDER_ID)
    provider = _verify_issuer(service, token)  # 3, 4
    _check_audience(service, provider, token)  # 5
    _check_times(token, int(service.clock.now()))  # 6, 7
    role_arn = request["RoleArn"]
    if not is_role(role_arn):  # 8
        raise _access_denied()
    attempt, audience, subject = _attempt(provider, token, request, service.clock.now())
    if not may_assume(service.state, role_arn, attempt, service.strict_roles):
        raise _access_denied()
    duration = request.get("DurationSeconds", DEFAULT_CREDENTIAL_SECONDS)
    if duration > max_session_seconds(service.state, role_arn):
        raise ServiceError("ValidationError", assumed.DURATION_TOO_LONG)
    policy = request.get("Policy", "")
    percent = check_session(policy, policy_arns, attempt.tags)  # 9
    is_own = is_service_host(provider)
    session = AssumedRole(
        role_arn=role_arn,
        session_name=request["RoleSessionName"],
        expires_at=int(service.clock.now()) + service.settings.credential_seconds(duration),
        identity_id=subject if is_own else "",
        pool_id=audience if is_own else "",
        tags=attempt.tags,
        policy=policy,
        policy_arns=policy_arns,
        amr=list(attempt.claims["amr"]) if is_own else [],
    )
    answer = _answer(service, session, attempt.principal, audience, subject)
    return {**answer, "PackedPolicySize": percent} if percent else answer


def policy_arns_of(request: Mapping[str, Any]) -> list[str]:
    """
    The managed policies that limit the session.

    Raises:
        ServiceError: ValidationError: they are more than ten.
    """
    arns = [entry["arn"] for entry in request.get("PolicyArns", ()) if "arn" in entry]
    if len(arns) > _MAX_POLICY_ARNS:
        raise ServiceError("ValidationError", assumed.too_many_policy_arns(len(arns), _MAX_POLICY_ARNS))
    return arns


def _answer(
    service: Service, session: AssumedRole, provider: str, audience: str, subject: str
) -> Mapping[str, Any]:
    minted = service.issue_credentials(session)
    return {
        "Audience": audience,
        "AssumedRoleUser": {"AssumedRoleId": session.user_id, "Arn": session.arn},
        "Provider": provider,
        "Credentials": described_credentials(minted),
        "SubjectFromWebIdentityToken": subject,
    }


def described_credentials(minted: MintedCredentials) -> dict[str, str]:
    """The Credentials structure of answers."""
    return {
        "AccessKeyId": minted.access_key_id,
        "SecretAccessKey": minted.secret_access_key,
        "SessionToken": minted.session_token,
        "Expiration": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(minted.expires_at)),
    }


def _verify_issuer(service: Service, token: Jwt) -> str:
    """Checks 3 and 4: the issuer is known, and it signed the token."""
    issuer = token.claims.get("iss")
    if issuer is None:
        raise _invalid_token("Missing a required claim: iss")
    if is_service_token(service.keys, token):  # the iss claim does not tell: token_issuer is a setting
        checked("the token is one of Cognito Identity, and its signature holds")
        return service_host(region_of(token.claims["aud"]))
    names = names_of(issuer)
    if any(map(is_service_host, names)):
        raise _invalid_token(assumed.STS_BAD_SIGNATURE)
    provider = next(filter(service.issuers.is_known, names), None)
    if provider is None:
        raise _invalid_token(f"No OpenIDConnect provider found in your account for {issuer}")
    verified = service.issuers.verifies(provider, token)
    if verified is None:
        raise _invalid_token(
            "Couldn't retrieve verification key from your identity provider,  please reference "
            "AssumeRoleWithWebIdentity documentation for requirements"
        )
    if not verified:
        raise _invalid_token(assumed.STS_BAD_SIGNATURE)
    checked(f"a key of {provider} signed the token, and the account has that provider")
    return provider


def _check_audience(service: Service, provider: str, token: Jwt) -> None:
    """Check 5: the claims for the trust policy exist, and the audience is a registered client id."""
    for claim in ("aud", "sub"):
        if token.claims.get(claim) in (None, []):
            raise _invalid_token(f"Missing a required claim: {claim}")
    registered = service.issuers.client_ids(provider)
    if registered and not set(token.audiences) & set(registered):
        raise _invalid_token("Incorrect token audience")
    checked(f"the token is for {', '.join(token.audiences)}")


def _check_times(token: Jwt, now: int) -> None:
    """Checks 6 and 7: the token has not expired, and is at most a day old."""
    expires_at, issued_at = token.expires_at, token.issued_at
    if expires_at is None:
        raise _invalid_token("Missing a required claim: exp")
    if now >= expires_at:
        raise ServiceError(
            "ExpiredTokenException",
            f"Token expired: current date/time {now} must be before the expiration date/time {expires_at}",
        )
    if issued_at is not None and now - issued_at > assumed.STS_MAX_TOKEN_AGE_SECONDS:
        raise ServiceError("ExpiredTokenException", f"Token too old: {now - issued_at}")
    checked(f"the token has not expired: {int(expires_at - now)} seconds are left")


def _attempt(
    provider: str, token: Jwt, request: Mapping[str, Any], now: float
) -> tuple[Assumption, str, str]:
    """The attempt that the trust policy decides about, the audience and the subject."""
    session_name: str = request["RoleSessionName"]
    if is_service_host(provider):
        service_token = read_service_token(token)
        pool_id, identity_id = service_token.pool_id, service_token.identity_id
        claims = {"aud": [pool_id], "sub": [identity_id], "amr": list(service_token.amr)}
        return (
            Assumption(provider, provider, claims, session_name, now, service_token.tags),
            pool_id,
            identity_id,
        )
    audiences, subject = token.audiences, str(token.claims["sub"])
    claims = {"aud": list(audiences), "sub": [subject]}
    principal = oidc_provider_arn(provider, request["RoleArn"])
    return Assumption(principal, provider, claims, session_name, now), ",".join(audiences), subject


def check_session(policy: str, policy_arns: Sequence[str], tags: Mapping[str, str]) -> int:
    """
    Check 9: policies and tags are well formed. Returns the percentage of their space that they take up.

    Raises:
        ServiceError: They are not, or they are too large.
    """
    if policy and not is_policy(policy):
        raise ServiceError("MalformedPolicyDocument", assumed.MALFORMED_POLICY)
    for arn in policy_arns:
        if assumed.POLICY_ARN.fullmatch(arn) is None:
            raise ServiceError("ValidationError", assumed.invalid_policy_arn(arn))
    if not are_well_formed(tags):
        raise _invalid_token(assumed.BAD_SESSION_TAGS)
    percent = packed_percent(policy, policy_arns, tags)
    if percent > 100:
        what = "session tags" if tags else "policies"
        raise ServiceError(
            "PackedPolicyTooLarge", f"Packed size of {what} consumes {percent}% of allotted space."
        )
    if policy or policy_arns:
        decided(f"the caller's session policies limit the session: {len(policy_arns) + bool(policy)} of them")
    return percent


def _invalid_token(message: str) -> ServiceError:
    return ServiceError("InvalidIdentityToken", message)


def _access_denied() -> ServiceError:
    """The same answer for a role that does not exist, so that it reveals nothing about the account."""
    return ServiceError("AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity", 403)


OPERATIONS = {
    "AssumeRoleWithWebIdentity": assume_role_with_web_identity,
    "GetCallerIdentity": get_caller_identity,
}
