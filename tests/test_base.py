"""Errors, secrets, credentials, clocks: the files that every folder uses."""

from __future__ import annotations

import base64
import copy
import pickle
import random
import re
import string
import traceback
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cognito_credentials import errors
from cognito_credentials.clock import ServerTime, observe
from cognito_credentials.credentials import TemporaryCredentials, checked, iso
from cognito_credentials.digest import sha256
from cognito_credentials.errors import clean
from cognito_credentials.secret import Secret
from tests.conftest import ManualClock

KEY = "ASIAIOSFODNN7EXAMPLE"
SECRET_TEXT = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYPLAINTEXTY"


def made(**changes: Any) -> TemporaryCredentials:
    parts: dict[str, Any] = {
        "access_key_id": KEY,
        "secret_access_key": SECRET_TEXT,
        "session_token": "SESSION/token+text==",
        "expires_at": 1_800_000_000,
        "account_id": "123456789012",
    }
    return TemporaryCredentials(**{**parts, **changes})


class TestSecret:
    def test_it_does_not_show_itself(self) -> None:
        """However a secret is printed, its text is not shown; only reveal() returns it."""
        secret = Secret("hidden-text")
        shown = [
            repr(secret),
            str(secret),
            f"{secret}",
            f"{secret:>40}",
            "%s %r" % (secret, secret),  # noqa: UP031  (logging formats like this)
            repr([secret]),
        ]

        assert not any("hidden-text" in text for text in shown)
        assert secret.reveal() == "hidden-text"

    def test_it_refuses_to_travel(self) -> None:
        """A secret refuses to be pickled: pickles reach other processes and crash reports."""
        with pytest.raises(TypeError, match="refuses"):
            pickle.dumps(Secret("x"))
        assert copy.deepcopy(secret := Secret("x")) is secret

    @pytest.mark.parametrize("value", [b"hidden-text", {"token": "hidden-text"}, None, 7])
    def test_a_wrong_type_is_named_without_its_value(self, value: Any) -> None:
        """A token of the wrong type is refused, and the error does not repeat it."""
        with pytest.raises(TypeError) as caught:
            Secret(value)

        assert "hidden-text" not in str(caught.value)
        assert type(value).__name__ in str(caught.value)

    def test_equality_is_of_texts(self) -> None:
        """Two secrets with the same text are equal and hash alike; a secret equals no string."""
        assert Secret("a") == Secret("a") != Secret("b")
        assert hash(Secret("a")) == hash(Secret("a"))
        assert Secret("a") != "a"


