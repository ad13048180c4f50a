"""A real browser, a certified provider, the command line, and the emulator in place of AWS."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

pytest.importorskip("selenium", reason="this needs selenium, of the extra 'test'")

from selenium.common.exceptions import WebDriverException
from selenium.webdriver.support.expected_conditions import staleness_of
from selenium.webdriver.support.ui import WebDriverWait

from tests.cli.login.conftest import App
from tests.sign_in.test_attacks import goal_of

from .conftest import Login

pytestmark = pytest.mark.writes_secrets  # the plain store, and the browser's own files
Start = Callable[..., Login]


def sign_in(chromium: Any, name: str) -> None:
    """Type name and password, and click through the provider's pages."""
    chromium.find_element("name", "login").send_keys(name)
    chromium.find_element("name", "password").send_keys("anything")
    submit(chromium)
    submit(chromium)  # consent


def submit(chromium: Any) -> None:
    """Click on the page's button, and wait for the next page."""
    button = chromium.find_element("css selector", "[type=submit]")
    button.click()
    WebDriverWait(chromium, 30, ignored_exceptions=[WebDriverException]).until(staleness_of(button))


def text(chromium: Any) -> str:
    """The text of the page."""
    return str(chromium.find_element("tag name", "body").text)


@pytest.mark.quick
def test_signing_in_by_clicks(app: App, login: Start, chromium: Any) -> None:
    """Signing in on the provider's pages gives `login` credentials, and the last page says so."""
    running = login("--browser")
    chromium.get(running.address())
    sign_in(chromium, "ann")

    code, out, said = running.end()
    assert code == 0, said
    assert "Signed in as ann@example.com" in out
    assert "You are signed in as ann@example.com" in text(chromium)
    assert "You can close this window" in text(chromium)
    # The page contains nothing that its Content-Security-Policy forbids.
    assert not [entry for entry in chromium.get_log("browser") if "Content Security" in entry["message"]]
    assert json.loads(app("credential-process").out)["AccessKeyId"].startswith("ASIA")


def test_refusing_in_the_browser(app: App, login: Start, chromium: Any) -> None:
    """A click on cancel is reported in browser and terminal, ends with exit code 5, and signs nobody in."""
    running = login("--browser")
    chromium.get(running.address())
    chromium.find_element("partial link text", "Cancel").click()

    code, _, said = running.end()
    assert code == 5
    assert "refused or cancelled" in said
    assert "Signing in failed" in text(chromium)
    assert app("credential-process").code == 3


def test_the_last_page_cannot_be_used_again(app: App, login: Start, chromium: Any) -> None:
    """Attack: going back to the page with the code in it, or reloading it, signs nobody in again."""
    running = login("--browser")
    chromium.get(running.address())
    sign_in(chromium, "ann")
    running.end()
    used = chromium.current_url

    again = login("--browser")
    chromium.get(urlsplit(used)._replace(netloc=urlsplit(again.address()).netloc).geturl())

    assert "not the answer to the sign-in" in text(chromium)
    assert again.process.poll() is None


def test_signing_in_on_another_device(app: App, login: Start, chromium: Any) -> None:
    """`--device` shows an address and a code; typing the code in a browser signs in here."""
    running = login("--device")
    address = running.line_with("http://")
    code = next(line.strip() for line in _after(running, "enter this code"))
    chromium.get(address)
    chromium.find_element("name", "user_code").send_keys(code)
    submit(chromium)
    submit(chromium)  # the code is the one on the other device
    sign_in(chromium, "bob")

    exit_code, out, said = running.end()
    assert exit_code == 0, said
    assert "Signed in as bob@example.com" in out
    assert json.loads(app("credential-process").out)["AccessKeyId"].startswith("ASIA")


def _after(running: Login, word: str) -> Iterator[str]:
    running.line_with("Waiting")
    lines = list(running.said)
    index = next(i for i, line in enumerate(lines) if word in line)
    return (line for line in lines[index + 1 :] if line.strip())


EVIL = """<!doctype html><title>waiting</title>
<img src="{url}"><iframe src="{url}"></iframe>
<form id=f method=post action="{url}" target=t></form><iframe name=t></iframe>
<script>
  document.getElementById("f").submit();
  Promise.allSettled([
    fetch("{url}"), fetch("{url}", {{mode: "no-cors"}}), fetch("{url}", {{method: "POST", mode: "no-cors"}}),
  ]).then(all => {{
    document.title = all.map(one => one.status + (one.value ? one.value.type : "")).join(" ");
  }});
</script>"""


def test_a_page_that_calls_the_loopback(
    app: App, login: Start, chromium: Any, evil_page: Callable[[str], str]
) -> None:
    """Attack: a page in the browser that calls the callback server in every way it can changes nothing."""
    running = login("--browser")
    address = running.address()
    query = parse_qs(urlsplit(goal_of(address)).query)
    callback = query["redirect_uri"][0]
    # The second attempt has the right state, which a real attacker cannot know.
    for state in ("guessed", query["state"][0]):
        stolen = urlencode({"code": "stolen", "state": state, "iss": app.issuer})
        chromium.get(evil_page(EVIL.format(url=f"{callback}?{stolen}")))
        _wait_for_title(chromium)
        # The page learns nothing: the browser rejects its CORS fetch, and the opaque answers have no content.
        assert chromium.title == "rejected fulfilledopaque fulfilledopaque"
    assert running.process.poll() is None

    chromium.get(address)
    sign_in(chromium, "ann")

    code, out, said = running.end()
    assert code == 0, said
    assert "Signed in as ann@example.com" in out


def _wait_for_title(chromium: Any) -> None:
    WebDriverWait(chromium, 30).until(lambda driver: driver.title != "waiting")
