"""Errors, secrets, credentials, clocks: the files that every folder uses."""

from __future__ import annotations

import base64
import copy
import pickle
import random
import string
import traceback
import uuid
from datetime import datetime, timedelta, timezone
from typing import Any

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
        assert str(again) == "what is wrong. What to do"

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
        ],
    )
    def test_tokens_in_texts_from_outside_are_hidden(self, token: str) -> None:
        """A token that a service repeats is masked in our messages."""
        assert "***" in clean(f"bad token {token} given")
        assert token[-12:] not in clean(f"bad token {token} given")

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


class TestMasking:
    """What `clean` masks, and what it never masks, on random examples."""

    @settings(derandomize=True, max_examples=300)
    @given(chances, st.sampled_from((secret_key, session_token, access_key_id, jwt)), st.sampled_from(FORMS))
    def test_secrets_are_masked(self, chance: random.Random, make: Any, form: str) -> None:
        """No 16 characters of a secret are left, whatever its kind and whatever stands around it."""
        secret = make(chance)

        shown = clean(form % secret, limit=2000)

        assert not any(secret[at : at + 16] in shown for at in range(len(secret) - 15))
        assert "***" in shown

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
        assert str(error) == "ValueError"
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
