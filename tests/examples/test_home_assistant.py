"""
examples/home_assistant, in Home Assistant itself with its test helpers, and a user pool that asks for a code.

They need Python 3.13 and pin pytest and hundreds of others, so `.ci/run` has an environment for this file.
"""

from __future__ import annotations

import importlib
import logging
import re
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from cognito_credentials.emulator import Emulator
from tests.consumers.api import Api, running_api
from tests.consumers.conftest import Cognito, cognito, proves
from tests.consumers.table import ROOT
from tests.real_parts import package
from tests.sign_in.conftest import PASSWORD, user_pool
from tests.sign_in.emulated_pool import CLIENT, POOL, PROVIDER, EmulatedPool

__all__ = ["cognito", "proves", "user_pool"]
package("pytest_homeassistant_custom_component.common", "homeassistant")

from homeassistant import block_async_io  # noqa: E402
from homeassistant.config_entries import SOURCE_REAUTH, SOURCE_USER, ConfigEntry, ConfigEntryState  # noqa: E402
from homeassistant.core import HomeAssistant  # noqa: E402
from homeassistant.data_entry_flow import FlowResultType  # noqa: E402
from homeassistant.util import loop  # noqa: E402

DOMAIN = "readings"
SENSOR = "sensor.temperature"


@pytest.fixture
def emulator(socket_enabled: None, user_pool: EmulatedPool) -> Emulator:
    """The emulator that the user pool is in."""
    return user_pool.emulator


@pytest.fixture
def api(emulator: Emulator) -> Iterator[Api]:
    with running_api(emulator) as running:
        running.content = {"temperature": 21.5}
        yield running


@pytest.fixture(autouse=True)
def integration(
    enable_custom_integrations: None,
    cognito: Cognito,
    api: Api,
    user_pool: EmulatedPool,
    monkeypatch: pytest.MonkeyPatch,
) -> Any:
    """The integration with its constants replaced, as its reader does; eve has a second factor."""
    user_pool.add("eve", PASSWORD, "SOFTWARE_TOKEN_MFA")
    user_pool.users["eve"].set_attributes(email="eve@example.com")
    # The helpers print the whole log, and botocore's signer logs what it signs.
    monkeypatch.setattr(logging.getLogger("botocore"), "level", logging.INFO)
    # The configuration's folder, where Home Assistant looks for integrations, is one of its test helpers'.
    folder = importlib.import_module("custom_components")
    monkeypatch.setattr(folder, "__path__", [str(ROOT / "examples" / "home_assistant" / "custom_components")])
    cloud = importlib.import_module("custom_components.readings.cloud")

    provider = {"ProviderName": PROVIDER, "ClientId": CLIENT}
    pool_id = cognito.emulator.create_pool(CognitoIdentityProviders=[provider])
    for name, value in {
        "IDENTITY_POOL_ID": pool_id,
        "USER_POOL_ID": POOL,
        "CLIENT_ID": CLIENT,
        "URL": f"{api.url}/readings",
    }.items():
        monkeypatch.setattr(cloud, name, value)
    yield
    for name in [name for name in sys.modules if name.startswith("custom_components.readings")]:
        del sys.modules[name]


@pytest.fixture(autouse=True)
def nothing_blocks(
    integration: None,
    disable_block_async_io: None,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[None]:
    """Home Assistant finds no call of ours that blocks its loop: no import, file, sleep or certificate."""
    monkeypatch.setattr(loop, "_PREVIOUSLY_REPORTED", set())  # it warns of each place once
    monkeypatch.setattr(block_async_io, "_IN_TESTS", False)  # in tests it lets most of them pass
    block_async_io.enable()
    yield
    said = [record.getMessage() for when in ("setup", "call") for record in caplog.get_records(when)]
    # The emulator has an event loop, too, in another thread.
    blocking = [text for text in said if "blocking call" in text and "/emulator/" not in text]
    assert [text for text in blocking if re.search("integration 'readings'|cognito_credentials", text)] == []


async def _submit(hass: HomeAssistant, form: Any, **fields: str) -> Any:
    result = await hass.config_entries.flow.async_configure(form["flow_id"], fields)
    await hass.async_block_till_done()
    return result


async def _open(hass: HomeAssistant) -> Any:
    return await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_USER})


