"""
The pages of managed login about the own account: signing up, and a forgotten password.

Each is a form, whose fields are members of an operation of the API, and leads to the next one. The codes that
they ask for are not sent: ``GET /_emulator/codes`` lists them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import Route

from cognito_credentials.emulator.errors import ServiceError
from cognito_credentials.emulator.pages.document import Button, Field, Form, page
from cognito_credentials.emulator.service import Service
from cognito_credentials.emulator.stored.user_pools import UserPool
from cognito_credentials.emulator.user_pools import accounts
from cognito_credentials.emulator.user_pools.authorizing import Request, read_request
from cognito_credentials.emulator.user_pools.clients import secret_hash
from cognito_credentials.emulator.wire.sign_in import Forms, for_people, query_of, read_query, show_page

SIGN_UP, CONFIRM = "/signup", "/confirmUser"
FORGOT, RESET = "/forgotPassword", "/confirmForgotPassword"
_ATTRIBUTE = "userAttributes."
_MEMBERS = {"username": "Username", "password": "Password", "code": "ConfirmationCode"}
_MOST = {"username": 128, "password": 256, "code": 2048}
_NAME = Field("username", "User name", autocomplete="username")
_PASSWORD = Field("password", "Password", "password", autocomplete="new-password")
_CODE = Field("code", "Code", autocomplete="one-time-code", is_code=True)

_Outcome = Mapping[str, Any] | ServiceError


@dataclass(frozen=True)
class _Step:
    title: str
    button: str
    fields: Sequence[Field]
    act: Callable[[Service, Mapping[str, Any]], _Outcome]
    then: str = ""


_STEPS: Mapping[str, _Step] = {
    SIGN_UP: _Step(
        "Create an account",
        "Sign up",
        [_NAME, Field(f"{_ATTRIBUTE}email", "E-mail address", "email", autocomplete="email"), _PASSWORD],
        accounts.sign_up,
        CONFIRM,
    ),
    CONFIRM: _Step("Confirm your account", "Confirm", [_NAME, _CODE], accounts.confirm_sign_up),
    FORGOT: _Step("Forgot your password?", "Send a code", [_NAME], accounts.forgot_password, RESET),
    RESET: _Step(
        "Choose a new password",
        "Change the password",
        [_NAME, _CODE, replace(_PASSWORD, label="New password")],
        accounts.confirm_forgot_password,
    ),
}


class AccountPages:
    """The pages about the own account."""

    def __init__(self, service: Service, forms: Forms) -> None:
        self._service = service
        self._forms = forms

    def routes(self) -> list[Route]:
        """The routes of these pages."""
        return [Route(path, for_people(self._answer(path)), methods=["GET", "POST"]) for path in _STEPS]

    def show(
        self, request: HttpRequest, path: str, pool: UserPool, values: Mapping[str, str], **said: str
    ) -> Response:
        """
        The page at *path*.

        Args:
            said: ``problem``, or ``text`` to say above the form.
        """
        step = _STEPS[path]
        fields = [replace(field, value=values.get(field.name, "")) for field in step.fields]
        if path == SIGN_UP:
            more = [name for name in pool.required_attributes if name != "email"]
            fields += [Field(f"{_ATTRIBUTE}{name}", name, value=values.get(name, "")) for name in more]

        def make(hidden: Mapping[str, str]) -> str:
            form = Form(f"{path}?{query_of(request)}", hidden, fields, [Button("go-on", step.button)])
            texts = [said["text"]] if said.get("text") else []
            links = {f"/login?{query_of(request)}": "Back to sign in"}
            return page(step.title, said=texts, problem=said.get("problem", ""), form=form, links=links)

        return self._forms.show(request, make)

    def _answer(self, path: str) -> Callable[[HttpRequest], Any]:
        async def answer(request: HttpRequest) -> Response:
            asked = read_request(self._service, read_query(request))
            if request.method == "GET":
                return self.show(request, path, asked.pool, {})
            form = await self._forms.read(request)
            outcome = self._act(path, asked, form)
            if isinstance(outcome, ServiceError):
                problem = outcome.message or outcome.code
                return self.show(request, path, asked.pool, form, problem=problem)
            then = _STEPS[path].then
            if then:
                return self.show(request, then, asked.pool, _name_of(form), text=_where(outcome))
            links = {f"/login?{query_of(request)}": "Sign in"}
            return show_page(page("Done", said=["You can sign in now."], links=links))

        return answer

    def _act(self, path: str, asked: Request, form: Mapping[str, str]) -> _Outcome:
        """Do the operation; return the error, too. What it has counted is stored also then."""
        for name, most in _MOST.items():
            if len(form.get(name, "")) > most:
                return ServiceError("InvalidParameterException", f"At most {most} characters: {name}")
        name = form.get("username", "").strip()
        if not name or not name.isprintable() or " " in name:
            return ServiceError("InvalidParameterException", "A user name has no spaces, and is not empty.")
        members: dict[str, Any] = {
            member: form.get(field, "") for field, member in _MEMBERS.items() if field != "username"
        }
        attributes = [
            {"Name": key.removeprefix(_ATTRIBUTE), "Value": value}
            for key, value in form.items()
            if key.startswith(_ATTRIBUTE)
        ]
        members |= {"ClientId": asked.client.id, "Username": name, "UserAttributes": attributes}
        if asked.client.secret is not None:
            members["SecretHash"] = secret_hash(asked.client, name)
        with self._service.state.transaction():
            try:
                return _STEPS[path].act(self._service, members)
            except ServiceError as error:
                return error


def _name_of(form: Mapping[str, str]) -> dict[str, str]:
    return {"username": form.get("username", "").strip()}


def _where(outcome: Mapping[str, Any]) -> str:
    to = outcome.get("CodeDeliveryDetails", {}).get("Destination", "your address")
    return f"Enter the code for {to}. The emulator sends nothing: GET /_emulator/codes lists the codes."
