"""The emulator's sign-in pages in a real browser: our own login, other people's clients, a screen reader."""

from __future__ import annotations

import http.server
import json
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest

pytest.importorskip("selenium", reason="this needs selenium, of the extra 'test'")

from filelock import FileLock
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from tests.cli.conftest import Cli
from tests.emulator.browser import Browser
from tests.emulator.managed_login.conftest import CLIENT, PASSWORD, POOL, user_pool
from tests.real_parts import NODE, missing, need

from .conftest import Login
from .test_chromium import submit, text

pytestmark = pytest.mark.writes_secrets  # the plain store, and the browser's own files
APP = Path(__file__).parent / "app"
SCRIPTS = {
    "/oidc-client-ts.min.js": "oidc-client-ts/dist/browser/oidc-client-ts.min.js",
    "/amazon-cognito-identity.min.js": "amazon-cognito-identity-js/dist/amazon-cognito-identity.min.js",
}
USER_POOL_PROVIDER = f"cognito-idp.us-east-1.amazonaws.com/{POOL}"
PROFILE = """\
[profile app]
region = us-east-1
cognito_identity_pool_id = {pool}
cognito_login_store = file
{keys}
"""


@pytest.fixture(scope="session")
def browser_packages() -> Path:
    """The npm packages of the app, installed once."""
    need(NODE)
    with FileLock(APP / "node_modules.lock"):
        if not all((APP / "node_modules" / name).is_file() for name in SCRIPTS.values()):
            done = subprocess.run(["npm", "ci", "--silent", "--fetch-retries=0"], cwd=APP, check=False)
            if done.returncode:
                missing("the packages of tests/browser/app could not be installed: this needs npm's registry")
    return APP


@pytest.fixture
def app_origin(browser_packages: Path) -> Iterator[str]:
    """The address of an app that runs in the browser, on another port than the emulator."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            script = SCRIPTS.get(path)
            file = browser_packages / "node_modules" / script if script else browser_packages / "app.html"
            found = script is not None or path == "/app.html"
            self.send_response(200 if found else 404)
            self.send_header("Content-Type", "text/javascript" if script else "text/html")
            self.end_headers()
            if found:
                self.wfile.write(file.read_bytes())

        def log_message(self, *args: object) -> None:
            """Say nothing on stderr."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def describe(emulator: Any, *callbacks: str) -> None:
    """Describe the user pool, with these callback addresses."""
    from cognito_credentials.emulator.seed.entry import Entry
    from cognito_credentials.emulator.seed.user_pools import add_user_pool

    pool = user_pool()
    for client in pool["clients"]:
        client["callback_urls"] = list(callbacks)
        client["logout_urls"] = [f"{one}?out=1" for one in callbacks]
    add_user_pool(emulator.service, Entry("", "user_pools[1]", pool))


def identity_pool(emulator: Any) -> str:
    """An identity pool that takes logins of the user pool and of the emulator's own issuer."""
    issuer = f"{emulator.url.partition('://')[2]}/_emulator"
    return str(
        emulator.create_pool(
            AllowUnauthenticatedIdentities=False,
            OpenIdConnectProviderARNs=[f"arn:aws:iam::123456789012:oidc-provider/{issuer}"],
            CognitoIdentityProviders=[{"ProviderName": USER_POOL_PROVIDER, "ClientId": CLIENT}],
        )
    )


@pytest.fixture
def command(cli: Cli, emulator: Any, config: Callable[[str], Path]) -> Callable[[str], Cli]:
    """A function that writes the profile 'app' with these keys."""

    def write(keys: str) -> Cli:
        config(PROFILE.format(pool=identity_pool(emulator), keys=keys))
        for service in ("COGNITO_IDENTITY", "STS", "COGNITO_IDENTITY_PROVIDER"):
            cli.environ[f"AWS_ENDPOINT_URL_{service}"] = emulator.url
        for name in ("SSH_CONNECTION", "SSH_TTY", "SSH_CLIENT"):
            cli.environ.pop(name, None)
        return cli

    return write


def keyed(chromium: Any, *keys: str) -> None:
    """Press keys, wherever the focus is."""
    for one in keys:
        chromium.switch_to.active_element.send_keys(one)


def test_our_login_at_a_user_pool_by_keyboard_alone(
    command: Callable[[str], Cli], login: Callable[..., Login], chromium: Any, emulator: Any
) -> None:
    """A user signs in with Tab and Enter alone; a wrong password is said, and the sign-in renews and ends."""
    ports = "28400,28401"
    describe(emulator, *(f"http://127.0.0.1:{port}/callback" for port in ports.split(",")))
    cli = command(
        f"cognito_user_pool_id = {POOL}\ncognito_client_id = {CLIENT}\ncognito_redirect_ports = {ports}"
    )
    running = login("--browser")
    chromium.get(running.address())
    assert chromium.title == "Sign in"
    keyed(chromium, "ann", Keys.TAB, "wrong", Keys.ENTER)
    WebDriverWait(chromium, 30).until(lambda driver: driver.title == "Error: Sign in")
    assert "Incorrect username or password." in text(chromium)
    keyed(chromium, PASSWORD, Keys.ENTER)  # the name is still there, so the password has the focus

    code, out, said = running.end()
    assert code == 0, said
    assert "Signed in as ann" in out
    assert json.loads(cli("credential-process", "--profile", "app").out)["AccessKeyId"].startswith("ASIA")