class TestErrors:
    @pytest.mark.parametrize(
        "kind",
        [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, Exception)],
    )
    def test_every_error_pickles_and_keeps_what_it_carries(self, kind: Any) -> None:
        """A pickled error keeps its message, hint, code and request id, and whether it is throttling."""
        error = kind("what is wrong", hint="What to do", code="Code", request_id="r-1", throttled=True)

        again = pickle.loads(pickle.dumps(error))

        assert type(again) is kind
        assert (again.message, again.hint, again.code, again.request_id) == (
            "what is wrong",
            "What to do",
            "Code",
            "r-1",
        )
        assert again.throttled is True
        assert kind("x").throttled is False
        assert str(again) == f"what is wrong. What to do (see {kind.topic})"

    @pytest.mark.parametrize(
        ("what", "joined"),
        [
            ("a b", "a b. Do"),
            ("a b.", "a b. Do"),
            ("a b?", "a b? Do"),
            ("a b!", "a b! Do"),
            ("a b…", "a b… Do"),
        ],
    )
    def test_message_and_hint_are_two_sentences(self, what: str, joined: str) -> None:
        """A message that ends with a mark of its own gets no full stop."""
        assert errors.sentences(what, "Do") == joined

    @pytest.mark.parametrize(
        "text",
        [
            "a\x1b[31mred\x07",
            "a\x1b]52;c;aGk=\x07b",
            "line\r\nnext",
            "\u202eevil",
            "a\u2028b",
            "\x9b31m",
            "x" * 100_000,
        ],
    )
    def test_texts_from_outside_are_safe_to_print(self, text: str) -> None:
        """Any text of a service becomes one printable line."""
        shown = clean(text)

        assert shown.isprintable()
        assert len(shown) <= errors.MESSAGE_LIMIT
        assert "\u202e" not in shown

    @pytest.mark.parametrize(
        "token",
        [
            "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln",
            KEY,
            SECRET_TEXT + "1",
            "token=eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln",
            "'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln',",
            (
                "7025ca13-2399-2351-40b9-167929517a45.8a3b33c8-71fd-9598-832c-0a1b2c3d4e5f."
                "9a3b33c8-71fd-9598-832c-0a1b2c3d4e5f"
            ),
            "0f891e05-21ba-8239-9ac3-3fdd0f7ef2a4-df6bf674-7650-4e7a-5c70-776f0123d783",
            "leu90ov5nlcv-2dr8j9siodec-1kwk9p2a05nn-648un8ia65u3-0w54bqh7t",
            "GT5MINT4-DEEWDL63-OVXNVAKC-YGYOZ3AM-KW555UAB-4BDMQMFA",
            '{"refresh_token":"hpN6WhYVv6LazGJGzZSw.fmj+yWxtZx2EyO+PJEb7dkeIw932kcl"}',
            "47Ch9JpfkL+eQENm9N4Q=bwKtTvYBL4Q8VqLCKLqU",
            "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",
            "sdpX1LkVeLSTdJfi3bahTMzd.rfWarF.x4kVyWEFsgcCo11HUcQTUVHK3_4LdLW3VmwYfA",
        ],
    )
    def test_tokens_in_texts_from_outside_are_hidden(self, token: str) -> None:
        """A token that a service repeats is masked in our messages."""
        shown = clean(f"bad token {token} given")

        assert "***" in shown
        assert token[-12:] not in shown
        for piece in re.split("[^A-Za-z0-9+/_-]", token):
            assert len(piece) < 16 or piece not in shown

    @pytest.mark.parametrize(
        "form",
        [
            '{"AccessKeyId":"%s","SecretKey":"%s"}',
            "<AccessKeyId>%s</AccessKeyId><SecretKey>%s</SecretKey>",
            "AccessKeyId=%s,SecretAccessKey=%s,Expiration=0",
            "AccessKeyId:%s;SecretAccessKey:%s",
            "(%s|%s)",
            "?AWSAccessKeyId=%s&secret=%s",
        ],
    )
    def test_keys_are_hidden_whatever_stands_around_them(self, form: str) -> None:
        """A key in JSON, XML, a list or a query is masked, though no space stands around it."""
        shown = clean("answer: " + form % (KEY, SECRET_TEXT + "1"))

        assert KEY[-12:] not in shown
        assert SECRET_TEXT[-12:] not in shown
        assert shown.startswith("answer: ")

    @pytest.mark.parametrize(
        "text",
        [
            '{"identityId":"us-east-1:0b8d4f1c-1234-1234-1234-123456789abc","code":"NotAuthorizedException"}',
            "(arn:aws:iam::123456789012:role/a-role-whose-name-alone-is-longer-than-any-key-1234567890),",
            "arn:aws-us-gov:iam::123456789012:saml-provider/an-identity-provider-with-a-long-name-2024",
            "file:/var/run/secrets/eks.amazonaws.com/serviceaccount/token1,file:/Users/ada/Library/token-2024/x",
            "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_AbCdEfGh1,accounts.google.com",
            "https://login.microsoftonline.com/0b8d4f1c-1234-1234-1234-123456789abc/v2.0",
            "/home/ann/GitHub/MyOrg/MyAwsApp/src/IdTokens.jwt",
            "/Users/JohnDoe/MyDocs/MyApp/AwsTokens/IdToken",
            "C:/Users/JohnDoe/AppData/Local/MyAwsApp/IdToken1",
            "AmazonCognitoIdentityProviderInvalidParameterException",
            "AmplifyAuthenticatedUserRoleForProductionEnvironment",
            "GoogleWorkspaceTokenProviderForDesktopApps.get_token()",
            "software.amazon.awssdk.services.cognitoidentity.model.NotAuthorizedException",
            "https://cognito-identity.us-east-1.amazonaws.com",
            "ec2-12-34-56-78.eu-central-1.compute.amazonaws.com",
            "b-1234abcd-56ef-7890.mq.us-east-1.on.aws",
            "MyAp-LoadB-1ABC2DE3GHI4K-1234567890.us-east-1.elb.amazonaws.com",
            "aws-cognito-credentials-exporter-7d4b9c6f5d-x2x7k",
            "cognito-idp.us-east-1.amazonaws.com/us-east-1_Ab1Cd2Ef3",
            "https://issuer-cognito-idp.us-east-1.amazonaws.com/us-east-1_Ab1Cd2Ef3",
            "https://dev-8ab1c2d3e4f5.us.auth0.com",
            "us-east-1:0b8d4f1c-9a52-4e11-8a3c-123456789abc",
            "vpce-0fe5b17a0707d6abc-29p5708s-us-east-1a.sts.us-east-1.vpce.amazonaws.com",
            "aws_cognito_login_host=dev-8ab1c2d3e4f5a6b7c8d9.us.auth0.com",
            "x-amzn-request-id=0b8d4f1c-9a52-4e11-8a3c-123456789abc",
            "Root=1-67891233-abcdef012345678912345678",
            "https://rgn38b3w2z9qtex6ai7l.on.aws/us-east-1_UkAQ5y4zI",
            "https://MyAp-LoadB-W9X2M69U2VLV4-1234567890.us.auth0.com/us-east-1_zSVu3pz6o",
            "request-id=0b8d4f1c-9a52-4e11-8a3c-123456789abc",
            "AWS_COGNITO_LOGIN_FILE=/home/ann/GitHub/MyOrg/MyAwsApp/src/IdTokens.jwt",
            "role=arn:aws:iam::123456789012:role/MyStack2-Auth3RoleForApp4-1A2B3C4D5E6F7",
            "arn:aws:iam::123456789012:role/sso.amazonaws.com/AWSReservedSSO_Admin2_0a1b2c3d4e5f6a7b",
        ],
    )
    def test_names_and_places_stay_readable(self, text: str) -> None:
        """Identity ids, ARNs, paths and provider names are not masked: messages are about them."""
        assert clean(text) == text

    def test_cognitos_own_texts_stay_readable(self) -> None:
        """Identity ids, ARNs and plain words in messages of Cognito are not masked."""
        text = (
            "Identity 'us-east-1:0b8d4f1c-1234-1234-1234-123456789abc' not found. "
            "Role arn:aws:iam::123456789012:role/service-role/Cognito_appUnauth_Role is not allowed"
        )
        assert clean(text) == text

    @given(st.text(max_size=400))
    def test_any_text_becomes_one_line(self, text: str) -> None:
        """No text breaks the line or the limit."""
        shown = clean(text)

        assert "\n" not in shown
        assert shown.isprintable()