@pytest.fixture
async def entry(hass: HomeAssistant, integration: None, user_pool: EmulatedPool) -> ConfigEntry[Any]:
    """The entry of eve, who has signed in by the form."""
    asked = await _submit(hass, await _open(hass), username="eve", password=PASSWORD)
    assert (asked["step_id"], list(asked["data_schema"].schema)) == ("question", ["totp"])
    done = await _submit(hass, asked, totp=user_pool.code())
    assert done["type"] is FlowResultType.CREATE_ENTRY
    return done["result"]


def _shown(hass: HomeAssistant) -> str | None:
    state = hass.states.get(SENSOR)
    return None if state is None else state.state


async def _poll(hass: HomeAssistant, entry: ConfigEntry[Any]) -> None:
    await entry.runtime_data.async_refresh()
    await hass.async_block_till_done()


async def test_a_person_signs_in_by_the_form(hass: HomeAssistant, entry: ConfigEntry[Any], api: Api) -> None:
    """Password and code make an entry of this account, and the sensor shows what a signed request brought."""
    assert entry.state is ConfigEntryState.LOADED
    assert (entry.unique_id, entry.title) == ("sub-eve", "eve@example.com")
    assert list(entry.data) == ["sign_in"]
    assert _shown(hass) == "21.5"
    assert [signer.role_name for signer in api.signers] == ["authenticated"]
    assert api.refused == []
    assert hass.config_entries.flow.async_progress() == []


async def test_the_form_says_what_was_wrong(hass: HomeAssistant, user_pool: EmulatedPool) -> None:
    """A wrong password and a wrong code can be corrected, and so can an outage be waited for."""
    form = await _open(hass)
    wrong = await _submit(hass, form, username="eve", password="CANARY wrong")
    user_pool.fail("InitiateAuth", "InternalErrorException", "")
    offline = await _submit(hass, form, username="eve", password=PASSWORD)
    user_pool.mend()
    asked = await _submit(hass, form, username="eve", password=PASSWORD)
    wrong_code = await _submit(hass, asked, totp="000000")
    done = await _submit(hass, asked, totp=user_pool.code())

    assert (wrong["step_id"], wrong["errors"]) == ("user", {"base": "invalid_auth"})
    assert (offline["step_id"], offline["errors"]) == ("user", {"base": "cannot_connect"})
    assert (wrong_code["step_id"], wrong_code["errors"]) == ("question", {"base": "invalid_auth"})
    assert done["type"] is FlowResultType.CREATE_ENTRY


async def test_a_code_that_comes_too_late_begins_anew(hass: HomeAssistant, user_pool: EmulatedPool) -> None:
    """When the user pool no longer waits for the answer, the form asks for the password again."""
    asked = await _submit(hass, await _open(hass), username="eve", password=PASSWORD)
    user_pool.wait(181)
    late = await _submit(hass, asked, totp=user_pool.code())

    assert (late["step_id"], late["errors"]) == ("user", {"base": "invalid_auth"})


async def test_an_account_is_set_up_once(
    hass: HomeAssistant, entry: ConfigEntry[Any], user_pool: EmulatedPool
) -> None:
    """A second entry of the same account is refused, and its sign-in is revoked; the first one's is not."""
    asked = await _submit(hass, await _open(hass), username="eve", password=PASSWORD)
    refused = await _submit(hass, asked, totp=user_pool.code())

    assert (refused["type"], refused["reason"]) == (FlowResultType.ABORT, "already_configured")
    assert len(user_pool.refresh_tokens) == 1
    await _poll(hass, entry)
    assert _shown(hass) == "21.5"


