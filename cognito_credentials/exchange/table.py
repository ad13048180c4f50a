"""
The table: operation x code x message x guest or signed in -> what to do, which error, what to say.

The first row that fits counts. A code is the service's error code. Where there was no answer, it is the name
of the exception's class or of one of its bases. ``HTTP 5xx`` and the like stand for answers without a code.
Names in braces are filled in from `failures.FACTS`.

Source: reference/service.md#1.3, #5.2, #6 and #9.3, which have the codes and the texts.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from ..errors import (
    CognitoCredentialsError,
    ConfigurationError,
    IdentityNotFoundError,
    LoginRejectedError,
    LoginRequiredError,
    PoolMisconfiguredError,
    RefusedError,
    ServiceError,
)
from .actions import Action
from .faults import NO_SUCH_NAME


class Row(NamedTuple):
    """One line of the table."""

    name: str
    """Names the row in tests."""
    code: str | tuple[str, ...]
    """One code, or any of several."""
    text: str
    """A regular expression found in the service's message; empty for any message."""
    action: Action
    error: type[CognitoCredentialsError]
    says: str
    """What is wrong, lower case, without a full stop."""
    hint: str
    """What to do about it."""
    topic: str
    """The section of the page "When something goes wrong" that explains it."""
    operation: str = ""
    """The operation that failed; empty for any."""
    is_guest: bool | None = None
    """Whether no login was sent; None for both."""
    again: bool = False
    """Whether one short wait and the same request once more may help."""
    throttled: bool = False
    """Whether the service says that it is being asked too often: the next try waits longer."""
    quotes: bool = True
    """Whether the message may be shown: not where it may be a page of HTML, or hold what we sent."""
    is_of_any_error: bool = False
    """Whether it is for what our code makes of bytes that are no answer of the service."""


DROP_IDENTITY: Final = Action.DROP_IDENTITY
ASK_LOGIN_AGAIN: Final = Action.ASK_LOGIN_AGAIN
WAIT: Final = Action.WAIT
STOP: Final = Action.STOP
NOT_AUTHORIZED: Final = "NotAuthorizedException"
INVALID: Final = "InvalidParameterException"
STS: Final = "AssumeRoleWithWebIdentity"

_TOO_FAST = ("TooManyRequestsException", "LimitExceededException", "Throttling", "ThrottlingException")
_BROKEN = ("InternalErrorException", "InternalError", "InternalFailure", "ServiceUnavailable")

_NO_ENDPOINT = (
    *("UnknownEndpointError", "NoRegionError", "EndpointVariantError", "EndpointProviderError"),
    *("UnknownFIPSEndpointError", "InvalidRegionError", "InvalidEndpointConfigurationError"),
)

_ON_THIS_MACHINE = r"https?://(127\.[0-9.]+|\[::1\]|localhost)[:/]"
"""The URL of an endpoint that only the user can have configured."""

