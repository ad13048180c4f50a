"""
A Home Assistant integration for a cloud on AWS: users sign in to a user pool, the API takes signed requests.

Copy the folder `readings` into `custom_components` of your configuration, rename it, and replace the
constants in `cloud.py`, what `sensor.py` shows and the words in `translations`. Home Assistant installs what
`manifest.json` lists. cognito-credentials is on no package index yet: write it there as
``cognito-credentials[login] @ git+https://…``, with the address that you cloned.
"""

from __future__ import annotations

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant

from .cloud import SIGN_IN, TextStore, open_pool
from .coordinator import ReadingsCoordinator

PLATFORMS = [Platform.SENSOR]


async def async_setup_entry(hass: HomeAssistant, entry: ConfigEntry[ReadingsCoordinator]) -> bool:
    """Start polling for an account."""
    coordinator = ReadingsCoordinator(hass, entry)
    entry.async_on_unload(coordinator.pool.close)  # also when the next line fails
    await coordinator.async_config_entry_first_refresh()
    entry.runtime_data = coordinator
    await hass.config_entries.async_forward_entry_setups(entry, PLATFORMS)
    return True


async def async_unload_entry(hass: HomeAssistant, entry: ConfigEntry[ReadingsCoordinator]) -> bool:
    """Stop polling; the account stays signed in."""
    return await hass.config_entries.async_unload_platforms(entry, PLATFORMS)


async def async_remove_entry(hass: HomeAssistant, entry: ConfigEntry[ReadingsCoordinator]) -> None:
    """Sign the account out: its refresh token is revoked."""
    async with open_pool(TextStore(entry.data.get(SIGN_IN))) as pool:
        await pool.sign_out()
