"""The console: a federation endpoint on this machine stands for AWS's; the browser is a program."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from cognito_credentials.cli.federation import PLACES, Federation, console_address, federation
from cognito_credentials.credentials import TemporaryCredentials
from cognito_credentials.errors import CognitoCredentialsError, ConfigurationError
from cognito_credentials.settings.settings import Settings
from tests.administer.conftest import Done
from tests.cli.conftest import Cli
from tests.conftest import locals_of

Call = Callable[..., Done]
User = Callable[..., tuple[str, ...]]
TOKEN = "sign-in+token/of=CANARY"
GUID = "0b8d4f1c-0000-4000-8000-000000000001"
BROWSER = """\
import sys, urllib.request, urllib.error
class Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_): return None
try:
    urllib.request.build_opener(urllib.request.ProxyHandler({}), Stay).open(sys.argv[1])
except urllib.error.HTTPError as answer:
    open(sys.argv[2], "w").write(sys.argv[1] + " " + answer.headers["Location"])
"""


class SignIn(ThreadingHTTPServer):
    """A federation endpoint."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[dict[str, list[str]]] = []
        self.status = 200
        self.body = json.dumps({"SigninToken": TOKEN})
        self.thread = threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: SignIn

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        assert parts.path == "/federation"
        self.server.asked.append(parse_qs(parts.query, strict_parsing=True))
        body = self.server.body.encode()
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """The query has credentials in it."""


@pytest.fixture
def sign_in() -> Iterator[SignIn]:
    server = SignIn()
    yield server
    server.shutdown()
    server.server_close()
    server.thread.join()


