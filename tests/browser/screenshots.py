"""
The screenshots for the docs: ``python -m tests.browser.screenshots [DIRECTORY]``.

They are ``NAME-light.png`` and ``NAME-dark.png``, by default in `.github/docs/pictures/`:

    emulator    the emulator's page, with a request selected
    status      the screen of a person who asks for the status
    demo        three steps of the demo, and its end
    sign-in     the page at which `demo --login` has its made-up user sign in
    signed-in   the page of ours at which the browser ends then

Commands run at a real pseudo-terminal. Chromium draws what stood on it.
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from cognito_credentials.emulator import Emulator
from tests.cli.login.terminal import Screen

from .driver import start_chromium
from .png import optimised
from .terminal_page import page

ROOT = Path(__file__).parents[2]
PICTURES = ROOT / ".github" / "docs" / "pictures"
HAND_OVER = Path(__file__).parent / "hand_over.py"
WIDTH, HEIGHT = 1280, 880
GOOGLE = "accounts.google.com"
ROLE = "arn:aws:iam::123456789012:role/"
PERSON = "/home/ada"
"""Stands in the pictures for the home of this run."""
LATER = """
import sys, time
now = time.time
time.time = lambda: now() + 17 * 60
from cognito_credentials.cli import main
sys.exit(main(sys.argv[1:]))
"""
"""Runs a command as if it were 17 minutes later."""


def play(emulator: Emulator) -> None:
    """Do what an app does: a guest, a user with a role by a rule, a refused login, a throttled call."""
    rules = [
        {"Claim": "team", "MatchType": "Equals", "Value": "support", "RoleARN": f"{ROLE}support"},
        {"Claim": "team", "MatchType": "Contains", "Value": "ship", "RoleARN": f"{ROLE}shipping"},
    ]
    mapping = {
        "Type": "Rules",
        "AmbiguousRoleResolution": "AuthenticatedRole",
        "RulesConfiguration": {"Rules": rules},
    }
    pool = emulator.create_pool(
        IdentityPoolName="shop", SupportedLoginProviders={GOOGLE: "shop-app"}, role_mappings={GOOGLE: mapping}
    )
    client = boto3.Session().client(
        "cognito-identity",
        endpoint_url=emulator.url,
        region_name="us-east-1",
        config=Config(signature_version=UNSIGNED, retries={"total_max_attempts": 1}),
    )
    guest = client.get_id(IdentityPoolId=pool)["IdentityId"]
    client.get_credentials_for_identity(IdentityId=guest)
    with contextlib.suppress(ClientError):
        wrong = emulator.login_token(GOOGLE, audience="another-app", subject="ann")
        client.get_id(IdentityPoolId=pool, Logins={GOOGLE: wrong})
    emulator.plan_faults(
        {"operation": "GetId", "code": "TooManyRequestsException", "message": "Rate exceeded"}
    )
    with contextlib.suppress(ClientError):
        client.get_id(IdentityPoolId=pool)
    logins = {
        GOOGLE: emulator.login_token(GOOGLE, audience="shop-app", subject="ann", claims={"team": "shipping"})
    }
    client.get_credentials_for_identity(IdentityId=guest, Logins=logins)
    keys = client.get_credentials_for_identity(IdentityId=guest, Logins=logins)["Credentials"]
    boto3.client(
        "sts",
        endpoint_url=emulator.url,
        region_name="us-east-1",
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretKey"],
        aws_session_token=keys["SessionToken"],
    ).get_caller_identity()
    client.close()


class Photographer:
    """
    Takes pictures of what Chromium shows, in both colour schemes.

    Args:
        directory: Where the pictures go.
    """

    def __init__(self, driver: Any, directory: Path) -> None:
        self.driver = driver
        self._directory = directory

    def view(self, width: int, height: int, scale: int = 1) -> None:
        """Set the window's size."""
        metrics = {"width": width, "height": height, "deviceScaleFactor": scale, "mobile": False}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)

    def schemes(self) -> Iterator[str]:
        """Light, then dark."""
        for scheme in ("light", "dark"):
            features = [{"name": "prefers-color-scheme", "value": scheme}]
            self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
            yield scheme

    def take(self, name: str, element: Any = None) -> None:
        """Take a picture of the window or of an element, as the page is now."""
        for scheme in self.schemes():
            png = self.driver.get_screenshot_as_png() if element is None else element.screenshot_as_png
            small = optimised(bytes(png))
            (self._directory / f"{name}-{scheme}.png").write_bytes(small)
            print(f"{name}-{scheme}.png: {len(small) / 1000:.0f} kB")

    def take_screen(self, name: str, runs: list[tuple[str, str]]) -> None:
        """Take a picture of a terminal."""
        file = self._directory / f"{name}.html"
        file.write_text(page(runs), "utf-8")
        try:
            self.view(760, 800, scale=2)
            self.driver.get(file.as_uri())
            self.take(name, self.driver.find_element("tag name", "pre"))
        finally:
            file.unlink()