# A table is read row by row; one argument a line would make it three times as long.
# fmt: off
TABLE: Final = (
    # The identity.
    Row("identity deleted", "ResourceNotFoundException", "^Identity '", DROP_IDENTITY,
        IdentityNotFoundError,
        "the identity does not exist (any more)",
        "It was deleted, or belongs to another pool than {pool}; run `cognito-credentials clear "
        "--identities`", "E-IDENTITY-GONE"),
    Row("pool unknown", "ResourceNotFoundException", "", STOP, IdentityNotFoundError,
        "there is no identity pool {pool_id} in {region}",
        "Check identity_pool_id (from {pool_origin}): the part before the colon is its region{region_meant}; "
        "or it was deleted, or this is the id of an identity", "E-POOL-GONE"),
    Row("identity id malformed", "ValidationException", "at 'identityId'", DROP_IDENTITY,
        IdentityNotFoundError,
        "the remembered identity id is malformed",
        "Run `cognito-credentials clear --identities`", "E-IDENTITY-ID"),
    Row("identity disabled", NOT_AUTHORIZED, "Access to Identity", DROP_IDENTITY, LoginRejectedError,
        # A guest's id was lost to a sign-in or merge elsewhere. With logins, GetId finds the identity that
        # owns them, so dropping the id loses nothing; that the token has not expired was seen before.
        "the remembered identity belongs to somebody's login now, or was merged into another",
        "Sign in again, or run `cognito-credentials clear --identities` to go on as a new {who}",
        "E-IDENTITY-OTHER"),
    Row("logins of another identity", NOT_AUTHORIZED,
        "Logins don't match|does not have identity providers configured", STOP, LoginRejectedError,
        "identity pool {pool} accepts none of the logins sent ({providers})",
        "Its owner must add the login provider to the pool, with this app client id or audience",
        "E-LOGIN-PROVIDER",
        operation="GetId"),
    Row("identity of another login", NOT_AUTHORIZED, "Logins don't match", DROP_IDENTITY,
        LoginRejectedError,
        "the remembered identity belongs to another login than the ones sent ({providers})",
        "Sign in as the same user, or run `cognito-credentials clear --identities`; every user needs `user`"
        " of his own", "E-IDENTITY-OTHER"),

    # The logins.
    Row("guests not allowed", NOT_AUTHORIZED, "Unauthenticated access is not supported", STOP,
        LoginRequiredError,
        "identity pool {pool} does not allow guests, and no login was sent",
        "Configure a login (logins, or cognito_logins in the profile), or let the pool's owner allow guest "
        "access", "E-GUESTS", is_guest=True),
    Row("login not counted", NOT_AUTHORIZED, "Unauthenticated access is not supported", STOP,
        LoginRejectedError,
        "identity pool {pool} does not allow guests, and did not count the logins sent ({providers})",
        "Check that each provider name is one that the pool lists", "E-LOGIN-PROVIDER", is_guest=False),
    Row("token expired", NOT_AUTHORIZED, "Token expired", ASK_LOGIN_AGAIN, LoginRequiredError,
        "the login token for {providers} has expired",
        "Sign in again or give a new token; if it is new, check the clock of the machine that made it",
        "E-LOGIN-EXPIRED"),
    Row("token revoked", NOT_AUTHORIZED, "Token is inactive", ASK_LOGIN_AGAIN, LoginRequiredError,
        "the user of the login token for {providers} has signed out or was deleted",
        "Sign in again", "E-LOGIN-EXPIRED"),
    Row("provider not in pool", NOT_AUTHORIZED, "Token is not from a supported provider", STOP,
        LoginRejectedError,
        "identity pool {pool} does not list the provider or the app client of this login: {tokens}",
        "The pool must list exactly that provider with that client id (aud); check the region and the id in"
        " the name too", "E-LOGIN-PROVIDER"),
    Row("issuer differs", NOT_AUTHORIZED, "Issuer doesn't match", STOP, LoginRejectedError,
        "the provider name is not the issuer of the token: {tokens}",
        "Name the login by the token's iss without https://, path included; or give the token alone",
        "E-LOGIN-PROVIDER"),
    Row("access token", NOT_AUTHORIZED, "Missing a required claim: aud", STOP, LoginRejectedError,
        "the login token has no audience, as an access token has none: {tokens}",
        "Identity pools take the ID token of a sign-in: give id_token where access_token was given",
        "E-LOGIN-AUDIENCE"),
    Row("audience differs", NOT_AUTHORIZED, "Incorrect token audience", STOP, LoginRejectedError,
        "the login token was made for another client than the pool expects: {tokens}",
        "The pool, or its IAM OIDC provider, must list the token's aud (its azp, where it has one)",
        "E-LOGIN-AUDIENCE"),
    Row("signature wrong", NOT_AUTHORIZED, "Couldn't verify signed token", STOP, LoginRejectedError,
        "the signature of the login token for {providers} does not verify",
        "Give an unaltered token of the issuer named in it; it must be signed with RSA, and its issuer's "
        "keys be public", "E-LOGIN-TOKEN"),
    Row("cognito token in GetId", NOT_AUTHORIZED, "Can't pass in a Cognito token", STOP, ConfigurationError,
        "a developer login was given without its identity id",
        "GetOpenIdTokenForDeveloperIdentity answers both: use a developer source, or set identity_id as "
        "well", "E-DEVELOPER"),
    Row("not a cognito token", NOT_AUTHORIZED, "Not a Cognito token", STOP, LoginRejectedError,
        "the token under {providers} was not issued by Cognito identity pools",
        "That provider name is for tokens of GetOpenIdTokenForDeveloperIdentity; a user pool is cognito-"
        "idp.REGION.…/POOL", "E-LOGIN-PROVIDER"),
    Row("not an id token", NOT_AUTHORIZED, "Invalid login token", STOP, LoginRejectedError,
        "the login token for {providers} is refused",
        "Identity pools take the ID token of a sign-in, a JWT in three parts, as its issuer gave it",
        "E-LOGIN-TOKEN"),
    Row("provider name unusable", INVALID, "valid public provider", STOP, ConfigurationError,
        "{providers} cannot be a public login provider",
        "Name the token's issuer without https://; a developer provider's token goes under {own}",
        "E-LOGIN-PROVIDER"),

    # The role and the flow.
    Row("role ambiguous", NOT_AUTHORIZED, "ambiguous role mapping", STOP, LoginRejectedError,
        "the pool's role rules do not say which role {providers} gets",
        "Set custom_role_arn to a role that the rules or the token's cognito:roles allow; it is now "
        "{custom_role}", "E-ROLE"),
    Row("role forbidden", NOT_AUTHORIZED, "Access to Role", STOP, LoginRejectedError,
        "the pool does not let {providers} have the role {custom_role}",
        "custom_role_arn must be among the token's cognito:roles, or the role of a rule that matches it",
        "E-ROLE"),
    Row("basic flow off", INVALID, r"Basic \(classic\) flow is not enabled", STOP, ConfigurationError,
        "identity pool {pool} does not allow the basic flow",
        "Set flow = enhanced, the default (it is from {flow_origin}); or let the pool's owner enable the "
        "basic flow", "E-FLOW"),
    Row("basic flow with role mappings", INVALID,
        r"Basic \(classic\) flow is not supported with RoleMappings", STOP, ConfigurationError,
        "identity pool {pool} chooses roles by rules, which the basic flow cannot",
        "Set flow = enhanced, the default (it is from {flow_origin})", "E-FLOW"),
    Row("pool misconfigured", "InvalidIdentityPoolConfigurationException", "", STOP, PoolMisconfiguredError,
        "the role of identity pool {pool} for {who}s cannot be assumed",
        "Its owner must attach that role. The role's trust policy needs Federated {own}, Action "
        "sts:AssumeRoleWithWebIdentity (and sts:TagSession if attributes are mapped), aud = the pool id, "
        "amr = {amr}, and no other conditions", "E-POOL-ROLES"),
    Row("custom role without mapping", INVALID, "(?i)CustomRole", STOP, ConfigurationError,
        "Cognito says that custom_role_arn {custom_role} is not valid here",
        "It works for signed-in users of pools that choose roles by rules or token; remove it otherwise",
        "E-ROLE"),

    # STS, in the basic flow.
    Row("sts: token expired", ("ExpiredTokenException", "ExpiredToken"), "", WAIT, ServiceError,
        "STS found Cognito's OpenID token expired, which was made for this request",
        "It is never kept, so the next try has a new one; check the network for long delays",
        "E-NETWORK", operation=STS),
    Row("sts: token refused", ("InvalidIdentityToken", "InvalidIdentityTokenException"), "", STOP,
        RefusedError,
        "STS did not accept Cognito's OpenID token",
        "Check that endpoint_url and the STS endpoint are of one partition; then try flow = enhanced",
        "E-ENDPOINT",
        operation=STS),
    Row("sts: trust policy", ("AccessDenied", "AccessDeniedException"), "", STOP, PoolMisconfiguredError,
        "the role {role} does not exist, or does not let {who}s of this pool in",
        "Check role_arn (from {role_origin}); its trust policy: Federated {own}, Action "
        "sts:AssumeRoleWithWebIdentity (plus sts:TagSession if attributes are mapped), aud = {pool_id}, "
        "amr = {amr}", "E-POOL-ROLES", operation=STS),
    Row("sts: claim refused", "IDPRejectedClaim", "", STOP, LoginRejectedError,
        "the login provider rejected the claim",
        "Sign in again", "E-LOGIN-REFUSED", operation=STS),
    Row("sts: provider slow", "IDPCommunicationError", "", WAIT, ServiceError,
        "STS could not reach the token's issuer",
        "A later try may succeed", "E-SERVICE", operation=STS),
    Row("sts: policy too large", "PackedPolicyTooLarge", "", STOP, ConfigurationError,
        "the session policy together with the session tags is too large",
        "Shorten policy (from {policy_origin}), or the attributes that the pool maps to tags", "E-ROLE",
        operation=STS),
    Row("sts: policy malformed", "MalformedPolicyDocument", "", STOP, ConfigurationError,
        "the session policy is not a valid IAM policy",
        "Correct policy (from {policy_origin}): JSON with Version and Statement", "E-ROLE", operation=STS),
    Row("sts: duration", "ValidationError", "MaxSessionDuration", STOP, ConfigurationError,
        "duration_seconds = {duration} is more than the role {role} allows",
        "Lower duration_seconds (from {duration_origin}), or raise the role's maximum session duration",
        "E-ROLE",
        operation=STS),
    Row("sts: parameter", ("ValidationError", "ValidationException"), "", STOP, ConfigurationError,
        "STS finds a setting of the basic flow invalid",
        "Correct role_arn, role_session_name, duration_seconds or policy, whichever the text names",
        "E-ROLE",
        operation=STS),
    Row("sts: region off", "RegionDisabledException", "", STOP, ConfigurationError,
        "STS is not activated in {region}",
        "The account's owner can activate it (IAM, account settings), or set AWS_ENDPOINT_URL_STS to "
        "another region", "E-ENDPOINT", operation=STS),

    # The service, and what is left of its codes.
    Row("throttled", (*_TOO_FAST, "RequestLimitExceeded", "SlowDown", "HTTP 429"), "", WAIT, ServiceError,
        "the service is asked too often by this account or address",
        "Wait. If it persists, share one cache between processes, and ask for a higher quota",
        "E-THROTTLED",
        throttled=True),
    Row("conflict", "ResourceConflictException", "", WAIT, ServiceError,
        "the logins are being linked elsewhere at this moment, or belong to two users of one provider",
        "Try again; if it persists, unlink one of them, or sign in with one provider only ({providers})",
        "E-LINK",
        again=True),
    Row("provider failed", "ExternalServiceException", "", WAIT, ServiceError,
        "Cognito got no answer from the login provider {providers}",
        "Try again; if it persists, check that the issuer publishes its keys to the internet",
        "E-SERVICE", again=True),
    Row("service failed",
        (*_BROKEN, "ServiceUnavailableException", "HTTP 5xx", "HTTP 408", "RequestTimeout"), "", WAIT,
        ServiceError,
        "the service failed",
        "A later try may succeed", "E-SERVICE"),
    Row("denied by policy", ("AccessDeniedException", "AccessDenied"), "", STOP, RefusedError,
        "a policy of the pool's organisation denies {operation} to the public",
        "Its administrator must allow cognito-identity:{operation} in the resource control policy named",
        "E-DENIED"),
    Row("setting malformed", "ValidationException", "", STOP, ConfigurationError,
        "a setting does not have the form that Cognito demands",
        "Check identity_pool_id (from {pool_origin}), custom_role_arn and the names of the logins",
        "E-SETTING"),
    Row("parameter malformed", "ParamValidationError", "", STOP, ConfigurationError,
        # The text of botocore's, in a back end, repeats the value, which may be a token.
        "a setting does not have the form that {operation} demands",
        "Check identity_pool_id (from {pool_origin}), the roles and the names of the logins",
        "E-SETTING", quotes=False),
    Row("login not there to unlink", INVALID, "", STOP, ConfigurationError,
        # Source: reference/service.md#6.19.3, assumed: nothing else that a user names can be invalid there.
        "this identity has no such login to take off",
        "It may be off already, or its provider have another name in the pool; signed in here: {providers}",
        "E-LINK",
        operation="UnlinkIdentity"),
    Row("parameter refused", INVALID, "", STOP, ConfigurationError,
        "Cognito finds a parameter invalid",
        "Correct the setting that the text names", "E-SETTING"),
    Row("not authorized", NOT_AUTHORIZED, "", STOP, LoginRejectedError,
        "identity pool {pool} refused {providers}",
        "Check the pool's login providers and rules", "E-LOGIN-REFUSED"),
    Row("not our service", "HTTP 4xx", "", WAIT, ServiceError,
        "something that is not AWS answered in place of {host}",
        "A captive portal or a proxy is in between, or endpoint_url is wrong: check these",
        "E-ANSWER", quotes=False),

    # What never was an answer.
    Row("certificate out of time", "SSLError", "certificate (has expired|is not yet valid)", WAIT,
        ServiceError,
        "the service's certificate is not valid at this machine's time",
        "Set this machine's clock; if it is right, somebody else answers in the service's place", "E-TLS"),
    Row("certificate of another name", "SSLError", "(Hostname|IP address) mismatch", WAIT, ServiceError,
        "the certificate is not one of the service, but of another name",
        "Correct the address if one is configured; if none is, somebody else answers in the service's place",
        "E-TLS"),
    Row("certificate untrusted", "SSLError", "", WAIT, ServiceError,
        "no trusted TLS connection to the service",
        "Behind a proxy that opens TLS, set AWS_CA_BUNDLE or ca_bundle in the profile to its CA; else check"
        " the network", "E-TLS"),
    Row("proxy asks for a password", "ProxyConnectionError", "HTTP 407", STOP, ConfigurationError,
        "the proxy does not let this machine through without the right user name and password",
        "Put them into HTTPS_PROXY as USER:PASSWORD@HOST:PORT, with %XX for each sign in the password; "
        "Kerberos and NTLM are not supported", "E-PROXY"),
    Row("proxy refuses", "ProxyConnectionError", r"\(HTTP \d", WAIT, ServiceError,
        "the proxy does not open the way to {host}",
        "Have its administrator allow that host; or except it by NO_PROXY, where it can be reached directly",
        "E-PROXY"),
    Row("proxy failed", "ProxyConnectionError", "", WAIT, ServiceError,
        "the proxy cannot be used",
        "Check HTTPS_PROXY and NO_PROXY, and the proxy itself", "E-PROXY"),
    Row("nothing listens", "EndpointConnectionError", _ON_THIS_MACHINE, WAIT, ServiceError,
        "the service cannot be reached: nothing listens at this address of this machine",
        "Start the emulator, or whatever stands in for AWS there; or correct endpoint_url, or the variable "
        "AWS_ENDPOINT_URL_… that leads there", "E-ENDPOINT"),
    Row("name not found", "EndpointConnectionError", NO_SUCH_NAME, WAIT, ServiceError,
        "the service cannot be reached: there is no address for its name",
        "{region_doubt} the network and its DNS, and an address that is configured; where there is a proxy, "
        "set HTTPS_PROXY", "E-NETWORK"),
    Row("no connection", ("EndpointConnectionError", "ConnectTimeoutError"), "", WAIT, ServiceError,
        "the service cannot be reached",
        "{region_doubt} the network, DNS and firewall; where there is a proxy, set HTTPS_PROXY",
        "E-NETWORK"),
    Row("no answer", ("ReadTimeoutError", "ConnectionClosedError"), "", WAIT, ServiceError,
        "the service took the request and did not answer it whole",
        "A later try may succeed; check the network and proxy if it persists", "E-NETWORK"),
    Row("network failed", ("HTTPClientError", "ConnectionError"), "", WAIT, ServiceError,
        "the request could not be sent",
        "Check the network, proxy and CA bundle", "E-NETWORK", quotes=False),
    Row("no endpoint", _NO_ENDPOINT, "", STOP, ConfigurationError,
        "there is no endpoint for region {region} with these settings",
        "Check the region in identity_pool_id, endpoint_url, use_fips_endpoint and use_dualstack_endpoint",
        "E-ENDPOINT"),
    Row("answer invalid", "InvalidAnswerError", "", WAIT, ServiceError,
        "the answer of {host} is not one of Cognito's",
        "A captive portal or a proxy is in between, or endpoint_url is wrong: check these", "E-ANSWER"),
    Row("answer not understood", ("ResponseParserError", "Exception"), "", WAIT, ServiceError,
        # Whatever botocore's parser does with bytes that are not Cognito's: no list of it is complete.
        "the answer of {host} is not one of Cognito's",
        "A captive portal or a proxy is in between, or endpoint_url is wrong: check these",
        "E-ANSWER", quotes=False,
        is_of_any_error=True),
)
# fmt: on

UNKNOWN: Final = Row(
    "unknown code",
    "",
    "",
    STOP,
    RefusedError,
    "the service refused {operation} for a reason unknown to this version",
    "Look the code up in the API reference of {operation}; a newer version of this package may know it",
    "E-REFUSED",
)
"""For a code that no row has."""