BASE64 = string.ascii_letters + string.digits + "+/"
WHOLE = "%s"
FORMS = (
    WHOLE,
    "token=%s",
    "Bearer %s.",
    '{"SecretKey":"%s","n":1}',
    '{\\"key\\":\\"%s\\"}',
    "<SecretAccessKey>%s</SecretAccessKey>",
    "'%s',",
    "https://example.com/?secret=%s&n=1",
    "line\\n%s\\n",
    "%%20%s",
)
chances = st.integers(0, 2**64).map(random.Random)
"""Real secrets are random; the strategies of hypothesis prefer letters that repeat."""


def secret_key(chance: random.Random) -> str:
    return "".join(chance.choices(BASE64, k=40))


def session_token(chance: random.Random) -> str:
    return base64.b64encode(chance.randbytes(chance.randrange(90, 900))).decode()


def access_key_id(chance: random.Random) -> str:
    alphabet = string.ascii_uppercase + string.digits
    return chance.choice(("ASIA", "AKIA")) + "".join(chance.choices(alphabet, k=16))


def jwt(chance: random.Random) -> str:
    def part(content: bytes) -> str:
        return base64.urlsafe_b64encode(content).decode().rstrip("=")

    claims = b'{"sub":"%s","iss":"https://login.example.com"}' % chance.randbytes(12).hex().encode()
    signature = chance.randbytes(chance.choice((32, 64, 256)))
    return ".".join((part(b'{"alg":"RS256","kid":"k-1"}'), part(claims), part(signature)))


URL_SAFE = string.ascii_letters + string.digits + "-_"
LOWER = string.ascii_lowercase + string.digits
BASE32 = string.ascii_uppercase + "234567"


