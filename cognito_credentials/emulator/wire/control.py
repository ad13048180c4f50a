"""
The calls under ``/_emulator/``, which no real service has. `reference/emulator.md` describes them.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from starlette.exceptions import HTTPException

from cognito_credentials.emulator.model.members import (
    NUMBER,
    ControlError,
    JsonError,
    read_json,
    read_members,
)
from cognito_credentials.emulator.operations import OPERATIONS
from cognito_credentials.emulator.operations.query import OPERATIONS as QUERY_OPERATIONS
from cognito_credentials.emulator.seed.entry import Entry, SeedError
from cognito_credentials.emulator.seed.tables import add_role, add_user
from cognito_credentials.emulator.seed.user_pools import add_user_pool
from cognito_credentials.emulator.service import Service
from cognito_credentials.emulator.settings import read_settings
from cognito_credentials.emulator.trail import decided, issued
from cognito_credentials.emulator.user_pools.codes import list_codes
from cognito_credentials.emulator.user_pools.operations import OPERATIONS as USER_POOL_OPERATIONS
from cognito_credentials.emulator.wire.faults import Faults
from cognito_credentials.emulator.wire.history import History
from cognito_credentials.emulator.wire.issuing import allowed, login_token, saml_response, whose_key
from cognito_credentials.emulator.wire.listing import lists
from cognito_credentials.emulator.wire.throttle import Throttle

PREFIX = "/_emulator"
_USUAL_RECORDS = 100


def all_operations() -> list[str]:
    """The operations of all services."""
    queries = (name for operations in QUERY_OPERATIONS.values() for name in operations)
    return [*OPERATIONS, *queries, *USER_POOL_OPERATIONS]


@dataclass
class Control:
    """Counts, faults and quotas of one emulator, and the calls that read and change them."""

    service: Service
    faults: Faults = field(default_factory=lambda: Faults(all_operations()))
    counts: Counter[str] = field(default_factory=Counter)
    throttle: Throttle = field(default_factory=Throttle)
    history: History = field(default_factory=History)

    def call(self, method: str, name: str, query: Mapping[str, str], body: bytes) -> Any:
        """
        Do the control call *name*. Returns the JSON value of the answer.

        Args:
            query: The members of a call without a body.

        Raises:
            HTTPException: The call is wrong.
        """
        have = lists(self.service)
        calls: Mapping[str, Mapping[str, Callable[[Any], Any]]] = {
            "requests": {"GET": self._requests},
            "operations": {"GET": self._operations},
            "history": {"GET": self.last_requests},
            "reset": {"POST": self._reset},
            "login-token": {"POST": self._login_token},
            "saml-response": {"POST": self._saml_response},
            "allowed": {"POST": self._allowed},
            "whose-key": {"POST": self._whose_key},
            "faults": {"GET": self._planned_faults, "PUT": self._faults},
            "settings": {"GET": self._settings, "PUT": self.change_settings},
            "users": {"GET": have["users"], "PUT": self._users},
            "user-pools": {"GET": have["user-pools"], "PUT": self._user_pools},
            "pools": {"GET": have["pools"]},
            "identities": {"GET": have["identities"]},
            "roles": {"GET": have["roles"], "PUT": self._roles},
            "sessions": {"GET": have["sessions"]},
            "codes": {"GET": self._codes},
            "seed": {"GET": self._seed},
        }
        if name not in calls:
            there_are = ", ".join(f"{method} {name}" for name, methods in calls.items() for method in methods)
            raise HTTPException(404, f"no such call; there are: {there_are}")
        if method not in calls[name]:
            methods = list(calls[name])
            allow = {"Allow": ", ".join(methods)}
            raise HTTPException(405, f"{name}: the method is {' or '.join(methods)}", allow)
        try:
            return calls[name][method](read_json(body) if body else query)
        except (JsonError, ControlError, SeedError) as error:
            raise HTTPException(400, str(error)) from None

    def reset(self) -> None:
        """Go back to the state of the start, without counts and faults."""
        self.service.reset()
        self.counts.clear()
        self.faults.clear()
        self.history.clear()

    def change_settings(self, content: Any) -> Mapping[str, Any]:
        """
        Change the settings in *content*. Returns all settings.

        Raises:
            ControlError: A setting is unknown, or has a value that it cannot have. Nothing is changed then.
        """
        changes = read_settings(content, all_operations())
        settings, clock = self.service.settings, self.service.clock
        said = ", ".join(f"{name} is {json.dumps(value)} now" for name, value in changes.items())
        clock.offset = changes.pop("clock_offset", clock.offset)
        clock.passed = changes.pop("time_passed", clock.passed)
        if "throttle" in changes:
            self.throttle.clear()
        for name, value in changes.items():
            setattr(settings, name, value)
        if said:
            decided(said)
        return {**asdict(settings), "clock_offset": clock.offset, "time_passed": clock.passed}

    def _requests(self, content: Any) -> Mapping[str, Any]:
        read_members(content, {})
        return dict(self.counts)

    def _operations(self, content: Any) -> list[str]:
        read_members(content, {})
        return all_operations()

    def last_requests(self, content: Any) -> list[dict[str, Any]]:
        """
        The last requests, the oldest first.

        Args:
            content: ``last``, their number.

        Raises:
            ControlError: The number is none.
        """
        last = int(read_members(content, {"last": NUMBER}).get("last", _USUAL_RECORDS))
        return [record.described() for record in self.history.after(self.history.last - last)]

    def _reset(self, content: Any) -> Mapping[str, Any]:
        read_members(content, {})
        self.reset()
        decided("everything is as it was at the start")
        return {}

    def _planned_faults(self, content: Any) -> Any:
        read_members(content, {})
        return self.faults.planned()

    def _faults(self, content: Any) -> Mapping[str, Any]:
        self.faults.plan(content)
        decided(self.faults.said())
        return {}

    def _settings(self, content: Any) -> Mapping[str, Any]:
        read_members(content, {})
        return self.change_settings({})

    def _users(self, content: Any) -> Mapping[str, Any]:
        return self._add_all("users", content, add_user)

    def _user_pools(self, content: Any) -> Mapping[str, Any]:
        return self._add_all("user_pools", content, add_user_pool)

    def _roles(self, content: Any) -> Mapping[str, Any]:
        return self._add_all("roles", content, add_role)

    def _add_all(self, name: str, content: Any, add: Callable[[Service, Entry], str]) -> Mapping[str, Any]:
        """Add what the tables *name* of a seed would add."""
        if not isinstance(content, list):
            raise ControlError(f"{name}: expected a list")
        with self.service.state.transaction():
            keys = [add(self.service, Entry("", f"{name}[{n}]", values)) for n, values in enumerate(content)]
        decided(f"described in {name}: {', '.join(keys) or 'nothing'}")
        return {}

    def _codes(self, content: Any) -> Any:
        read_members(content, {})
        return list_codes(self.service)

    def _seed(self, content: Any) -> Mapping[str, Any]:
        read_members(content, {})
        return self.service.about_seed

    def _saml_response(self, content: Any) -> Mapping[str, Any]:
        response = saml_response(self.service, content)
        issued(f"a SAML response of {content['provider']}")
        return {"response": response}

    def _allowed(self, content: Any) -> Mapping[str, Any]:
        decision = allowed(self.service, content)
        decided(f"{content['action']} is {'allowed' if decision.allowed else 'not allowed'}")
        return asdict(decision)

    def _whose_key(self, content: Any) -> Mapping[str, Any]:
        owner = whose_key(self.service, content)
        decided(f"the key is of {owner.arn}")
        return asdict(owner)

    def _login_token(self, content: Any) -> Mapping[str, Any]:
        token = login_token(self.service, content)
        issued(f"a login token of {content['provider']}")
        return {"token": token}
