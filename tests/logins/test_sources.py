"""Each source with the real thing behind it: files, variables, functions."""

from __future__ import annotations

import errno
import http.client
import os
import pickle
import signal
import socket
import urllib.error
from collections.abc import Callable
from email.message import Message
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import botocore.exceptions
import pytest
import urllib3.exceptions

from cognito_credentials.errors import ConfigurationError, LoginRequiredError, ServiceError
from cognito_credentials.logins import CallableSource, EnvironmentSource, FileSource, Logins, TokenSource
from cognito_credentials.logins.claims import TOKEN_LIMIT
from cognito_credentials.logins.program import source_of
from cognito_credentials.logins.source import ask
from cognito_credentials.secret import Secret
from tests.conftest import locals_of

from .tokens import GOOGLE, NOW, jwt

CANARY = "CANARY-token"


def _refused(source: Any) -> LoginRequiredError:
    with pytest.raises(LoginRequiredError) as caught:
        source.token()
    assert "CANARY" not in str(caught.value)
    assert caught.value.hint
    assert caught.value.exit_code == 3
    return caught.value


# Files


def test_a_file_is_read_each_time(place: Path) -> None:
    """The file is read each time, and white space around the token is no part of it."""
    path = place / "token"
    path.write_text(f" {CANARY}1\n")
    source = FileSource(path)
    assert source.token().reveal() == CANARY + "1"

    path.write_text(CANARY + "2")
    assert source.token().reveal() == CANARY + "2"


def test_a_byte_order_mark_is_no_part_of_a_token(place: Path) -> None:
    """Editors on Windows begin a file with one."""
    (place / "token").write_bytes(b"\xef\xbb\xbf" + CANARY.encode() + b"\r\n")
    assert FileSource(place / "token").token().reveal() == CANARY


def test_a_linked_file_is_followed(place: Path) -> None:
    """Mounted secrets are links to links, and rotate by changing one."""
    (place / "data").write_text(CANARY)
    (place / "link").symlink_to("data")
    assert FileSource(place / "link").token().reveal() == CANARY


