"""
The facts of the specification that can be asserted, one by one, and the test that holds each.

Where the specification gives a text, it stands here byte for byte, with … for what changes from call to
call; conftest.py's `witnessed` fails a test that is named here and was never given that answer over HTTP.
A fact that no test holds says why. A number is a section of the specification, W and Q its own numbers,
and a, b, c the halves of what it puts into one line.
"""

# ruff: noqa: E501 - a table: each fact on a line of its own, however long its text is

from __future__ import annotations

import re
from typing import NamedTuple


class Answer(NamedTuple):
    """What the service says, as it must be seen over HTTP."""

    code: str
    text: str = ""
    status: int = 400

    def is_seen(self, code, text, status):
        """Whether this is it."""
        pattern = ".*".join(map(re.escape, self.text.split("…")))
        return (code, status) == (self.code, self.status) and re.fullmatch(
            pattern, text, re.DOTALL
        ) is not None


class Fact(NamedTuple):
    """
    One fact.

    Attributes:
        tests: ``file::test``, or with the id of one case in brackets; without .py and test_.
        says: What holds, or why it is not held where there are no tests.
    """

    name: str
    mark: str
    says: str
    tests: str = ""
    answer: Answer | None = None


def _na(text):
    return Answer("NotAuthorizedException", text)


def _ip(text):
    return Answer("InvalidParameterException", text)


def _ve(value, member, phrase):
    where = f"{value} at '{member}'" if value else f"at '{member}'"
    return Answer(
        "ValidationException",
        f"1 validation error detected: Value {where} failed to satisfy constraint: {phrase}",
    )


def _sts(code, text, status=400):
    return Answer(code, text, status)


NO_LOGIN = "Logins don't match. Please include at least one valid login for this identity or identity pool."
UNSUPPORTED = "Token is not from a supported provider of this identity pool."
BAD_KEY = "The security token included in the request is invalid."
IPC = Answer(
    "InvalidIdentityPoolConfigurationException",
    "Invalid identity pool configuration. Check assigned IAM roles for this pool.",
)
DENIED = _sts("AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity", 403)
PATTERN = r"Member must satisfy regular expression pattern: [\w-]+:[0-9a-f-]+"