def test_our_login_at_the_own_issuer(
    command: Callable[[str], Cli], login: Callable[..., Login], chromium: Any, emulator: Any
) -> None:
    """By browser and by device, a made-up user signs in; the sign-in is refreshed and revoked."""
    issuer = f"{emulator.url}/_emulator"
    cli = command(f"cognito_oidc_issuer = {issuer}\ncognito_oidc_client_id = app")
    running = login("--browser")
    chromium.get(running.address())
    keyed(chromium, "ann", Keys.ENTER)
    code, out, said = running.end()
    assert code == 0, said
    assert "Signed in as ann@example.com" in out
    assert cli("refresh", "--profile", "app").code == 0
    assert "revoked and removed" in cli("logout", "--profile", "app").out

    running = login("--device")
    chromium.get(running.line_with("user_code="))
    name = chromium.find_element("name", "username")
    assert name.get_attribute("value") == "ann"  # who is signed in in this browser
    name.clear()
    name.send_keys("bob")
    submit(chromium)
    assert "The device signs in as bob" in text(chromium)
    code, out, said = running.end()
    assert code == 0, said
    assert "Signed in as bob@example.com" in out


def opened(chromium: Any, app_origin: str, **settings: str) -> None:
    """Open the app with these settings."""
    chromium.get(f"{app_origin}/app.html?{urlencode({'settings': json.dumps(settings)})}")


def field(chromium: Any, name: str) -> Any:
    """The field of the page that the app leads to."""
    return WebDriverWait(chromium, 30).until(lambda driver: driver.find_element("name", name))


def result(chromium: Any) -> dict[str, Any]:
    """What the app shows in the end."""
    WebDriverWait(chromium, 30).until(lambda driver: driver.title == "done")
    shown: dict[str, Any] = json.loads(chromium.find_element("id", "done").text)
    return shown


def test_oidc_client_ts_at_a_user_pool(chromium: Any, emulator: Any, app_origin: str) -> None:
    """oidc-client-ts signs in with PKCE, refreshes, revokes, and the page gets credentials of the pool."""
    describe(emulator, f"{app_origin}/app.html")
    opened(
        chromium,
        app_origin,
        url=emulator.url,
        authority=f"{emulator.url}/{POOL}",
        client=CLIENT,
        scope="openid email",
        provider=USER_POOL_PROVIDER,
        pool=identity_pool(emulator),
    )
    field(chromium, "username").send_keys("ann")
    field(chromium, "password").send_keys(PASSWORD)
    submit(chromium)

    shown = result(chromium)
    assert "error" not in shown, shown
    assert shown["name"] == "ann"
    assert shown["key"].startswith("ASIA")
    assert shown["refreshed"]


def test_oidc_client_ts_at_the_own_issuer(chromium: Any, emulator: Any, app_origin: str) -> None:
    """oidc-client-ts signs a made-up user in at the emulator's own issuer in the same way."""
    issuer = f"{emulator.url}/_emulator"
    opened(
        chromium,
        app_origin,
        url=emulator.url,
        authority=issuer,
        client="app",
        scope="openid email offline_access",
        provider=issuer.partition("://")[2],
        pool=identity_pool(emulator),
    )
    field(chromium, "username").send_keys("ann")
    submit(chromium)

    shown = result(chromium)
    assert "error" not in shown, shown
    assert shown["name"] == "ann@example.com"
    assert shown["key"].startswith("ASIA")
    assert shown["refreshed"]


EVIL = """<!doctype html><title>waiting</title>
<script>document.cookie = "XSRF-TOKEN={cookie}; path=/"</script>
<iframe name=t></iframe>
<form id=f method=post action="{login}" target=t>
<input name=username value=ann><input name=password value="{password}"><input name=_csrf value="{token}">
</form>
<script>
  const answered = new Promise(done => {{ document.querySelector("iframe").onload = done }})
  document.getElementById("f").submit()
  const read = fetch("{login}", {{credentials: "include"}})
  const tries = [answered, read, fetch("{endpoint}", {{method: "POST"}})]
  Promise.allSettled(tries).then(all => {{ document.title = all.map(one => one.status).join(" ") }})
</script>"""


