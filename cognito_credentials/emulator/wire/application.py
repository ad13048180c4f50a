"""
The emulator as an ASGI application.

One port serves Cognito Identity (``X-Amz-Target``) and STS (``Action``), which are calls of ``/``. They come
first, and no router sees them. All other requests go to the routes.

Operations and routes run on the event loop, one at a time: each takes a fraction of a millisecond.
"""

from __future__ import annotations

import asyncio
import logging
import re
import sqlite3
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from starlette.exceptions import HTTPException
from starlette.types import Receive, Scope, Send

from cognito_credentials.emulator import assumed, operations
from cognito_credentials.emulator.errors import ServiceError, concurrent_modification
from cognito_credentials.emulator.logins.fetching import KeyFetches
from cognito_credentials.emulator.logins.issuers import KeysNeededError
from cognito_credentials.emulator.model.names import ACCOUNT_ID, partition_of
from cognito_credentials.emulator.operations import query
from cognito_credentials.emulator.service import ANONYMOUS, Caller, Service
from cognito_credentials.emulator.stored.state import DataFileError
from cognito_credentials.emulator.sts.sessions import AssumedRole
from cognito_credentials.emulator.trail import Trail, asked, checked, decided
from cognito_credentials.emulator.trail import begin as begin_trail
from cognito_credentials.emulator.trail import begin_again as begin_trail_again
from cognito_credentials.emulator.user_pools import operations as user_pools
from cognito_credentials.emulator.wire.answers import (
    CROSS_ORIGIN,
    Answer,
    common_headers,
    json_error,
    json_success,
    new_request_id,
    query_error,
    query_success,
    refusal,
)
from cognito_credentials.emulator.wire.control import PREFIX, Control, all_operations
from cognito_credentials.emulator.wire.events import Drop, EventStream
from cognito_credentials.emulator.wire.faults import Fault
from cognito_credentials.emulator.wire.hosts import Hosts
from cognito_credentials.emulator.wire.log import log_line
from cognito_credentials.emulator.wire.reading import (
    Call,
    read_body,
    read_call,
    read_content,
    read_headers,
    read_target,
    region_called,
)
from cognito_credentials.emulator.wire.routes import asks_for_page, make_router, route_scope
from cognito_credentials.emulator.wire.sending import RouteSend, replayed, send_answer, send_slowly
from cognito_credentials.emulator.wire.signatures import SignedRequest, authenticate
from cognito_credentials.emulator.wire.sweeping import Sweeper
from cognito_credentials.emulator.wire.throttle import REQUESTS_PER_SECOND
from cognito_credentials.emulator.wire.updates import Updates

_logger = logging.getLogger(__name__)

_OWN_READING = re.compile(rf"GET /|GET {PREFIX}/(console/)?[a-z.-]*")
_MAX_KEY_FETCHES = 10  # a call has at most ten logins

_TOO_LARGE = f"the body is larger than {assumed.MAX_BODY_BYTES} bytes"

Log = Callable[[str], None]