def some(alphabet: str, *lengths: int, by: str = ".") -> Callable[[random.Random], str]:
    """Return a maker of random tokens: parts of these lengths, joined by *by*."""
    return lambda chance: by.join("".join(chance.choices(alphabet, k=length)) for length in lengths)


def uuids(count: int, by: str) -> Callable[[random.Random], str]:
    return lambda chance: by.join(str(uuid.UUID(int=chance.getrandbits(128))) for _ in range(count))


OPAQUE: dict[str, Callable[[random.Random], str]] = {
    "PKCE verifier": some(URL_SAFE, 43),
    "refresh token": some(URL_SAFE, 64),
    "app client secret": some(LOWER, 52),
    "SHA-1": some("0123456789abcdef", 40),
    "Keycloak's code": uuids(3, "."),
    "two UUIDs": uuids(2, "-"),
    "lower case, dashes": some(LOWER, 12, 12, 12, 12, 12, by="-"),
    "base32, dashes": some(BASE32, 8, 8, 8, 8, 8, 8, by="-"),
    "two parts": some(URL_SAFE, 30, 30),
    "two parts of base64": some(BASE64, 30, 30),
    "halves": some(BASE64, 20, 20, by="="),
    "three parts": some(URL_SAFE, 24, 6, 38),
    "SendGrid": lambda chance: "SG." + some(URL_SAFE, 22, 43)(chance),
}
"""Kinds of opaque tokens: those of identity providers, and of others that a text may hold."""

WORDS = (
    *("My", "Aws", "App", "Token", "Identity", "Cognito", "Id", "Config", "Data", "Local", "User", "Project"),
    *(
        "Git",
        "Hub",
        "One",
        "Drive",
        "Team",
        "Prod",
        "Dev",
        "Key",
        "Secret",
        "Auth",
        "Client",
        "Login",
        "Source",
    ),
    *("Code", "Work", "Space", "Docs", "Provider", "Service", "Exception", "For", "Desktop", "Workspace"),
)


def camel(chance: random.Random, most: int) -> str:
    return "".join(chance.choices(WORDS, k=chance.randrange(1, most)))