@pytest.fixture
def app(
    emulator: Any, cli: Cli, sign_in: SignIn, config: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> Cli:
    """The command line with a guest's profile, the emulator and a federation endpoint."""
    config(f"[profile guest]\nregion = eu-west-1\ncognito_identity_pool_id = {emulator.create_pool()}\n")
    addresses = {"COGNITO_IDENTITY": emulator.url, "STS": emulator.url, "SIGNIN": sign_in.url}
    for service, url in addresses.items():
        cli.environ[f"AWS_ENDPOINT_URL_{service}"] = url
        monkeypatch.setenv(f"AWS_ENDPOINT_URL_{service}", url)
    return cli


@pytest.fixture
def user(emulator: Any, app: Cli, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[str, ...]]:
    """Return a function that makes a pool, and returns the options of a signed-in user of it."""

    def options(region: str = "us-east-1", partition: str = "aws") -> tuple[str, ...]:
        pool = emulator.create_pool(
            IdentityPoolId=f"{region}:{GUID}",
            SupportedLoginProviders={"accounts.google.com": "app"},
            roles={"authenticated": f"arn:{partition}:iam::123456789012:role/authenticated"},
        )
        token = emulator.login_token("accounts.google.com", audience="app", subject="ann")
        app.environ["ANN"] = token
        monkeypatch.setenv("ANN", token)
        return ("--identity-pool-id", pool, "--login", "accounts.google.com=env:ANN")

    return options


@pytest.mark.quick
def test_url(call: Call, sign_in: SignIn, user: User) -> None:
    """--url prints the address with token and page; the credentials are those that export prints."""
    options = user()
    exported = json.loads(call("export", *options).out)

    done = call("console", "--url", *options)

    address = urlsplit(done.out.strip())
    assert f"{address.scheme}://{address.netloc}" == sign_in.url
    assert parse_qs(address.query) == {
        "Action": ["login"],
        "Destination": ["https://us-east-1.console.aws.amazon.com/console/home?region=us-east-1"],
        "SigninToken": [TOKEN],
    }
    (asked,) = sign_in.asked
    assert set(asked) == {"Action", "Session"}  # no SessionDuration
    assert json.loads(asked["Session"][0]) == {
        "sessionId": exported["AccessKeyId"],
        "sessionKey": exported["SecretAccessKey"],
        "sessionToken": exported["SessionToken"],
    }
    assert done.code == 0
    assert "sign-in token" in done.line
    assert TOKEN not in done.err


def test_quiet(call: Call, user: User) -> None:
    """With --quiet the address is all that is printed."""
    done = call("console", "--url", "--quiet", *user())
    assert (done.out.count("\n"), done.err) == (1, "")


@pytest.mark.quick
def test_browser(app: Cli, sign_in: SignIn, user: User, tmp_path: Path) -> None:
    """The browser is led to the console, and its command line has no sign-in token."""
    (tmp_path / "browser.py").write_text(BROWSER)
    seen = tmp_path / "seen"
    browser = f"{sys.executable} {tmp_path / 'browser.py'} %s {seen}"

    done = app("console", *user(), env={"BROWSER": browser})

    assert (done.code, done.out) == (0, "")
    typed, location = seen.read_text().split(" ")
    seen.unlink()
    assert urlsplit(typed).hostname == "127.0.0.1"
    assert TOKEN not in typed
    assert parse_qs(urlsplit(location).query)["SigninToken"] == [TOKEN]
    assert "Its session ends with the credentials" in done.err
    assert TOKEN not in done.err


def test_no_browser(app: Cli, sign_in: SignIn, user: User, tmp_path: Path) -> None:
    """Where no browser can be opened, nothing is asked, and the one line leads to --url."""
    done = app("console", *user(), env={"SSH_CONNECTION": "a 1 b 2"})

    assert done.code == 4
    assert "SSH session" in done.line
    assert "--url" in done.line
    assert sign_in.asked == []


def test_guest(app: Cli, call: Call) -> None:
    """A guest gets the address, and is told that AWS's session policy refuses most of the console."""
    done = call("console", "--url", "--profile", "guest")

    assert done.code == 0
    assert TOKEN.partition("+")[0] in done.out
    warning = done.err.splitlines()[0]
    assert "warning: AWS limits guests" in warning
    assert "session policy" in warning


def test_policy(emulator: Any, app: Cli, call: Call) -> None:
    """A session policy of the basic flow is named with where it was set; AWS adds none of its own there."""
    pool = emulator.create_pool(AllowClassicFlow=True)
    policy = '{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}'
    role = "arn:aws:iam::123456789012:role/guest"

    done = call(
        *("console", "--url", "--identity-pool-id", pool, "--flow", "basic"),
        *("--role-arn", role, "--policy", policy),
    )

    assert done.code == 0, done.err
    assert "the session policy from the command line limits" in done.err
    assert "AWS limits guests" not in done.err


@pytest.mark.parametrize(
    ("status", "code", "said"),
    [
        (400, 5, "AWS gives these credentials no console session"),
        (403, 5, "session policy"),
        (429, 6, "HTTP 429"),
        (503, 6, "HTTP 503"),
        (302, 6, "a redirect (HTTP 302), which is not followed"),
    ],
)
def test_refused(call: Call, sign_in: SignIn, user: User, status: int, code: int, said: str) -> None:
    """What the endpoint answers is one line; a refusal says that the role or a session policy forbids it."""
    sign_in.status, sign_in.body = status, "<html>no</html>"

    done = call("console", "--url", *user())

    assert (done.code, done.out) == (code, "")
    assert said in done.line


@pytest.mark.parametrize("body", ["", "{}", "[]", '{"SigninToken": 1}', '{"SigninToken": ""}', "<html>"])
def test_no_token(call: Call, sign_in: SignIn, user: User, body: str) -> None:
    """An answer without a token is an error of what is in between, and prints no address."""
    sign_in.body = body

    done = call("console", "--url", *user())

    assert (done.code, done.out) == (6, "")
    assert "without a sign-in token" in done.line


def test_unreachable(call: Call, user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """An endpoint that does not answer is one line with exit code 6, and no secret in any frame."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_SIGNIN", "http://127.0.0.1:9")

    done = call("console", "--url", *user())

    assert done.code == 6
    assert "127.0.0.1" in done.line


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/federation", "SIGN_IN"])
def test_no_secret_in_frames(sign_in: SignIn, url: str) -> None:
    """The frames of an error have neither credentials nor request: a crash report would print them."""
    sign_in.status = 400
    where = Federation(url.replace("SIGN_IN", f"{sign_in.url}/federation"), "https://console.aws.amazon.com/")
    settings = Settings(identity_pool_id=f"us-east-1:{GUID}", region="us-east-1")
    credentials = TemporaryCredentials("ASIAEXAMPLE", "CANARY-key", "CANARY-token", 2_000_000_000)

    with pytest.raises(CognitoCredentialsError) as caught:
        console_address(credentials, where, settings, {})

    assert "CANARY" not in locals_of(caught.value)


@pytest.mark.parametrize(
    ("destination", "said"),
    [
        ("http://console.aws.amazon.com/", "no https address"),
        ("/s3/home", "no https address"),
        ("https://u:p@console.aws.amazon.com/", "no https address"),
        ("https://console.aws.amazon.com/\n", "no https address"),
        ("https://[", "no https address"),
        ("https://console.amazonaws.cn/s3", "another partition"),
    ],
)
def test_bad_destination(app: Cli, call: Call, sign_in: SignIn, destination: str, said: str) -> None:
    """A page that the console cannot open is refused before any request."""
    done = call("console", "--url", "--profile", "guest", "--destination", destination)

    assert done.code == 4
    assert said in done.line
    assert sign_in.asked == []


def test_destination(app: Cli, call: Call) -> None:
    """--destination opens that page, with its own query and fragment."""
    page = "https://console.aws.amazon.com/s3/home?region=eu-west-1#buckets"
    done = call("console", "--url", "--profile", "guest", "--destination", page)
    assert parse_qs(urlsplit(done.out.strip()).query)["Destination"] == [page]


@pytest.mark.quick
@pytest.mark.parametrize(
    ("region", "endpoint", "home"),
    [
        ("us-east-1", "https://signin.aws.amazon.com/federation", "us-east-1.console.aws.amazon.com"),
        ("eu-west-1", "https://signin.aws.amazon.com/federation", "eu-west-1.console.aws.amazon.com"),
        ("cn-north-1", "https://signin.amazonaws.cn/federation", "cn-north-1.console.amazonaws.cn"),
        (
            "us-gov-west-1",
            "https://signin.amazonaws-us-gov.com/federation",
            "us-gov-west-1.console.amazonaws-us-gov.com",
        ),
    ],
)
def test_partitions(region: str, endpoint: str, home: str) -> None:
    """Endpoint and console are of the pool's partition; to ask for a region of another one is an error."""
    settings = Settings(identity_pool_id=f"{region}:{GUID}", region=region)

    found = federation(settings, None, None, {})

    assert found == (endpoint, f"https://{home}/console/home?region={region}")
    other = "cn-north-1" if region.startswith(("us-east", "eu")) else "us-east-1"
    assert federation(settings, None, None, {"AWS_REGION": other}) == found
    with pytest.raises(ConfigurationError, match="another partition"):
        federation(settings, other, None, {})


def test_china(call: Call, user: User) -> None:
    """A pool in China opens the console of China, in the region that --region gives."""
    done = call("console", "--url", "--region", "cn-northwest-1", *user("cn-north-1", "aws-cn"))

    page = "https://cn-northwest-1.console.amazonaws.cn/console/home?region=cn-northwest-1"
    assert parse_qs(urlsplit(done.out.strip()).query)["Destination"] == [page]


def test_unknown_partition() -> None:
    """Where the sign-in address is not known, the credentials are sent nowhere."""
    settings = Settings(identity_pool_id=f"us-iso-east-1:{GUID}", region="us-iso-east-1")
    with pytest.raises(ConfigurationError, match="partition 'aws-iso'"):
        federation(settings, None, None, {})


@pytest.mark.quick
def test_override_is_local() -> None:
    """An endpoint that is configured counts only on this machine: credentials go to AWS, or to a test."""
    settings = Settings(identity_pool_id=f"us-east-1:{GUID}", region="us-east-1")
    elsewhere = {"AWS_ENDPOINT_URL_SIGNIN": "https://evil.example.com"}
    assert (
        federation(settings, None, None, elsewhere).endpoint == f"https://{PLACES['aws'].sign_in}/federation"
    )


def test_emulator_has_no_console(
    emulator: Any, app: Cli, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Credentials of the emulator are not sent to AWS."""
    monkeypatch.delenv("AWS_ENDPOINT_URL_SIGNIN")

    done = call("console", "--url", "--profile", "guest")

    assert done.code == 4
    assert "no console for them" in done.line
    assert "GetCredentialsForIdentity" not in emulator.requests()
