"""The form: a password, whatever else the user pool asks for, and the same again when a sign-in has ended."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from typing import Any

import voluptuous as vol
from homeassistant.config_entries import SOURCE_REAUTH, ConfigFlow, ConfigFlowResult
from homeassistant.const import CONF_PASSWORD, CONF_USERNAME
from homeassistant.data_entry_flow import AbortFlow

from cognito_credentials import LoginRejectedError, ServiceError
from cognito_credentials.sign_in import AsyncChallengeRequired, SignedIn

from .cloud import DOMAIN, SIGN_IN, TextStore, open_pool


class ReadingsFlow(ConfigFlow, domain=DOMAIN):
    """Signs a person in, step by step."""

    def __init__(self) -> None:
        self._store = TextStore()
        self._pool = open_pool(self._store)
        self._question: AsyncChallengeRequired | None = None

    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for user name and password."""
        if user_input is None:
            return self._form({})
        attempt = self._pool.sign_in_with_password(user_input[CONF_USERNAME], user_input[CONF_PASSWORD])
        return await self._after(attempt)

    async def async_step_question(self, user_input: dict[str, Any]) -> ConfigFlowResult:
        """Answer what the user pool has asked."""
        assert self._question is not None
        return await self._after(self._question.answer(user_input[self._question.kind]))

    async def async_step_reauth(self, entry_data: Mapping[str, Any]) -> ConfigFlowResult:
        """Begin again, as the same person: the sign-in has ended."""
        return self._form({})

    async def _after(self, attempt: Awaitable[SignedIn]) -> ConfigFlowResult:
        """Wait for a step; show the next form, or the same with what was wrong, or finish."""
        try:
            account = await attempt
        except AsyncChallengeRequired as question:
            self._question = question
            return self._form({})
        except LoginRejectedError:
            return self._form({"base": "invalid_auth"})
        except ServiceError:
            return self._form({"base": "cannot_connect"})
        return await self._finish(account)

    def _form(self, errors: dict[str, str]) -> ConfigFlowResult:
        question = self._question
        if question is None or not question.is_open:  # a question may be answered once more, or is over
            schema = vol.Schema({vol.Required(CONF_USERNAME): str, vol.Required(CONF_PASSWORD): str})
            return self.async_show_form(step_id="user", data_schema=schema, errors=errors)
        kind = vol.In(question.choices) if question.kind == "choice" else str
        return self.async_show_form(
            step_id="question",
            data_schema=vol.Schema({vol.Required(question.kind): kind}),
            errors=errors,
            description_placeholders={"sent_to": question.sent_to or ""},
        )

    async def _finish(self, account: SignedIn) -> ConfigFlowResult:
        """Make the entry, or give the entry whose sign-in had ended the new one."""
        await self.async_set_unique_id(account.subject)  # never changes, as names and addresses do
        data = {SIGN_IN: self._store.text}
        try:
            if self.source == SOURCE_REAUTH:
                self._abort_if_unique_id_mismatch()
                return self.async_update_reload_and_abort(self._get_reauth_entry(), data_updates=data)
            self._abort_if_unique_id_configured()
        except AbortFlow:
            await self._pool.sign_out()  # nobody uses this sign-in
            raise
        return self.async_create_entry(title=account.email or account.username or "Readings", data=data)