class TestMasking:
    """What `clean` masks, and what it never masks, on random examples."""

    @pytest.mark.parametrize("kind", OPAQUE)
    def test_opaque_tokens_are_masked(self, kind: str) -> None:
        """Of a thousand random tokens of a kind, at most ten show a part of 16 characters."""
        chance = random.Random(kind)
        leaks = 0
        for _ in range(1000):
            token = OPAQUE[kind](chance)
            shown = clean(chance.choice(FORMS[:7]) % token, limit=2000)
            leaks += any(token[at : at + 16] in shown for at in range(len(token) - 15))

        assert leaks <= 10

    @pytest.mark.parametrize("form", [WHOLE, "file:%s.jwt", "cannot read '%s':", "C:%s/IdToken1"])
    def test_paths_of_capitalized_words_are_kept(self, form: str) -> None:
        """Paths of any length whose folders are words in CamelCase are not masked."""
        chance = random.Random(form)
        for _ in range(1000):
            folders = [
                chance.choice(("src", "home", "ann", "v2.0", camel(chance, 4), camel(chance, 4)))
                for _ in range(chance.randrange(3, 9))
            ]
            text = form % f"/Users/{'/'.join(folders)}"

            assert clean(text) == text

    @pytest.mark.parametrize("form", [WHOLE, "%s.get_token()", "%s: no", "com.example.aws2.%s"])
    def test_class_names_are_kept(self, form: str) -> None:
        """Names of classes and functions of any length are not masked."""
        chance = random.Random(form)
        for _ in range(1000):
            text = form % (camel(chance, 12) + chance.choice(("", "V2", "2024")))

            assert clean(text) == text

    @pytest.mark.parametrize(
        "suffix",
        [
            *("us-east-1.elb.amazonaws.com", "eu-central-1.compute.amazonaws.com", "us.auth0.com"),
            *("mq.us-east-1.on.aws", "execute-api.cn-north-1.amazonaws.com.cn", "svc.cluster.local"),
        ],
    )
    def test_hosts_with_generated_names_are_kept(self, suffix: str) -> None:
        """Hosts, request ids and identity ids are not masked, though parts of them are random."""
        chance = random.Random(suffix)
        for _ in range(300):
            label = chance.choice(
                (
                    some(LOWER, 10, 5, by="-"),
                    some(LOWER, 20),
                    some(string.ascii_uppercase + string.digits, 13),
                    some("0123456789abcdef", 8, 4, 4, by="-"),
                    uuids(1, ""),
                )
            )(chance)
            one = uuids(1, "")(chance)
            for text in (
                f"{chance.choice(('b', 'dev', 'MyAp-LoadB'))}-{label}.{suffix}",
                f"https://{label}.{suffix}/realms/MyRealm2/{one}/v2.0",
                f"us-east-1:{one}",
                f"RequestId={one},",
                f"request {one}.",
            ):
                assert clean(text) == text

    @settings(derandomize=True, max_examples=300)
    @given(chances, st.sampled_from((secret_key, session_token, access_key_id, jwt)), st.sampled_from(FORMS))
    def test_secrets_are_masked(self, chance: random.Random, make: Any, form: str) -> None:
        """No 16 characters of a secret are left, whatever its kind and whatever stands around it."""
        secret = make(chance)

        shown = clean(form % secret, limit=2000)

        assert not any(secret[at : at + 16] in shown for at in range(len(secret) - 15))
        assert "***" in shown

    @pytest.mark.parametrize("codes", ["reserved", "all", "twice"])
    @settings(derandomize=True, max_examples=50)
    @given(chances, st.sampled_from((secret_key, session_token, access_key_id, jwt)))
    def test_secrets_are_masked_in_percent_codes(self, codes: str, chance: random.Random, make: Any) -> None:
        """A secret is masked in an address, whether some of its characters have codes, all, or the codes."""
        secret = make(chance)
        coded = quote(secret, safe="")
        coded = {
            "reserved": coded,
            "all": "".join(f"%{ord(one):02x}" for one in secret),
            "twice": quote(coded, safe=""),
        }[codes]

        shown = clean(f"https://example.com/?secret={coded}&n=a%20b%3Fc", limit=6000)

        assert not any(coded[at : at + 24] in shown for at in range(len(coded) - 23))
        assert "***" in shown
        assert shown.startswith("https://example.com/?secret=")
        assert shown.endswith("&n=a%20b%3Fc")

    @settings(derandomize=True, max_examples=100)
    @given(
        chances,
        st.sampled_from((secret_key, session_token, access_key_id, jwt)),
        st.sampled_from(("iam::123456789012:role/", "secretsmanager:us-east-1:123456789012:secret:", "x:")),
    )
    def test_secrets_are_masked_in_arns(self, chance: random.Random, make: Any, arn: str) -> None:
        """A secret is masked where a name stands in an ARN."""
        secret = make(chance)

        shown = clean(f"arn:aws:{arn}{secret}", limit=6000)

        assert not any(secret[at : at + 16] in shown for at in range(len(secret) - 15))

    def test_names_in_arns_are_kept(self) -> None:
        """The names that CloudFormation and IAM Identity Center make, with random ends, are not masked."""
        chance = random.Random("arns")
        upper = some(string.ascii_uppercase + string.digits, 13)
        for _ in range(400):
            stack = f"{camel(chance, 4)}-{camel(chance, 3)}-{upper(chance)}"
            sso = f"AWSReservedSSO_{camel(chance, 3)}_{some('0123456789abcdef', 16)(chance)}"
            for text in (
                f"arn:aws:iam::123456789012:role/{stack}",
                f"arn:aws:iam::123456789012:role/aws-reserved/sso.amazonaws.com/eu-west-1/{sso}",
                f"arn:aws:cognito-identity:us-east-1:1:identitypool/us-east-1:{uuids(1, '')(chance)}",
                f"arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2F{stack}",
            ):
                assert clean(text) == text

    @settings(derandomize=True)
    @given(
        st.lists(
            st.from_regex(r"[a-z0-9]([a-z0-9-]{0,18}[a-z0-9])?", fullmatch=True), min_size=2, max_size=9
        ),
        st.sampled_from((WHOLE, "https://%s/path", "'%s:443'", "(%s),")),
    )
    def test_host_names_are_kept(self, labels: list[str], form: str) -> None:
        """Host names of any length are not masked."""
        text = form % ".".join(labels)

        assert clean(text) == text

    @settings(derandomize=True, max_examples=300)
    @given(
        chances,
        st.sampled_from(("us-east-1", "ap-southeast-2", "us-gov-west-1", "cn-northwest-1", "eusc-de-east-1")),
        st.sampled_from((WHOLE, "https://%s", "login %s was refused", "{%s: 1}")),
    )
    def test_provider_names_are_kept(self, chance: random.Random, region: str, form: str) -> None:
        """The names of Cognito's own providers are not masked, though they are long and end like base64."""
        suffix = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
        pool = f"{region}_" + "".join(chance.choices(string.ascii_letters + string.digits, k=9))
        for name in (f"cognito-identity.{region}.{suffix}", f"cognito-idp.{region}.{suffix}/{pool}", pool):
            assert clean(form % name) == form % name

    @settings(derandomize=True, max_examples=300)
    @given(
        chances,
        st.sampled_from(
            ("/home/ada", "/Users/ada", "/Volumes/Data", "/var/run/secrets", "~", "C:\\\\Users\\\\ada", "")
        ),
        st.sampled_from((WHOLE, "file:%s", "cannot read '%s':", "(%s)")),
    )
    def test_paths_are_kept(self, chance: random.Random, root: str, form: str) -> None:
        """Paths of any length are not masked."""
        names = (
            *("projects", "site-packages", "cognito_credentials", "token2", ".aws", "tokens.d", "v2.0", "S3"),
            *("Library", "Application-Support", "TOKENS", "README.md", "..2026_11_30", "overlay2"),
            *("eks.amazonaws.com", "serviceaccount"),
        )
        camel = ("MyAwsApp", "GitHub", "AndroidStudioProjects", "OneDrive2024", "CognitoTokens")
        unique = (str(uuid.UUID(int=chance.getrandbits(128))), chance.randbytes(32).hex())
        parts = [
            *chance.sample(names, chance.randrange(1, 6)),
            *chance.sample(camel, chance.randrange(3)),
            *chance.sample(unique, chance.randrange(2)),
        ]
        chance.shuffle(parts)
        text = form % "/".join((root, *parts))

        assert clean(text) == text