class Application:
    """
    The ASGI application.

    Args:
        drop: Closes the connection of a client, ``scope["client"]``.
        hosts: The names that the emulator is called by.
        log: Called with one line for each request.
    """

    def __init__(self, service: Service, drop: Drop, hosts: Hosts, log: Log | None = None) -> None:
        self.control = Control(service)
        self.events = EventStream(self.control.history, drop)
        self.key_fetches = KeyFetches(service.issuers)
        self.sweeper = Sweeper(service.state)
        self._operations = frozenset(all_operations())
        self._service = service
        self._hosts = hosts
        self._drop = drop
        self._log = log
        self._updates = Updates()
        self._router = make_router(service, self.control, self.events, hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        try:
            await self._answer(scope, receive, send)
        except asyncio.CancelledError:
            # The server is stopping, and has closed the connection.
            return

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        trail = begin_trail()
        headers = read_headers(scope["headers"])
        request_id = new_request_id()
        path, host = read_target(scope["raw_path"].decode("latin-1").partition("?")[0])
        if host is not None:
            headers["host"] = host
        method, query = scope["method"], scope["query_string"].decode("latin-1")
        calls_operation = _calls_operation(method, path, query, headers)
        name = f"{method} {path}"
        answer: Answer | None
        try:
            body = await read_body(receive)
        except ServiceError as error:
            answer = json_error(error) if calls_operation else refusal(413, _TOO_LARGE)
            await self._send(send, answer, headers, request_id)
            self._record(name, answer, started, trail)
            return
        if body is None:
            return
        request = SignedRequest(method=method, path=path, query=query, headers=headers, body=body)
        if calls_operation:
            call = read_call(request, request_id)
            name = call.operation
            if name in self._operations:  # others may have any number of names
                self.control.counts[name] += 1
            with self._updates.started(name, body) as is_concurrent:
                answer = await self._answer_call(
                    replace(call, is_concurrent=is_concurrent), scope, receive, send
                )
        else:
            answer = await self._answer_route(request, request_id, scope, receive, send)
        self._record(name, answer, started, trail)
        if name == "DeleteIdentityPool":
            self.sweeper.start()

    def _record(self, name: str, answer: Answer | None, started: float, trail: Trail) -> None:
        """Write the log, and remember the request. What the page asks for by itself is not remembered."""
        now, seconds = self._service.clock.now(), time.perf_counter() - started
        if self._log is not None:
            self._log(log_line(now, name, answer, seconds))
        if _OWN_READING.fullmatch(name) is None:
            self.control.history.add(now, name, answer, seconds, trail)

    async def _answer_route(
        self, request: SignedRequest, request_id: str, scope: Scope, receive: Receive, send: Send
    ) -> Answer:
        """Answer a request that calls no operation. What a route raises becomes the answer."""
        sender = RouteSend(send, common_headers(self._service.clock.now(), request_id))
        try:
            await self._router(route_scope(scope, request), replayed(request.body, receive), sender)
            return Answer(sender.status)
        except HTTPException as error:
            answer = refusal(error.status_code, error.detail)
            answer.headers.update(error.headers or {})
        except ServiceError as error:
            answer = json_error(error)
        except Exception as error:  # noqa: BLE001  (logged and answered)
            failure = _failure(error, f"{request.method} {request.path}")
            answer = refusal(failure.status, failure.message or failure.code)
        if sender.status:  # the answer has begun
            self._drop(scope["client"])
        else:
            await self._send(send, answer, request.headers, request_id)
        return answer

    async def _answer_call(self, call: Call, scope: Scope, receive: Receive, send: Send) -> Answer | None:
        """Answer a call of an operation, or do what a planned fault says. None when no answer is sent."""
        fault = self.control.faults.take(call.operation)
        if fault is not None:
            decided(f"this request has a planned fault: {fault.effect()}")
        delay = self._service.settings.delay + (fault.delay if fault else 0)
        if delay:
            await asyncio.sleep(delay)
        if fault is None:
            answer = await self._process(call)
            await self._send(send, answer, call.request.headers, call.request_id)
            return answer
        if fault.drop == "before":
            await self._cut(scope, receive)
            return None
        answer = _planned_answer(fault, call) or await self._process(call)
        if fault.drop == "after":
            await self._cut(scope, receive)
            return None
        self._complete(answer, call.request.headers, call.request_id)
        answer.replace_headers(fault.headers)
        await send_slowly(receive, send, answer, fault.drip, fault.body_size)
        return answer

    async def _cut(self, scope: Scope, receive: Receive) -> None:
        """Close the connection without an answer, and wait until it has closed."""
        self._drop(scope["client"])
        await receive()

    async def _process(self, call: Call) -> Answer:
        """Do the operation. Every error becomes an answer in the protocol of the call."""
        try:
            self._check_quota(call)
            return await self._attempt_with_keys(call)
        except KeysNeededError as needed:
            return _error_answer(
                call, assumed.external_service(needed.provider, self._service.issuers.offline)
            )
        except ServiceError as error:
            return _error_answer(call, error)
        except Exception as error:  # noqa: BLE001  (logged and answered)
            return _error_answer(call, _failure(error, call.operation))

    async def _attempt_with_keys(self, call: Call) -> Answer:
        """Do the operation. If a login provider's keys are missing, fetch them and do it again."""
        for _ in range(_MAX_KEY_FETCHES):
            try:
                return self._attempt(call)
            except KeysNeededError as needed:  # noqa: PERF203  (one round in most cases)
                await self.key_fetches.fetch(needed.provider)
                begin_trail_again()
                checked(f"the keys of {needed.provider} were fetched, or could not be")
        return self._attempt(call)

    def _check_quota(self, call: Call) -> None:
        """Refuse a call that exceeds its quota. It counts once, however often it is done again for keys."""
        throttle = self._service.settings.throttle
        quotas = REQUESTS_PER_SECOND if throttle is True else throttle
        if quotas and not self.control.throttle.admits(call.operation, region_called(call.request), quotas):
            raise ServiceError("TooManyRequestsException", "Rate exceeded")

    def _attempt(self, call: Call) -> Answer:
        service = self._service
        if call.is_query:
            operation = query.find(call.service, call.operation)
            asked(operation.shown(call.parameters))
            if call.service == "iam":  # which has no CORS; every call of it needs the developer
                self._refuse_pages(call, "AccessDenied", 403)
            caller = ANONYMOUS if operation.public else self._authenticate(call, call.service)
            result = query.call(service, call.service, operation, call.parameters, caller)
            return query_success(call.service, call.operation, result, call.request_id)
        if call.service == user_pools.API:
            name = call.operation.rpartition(".")[2]
            return json_success(user_pools.call(service, name, read_content(call.request.body)))
        operation = operations.find(call.operation)
        content = read_content(call.request.body)
        asked(operation.shown(content))
        caller = ANONYMOUS
        if not operation.public:
            self._refuse_pages(call, "AccessDeniedException", 400)
            caller = self._authenticate(call, "cognito-identity")
            _check_permission(caller, call.operation, content)
        if call.is_concurrent:
            raise concurrent_modification()
        return json_success(operations.call(service, operation, content, caller))

    def _authenticate(self, call: Call, service_name: str) -> Caller:
        caller = authenticate(self._service, call.request, service_name)
        checked(f"the caller is {caller.arn}")
        return caller

    def _refuse_pages(self, call: Call, code: str, status: int) -> None:
        """Refuse a web page of another machine: any access key that it made up would be the developer's."""
        wrong = self._hosts.wrong_page(call.request.headers)
        if wrong is not None:
            raise ServiceError(code, f"The emulator refuses this: {wrong}", status)

    async def _send(self, send: Send, answer: Answer, headers: Mapping[str, str], request_id: str) -> None:
        self._complete(answer, headers, request_id)
        await send_answer(send, answer)

    def _complete(self, answer: Answer, headers: Mapping[str, str], request_id: str) -> None:
        """Add the headers that all answers have."""
        if answer.content_type:
            answer.headers = {"Content-Type": answer.content_type, **answer.headers}
        if "origin" in headers and answer.is_aws:
            answer.headers.update(CROSS_ORIGIN)
        answer.headers = {**common_headers(self._service.clock.now(), request_id), **answer.headers}


def _calls_operation(method: str, path: str, query: str, headers: Mapping[str, str]) -> bool:
    """Whether a request calls an AWS operation. Only a browser that shows a page to a person does not."""
    if path != "/":
        return False
    return method == "POST" or (method == "GET" and (query != "" or not asks_for_page(headers)))


def _planned_answer(fault: Fault, call: Call) -> Answer | None:
    if fault.code is not None:
        status = 500 if fault.code.startswith("InternalError") else 400
        error = ServiceError(fault.code, fault.message or None, fault.status or status)
        return _error_answer(call, error)
    if not fault.answers:
        return None
    content_type = "text/xml" if call.is_query else "application/x-amz-json-1.1"
    return Answer(
        fault.status or 200, (fault.body or "").encode(errors="surrogatepass"), content_type, code="planned"
    )


def _error_answer(call: Call, error: ServiceError) -> Answer:
    return query_error(call.service, error, call.request_id) if call.is_query else json_error(error)


def _failure(error: Exception, what: str) -> ServiceError:
    """The answer when the emulator itself fails in *what*. The traceback is in the log."""
    if isinstance(error, sqlite3.Error | DataFileError):
        text = f"The emulator cannot use its data file: {error}"
        _logger.error("the emulator cannot use its data file: %s", error)
    else:
        text = "The emulator failed, see its log"
        _logger.error("the emulator failed in %s", what, exc_info=error)
    return ServiceError("InternalErrorException", text, 500)


def _check_permission(caller: Caller, operation: str, content: Any) -> None:
    """Refuse sessions: the emulator's roles have no permission for signed operations (assumed)."""
    if not isinstance(caller.session, AssumedRole):
        return
    pool_id = content.get("IdentityPoolId", "") if isinstance(content, dict) else ""
    partition = partition_of(caller.region)
    resource = f"arn:{partition}:cognito-identity:{caller.region}:{ACCOUNT_ID}:identitypool/{pool_id}"
    raise ServiceError(
        "AccessDeniedException",
        f"User: {caller.arn} is not authorized to perform: cognito-identity:{operation} "
        f"on resource: {resource}",
    )