def test_a_page_of_another_port(
    chromium: Any, emulator: Any, evil_page: Callable[[str], str], emulator_pool_page: str
) -> None:
    """
    Attack: a page on another port of this machine, which shares the emulator's cookies, signs nobody in.

    It has a form's token that fits the cookie it plants, but the browser says where the form comes from.
    """
    planted = Browser(emulator.url)
    token = planted.request("GET", emulator_pool_page).form[1]["_csrf"]
    login = f"{emulator.url}{emulator_pool_page}"
    html = EVIL.format(
        login=login.replace("&", "&amp;"),
        password=PASSWORD,
        token=token,
        cookie=planted.cookies["XSRF-TOKEN"],
        endpoint=f"{emulator.url}/oauth2/token",
    )
    chromium.get(evil_page(html))
    WebDriverWait(chromium, 30).until(lambda driver: driver.title != "waiting")

    # It reads no page; the token endpoint is for everybody.
    assert chromium.title == "fulfilled rejected fulfilled"
    chromium.get(login)
    assert not [cookie for cookie in chromium.get_cookies() if cookie["name"] == "cognito"]
    rows = emulator.service.state.rows("SELECT kind FROM user_pool_sessions")
    assert [row["kind"] for row in rows] == []


@pytest.fixture
def emulator_pool_page(emulator: Any) -> str:
    """The path of the sign-in page of the user pool."""
    describe(emulator, "http://127.0.0.1:9/callback")
    query = {"client_id": CLIENT, "redirect_uri": "http://127.0.0.1:9/callback", "response_type": "code"}
    return f"/login?{urlencode(query)}"


def tree(chromium: Any) -> list[tuple[str, str, str]]:
    """What a screen reader gets of the page: role, name and description."""
    nodes = chromium.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    return [
        tuple(node.get(part, {}).get("value", "") for part in ("role", "name", "description"))
        for node in nodes
        if not node.get("ignored")
    ]


def test_what_a_screen_reader_gets(chromium: Any, emulator: Any) -> None:
    """Fields, buttons and problems have roles and names, and a problem belongs to its field."""
    chromium.get(f"{emulator.url}/_emulator/device")
    chromium.find_element("name", "user_code").send_keys("XXXX-XXXX")
    chromium.find_element("name", "username").send_keys("ann")
    submit(chromium)

    nodes = tree(chromium)
    assert ("heading", "Connect a device", "") in nodes
    assert ("button", "Sign in", "") in nodes
    assert ("button", "Refuse", "") in nodes
    fields = {name: said for role, name, said in nodes if role == "textbox"}
    assert "No device waits with this code" in fields["Code"]
    assert "Any name will do" in fields["Name"]
    assert chromium.switch_to.active_element.get_attribute("name") == "user_code"
    assert any(role == "main" for role, _, _ in nodes)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_narrow_screen_light_and_dark(chromium: Any, emulator: Any, scheme: str) -> None:
    """At 360 pixels nothing is cut off, and the text stands out from the ground by 4.5 to 1 at least."""
    describe(emulator, "http://127.0.0.1:9/callback")
    chromium.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": 360, "height": 640, "deviceScaleFactor": 1, "mobile": True},
    )
    chromium.execute_cdp_cmd(
        "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    )
    query = urlencode(
        {"client_id": CLIENT, "redirect_uri": "http://127.0.0.1:9/callback", "response_type": "code"}
    )
    chromium.get(f"{emulator.url}/login?{query}&login_hint={quote('a' * 100)}")

    assert chromium.execute_script("return document.documentElement.scrollWidth") <= 360
    for selector in ("h1", "label", "footer", "button"):
        assert contrast(chromium, selector) >= 4.5, selector
    is_dark = (
        luminance(chromium.execute_script("return getComputedStyle(document.body).backgroundColor")) < 0.2
    )
    assert is_dark == (scheme == "dark")
    assert not [entry for entry in chromium.get_log("browser") if "Content Security" in entry["message"]]


def contrast(chromium: Any, selector: str) -> float:
    """The contrast of an element's text; WCAG 2.2, 1.4.3."""
    colours = chromium.execute_script(
        """
        let element = document.querySelector(arguments[0])
        const ink = getComputedStyle(element).color
        let ground = "rgba(0, 0, 0, 0)"
        while (ground === "rgba(0, 0, 0, 0)") {
          ground = getComputedStyle(element).backgroundColor
          element = element.parentElement
        }
        return [ink, ground]
        """,
        selector,
    )
    light, dark = sorted(map(luminance, colours), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    """The relative luminance of ``rgb(r, g, b)``; WCAG 2.2."""
    parts = [int(part) / 255 for part in colour.partition("(")[2].rstrip(")").split(",")[:3]]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_amazon_cognito_identity_js(chromium: Any, emulator: Any, app_origin: str) -> None:
    """AWS's own library proves the password by SRP, and the page gets credentials of the identity pool."""
    describe(emulator, f"{app_origin}/app.html")
    opened(
        chromium,
        app_origin,
        way="srp",
        url=emulator.url,
        userPool=POOL,
        client=CLIENT,
        username="ann",
        password=PASSWORD,
        provider=USER_POOL_PROVIDER,
        pool=identity_pool(emulator),
    )

    shown = result(chromium)
    assert "error" not in shown, shown
    assert shown["name"] == "ann"
    assert shown["key"].startswith("ASIA")