class TestCredentials:
    def test_they_do_not_show_themselves(self) -> None:
        """The repr shows the last four characters of the key id and the expiration, and no secret."""
        assert repr(made()) == (
            "TemporaryCredentials(access_key_id=…MPLE, secret_access_key=<redacted>, "
            "session_token=<redacted>, expiration=2027-01-15T08:00:00Z)"
        )

    def test_they_are_immutable_and_stay_here(self) -> None:
        """They cannot be changed into a mixed triple, and refuse to be pickled."""
        with pytest.raises(AttributeError):
            made().access_key_id = "x"  # type: ignore[misc]
        with pytest.raises(TypeError):
            pickle.dumps(made())

    def test_the_process_spelling_is_what_botocore_takes(self) -> None:
        """The JSON has every field that botocore's ProcessProvider reads."""
        import json

        spelled = json.loads(made().to_process())

        assert spelled == {
            "Version": 1,
            "AccessKeyId": KEY,
            "SecretAccessKey": SECRET_TEXT,
            "SessionToken": "SESSION/token+text==",
            "Expiration": "2027-01-15T08:00:00Z",
            "AccountId": "123456789012",
        }
        assert "AccountId" not in json.loads(made(account_id=None).to_process())

    @pytest.mark.parametrize(
        "change",
        [
            {"AccessKeyId": None},
            {"AccessKeyId": "short"},
            {"AccessKeyId": "ASIA" + "x" * 16},
            {"AccessKeyId": "ASIA\n" + "X" * 15},
            {"SecretKey": ""},
            {"SecretKey": 'with"quote'},
            {"SecretKey": "with space"},
            {"SecretKey": b"bytes"},
            {"SessionToken": "é"},
            {"SessionToken": "x" * 20_000},
            {"Expiration": None},
            {"Expiration": "2027-01-01"},
        ],
    )
    def test_malformed_answers_are_refused_without_their_values(self, change: dict[str, Any]) -> None:
        """Parts that could break a shell, a header or a record are refused."""
        answer = {
            "AccessKeyId": KEY,
            "SecretKey": SECRET_TEXT,
            "SessionToken": "t",
            "Expiration": datetime(2027, 1, 1, tzinfo=timezone.utc),
        }
        with pytest.raises(errors.ServiceError):
            TemporaryCredentials.from_cognito({**answer, **change})

    def test_both_services_spell_the_secret_their_own_way(self) -> None:
        """The secret is SecretKey from Cognito and SecretAccessKey from STS; any UTC offset is understood."""
        end = datetime(2027, 1, 15, 9, 0, tzinfo=timezone(timedelta(hours=1)))
        shared = {"AccessKeyId": KEY, "SessionToken": "t", "Expiration": end}

        from_cognito = TemporaryCredentials.from_cognito({**shared, "SecretKey": "s"})
        from_sts = TemporaryCredentials.from_sts({**shared, "SecretAccessKey": "s"})

        assert from_cognito == from_sts
        assert iso(from_sts.expires_at) == "2027-01-15T08:00:00Z"

    def test_an_account_is_twelve_digits_or_unknown(self) -> None:
        """A wrong account would send requests to the wrong endpoint."""
        with pytest.raises(errors.ServiceError):
            checked(KEY, "s", "t", 1, "12345")