def test_a_home_is_expanded(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """~ is the user's home."""
    monkeypatch.setenv("HOME", str(place))
    (place / "token").write_text(CANARY)
    assert FileSource("~/token").token().reveal() == CANARY


def _make_fifo(path: Path) -> None:
    os.mkfifo(path)


def _make_large(path: Path) -> None:
    path.write_text(CANARY * 6000)


@pytest.mark.parametrize(
    ("make", "what"),
    [
        (os.fspath, "is missing"),
        (lambda path: path.write_text(" \n"), "is empty"),
        (lambda path: path.write_bytes(b"CANARY\xff"), "is not UTF-8 text"),
        (lambda path: path.mkdir(), "not a regular file"),
        (_make_fifo, "not a regular file"),
        (_make_large, "is larger than 64 KiB"),
        (lambda path: path.symlink_to(path), "cannot be read: Too many levels"),
    ],
)
def test_a_bad_file_is_named(place: Path, make: Callable[[Path], object], what: str) -> None:
    """Missing, empty, huge, binary, a directory or a FIFO: one line with the path, and no hanging."""
    path = place / "token"
    make(path)
    before = set(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else set()

    error = _refused(FileSource(path))

    assert str(path) in str(error)
    assert what in str(error)
    assert FileSource(path).principal() is None
    if before:
        assert set(os.listdir("/proc/self/fd")) == before


def test_a_path_with_a_null_is_no_path() -> None:
    """A path that no file can have is an error like any other."""
    assert "not a path" in str(_refused(FileSource("/a\0b")))


def test_the_largest_file_is_read(place: Path) -> None:
    """A file of 64 KiB is read; its token is too long."""
    (place / "token").write_text("x" * 65_536)
    assert len(FileSource(place / "token").token().reveal()) == 65_536
    with pytest.raises(ConfigurationError, match=f"gave 65536 characters; Cognito takes {TOKEN_LIMIT}"):
        ask(FileSource(place / "token"), GOOGLE)


# Environment variables


def test_a_variable_is_looked_up_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable set later is seen, in this process's environment."""
    source = EnvironmentSource("LOGIN_TOKEN")
    assert "LOGIN_TOKEN holds no login token" in str(_refused(source))
    monkeypatch.setenv("LOGIN_TOKEN", f"{CANARY}\n")
    assert source.token().reveal() == CANARY


def test_a_given_environment_is_used_instead() -> None:
    """A given environment replaces the process's; an empty variable is not set."""
    environ = {"T": "  "}
    source = EnvironmentSource("T", environ)
    assert "T holds no login token" in str(_refused(source))
    assert source.token_at_hand() is None
    environ["T"] = CANARY
    assert source.token().reveal() == CANARY


# Functions and other people's sources


class _Broken:
    """A source whose error holds the token, in its message, its cause and its frame."""

    def token(self) -> str:
        token = CANARY + "-local"
        try:
            raise KeyError(token)
        except KeyError as error:
            raise RuntimeError(f"bad token {token}") from error


def test_an_error_of_a_source_is_replaced() -> None:
    """Type, source and line are named; the message, cause and context are gone with what they held."""
    with pytest.raises(LoginRequiredError) as caught:
        ask(source_of(_Broken(), GOOGLE, "argument"), GOOGLE)

    assert str(caught.value).startswith(
        "the login source _Broken failed with RuntimeError at test_sources.py:"
    )
    assert caught.value.__context__ is None
    assert caught.value.__cause__ is None

    def fetch() -> str:
        raise ValueError(CANARY)

    with pytest.raises(LoginRequiredError, match=r"fetch\(\) failed with ValueError") as caught:
        ask(CallableSource(fetch), None)
    assert caught.value.__context__ is None


def test_the_line_that_raised_is_named(place: Path) -> None:
    """The error names the line that failed, and no variable."""
    module: dict[str, Any] = {}
    code = f"def inner():\n    token = '{CANARY}'\n    return 1 / 0\ndef fetch():\n    return inner()\n"
    exec(compile(code, str(place / "app.py"), "exec"), module)

    with pytest.raises(LoginRequiredError, match=r"fetch\(\) failed with ZeroDivisionError at app\.py:3\."):
        ask(CallableSource(module["fetch"]), GOOGLE)


class _OfRequests(OSError):  # noqa: N818  (as theirs are called)
    """requests' exceptions are OSErrors too; of an answer they have the response."""

    __module__ = "requests.exceptions"
    response: Any = None


def _answered(status: int) -> OSError:
    error = _OfRequests("x")
    error.response = SimpleNamespace(status_code=status)
    return error


@pytest.mark.parametrize(
    "error",
    [
        ConnectionRefusedError(111, CANARY),
        TimeoutError(CANARY),
        socket.gaierror(-2, CANARY),
        urllib.error.URLError(CANARY),
        urllib.error.HTTPError("http://x", 503, CANARY, Message(), None),
        OSError(errno.ENETUNREACH, CANARY),
        _OfRequests(CANARY),
        _answered(429),
    ],
    ids=repr,
)
def test_an_outage_is_no_reason_to_sign_in(error: OSError) -> None:
    """A function that could not reach its issuer is a ServiceError, which can be tried again."""

    def fetch() -> str:
        raise error

    with pytest.raises(ServiceError, match=r"fetch\(\) could not reach what it asks") as caught:
        ask(CallableSource(fetch), GOOGLE)

    assert caught.value.retryable
    assert "try again" in caught.value.hint
    assert "CANARY" not in str(caught.value)
    assert caught.value.__context__ is None


@pytest.mark.parametrize(
    "error",
    [
        FileNotFoundError(2, CANARY),
        PermissionError(13, CANARY),
        IsADirectoryError(21, CANARY),
        NotADirectoryError(20, CANARY),
        OSError(errno.ENOSPC, CANARY),
        urllib.error.HTTPError("http://x", 400, CANARY, Message(), None),
        _answered(401),
    ],
    ids=repr,
)
def test_a_refusal_or_a_fault_at_home_is_no_outage(error: OSError) -> None:
    """A missing file and a refusing issuer are no outage."""

    def fetch() -> str:
        raise error

    with pytest.raises(LoginRequiredError, match=f"failed with {type(error).__name__}"):
        ask(CallableSource(fetch), GOOGLE)


def _named(package: str, *names: str, **attributes: Any) -> Exception:
    """An error of a library that need not be installed: *names* from its base to its class."""
    kind: type[Exception] = Exception
    for name in names:
        kind = type(name, (kind,), {"__module__": package})
    error = kind(CANARY)
    for name, value in attributes.items():
        setattr(error, name, value)
    return error


def _of_aws(status: int, code: str) -> Exception:
    answer = {"Error": {"Code": code, "Message": CANARY}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return botocore.exceptions.ClientError(answer, "InitiateAuth")  # type: ignore[arg-type]  # as botocore makes it


@pytest.mark.parametrize(
    "error",
    [
        botocore.exceptions.EndpointConnectionError(endpoint_url="https://x"),
        botocore.exceptions.ReadTimeoutError(endpoint_url="https://x"),
        botocore.exceptions.ConnectTimeoutError(endpoint_url="https://x"),
        botocore.exceptions.ProxyConnectionError(proxy_url="https://x"),
        _of_aws(500, "InternalErrorException"),
        _of_aws(503, "503"),
        _of_aws(400, "TooManyRequestsException"),
        _of_aws(400, "ThrottlingException"),
        urllib3.exceptions.MaxRetryError(None, "/"),  # type: ignore[arg-type]
        urllib3.exceptions.ProtocolError(CANARY),
        http.client.RemoteDisconnected(CANARY),
        http.client.IncompleteRead(b""),
        _named(
            "aiohttp.client_exceptions", "ClientError", "ClientConnectionError", "ServerDisconnectedError"
        ),
        _named("aiohttp.client_exceptions", "ClientError", "ClientResponseError", status=503),
        _named("httpx", "TransportError", "NetworkError", "ConnectError"),
        _named("httpx", "TransportError", "TimeoutException", "ReadTimeout"),
        _named("httpx", "HTTPStatusError", response=SimpleNamespace(status_code=502)),
        _named("httpcore", "NetworkError", "ConnectError"),
        _named("asyncio.exceptions", "TimeoutError"),
    ],
    ids=repr,
)
@pytest.mark.parametrize("how", ["itself", "cause", "context", "group"])
def test_libraries_errors_of_an_outage(error: Exception, how: str) -> None:
    """What libraries raise offline is a ServiceError, also as the cause or context of another error."""

    def fetch() -> str:
        if how == "group":
            raise _named("", "ExceptionGroup", exceptions=(ValueError(), error))
        try:
            raise error
        except Exception:
            if how == "itself":
                raise
            if how == "cause":
                raise RuntimeError(CANARY) from error
            raise RuntimeError(CANARY)  # noqa: B904  (the context is what is tested)

    with pytest.raises(ServiceError, match="could not reach what it asks") as caught:
        ask(CallableSource(fetch), GOOGLE)

    assert caught.value.exit_code == 6
    assert "CANARY" not in str(caught.value)
    assert caught.value.__context__ is None


@pytest.mark.parametrize(
    "error",
    [
        _of_aws(400, "NotAuthorizedException"),
        _of_aws(400, "ResourceNotFoundException"),
        botocore.exceptions.NoRegionError(),
        botocore.exceptions.NoCredentialsError(),
        urllib3.exceptions.LocationParseError("x"),
        _named("aiohttp.client_exceptions", "ClientError", "ClientResponseError", status=401),
        _named("aiohttp.client_exceptions", "ClientError", "InvalidURL"),
        _named("httpx", "HTTPStatusError", response=SimpleNamespace(status_code=403)),
        _named("httpx", "TransportError", "UnsupportedProtocol"),
        _named("ours", "ConnectionError"),
        type("MissingSchema", (OSError, ValueError), {"__module__": "requests.exceptions"})("x"),
    ],
    ids=repr,
)
def test_libraries_errors_that_are_no_outage(error: Exception) -> None:
    """A refusal, a wrong setting, an error of the program: an answer counts more than its context."""

    def fetch() -> str:
        try:
            raise ConnectionRefusedError(CANARY)
        except OSError:
            if isinstance(error, botocore.exceptions.ClientError) or hasattr(error, "status"):
                raise error  # noqa: B904  (an earlier try is its context)
        raise error

    with pytest.raises(LoginRequiredError, match="failed with"):
        ask(CallableSource(fetch), GOOGLE)


def test_a_context_that_is_hidden_is_no_reason() -> None:
    """``raise … from None`` says that what was handled is not the reason."""

    def fetch() -> str:
        try:
            raise ConnectionRefusedError(CANARY)
        except OSError:
            raise RuntimeError(CANARY) from None

    with pytest.raises(LoginRequiredError):
        ask(CallableSource(fetch), GOOGLE)


@pytest.mark.parametrize("how", ["itself", "cause"])
def test_a_program_names_its_own_outages(how: str) -> None:
    """Errors that the program lists in `outage` are outages; others are not."""

    class TunnelError(Exception):
        pass

    def fetch() -> str:
        if how == "itself":
            raise TunnelError(CANARY)
        raise RuntimeError(CANARY) from TunnelError()

    with pytest.raises(ServiceError):
        ask(CallableSource(fetch), GOOGLE, (TunnelError,))
    with pytest.raises(LoginRequiredError):
        ask(CallableSource(fetch), GOOGLE, (KeyError,))


@pytest.mark.parametrize("kind", [RuntimeError, TimeoutError])
def test_the_error_of_a_signal_handler_passes(kind: type[Exception]) -> None:
    """A time limit that the program has set passes through, and is no failure of the login that it met."""

    class Task:
        def limit(self, *_: object) -> None:
            raise error

    error = kind("the soft time limit of this task")

    def fetch() -> str:
        signal.raise_signal(signal.SIGUSR1)
        return CANARY

    before = signal.signal(signal.SIGUSR1, Task().limit)
    try:
        with pytest.raises(kind) as caught:
            ask(CallableSource(fetch), GOOGLE)
    finally:
        signal.signal(signal.SIGUSR1, before)

    assert caught.value is error


@pytest.mark.parametrize("error", [LoginRequiredError("gone", hint="sign in"), ServiceError("offline")])
def test_an_error_of_ours_passes_through(error: Exception) -> None:
    """Errors of this package pass as they are, with the errors that they name as their context and cause."""
    cause = KeyError("why")

    def fetch() -> str:
        try:
            raise cause
        except KeyError:
            raise error from cause

    with pytest.raises(type(error)) as caught:
        ask(CallableSource(fetch), GOOGLE)
    assert caught.value is error
    assert caught.value.__context__ is cause
    assert caught.value.__cause__ is cause


def test_an_interrupt_is_nobodys_error() -> None:
    """Ctrl-C in a user's function stays Ctrl-C."""

    def fetch() -> str:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ask(CallableSource(fetch), GOOGLE)


async def _coroutine() -> str:
    return CANARY


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        (CANARY.encode(), "bytes"),
        ({"token": CANARY}, "dict"),
        ([CANARY], "list"),
        (17, "int"),
        (True, "bool"),
    ],
)
def test_what_is_no_token_is_named_by_type(given: object, kind: str) -> None:
    """Bytes, dicts and numbers are named by type, never by value."""
    with pytest.raises(ConfigurationError, match=rf"for {GOOGLE} gave {kind}, not text") as caught:
        ask(CallableSource(lambda: given), GOOGLE)  # type: ignore[arg-type,return-value]
    assert "CANARY" not in str(caught.value)


def test_a_coroutine_is_named_and_closed() -> None:
    """An async function where no loop runs is an error, without Python's warning that nobody awaited it."""
    with pytest.raises(ConfigurationError, match=r"_coroutine\(\) is asynchronous.*AsyncIdentityPool"):
        ask(CallableSource(_coroutine), None)  # type: ignore[arg-type]


@pytest.mark.parametrize("given", [None, "", "  \n", Secret("")])
def test_no_token_is_a_login_required(given: Any) -> None:
    """None and empty mean that nobody is signed in; they never mean a guest."""
    with pytest.raises(LoginRequiredError, match="gave no token"):
        ask(CallableSource(lambda: given), GOOGLE)


def test_text_and_secrets_are_taken() -> None:
    """Both are tokens, and white space around them is none of it."""
    for given in (f" {CANARY}\n", Secret(CANARY)):
        token = ask(CallableSource(lambda given=given: given), None)  # type: ignore[misc]
        assert token.reveal() == CANARY


def test_nothing_shows_a_token() -> None:
    """No repr and no pickle of a source holds its token."""
    source = TokenSource(CANARY)
    assert CANARY not in repr(source) + repr(vars(source)) + repr(Logins.of(CANARY))
    with pytest.raises(TypeError, match="refuses to be pickled"):
        pickle.dumps(source)


def test_a_file_names_its_user_and_a_given_token_does_not(place: Path) -> None:
    """The unverified subject names the user of a file, and not of a token that was given."""
    (place / "token").write_text(jwt(sub="ann"))
    trusted = Logins.of({GOOGLE: FileSource(place / "token")})
    given = Logins.of({GOOGLE: jwt(sub="ann")})

    assert str(trusted.principal()).startswith("subject:")
    assert str(given.principal()).startswith("token:")
    assert trusted.resolve(NOW).principal == trusted.principal()
    assert given.resolve(NOW).principal == given.principal()


# What crash reporters see


@pytest.mark.parametrize(
    "given",
    [b"CANARY", {"token": "CANARY"}, ["CANARY"], "CANARY" * TOKEN_LIMIT, Secret("CANARY" * TOKEN_LIMIT)],
)
def test_no_frame_of_an_error_holds_what_a_source_gave(given: Any) -> None:
    """No frame of an error holds what a source gave, since crash reporters send local variables."""
    with pytest.raises(ConfigurationError) as caught:
        ask(CallableSource(lambda: given), GOOGLE)

    assert "CANARY" not in locals_of(caught.value)
    assert "ask: provider" in locals_of(caught.value)


@pytest.mark.parametrize("content", [b"CANARY" * 20_000, b"CANARY\xff"])
def test_no_frame_of_an_error_holds_what_a_file_holds(place: Path, content: bytes) -> None:
    """No frame of an error holds what a file holds that is too large or no text."""
    (place / "data").write_bytes(content)
    with pytest.raises(LoginRequiredError) as caught:
        ask(FileSource(place / "data"), GOOGLE)

    assert "CANARY" not in locals_of(caught.value)
    assert "token: outcome" in locals_of(caught.value)