def emulator_page(photographer: Photographer) -> None:
    """The page at / of the emulator."""
    driver = photographer.driver
    with Emulator() as emulator:
        play(emulator)
        photographer.view(WIDTH, HEIGHT)
        driver.get(emulator.url)
        driver.implicitly_wait(10)
        driver.find_elements("css selector", "#rows button")[1].click()
        driver.find_element("css selector", ".steps .issued")
        photographer.take("emulator")


def status(photographer: Photographer, home: Path) -> None:
    """``status``, 17 minutes after the credentials came."""
    with Emulator() as emulator:
        pool = emulator.create_pool()
        environ = {**person(home), "AWS_ENDPOINT_URL_COGNITO_IDENTITY": emulator.url}
        run(environ, "configure", "--profile", "guest", "--identity-pool-id", pool, "--yes")
        run(environ, "refresh", "--profile", "guest")
        text = run(environ, "status", "--profile", "guest", code=LATER)
    shown = text.replace(str(home), PERSON)
    photographer.take_screen("status", [("cognito-credentials status --profile guest", shown)])


def demo(photographer: Photographer, home: Path) -> None:
    """Three steps of ``demo``, and what the cache saves."""
    text = run(person(home), "demo")
    steps = text[text.index("\x1b[1m2. ") : text.index("\x1b[1m5. ")]
    end = text[text.index("\x1b[1mWhat the cache") :]
    photographer.take_screen("demo", [("cognito-credentials demo", f"…\n\n{steps}…\n\n{end}")])


def signing_in(photographer: Photographer, home: Path) -> None:
    """The pages of ``demo --login``."""
    file, driver = home / "address", photographer.driver
    environ = {**person(home), "BROWSER": f"{sys.executable} {HAND_OVER} %s &", "ADDRESS_FILE": str(file)}
    screen = Screen(_argv("demo", "--login"), environ)
    screen.wait_for("Waiting for you")
    while not file.exists():
        time.sleep(0.05)
    photographer.view(640, 440, scale=2)
    driver.get(file.read_text())
    photographer.take("sign-in")
    field = driver.find_element("css selector", "input:not([type=hidden])")
    field.clear()
    field.send_keys("ada")
    driver.find_element("css selector", "[type=submit]").click()
    driver.find_element("xpath", "//*[contains(text(), 'signed in')]")
    photographer.view(640, 280, scale=2)
    photographer.take("signed-in")
    screen.end()


def person(home: Path) -> dict[str, str]:
    """The environment of somebody at a terminal of 80 columns."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "SSH_"))}
    usual = {"TERM": "xterm", "NO_COLOR": "", "CI": "", "COLUMNS": "80", "PYTHONPATH": str(ROOT)}
    return {**kept, **usual, "HOME": str(home), "PYTHONIOENCODING": "utf-8"}


def run(environ: dict[str, str], *argv: str, code: str | None = None) -> str:
    """What a command that succeeds shows at a terminal."""
    exit_code, _, text = Screen(_argv(*argv, code=code), environ, shows_results=True).end()
    assert exit_code == 0, text
    return text


def _argv(*argv: str, code: str | None = None) -> list[str]:
    return [sys.executable, *(["-m", "cognito_credentials"] if code is None else ["-c", code]), *argv]


def main(directory: Path) -> None:
    """Write all screenshots."""
    with tempfile.TemporaryDirectory() as place:
        driver = start_chromium(Path(place) / "chromium")
        photographer = Photographer(driver, directory)
        try:
            emulator_page(photographer)
            for each in (status, demo, signing_in):
                home = Path(place) / each.__name__
                home.mkdir()
                each(photographer, home)
        finally:
            driver.quit()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else PICTURES)
