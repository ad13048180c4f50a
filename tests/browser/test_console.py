"""The emulator's page in Chromium: by clicks, by keys, as a screen reader hears it, and under attack."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest

pytest.importorskip("selenium", reason="this needs selenium, of the extra 'test'")

from selenium.common.exceptions import WebDriverException
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select, WebDriverWait

from cognito_credentials.emulator import Emulator
from cognito_credentials.emulator.service import SentCode

from .screenshots import GOOGLE, ROLE, play

SCHEMES = ("light", "dark")
VIEWS = ("requests", "pools", "identities", "roles", "sessions", "user-pools", "users", "codes")
USER_POOL = {
    "id": "us-east-1_Ab1Cd2Ef3",
    "clients": [{"id": "4ab1cd2ef3", "secret": "CANARYclient"}],
    "users": [{"name": "ann", "password": "CANARY-Password-1", "groups": ["staff"]}],
}


class Page:
    """The page in a browser."""

    def __init__(self, driver: Any, emulator: Emulator) -> None:
        self.driver = driver
        self.emulator = emulator
        self.look()
        driver.get(emulator.url)
        self.wait(lambda: self.text("#live") == "live")

    def wait(self, condition: Callable[[], Any]) -> Any:
        return WebDriverWait(self.driver, 30, 0.05, [WebDriverException, IndexError]).until(
            lambda _: condition()
        )

    def find(self, selector: str) -> Any:
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def text(self, selector: str) -> str:
        return str(self.find(selector).text)

    def rows(self) -> list[str]:
        """The first line of each row."""
        script = "return [...document.querySelectorAll('#rows .name')].map((name) => name.innerText)"
        return list(self.driver.execute_script(script))

    def click(self, name: str) -> None:
        """Click on the button or link with that name."""
        path = f"//*[self::a or self::button][normalize-space()='{name}']"
        self.wait(lambda: [one for one in self.driver.find_elements(By.XPATH, path) if one.is_displayed()])
        next(one for one in self.driver.find_elements(By.XPATH, path) if one.is_displayed()).click()

    def open(self, view: str) -> None:
        self.find(f"nav [data-view={view}]").click()

    def select(self, name: str) -> None:
        """Click on the first row of that name."""
        self.wait(lambda: name in self.rows())
        row = f"//*[@id='rows']//button[span[normalize-space()='{name}']]"
        self.wait(lambda: self.driver.find_element(By.XPATH, row).click() or True)
        self.wait(lambda: self.text("#detail-title") == name)

    def click_row(self, index: int = 0) -> None:
        """Click on a row. It may be made anew meanwhile, as the list is."""
        self.wait(lambda: self.driver.find_elements(By.CSS_SELECTOR, "#rows .row")[index].click() or True)

    def steps(self) -> list[str]:
        return [str(step.text) for step in self.driver.find_elements(By.CSS_SELECTOR, ".steps .what")]

    def fill(self, dialog: str, **values: str) -> None:
        for name, value in values.items():
            field = self.find(f"#{dialog} [name={name}]")
            field.clear()
            field.send_keys(value)

    def tree(self) -> list[tuple[str, str]]:
        """Role and name of each node that a screen reader hears."""
        nodes = self.driver.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
        return [
            (node["role"]["value"], node.get("name", {}).get("value", ""))
            for node in nodes
            if not node["ignored"]
        ]

    def look(self, scheme: str = "light", width: int = 1280, *, motion: str = "no-preference") -> None:
        features = [
            {"name": "prefers-color-scheme", "value": scheme},
            {"name": "prefers-reduced-motion", "value": motion},
        ]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
        metrics = {"width": width, "height": 760, "deviceScaleFactor": 1, "mobile": width < 500}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    """Selenium logs what it types and reads, with the tokens in it."""
    caplog.set_level(logging.WARNING, "selenium")


@pytest.fixture
def page(chromium: Any, emulator: Emulator) -> Iterator[Page]:
    """The page of an emulator, which must not have broken its own rules in the end."""
    made = Page(chromium, emulator)
    yield made
    entries = [entry["message"] for entry in chromium.get_log("browser")]
    assert not [text for text in entries if "Content Security" in text or "Uncaught" in text]


@pytest.mark.quick
def test_one_click_shows_how_a_key_came_out(page: Page) -> None:
    """Requests appear as they come. One click shows the checks in order, the rule, the role and the key."""
    play(page.emulator)
    page.wait(lambda: page.rows()[:2] == ["GetCallerIdentity", "GetCredentialsForIdentity"])

    page.select("GetCredentialsForIdentity")

    steps = page.steps()
    rule, role, key = (
        next(i for i, text in enumerate(steps) if part in text)
        for part in ("rule 2", "the role is", "the access key")
    )
    assert "signed the token" in steps[3]
    assert rule < role < key
    assert f"{ROLE}shipping" in steps[role]
    page.click("Whose key is it?")
    page.wait(lambda: GOOGLE in page.text("#detail-body [role=status]"))
    page.find(".steps .issued a").click()
    page.wait(lambda: page.text("#title") == "Sessions")
    page.wait(lambda: f"{ROLE}shipping" in page.text("#detail-body"))
    page.find("#detail-body a[href*=identities]").click()
    page.wait(lambda: page.text("#title") == "Identities")
    page.wait(lambda: "ann" in page.text("#detail-body"))


def test_why_a_request_was_refused(page: Page) -> None:
    """The last step of a refused request is the error, after the checks that held."""
    play(page.emulator)
    page.find("#errors").click()
    page.wait(lambda: page.rows() == ["GetId", "GetId"])

    page.click_row(1)

    error = "400 NotAuthorizedException: Invalid login token. Incorrect token audience"
    page.wait(lambda: error in page.steps()[-1])
    assert "signed the token" in page.steps()[-2]


def test_every_view_shows_what_is_there(page: Page) -> None:
    """Pools, identities with logins, roles, sessions, user pools and their users are shown, and no secret."""
    play(page.emulator)
    page.driver.execute_async_script(
        "const [content, done] = arguments;"
        "fetch('/_emulator/user-pools', {method: 'PUT', body: content}).then(() => done())",
        json.dumps([USER_POOL]),
    )
    expected = {
        "pools": ("shop", GOOGLE),
        "identities": (None, f"{GOOGLE}\nann"),
        "roles": ("shipping", "it trusts the users of the pools that use it"),
        "sessions": (None, f"{ROLE}shipping"),
        "user-pools": ("us-east-1_Ab1Cd2Ef3", "with a secret"),
        "users": ("ann", "staff"),
    }
    for view, (name, text) in expected.items():
        page.open(view)
        page.wait(page.rows)
        page.select(name or page.rows()[0])
        assert text in page.text("#detail-body"), view
        assert "CANARY" not in page.driver.page_source


def test_codes_appear(page: Page) -> None:
    """A code by e-mail is shown, large enough to type it in elsewhere."""
    sent = SentCode("us-east-1_a", "sub", "ann", "EMAIL_OTP", "EMAIL", "ann@example.com", "123456", 1.8e9)
    page.emulator.service.sent_codes.append(sent)
    page.open("codes")

    page.wait(lambda: page.rows() == ["123456 for ann"])
    page.click_row()

    page.wait(lambda: page.text(".code") == "123456")


def test_making_a_login_token(page: Page) -> None:
    """A token that was made by clicks signs a user in."""
    pool = page.emulator.create_pool(SupportedLoginProviders={GOOGLE: "shop"})
    page.click("Login token")
    page.fill("token", subject="ann", audience="shop", claims='{"team": "red"}')
    page.click("Make")
    token = page.wait(lambda: page.find("#made-token").get_attribute("value"))

    answer = page.driver.execute_async_script(
        "const [content, done] = arguments;"
        "fetch('/', {method: 'POST', body: content,"
        " headers: {'X-Amz-Target': 'AWSCognitoIdentityService.GetId'}})"
        ".then((answer) => answer.json()).then(done)",
        json.dumps({"IdentityPoolId": pool, "Logins": {GOOGLE: token}}),
    )

    assert "IdentityId" in answer
    page.fill("token", claims="{")
    page.click("Make")
    page.wait(lambda: page.text("#token .problem").startswith("claims: this is not JSON"))
    page.fill("token", claims="", provider="https://x")
    page.click("Make")
    page.wait(lambda: page.text("#token .problem") == "provider: write it without https://, as in Logins")


def test_planning_a_fault(page: Page) -> None:
    """A fault that was planned by clicks comes after those that were planned before."""
    page.emulator.plan_faults({"operation": "GetId", "drop": True})
    page.click("Plan a fault")
    page.wait(lambda: len(Select(page.find("#fault [name=operation]")).options) > 20)
    Select(page.find("#fault [name=operation]")).select_by_value("GetOpenIdToken")
    Select(page.find("#fault [name=what]")).select_by_value("status")
    page.fill("fault", status="502", times="2")
    page.click("Plan")

    page.wait(lambda: "status 502" in page.text("#planned"))
    assert page.emulator.planned_faults() == [
        {"operation": "GetId", "times": 1, "drop": True},
        {"operation": "GetOpenIdToken", "times": 2, "status": 502},
    ]
    page.click("Remove all")
    page.wait(lambda: page.text("#planned") == "Nothing.")
    assert page.emulator.planned_faults() == []


def test_moving_the_clock(page: Page) -> None:
    """The clock moves by clicks, and the page says by how much."""
    page.click("Move the clock")
    page.click("1 hour")
    page.click("15 minutes")
    page.click("Set")

    page.wait(lambda: page.text("#moved") == "moved by +4,500 s")
    assert page.emulator.settings()["time_passed"] == 4500


def test_resetting(page: Page) -> None:
    """A reset asks first, and the page is empty then, but for the reset itself."""
    play(page.emulator)
    page.wait(page.rows)
    page.click("Reset")
    page.click("Cancel")
    assert page.emulator.requests()

    page.click("Reset")
    page.find("#reset [type=submit]").click()

    page.wait(lambda: page.rows() == ["POST /_emulator/reset"])
    assert not page.emulator.requests()


def test_finding_and_pages(page: Page) -> None:
    """A long list is shown in pages, and searched by typing. A link shows the identities of one pool."""
    pools = [page.emulator.create_pool(IdentityPoolName=name) for name in ("one", "two")]
    state = page.emulator.service.state
    with state.transaction():
        for number in range(120):
            state.execute(
                "INSERT INTO identities (id, pool_id, created_ms, modified_ms) VALUES (?, ?, 0, 0)",
                f"us-east-1:{number:08}-0000-4000-8000-000000000000",
                pools[number % 2],
            )
    page.open("identities")
    page.wait(lambda: (len(page.rows()), page.text("#count")) == (50, "120"))
    page.click("Show more")
    page.wait(lambda: len(page.rows()) == 100)
    page.click("Show more")
    page.wait(lambda: len(page.rows()) == 120)
    assert len(set(page.rows())) == 120
    assert not page.find("#more").is_displayed()

    page.find("#find").send_keys("00000077")
    page.wait(lambda: page.rows() == ["us-east-1:00000077-0000-4000-8000-000000000000"])
    page.open("pools")
    page.select("one")
    page.find("#detail-body a[href*=owner]").click()
    page.wait(lambda: page.text("#count") == "60")
    page.click("Show all")
    page.wait(lambda: page.text("#count") == "120")


def test_requests_of_before(chromium: Any, emulator: Emulator) -> None:
    """A page that is opened late has the requests of before, more than the stream sends at once."""
    for _ in range(30):
        play(emulator)

    page = Page(chromium, emulator)

    page.wait(lambda: (len(page.rows()), page.text("#count")) == (210, "210"))
    assert page.rows()[0] == "GetCallerIdentity"


def test_pausing(page: Page) -> None:
    """While the page is paused, the list stands still; afterwards nothing is missing."""
    page.click("Pause")
    play(page.emulator)
    page.wait(lambda: page.emulator.requests()["GetCallerIdentity"])
    assert page.rows() == []

    page.click("Pause")

    page.wait(lambda: len(page.rows()) == 7)


def test_a_restart_of_the_emulator(chromium: Any, emulator_keys: Any) -> None:
    """When the emulator ends, the page says so; when it is back, the page goes on by itself."""
    first = Emulator(keys=emulator_keys)
    first.start()
    page = Page(chromium, first)
    play(first)
    page.wait(lambda: len(page.rows()) == 7)
    port = int(first.url.rpartition(":")[2])
    first.stop()
    page.wait(lambda: page.text("#live") == "not connected")

    with Emulator(keys=emulator_keys, port=port):
        page.wait(lambda: page.text("#live") == "live")
        page.wait(lambda: page.rows() == [])


def test_with_the_keyboard_alone(page: Page) -> None:
    """Tab leads to everything, Enter selects, arrows go through the list, Escape closes a dialog."""
    play(page.emulator)
    page.wait(lambda: len(page.rows()) == 7)
    driver = page.driver
    reached = []
    for _ in range(24):
        driver.switch_to.active_element.send_keys(Keys.TAB)
        active = driver.switch_to.active_element
        reached.append(active.text.split("\n")[0] or active.get_attribute("id"))
        if "row" in (active.get_attribute("class") or ""):
            break
    assert reached[:5] == ["Skip to the list", "Login token", "Plan a fault", "Move the clock", "Reset"]
    assert reached[5:13] == [
        "Requests",
        "Identity pools",
        "Identities",
        "Roles",
        "Sessions",
        "User pools",
        "Users",
        "Codes",
    ]
    assert reached[13:] == ["find", "errors", "Pause", "GetCallerIdentity"]

    driver.switch_to.active_element.send_keys(Keys.ARROW_DOWN)
    driver.switch_to.active_element.send_keys(Keys.ENTER)
    page.wait(lambda: page.text("#detail-title") == "GetCredentialsForIdentity")
    assert driver.switch_to.active_element.get_attribute("id") == "detail"
    driver.switch_to.active_element.send_keys(Keys.TAB)
    assert driver.switch_to.active_element.tag_name == "a"

    page.find("[data-opens=fault]").send_keys(Keys.ENTER)
    page.wait(lambda: page.find("#fault").is_displayed())
    driver.switch_to.active_element.send_keys(Keys.ESCAPE)
    page.wait(lambda: not page.find("#fault").is_displayed())
    assert driver.switch_to.active_element.text == "Plan a fault"


def test_new_requests_leave_the_focus_where_it_is(page: Page) -> None:
    """While a person is on a row, requests that come do not move them."""
    play(page.emulator)
    page.wait(lambda: len(page.rows()) == 7)
    row = page.driver.find_elements(By.CSS_SELECTOR, "#rows .row")[3]
    page.driver.execute_script("arguments[0].focus()", row)

    play(page.emulator)
    page.wait(lambda: len(page.rows()) == 14)

    assert page.driver.switch_to.active_element == row


def test_what_a_screen_reader_hears(page: Page) -> None:
    """Landmarks, headings, controls and each step have roles and names, and nothing that acts lacks one."""
    play(page.emulator)
    page.select("GetCredentialsForIdentity")
    tree = page.tree()

    for node in [
        ("banner", ""),
        ("navigation", "Views"),
        ("main", ""),
        ("search", ""),
        ("heading", "Cognito emulator"),
        ("heading", "Requests"),
        ("heading", "GetCredentialsForIdentity"),
        ("heading", "What was checked and decided"),
        ("region", "Requests"),
        ("region", "GetCredentialsForIdentity"),
        ("searchbox", "Find"),
        ("checkbox", "Errors only"),
        ("button", "Pause"),
        ("link", "Identity pools"),
        ("button", "Whose key is it?"),
    ]:
        assert node in tree, node
    acting = ("button", "link", "textbox", "searchbox", "checkbox", "combobox", "spinbutton", "dialog")
    assert not [role for role, name in tree if role in acting and not name]
    said = " ".join(name for role, name in tree if role == "StaticText")
    assert "Holds: " in said
    assert "Does not hold: " in said
    for opens, names in {
        "token": {"Provider, as in Logins", "More claims, as JSON"},
        "fault": {"Operation", "What happens", "Error code", "Times; -1 is always"},
        "time": {"Seconds that have passed in all"},
        "reset": set(),
    }.items():
        page.find(f"[data-opens={opens}]").click()
        page.wait(lambda opens=opens: page.find(f"#{opens}").is_displayed())
        heard = page.tree()
        assert names <= {name for _, name in heard}
        assert ("dialog", page.text(f"#{opens} h2")) in heard
        assert not [role for role, name in heard if role in acting and not name]
        page.driver.switch_to.active_element.send_keys(Keys.ESCAPE)


CONTRAST = """
const channels = (text) => {
  const parts = text.match(/[\\d.]+/g).map(Number)
  return parts.length > 3 ? parts : [...parts, 1]
}
const light = ([r, g, b]) => {
  const [x, y, z] = [r, g, b].map((v) => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
  return 0.2126 * x + 0.7152 * y + 0.0722 * z
}
const ground = (element) => {
  for (let e = element; e; e = e.parentElement) {
    const colour = channels(getComputedStyle(e).backgroundColor)
    if (colour[3] === 1) return colour
  }
  return [255, 255, 255, 1]
}
const found = []
for (const element of document.querySelectorAll('body *')) {
  const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim())
  if (!own || !element.checkVisibility() || element.closest('.hidden, .skip')) continue
  const [a, b] = [light(channels(getComputedStyle(element).color)), light(ground(element))]
  const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)
  if (ratio < 4.5) found.push([element.className || element.tagName, element.textContent.slice(0, 30), ratio])
}
return found
"""


@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_text_can_be_read(page: Page, scheme: str) -> None:
    """In light and dark, each text has the contrast of WCAG 2.2 AA, 4.5 to 1."""
    page.look(scheme)
    play(page.emulator)
    page.emulator.move_clock(7200)
    for view in ("requests", "identities", "sessions", "roles"):
        page.open(view)
        page.wait(page.rows)
        page.click_row(-3 if view == "requests" else 0)
        page.wait(lambda: page.driver.find_elements(By.CSS_SELECTOR, "#detail-body dl, .steps"))
        assert page.driver.execute_script(CONTRAST) == []


@pytest.mark.parametrize("scheme", SCHEMES)
def test_on_a_telephone(page: Page, scheme: str) -> None:
    """At 360 px nothing is wider than the screen; a selected entry takes its place."""
    page.look(scheme, 360)
    play(page.emulator)
    for view in VIEWS:
        page.open(view)
        page.wait(lambda: page.rows() or page.find("#empty").is_displayed())
        assert_fits(page)
        if page.rows():
            page.click_row()
            page.wait(lambda: page.find("#detail").is_displayed())
            assert not page.find("#list").is_displayed()
            assert_fits(page)
            page.click("Back to the list")
            page.wait(lambda: page.find("#list").is_displayed())
    for opens in ("token", "fault", "time", "reset"):
        page.find(f"[data-opens={opens}]").click()
        page.wait(lambda opens=opens: page.find(f"#{opens}").is_displayed())
        assert_fits(page)
        page.driver.switch_to.active_element.send_keys(Keys.ESCAPE)


def assert_fits(page: Page) -> None:
    script = (
        "return [...document.querySelectorAll('body *')].filter((e) => e.checkVisibility()"
        " && !e.closest('.hidden, .skip') && e.getBoundingClientRect().right > innerWidth + 1)"
        ".map((e) => e.outerHTML.slice(0, 80))"
    )
    assert page.driver.execute_script(script) == []
    assert page.driver.execute_script("return document.documentElement.scrollWidth") <= 360


def test_reduced_motion(page: Page) -> None:
    """Who wants no motion gets none."""
    page.look(motion="reduce")
    play(page.emulator)
    page.wait(page.rows)

    script = "return document.getAnimations().length"
    assert page.driver.execute_script(script) == 0


HOSTILE = (
    '<img src=x onerror="document.title=1"><script>document.title=1</script>"\'><svg onload=document.title=1>'
)


def test_hostile_text_is_text(page: Page) -> None:
    """Attack: HTML and scripts in every place that strangers fill are shown as text, and never run."""
    pool = page.emulator.create_pool(IdentityPoolName="shop", SupportedLoginProviders={GOOGLE: "app"})
    ask = (
        "const [content, name, done] = arguments;"
        "fetch('/', {method: 'POST', body: content, headers: {'X-Amz-Target': name}})"
        ".then((answer) => answer.text()).then(done)"
    )
    logins = {GOOGLE: page.emulator.login_token(GOOGLE, subject=HOSTILE)}
    service = "AWSCognitoIdentityService"
    for content in (
        {"IdentityPoolId": pool, "Logins": logins},
        {"IdentityPoolId": HOSTILE},
        {"Logins": {HOSTILE: "x"}},
    ):
        page.driver.execute_async_script(ask, json.dumps(content), f"{service}.GetId")
    page.driver.execute_async_script(ask, "{}", f"{HOSTILE}.{HOSTILE}")
    page.driver.execute_async_script(ask, "{}", f"{service}.<b>bold</b>")
    page.wait(lambda: len(page.rows()) == 5)

    for index in range(5):
        page.click_row(index)
        page.wait(page.steps)
    for view in VIEWS:
        page.open(view)
        page.wait(lambda: page.rows() or page.find("#empty").is_displayed())
        if page.rows():
            page.click_row()
            page.wait(lambda: page.text("#detail-body"))
        if view == "identities":
            assert HOSTILE in page.text("#detail-body")

    assert "Cognito emulator" in page.driver.title
    own = page.driver.execute_script(
        "return document.querySelectorAll('main img, script, svg, b, iframe').length"
    )
    assert own == 1  # the page's own script
    for odd in (
        "#<img src=x onerror=document.title=1>",
        "#__proto__",
        "#requests?item=%3Cimg%3E&find=%3Cb%3E",
        "#%E0%A4%A",
    ):
        page.driver.get(f"{page.emulator.url}/{odd}")
        page.wait(lambda: page.text("#title"))
        assert "Cognito emulator" in page.driver.title


ATTACK = """<!doctype html><title>waiting</title>
<script>
const frame = document.createElement('iframe')
const loaded = new Promise((done) => frame.addEventListener('load', done))
frame.src = '{url}/'
document.documentElement.append(frame)
</script><script>
(async () => {{
  await loaded // until then it is an empty page of the attacker's own
  const found = []
  for (const path of ['/_emulator/history', '/_emulator/sessions', '/_emulator/console/console.js']) {{
    try {{
      const answer = await fetch('{url}' + path)
      found.push([path, answer.status, await answer.text()])
    }} catch {{}}
  }}
  for (const method of ['POST', 'PUT']) {{
    for (const name of ['reset', 'settings', 'faults', 'login-token']) {{
      try {{ await fetch(`{url}/_emulator/${{name}}`, {{method, mode: 'no-cors', body: '{{}}'}}) }} catch {{}}
    }}
  }}
  const events = await new Promise((done) => {{
    const source = new EventSource('{url}/_emulator/events')
    source.onmessage = source.onopen = () => done('read')
    source.onerror = () => done('refused')
    source.addEventListener('request', () => done('read'))
  }})
  let framed = false
  try {{
    framed = frame.contentDocument !== null
  }} catch {{}}
  document.title = JSON.stringify({{found, events, framed}})
}})()
</script>"""


def test_a_page_of_another_origin(chromium: Any, emulator: Emulator, evil_page: Callable[[str], str]) -> None:
    """Attack: a page elsewhere reads neither events nor lists, frames nothing, and changes nothing."""
    play(emulator)
    before = (dict(emulator.requests()), emulator.settings(), len(emulator.history()))
    address = evil_page(ATTACK.format(url=emulator.url)).replace("127.0.0.1", "evil.test")
    chromium.get(address)

    WebDriverWait(chromium, 30).until(lambda driver: driver.title != "waiting")

    assert json.loads(chromium.title) == {"found": [], "events": "refused", "framed": False}
    assert (dict(emulator.requests()), emulator.settings()) == before[:2]
    assert all(record["status"] == 403 for record in emulator.history()[before[2] :])


@pytest.fixture
def more_flags() -> tuple[str, ...]:
    """A name of the attacker that leads to this machine."""
    return ("--host-resolver-rules=MAP evil.test 127.0.0.1",)
