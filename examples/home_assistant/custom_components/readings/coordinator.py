"""Polls the cloud, and says in Home Assistant's words what is wrong."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ConfigEntryAuthFailed, ConfigEntryError
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator, UpdateFailed

from cognito_credentials import (
    CacheError,
    CognitoCredentialsError,
    LoginRejectedError,
    LoginRequiredError,
    ServiceError,
)

from .cloud import DOMAIN, EntryStore, fetch, open_pool

EVERY = timedelta(minutes=5)


class ReadingsCoordinator(DataUpdateCoordinator[dict[str, Any]]):
    """The newest readings of one account."""

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry[Any]) -> None:
        super().__init__(
            hass, logging.getLogger(__name__), config_entry=entry, name=DOMAIN, update_interval=EVERY
        )
        self.pool = open_pool(EntryStore(hass, entry))
        self._session = async_get_clientsession(hass)

    async def _async_update_data(self) -> dict[str, Any]:
        self.update_interval = EVERY
        try:
            keys = await self.pool.credentials()  # from memory, except once an hour
        except (LoginRequiredError, LoginRejectedError) as error:
            raise ConfigEntryAuthFailed(str(error)) from error  # opens the form
        except (ServiceError, CacheError) as error:
            # Only when nothing valid is held any more. It says when it makes sense to ask again.
            if error.retry_after is not None:
                self.update_interval = timedelta(seconds=error.retry_after)
            raise UpdateFailed(str(error)) from error
        except CognitoCredentialsError as error:
            raise ConfigEntryError(str(error)) from error
        return await fetch(self._session, keys)