FACTS = [
    # 1.1 to 1.3
    Fact("W1", "model", "the operation is named by X-Amz-Target", "wire::both_target_prefixes_and_content_types"),
    Fact("W2", "docs", "both content types", "wire::both_target_prefixes_and_content_types"),
    Fact("W3", "docs", "the long prefix of the target", "wire::both_target_prefixes_and_content_types"),
    Fact("W4", "model", "exactly four operations need no signature", "facts::unsigned_calls_of_all_operations"),
    Fact("W5", "assumed", "these four may be signed", "wire::public_operations_may_be_signed"),
    Fact("W6", "assumed", "an empty body is {}", "wire::empty_body_is_an_empty_object"),
    Fact("W7", "assumed", "unknown members are ignored", "wire::unknown_members_are_ignored"),
    Fact("W10", "observed", "the headers of a success", "wire::success_headers"),
    Fact("W11", "docs", "no output: an empty body", "administration::void_operations identities::unlink_answers_with_an_empty_body"),
    Fact("W12", "assumed", "no members: {}", "administration::empty_outputs"),
    Fact("W13", "observed", "what is unset is left out", "pools::minimal_pool"),
    Fact("W14a", "observed", "identity dates have milliseconds", "facts::dates_have_milliseconds"),
    Fact("W14b", "observed", "Expiration is a whole float", "flows::expiration_is_a_whole_float"),
    Fact("W20a", "docs", "modelled errors are 400", "wire::error_headers_and_body", _na("Unauthenticated access is not supported for this identity pool.")),
    Fact("W20b", "docs", "InternalErrorException is 500", "control::forever", Answer("InternalErrorException", "…", 500)),
    Fact("W21", "observed", "__type and message in the body", "wire::error_headers_and_body"),
    Fact("W22", "observed", "code with a colon, text and Connection: close in the head", "wire::error_headers_and_body"),
    Fact("W23", "observed", "denials spell Message with a capital", "facts::denials_spell_message_with_a_capital"),
    Fact("W24", "observed", "constraints are ValidationException", "validation::malformed_pool_id", _ve("'6eaf'", "identityPoolId", PATTERN)),
    Fact("W25", "observed", "an unsigned call of a signed operation", "facts::unsigned_calls_of_all_operations", Answer("MissingAuthenticationTokenException", "Missing Authentication Token")),
    Fact("W26", "observed", "an unknown key or bad session token", "signatures::wrong_secret_at_cognito", Answer("UnrecognizedClientException", BAD_KEY)),
    Fact("W27a", "assumed", "a wrong secret", "signatures::wrong_secret_at_cognito", Answer("InvalidSignatureException", "The request signature we calculated does not match the signature you provided. …")),
    Fact("W27b", "assumed", "a clock more than 5 minutes slow", "facts::clocks_at_cognito[slow]", Answer("InvalidSignatureException", "Signature expired: … is now earlier than …")),
    Fact("W27c", "assumed", "a clock more than 5 minutes fast", "facts::clocks_at_cognito[fast]", Answer("InvalidSignatureException", "Signature not yet current: …")),
    Fact("W28", "observed", "signed, but denied by IAM", "signatures::sessions_have_no_permissions", Answer("AccessDeniedException", "User: arn:… is not authorized to perform: cognito-identity:DescribeIdentityPool on resource: arn:aws:cognito-identity:…:identitypool/…")),
    Fact("W29", "observed", "a public operation that a policy of the organisation blocks; there are none here, so it is planned", "facts::denials_spell_message_with_a_capital", Answer("AccessDeniedException", "User: anonymous is not authorized to perform: cognito-identity:GetId on resource: * with an explicit deny in a resource control policy")),
    Fact("W30a", "assumed", "an unknown operation", "wire::unknown_operation", Answer("UnknownOperationException")),
    Fact("W30b", "assumed", "no JSON, or the wrong type", "wire::broken_json_and_wrong_types", Answer("SerializationException")),
    Fact("W31", "observed", "throttled", "control::throttle", Answer("TooManyRequestsException", "Rate exceeded")),
    # 1.4
    Fact("1.4 pattern", "observed", "a pattern", "validation::malformed_pool_id", _ve("'6eaf'", "identityPoolId", PATTERN)),
    Fact("1.4 null", "assumed", "a required member", "validation::phrases[null]", _ve("null", "identityPoolId", "Member must not be null")),
    Fact("1.4 shorter", "assumed", "a length under the least", "validation::phrases[shorter]", _ve("''", "developerUserIdentifier", "Member must have length greater than or equal to 1")),
    Fact("1.4 longer", "assumed", "a length over the most", "validation::phrases[longer]", _ve("'…'", "identityPoolName", "Member must have length less than or equal to 128")),
    Fact("1.4 less", "assumed", "a number under the least", "validation::phrases[less]", _ve("'0'", "maxResults", "Member must have value greater than or equal to 1")),
    Fact("1.4 more", "assumed", "a number over the most", "validation::phrases[more]", _ve("'61'", "maxResults", "Member must have value less than or equal to 60")),
    Fact("1.4 enum", "assumed", "none of the values", "validation::phrases[enum]", _ve("'Both'", "roleMappings.a.member.type", "Member must satisfy enum value set: [Token, Rules]")),
    Fact("1.4 keys", "assumed", "a key of a map", "validation::lists_and_maps_of_texts", _ve("'…'", "roles", "Map keys must satisfy constraint: […]")),
    Fact("1.4 values", "assumed", "a value of a map", "validation::phrases[values]", _ve("'{a=!}'", "supportedLoginProviders", "Map value must satisfy constraint: […]")),
    Fact("1.4 several", "assumed", "several at once", "validation::several_violations", Answer("ValidationException", "3 validation errors detected: Value …; Value …; Value …")),
    Fact("1.4 secret", "assumed", "sensitive members are not shown", "validation::login_tokens_are_never_shown", _ve("", "logins", "…")),
    Fact("1.4 path", "assumed", "where a nested member stands", "validation::nested_members", Answer("ValidationException", "… at 'roleMappings.accounts.google.com.member.rulesConfiguration.rules.1.member.matchType' …")),
    # 5.2
    Fact("5.2 check 0", "observed", "no public provider", "logins::no_public_provider", _ip("Please provide a valid public provider")),
    Fact("5.2 check 1", "observed", "a pool without providers", "logins::pool_without_providers", _na(NO_LOGIN)),
    Fact("5.2 check 2", "observed", "a provider that the pool does not list", "logins::provider_that_the_pool_does_not_have", _na(UNSUPPORTED)),
    Fact("5.2 check 3", "observed", "an own token in GetId", "logins::own_token_in_get_id", _na("Invalid login token. Can't pass in a Cognito token.")),
    Fact("5.2 check 4", "observed", "an own token that is none", "flows::own_token_as_login", _na("Invalid login token. Not a Cognito token.")),
    Fact("5.2 check 5", "assumed", "no JWT", "logins::not_a_jwt", _na("Invalid login token. Not a valid OpenId Connect identity token.")),
    Fact("5.2 check 6", "observed", "no aud", "logins::missing_claim[aud]", _na("Invalid login token. Missing a required claim: aud")),
    Fact("5.2 check 7", "observed", "another issuer", "logins::issuer_is_not_the_provider", _na("Invalid login token. Issuer doesn't match providerName")),
    Fact("5.2 check 8", "observed", "expired", "logins::expired", _na("Invalid login token. Token expired: … >= …")),
    Fact("5.2 check 9", "observed", "a wrong signature", "logins::wrong_signature", _na("Invalid login token. Couldn't verify signed token.")),
    Fact("5.2 check 10a", "observed", "a user pool's other client", "logins::user_pool_login", _na(UNSUPPORTED)),
    Fact("5.2 check 10b", "assumed", "another audience", "logins::wrong_audience", _na("Invalid login token. Incorrect token audience")),
    Fact("5.2 check 11", "observed", "signed out everywhere", "logins::server_side_token_check", _na("Token is inactive")),
    Fact("5.2 keys", "assumed", "the issuer's keys cannot be had", "logins::unreachable_issuer", Answer("ExternalServiceException", "…")),
    # 9.3
    Fact("9.3 check 1", "docs", "parameters", "sts::parameters[arguments0-roleSessionName]", _sts("ValidationError", "1 validation error detected: Value 'a b' at 'roleSessionName' failed to satisfy constraint: …")),
    Fact("9.3 check 2", "observed", "no JWT", "sts::not_a_jwt", _sts("InvalidIdentityToken", "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)")),
    Fact("9.3 check 3", "observed", "an unknown issuer", "sts::unknown_issuer", _sts("InvalidIdentityToken", "No OpenIDConnect provider found in your account for https://…")),
    Fact("9.3 check 4a", "observed", "keys that cannot be had", "sts::unreachable_issuer", _sts("InvalidIdentityToken", "Couldn't retrieve verification key from your identity provider,  please reference AssumeRoleWithWebIdentity documentation for requirements")),
    Fact("9.3 check 4b", "assumed", "a bad signature", "sts::forged_cognito_token", _sts("InvalidIdentityToken", "…")),
    Fact("9.3 check 5a", "observed", "another audience", "sts::known_issuer", _sts("InvalidIdentityToken", "Incorrect token audience")),
    Fact("9.3 check 5b", "observed", "no aud", "sts::known_issuer", _sts("InvalidIdentityToken", "Missing a required claim: aud")),
    Fact("9.3 check 6", "observed", "expired", "sts::expired_token", _sts("ExpiredTokenException", "Token expired: current date/time … must be before the expiration date/time …")),
    Fact("9.3 check 7", "observed", "older than a day", "sts::token_too_old", _sts("InvalidIdentityToken", "Token too old: …")),
    Fact("9.3 check 8", "observed", "the trust policy does not allow it", "sts::role_of_the_other_state", DENIED),
    Fact("9.3 check 9a", "docs", "a policy that does not parse", "session_policies::malformed", _sts("MalformedPolicyDocument", "…")),
    Fact("9.3 check 9b", "observed", "tags too large", "facts::session_tags_too_large", _sts("PackedPolicyTooLarge", "Packed size of session tags consumes …% of allotted space.")),
    Fact("9.3 check 9c", "observed", "`Serialized token too large for session`: session tokens here have no size limit"),
    Fact("9.3 check 10", "docs", "tags without sts:TagSession", "sts::tags_need_their_own_action"),
    Fact("9.3 other", "model", "IDPRejectedClaim and RegionDisabledException have no trigger here; a fault can plan them"),
    # 9.6
    Fact("9.6 key", "observed", "an unknown key, or the token of another", "signatures::token_of_other_keys", _sts("InvalidClientTokenId", BAD_KEY, 403)),
    Fact("9.6 expired", "observed", "expired", "signatures::expired", _sts("ExpiredToken", "The security token included in the request is expired", 403)),
    Fact("9.6 signature", "docs", "a wrong signature", "signatures::wrong_secret", _sts("SignatureDoesNotMatch", "…", 403)),
    Fact("9.6 unsigned", "assumed", "no signature", "signatures::unsigned_get_caller_identity", _sts("MissingAuthenticationToken", "Request is missing Authentication Token", 403)),
    Fact("9.6 clock", "assumed", "a clock more than 5 minutes off", "signatures::clock_window[400-expired]", _sts("SignatureDoesNotMatch", "Signature expired: …", 403)),
    # 15; 15.10 is every observed text of 5.2, above
    Fact("15.1a", "model", "four public operations work unsigned", "facts::unsigned_calls_of_all_operations"),
    Fact("15.1b", "model", "the others do not", "facts::unsigned_calls_of_all_operations", Answer("MissingAuthenticationTokenException", "Missing Authentication Token")),
    Fact("15.2", "docs", "prefixes and content types", "wire::both_target_prefixes_and_content_types"),
    Fact("15.3a", "observed", "a malformed pool id", "validation::malformed_pool_id", _ve("'6eaf'", "identityPoolId", PATTERN)),
    Fact("15.3b", "observed", "an unknown pool", "validation::unknown_pool", Answer("ResourceNotFoundException", "IdentityPool '…' not found.")),
    Fact("15.4a", "observed", "guests switched off", "identities::guests_not_allowed", _na("Unauthenticated access is not supported for this identity pool.")),
    Fact("15.4b", "docs", "each guest is new", "identities::every_guest_is_new"),
    Fact("15.5a", "docs", "one login, one id", "identities::one_login_is_one_identity"),
    Fact("15.5b", "model", "unlinked: another id", "identities::unlink_one_of_two"),
    Fact("15.5c", "model", "deleted: another id", "identities::deleted_identities", Answer("ResourceNotFoundException", "Identity '…' not found.")),
    Fact("15.6", "observed", "a guest who signs in keeps id and date, and has the provider", "identities::guest_upgrade_keeps_the_id"),
    Fact("15.7", "observed", "a guest who is known gets the old id", "identities::guest_who_is_known_gets_the_old_identity", _na("Access to Identity '…' is forbidden.")),
    Fact("15.8a", "observed", "signed in, and no Logins", "identities::guest_upgrade_keeps_the_id", _na("Access to Identity '…' is forbidden.")),
    Fact("15.8b", "observed", "signed in, and a foreign login", "identities::foreign_login", _na(NO_LOGIN)),
    Fact("15.9", "model", "no way back after the last login", "identities::unlink_the_last_login", _na("Access to Identity '…' is forbidden.")),
    Fact("15.11a", "observed", "AllowClassicFlow false", "flows::basic_flow_refused[settings0-*", _ip("Basic (classic) flow is not enabled, please use enhanced flow.")),
    Fact("15.11b", "observed", "AllowClassicFlow unset", "flows::basic_flow_when_never_forbidden"),
    Fact("15.11c", "observed", "AllowClassicFlow true", "flows::guest_token"),
    Fact("15.11d", "observed", "RoleMappings", "flows::basic_flow_refused[settings1-*", _ip("Basic (classic) flow is not supported with RoleMappings, please use enhanced flow.")),
    Fact("15.12a", "observed", "header and claims in their order, 600 seconds", "flows::guest_token flows::user_token"),
    Fact("15.12b", "docs", "900 seconds, or TokenDuration", "developers::token"),
    Fact("15.12c", "model", "TokenDuration 86401", "developers::token_duration_limit", _ve("'86401'", "tokenDuration", "Member must have value less than or equal to 86400")),
    Fact("15.13a", "observed", "tokens verify with the served keys", "flows::token_verifies_with_the_served_keys"),
    Fact("15.13b", "docs", "aud and amr that match", "sts::basic_flow"),
    Fact("15.13c", "docs", "aud that does not match", "sts::role_of_another_pool", DENIED),
    Fact("15.13d", "docs", "amr that does not match", "sts::role_of_the_other_state", DENIED),
    Fact("15.14a", "observed", "no role for guests", "flows::missing_role", IPC),
    Fact("15.14b", "observed", "trust that does not match, enhanced flow", "sts::trust_policy_in_both_flows", IPC),
    Fact("15.14c", "observed", "trust that does not match, classic flow", "sts::trust_policy_in_both_flows", DENIED),
    Fact("15.15", "observed", "the caller's ARN, and about an hour", "flows::enhanced_flow"),
    Fact("15.16a", "docs", "preferred role, CustomRoleArn inside and outside the roles", "flows::token_mapping", _na("Access to Role '…' is forbidden.")),
    Fact("15.16b", "docs", "the order of rules", "flows::rules_in_order"),
    Fact("15.16c", "docs", "NotEqual with a missing claim", "flows::one_rule[NotEqual-x-None-False]", _na("The ambiguous role mapping rules for: … denied this request.")),
    Fact("15.16d", "docs", "AuthenticatedRole", "flows::ambiguous_role_can_be_the_authenticated_one"),
    Fact("15.16e", "observed", "Deny", "flows::token_mapping", _na("The ambiguous role mapping rules for: … denied this request.")),
    Fact("15.17a", "observed", "SetIdentityPoolRoles replaces", "pools::set_roles_replaces"),
    Fact("15.17b", "observed", "a provider that is not configured", "pools::mapping_of_an_unconfigured_provider", _ip("(…) is not a valid RoleMapping ProviderName or is not a configured provider.")),
    Fact("15.18", "observed", "UpdateIdentityPool clears providers", "administration::update_replaces"),
    Fact("15.19a", "model", "lookup with two values that do not match", "developers::lookup", Answer("ResourceConflictException", "…")),
    Fact("15.19b", "docs", "after a merge both users give the destination", "developers::merge"),
    Fact("15.20a", "model", "DeleteIdentities lists what it could not do", "identities::deleted_identities"),
    Fact("15.20b", "model", "61 ids", "validation::sixty_one_ids", _ve("'…'", "identityIdsToDelete", "Member must have length less than or equal to 60")),
    Fact("15.21a", "model", "the SDK's paginator", "administration::list_pools_in_pages"),
    Fact("15.21b", "model", "MaxResults 61; 0 is refused by the SDK", "administration::bad_page_requests", _ve("'61'", "maxResults", "Member must have value less than or equal to 60")),
    Fact("15.22", "docs", "void operations", "administration::void_operations identities::unlink_answers_with_an_empty_body"),
    Fact("15.23", "observed", "preflight", "wire::preflight"),
    Fact("15.24", "observed", "headers of errors", "wire::error_headers_and_body", _na("Unauthenticated access is not supported for this identity pool.")),
    # 13: the open questions, as they are answered here
    Fact("Q1", "assumed", "existence before tokens, tokens in the order of 5.2", "developers::unknown_identity_comes_first sts::order_of_the_checks_of_a_token"),
    Fact("Q2a", "assumed", "the text of DU", "developers::user_of_another_identity", Answer("DeveloperUserAlreadyRegisteredException", "Developer user identifier is already registered with a different identity.")),
    Fact("Q2b", "assumed", "the text of LE", "pools::pool_limit", Answer("LimitExceededException", "Identity pool limit exceeded.")),
    Fact("Q2c", "assumed", "the text of RC", "identities::two_users_of_one_provider_never_merge", Answer("ResourceConflictException", "Identity already has a login for provider '…'.")),
    Fact("Q3", "assumed", "X survives", "identities::merge_of_two_identities"),
    Fact("Q4", "assumed", "another developer provider name", "developers::merge", _ip("'…' is not the developer provider of this identity pool.")),
    Fact("Q5", "assumed", "a tag map that was never set", "administration::principal_tag_map"),
    Fact("Q6", "assumed", "unknown ids are deleted", "identities::deleted_identities"),
    Fact("Q7", "assumed", "Roles of a new pool are left out", "administration::roles_of_a_new_pool_are_left_out"),
    Fact("Q8", "assumed", "AllowClassicFlow never given is left out", "flows::basic_flow_when_never_forbidden"),
    Fact("Q9", "assumed", "a merged identity is there, without Logins", "facts::merged_identity_is_still_described"),
    Fact("Q10", "assumed", "the discovery document", "flows::token_verifies_with_the_served_keys"),
    Fact("Q11", "assumed", "a guest's token has no pool ARN", "flows::guest_token"),
    Fact("Q12", "assumed", "a disabled identity with another's login gives the other", "identities::guest_who_is_known_gets_the_old_identity"),
    Fact("Q13", "assumed", "empty Logins are a guest's", "facts::empty_logins_are_a_guests"),
    Fact("Q14", "assumed", "list claims in rules", "flows::one_rule"),
    Fact("Q15", "assumed", "issuers of other partitions", "partitions::names_of_the_partition"),
    Fact("Q16a", "assumed", "300 seconds of grace", "logins::expired"),
    Fact("Q16b", "assumed", "another grace", "control::login_grace", _na("Invalid login token. Token expired: … >= …")),
    Fact("Q17", "assumed", "two users of one provider", "identities::two_users_of_one_provider_never_merge", Answer("ResourceConflictException", "…")),
]  # fmt: skip


def facts_of(test, case):
    """The facts that the test *test* holds, whose name with the id of its case is *case*."""
    found = []
    for fact in FACTS:
        for name in fact.tests.split():
            wanted = re.sub(r"^(\w+)::", r"test_\1.py::test_", name)
            if wanted in (test, case) or (wanted.endswith("*") and case.startswith(wanted[:-1])):
                found.append(fact)
    return found