async def test_polls_go_on_over_renewals(
    hass: HomeAssistant,
    entry: ConfigEntry[Any],
    user_pool: EmulatedPool,
    api: Api,
    cognito: Cognito,
    proves: Callable[..., None],
) -> None:
    """Once an hour new keys are got with a refresh token, which rotates; the entry has the newest one."""
    user_pool.change(rotate_refresh_tokens=True)
    before = entry.data["sign_in"]
    for _ in range(2):
        cognito.make_due()
        for _ in range(3):
            await _poll(hass, entry)
            assert _shown(hass) == "21.5"

    assert entry.data["sign_in"] != before
    assert all(token in entry.data["sign_in"] for token in user_pool.refresh_tokens)
    proves("homeassistant", "`AsyncIdentityPool`, `UserPool(…, store=…)`", renewals=api.renewals)


async def test_a_restart_asks_nobody(
    hass: HomeAssistant, entry: ConfigEntry[Any], api: Api, user_pool: EmulatedPool
) -> None:
    """What the entry has is enough: no form is shown, and the identity is the same."""
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()

    assert entry.state is ConfigEntryState.LOADED
    assert len({signer.identity_id for signer in api.signers}) == 1
    assert [name for name, _ in user_pool.requests].count("InitiateAuth") == 1


async def test_a_sign_in_that_has_ended_opens_the_form(
    hass: HomeAssistant, entry: ConfigEntry[Any], user_pool: EmulatedPool, cognito: Cognito
) -> None:
    """While credentials are valid nothing is asked; then the form is, and the same entry goes on."""
    user_pool.revoke_all()
    await _poll(hass, entry)
    assert (_shown(hass), hass.config_entries.flow.async_progress()) == ("21.5", [])

    cognito.make_due()
    cognito.make_due()
    await _poll(hass, entry)
    assert _shown(hass) == "unavailable"
    (form,) = hass.config_entries.flow.async_progress()
    assert (form["context"]["source"], form["step_id"]) == (SOURCE_REAUTH, "user")

    asked = await _submit(hass, form, username="eve", password=PASSWORD)
    done = await _submit(hass, asked, totp=user_pool.code())
    assert (done["type"], done["reason"]) == (FlowResultType.ABORT, "reauth_successful")
    assert _shown(hass) == "21.5"
    assert hass.config_entries.async_entries(DOMAIN) == [entry]


async def test_another_account_does_not_take_the_entry(
    hass: HomeAssistant, entry: ConfigEntry[Any], user_pool: EmulatedPool
) -> None:
    """Who signs in as somebody else, in the form of a sign-in that has ended, is refused and signed out."""
    before = dict(entry.data)
    entry.async_start_reauth(hass)
    await hass.async_block_till_done()
    (form,) = hass.config_entries.flow.async_progress()
    refused = await _submit(hass, form, username="ann", password=PASSWORD)

    assert (refused["type"], refused["reason"]) == (FlowResultType.ABORT, "unique_id_mismatch")
    assert entry.data == before
    assert set(user_pool.refresh_tokens.values()) == {"eve"}


async def test_an_outage_is_no_reason_to_sign_in(
    hass: HomeAssistant, entry: ConfigEntry[Any], cognito: Cognito
) -> None:
    """An outage shorter than the credentials is not seen; a longer one ends by itself, when we said."""
    coordinator = entry.runtime_data
    usual = coordinator.update_interval
    cognito.emulator.plan_faults({"operation": "*", "times": -1, "status": 503})
    cognito.make_due()
    await _poll(hass, entry)
    assert _shown(hass) == "21.5"

    cognito.make_due()
    await _poll(hass, entry)
    assert _shown(hass) == "unavailable"
    assert coordinator.update_interval < usual
    assert hass.config_entries.flow.async_progress() == []

    cognito.emulator.plan_faults()
    while _shown(hass) == "unavailable":  # a failure is remembered for a few seconds
        await _poll(hass, entry)
    assert (_shown(hass), coordinator.update_interval) == ("21.5", usual)


async def test_a_removed_entry_signs_out(
    hass: HomeAssistant, entry: ConfigEntry[Any], user_pool: EmulatedPool
) -> None:
    """With the entry the sign-in goes, here and at the user pool."""
    assert len(user_pool.refresh_tokens) == 1
    await hass.config_entries.async_remove(entry.entry_id)
    await hass.async_block_till_done()

    assert user_pool.refresh_tokens == {}
    assert hass.config_entries.async_entries(DOMAIN) == []