class TestClock:
    def test_noise_is_no_offset(self) -> None:
        """Differences below the resolution of the Date header are ignored."""
        clock = ManualClock()

        assert observe(clock, clock.wall() + 4).offset == 0
        assert observe(clock, clock.wall() + 6).offset == 6
        assert observe(clock).offset == 0

    def test_the_later_of_two_clocks_counts(self) -> None:
        """Neither a wall clock that was set back nor an elapsed clock that stood still gives more time."""
        clock = ManualClock()
        seen = observe(clock)
        clock.advance(100)
        assert seen.now(clock) == pytest.approx(seen.wall + 100)
        clock.set_wall(clock.wall() - 50)
        assert seen.now(clock) == pytest.approx(seen.wall + 100)
        clock.set_wall(clock.wall() + 500)
        assert seen.now(clock) == pytest.approx(seen.wall + 550)

    def test_another_boots_elapsed_clock_says_nothing(self) -> None:
        """After a reboot only the wall clock counts."""
        clock = ManualClock()
        seen = ServerTime(int(clock.wall()), 10**9, "boot-0", 0)

        assert seen.now(clock) == clock.wall()


@given(st.binary(max_size=300))
def test_the_digest_is_sha256(data: bytes) -> None:
    """The implementation that loads fast computes the same as hashlib."""
    import hashlib

    assert sha256(data).hexdigest() == hashlib.sha256(data).hexdigest()


class TestReplaced:
    """`errors.replaced`: the new error keeps nothing of the old one."""

    def test_nothing_of_the_old_error_stays(self) -> None:
        """Neither context, cause nor any frame of the new error leads to the old one's variables."""

        def read() -> None:
            token = "hidden-text"
            raise ValueError(token)

        with (
            pytest.raises(errors.ConfigurationError) as caught,
            errors.replaced(ValueError, by=lambda error: errors.ConfigurationError(type(error).__name__)),
        ):
            read()

        error = caught.value
        assert error.message == "ValueError"
        assert error.__context__ is None
        assert error.__cause__ is None
        frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
        assert "read" not in {frame.f_code.co_name for frame in frames}
        assert not any(type(value) is ValueError for frame in frames for value in frame.f_locals.values())

    def test_other_errors_pass(self) -> None:
        """Errors of other kinds pass unchanged, and without an error nothing is raised."""
        with pytest.raises(KeyError, match="as it is"), errors.replaced(ValueError, by=errors.CacheError):
            raise KeyError("as it is")
        with errors.replaced(ValueError, by=errors.CacheError):
            pass

    def test_without_a_new_error_the_old_one_passes(self) -> None:
        """Where `by` returns None, the error is raised as it is, with its context and frames."""

        def read() -> None:
            try:
                raise KeyError("first")
            except KeyError:
                raise ValueError("second") from None

        with (
            pytest.raises(ValueError, match="second") as caught,
            errors.replaced(ValueError, by=lambda _: None),
        ):
            read()

        assert isinstance(caught.value.__context__, KeyError)
        assert "read" in {frame.f_code.co_name for frame, _ in traceback.walk_tb(caught.value.__traceback__)}
