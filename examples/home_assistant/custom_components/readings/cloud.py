"""The cloud of this integration: where it is, how its requests are signed, and where a sign-in is kept."""

from __future__ import annotations

from typing import Any

import aiohttp
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant

from cognito_credentials import AsyncIdentityPool, TemporaryCredentials
from cognito_credentials.sign_in import UserPool

DOMAIN = "readings"
SIGN_IN = "sign_in"
"""The member of the entry's data that holds the sign-in: a secret."""

# Replace these. None of them is a secret; the app client has none.
IDENTITY_POOL_ID = "us-east-1:00000000-0000-4000-8000-000000000001"
USER_POOL_ID = "us-east-1_Ab1Cd2Ef3"
CLIENT_ID = "4example23456789"
URL = "https://abcdefghij.execute-api.us-east-1.amazonaws.com/prod/readings"
REGION = "us-east-1"


class EntryStore:
    """Keeps the sign-in in a config entry. Its methods are async, so they run on Home Assistant's loop."""

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry[Any]) -> None:
        self._hass, self._entry = hass, entry

    async def load(self) -> str | None:
        return self._entry.data.get(SIGN_IN)

    async def save(self, text: str) -> None:
        self._update({**self._entry.data, SIGN_IN: text})

    async def delete(self) -> None:
        self._update({name: value for name, value in self._entry.data.items() if name != SIGN_IN})

    def _update(self, data: dict[str, Any]) -> None:
        self._hass.config_entries.async_update_entry(self._entry, data=data)


class TextStore:
    """Keeps a sign-in while there is no entry: in the form before, and at the removal after."""

    def __init__(self, text: str | None = None) -> None:
        self.text = text

    def load(self) -> str | None:
        return self.text

    def save(self, text: str) -> None:
        self.text = text

    def delete(self) -> None:
        self.text = None


def open_pool(store: EntryStore | TextStore) -> AsyncIdentityPool:
    """Open the pool of whoever is signed in by *store*. This makes no request and reads no file."""
    login = UserPool(USER_POOL_ID, CLIENT_ID, store=store)
    # In memory, since an entry is all that an integration keeps: a start costs two requests.
    return AsyncIdentityPool(IDENTITY_POOL_ID, logins=login, cache="memory")


async def fetch(session: aiohttp.ClientSession, keys: TemporaryCredentials) -> dict[str, Any]:
    """Get the newest readings."""
    request = AWSRequest("GET", URL)
    secrets = (keys.secret_access_key.reveal(), keys.session_token.reveal())
    SigV4Auth(Credentials(keys.access_key_id, *secrets), "execute-api", REGION).add_auth(request)
    async with session.get(URL, headers=dict(request.headers.items())) as answer:
        answer.raise_for_status()
        return dict(await answer.json(content_type=None))
