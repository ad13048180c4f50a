"""
Requests and answers of the operations that this package calls, as text and bytes, without I/O.

    build        operation and parameters -> the headers and body of a POST to ``/``
    read         status, headers and body -> the answer as a dictionary, or `Refusal`

Cognito Identity and user pools speak AWS JSON 1.1; STS speaks the query protocol, with answers in XML.
Both follow what botocore sends and accepts, except that an answer with duplicate names, with NaN, with a
document type or with entities is refused.

Source: https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html and
https://smithy.io/2.0/aws/protocols/aws-query-protocol.html
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Final, NoReturn
from urllib.parse import urlencode

from ..importing import IMPORTING
from .faults import InvalidAnswerError

if TYPE_CHECKING:
    from xml.parsers.expat import XMLParserType

STS: Final = "AssumeRoleWithWebIdentity"
"""The one operation of STS; all others are JSON."""
_STS_VERSION: Final = "2011-06-15"

_REQUIRED: Final = {
    "GetId": ("IdentityPoolId",),
    "GetCredentialsForIdentity": ("IdentityId",),
    "GetOpenIdToken": ("IdentityId",),
    "UnlinkIdentity": ("IdentityId", "Logins", "LoginsToRemove"),
    STS: ("RoleArn", "RoleSessionName", "WebIdentityToken"),
}
"""The operations of Cognito Identity and STS; any other is one of user pools."""
_SHORTEST: Final = {
    "IdentityPoolId": 1,
    "IdentityId": 1,
    "CustomRoleArn": 20,
    "RoleArn": 20,
    "RoleSessionName": 2,
    "WebIdentityToken": 4,
    "Policy": 1,
}
"""Characters; what is shorter, botocore does not send."""
_LONGEST_WAIT: Final = 3600.0
_SHORTEST_DURATION: Final = 900
_EXPIRATION: Final = "Expiration"


class ParamValidationError(ValueError):
    """A parameter is missing, of a wrong type or too short; the text names it and does not show its value."""


class Refusal(Exception):  # noqa: N818  (it is what the service said; `failures` makes the error)
    """
    The service answered with an error.

    Args:
        code: Its error code without namespace; the HTTP status where it gave none.
        message: Its words.
        request_id: None where it gave none.
        status: Of HTTP.
        retry_after: Seconds that an AWS service asks to wait, where it does; retries follow it.
        wait: Seconds that the answer asks to wait, by any header; told to the caller.
        service: Whose answer it is.
    """

    def __init__(
        self,
        code: str,
        message: str,
        request_id: str | None,
        status: int,
        *,
        service: str,
        retry_after: float | None = None,
        wait: float | None = None,
    ) -> None:
        super().__init__(code)
        self.service = service
        self.code = code
        self.status = status
        self.retry_after = retry_after
        self.wait = wait
        metadata: dict[str, Any] = {"HTTPStatusCode": status}
        if request_id is not None:
            metadata["RequestId"] = request_id
        # As botocore's ClientError has it: `failures` reads both.
        self.response = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": metadata}


def service_of(operation: str) -> str:
    """Name the service of *operation* as endpoints do."""
    if operation == STS:
        return "sts"
    return "cognito-identity" if operation in _REQUIRED else "cognito-idp"


def build(operation: str, parameters: Mapping[str, Any]) -> tuple[dict[str, str], bytes]:
    """
    Make the headers and the body of a request.

    Args:
        parameters: By the names of the API reference. Those of user pools are not checked.

    Raises:
        ParamValidationError: The service would not take them.
    """
    _check(operation, parameters)
    if operation == STS:
        form = {"Action": operation, "Version": _STS_VERSION, **parameters}
        content_type = "application/x-www-form-urlencoded; charset=utf-8"
        try:
            return {"Content-Type": content_type}, urlencode(form).encode("ascii")
        except UnicodeEncodeError:
            pass  # half a surrogate pair; the error has the whole text in it
        raise ParamValidationError("a parameter is no text")
    prefix = "AWSCognitoIdentityService" if operation in _REQUIRED else "AWSCognitoIdentityProviderService"
    headers = {"X-Amz-Target": f"{prefix}.{operation}", "Content-Type": "application/x-amz-json-1.1"}
    return headers, json.dumps(parameters).encode("ascii")


def _check(operation: str, parameters: Mapping[str, Any]) -> None:
    for name in _REQUIRED.get(operation, ()):
        if name not in parameters:
            raise ParamValidationError(f"{name} is missing")
    if operation not in _REQUIRED:
        return
    for name, value in parameters.items():
        if name == "Logins":
            is_good = isinstance(value, dict) and all(
                _is_text(item, 1) for pair in value.items() for item in pair
            )
        elif name == "LoginsToRemove":
            is_good = isinstance(value, list) and all(_is_text(item, 1) for item in value)
        elif name == "DurationSeconds":
            is_good = isinstance(value, int) and value >= _SHORTEST_DURATION
        else:
            is_good = name in _SHORTEST and _is_text(value, _SHORTEST[name])
        if not is_good:
            raise ParamValidationError(f"{name} has a wrong type, is too short or is unknown")


def _is_text(value: object, shortest: int) -> bool:
    return isinstance(value, str) and len(value) >= shortest


def read(operation: str, status: int, headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
    """
    Read an answer.

    Args:
        status: Of HTTP; not a redirect.
        headers: With names in lower case.

    Returns:
        The members that the API reference names, with ``Expiration`` as a `datetime`; members that are
        missing or of a wrong type are for the caller to find.

    Raises:
        Refusal: The answer is an error.
        InvalidAnswerError: The answer is none of this service's.
    """
    if status >= 300:
        raise _refusal(operation, status, headers, body)
    if operation == STS:
        result = _xml(body).get(f"{operation}Result")
        if result is None:
            raise InvalidAnswerError("no result in it")
        answer = result if isinstance(result, dict) else {}
    else:
        answer = _json(body) if body else {}
    credentials = answer.get("Credentials")
    if credentials is not None and not isinstance(credentials, dict):
        raise InvalidAnswerError("Credentials are no structure")
    if credentials and _EXPIRATION in credentials:
        answer["Credentials"] = {**credentials, _EXPIRATION: _moment(credentials[_EXPIRATION])}
    return answer


def _refusal(operation: str, status: int, headers: Mapping[str, str], body: bytes) -> Refusal:
    code, message, request_id = "", "", headers.get("x-amzn-requestid")
    try:
        if operation == STS:
            code, message, request_id = _xml_error(body, request_id)
        else:
            code, message = _json_error(body)
    except InvalidAnswerError:
        pass  # a page of a proxy or an empty body: the headers and the status are all that it says
    return Refusal(
        code or _bare(headers.get("x-amzn-errortype", "")) or str(status),
        message,
        request_id,
        status,
        service=service_of(operation),
        retry_after=_retry_after(headers),
        wait=seconds_to_wait(headers),
    )


def _json_error(body: bytes) -> tuple[str, str]:
    problem = _json(body) if body else {}
    code, message = problem.get("__type"), problem.get("message", problem.get("Message", ""))
    return _bare(code) if isinstance(code, str) else "", message if isinstance(message, str) else ""


def _bare(code: str) -> str:
    """Reduce ``ns#Code``, ``Code:http://…`` or both to the code."""
    return code.partition(":")[0].rpartition("#")[2]


def _xml_error(body: bytes, request_id: str | None) -> tuple[str, str, str | None]:
    root = _xml(body)
    errors = root.get("Errors")
    error = (errors if isinstance(errors, dict) else root).get("Error")
    if not isinstance(error, dict):
        raise InvalidAnswerError("no error in it")
    code, message, told = error.get("Code"), error.get("Message"), root.get("RequestId")
    return (
        code if isinstance(code, str) else "",
        message if isinstance(message, str) else "",
        told if isinstance(told, str) else request_id,
    )


def _retry_after(headers: Mapping[str, str]) -> float | None:
    text = headers.get("x-amz-retry-after", "")
    return int(text) / 1000 if text.isascii() and text.isdigit() and len(text) < 10 else None


def seconds_to_wait(headers: Mapping[str, str]) -> float | None:
    """
    Read how long an answer asks to wait: AWS's own header in milliseconds, or that of HTTP.

    Args:
        headers: With names in lower case.

    Returns:
        Seconds, an hour at most, since nobody can rely on more; None where the answer does not say.

    Source: https://www.rfc-editor.org/rfc/rfc9110#field.retry-after
    """
    text = headers.get("retry-after", "").strip()
    seconds = _retry_after(headers)
    if seconds is None and text.isascii() and text.isdigit():
        seconds = float(text[:10])
    elif seconds is None and text:
        with contextlib.suppress(ValueError, TypeError, OverflowError):  # no date, or one without a zone
            moments = [parsedate_to_datetime(one) for one in (text, headers.get("date", ""))]
            seconds = (moments[0] - moments[1]).total_seconds()
    return None if seconds is None else min(max(seconds, 0.0), _LONGEST_WAIT)


def _json(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_no_number)
    except (ValueError, RecursionError):
        value = None
    if isinstance(value, dict):
        return value
    raise InvalidAnswerError("not a JSON object in UTF-8")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError  # two readers of it would not read the same
    return made


def _no_number(_: str) -> NoReturn:
    raise ValueError


def _moment(value: object) -> object:
    """Read a timestamp: seconds since 1970, or ISO 8601; None where it is neither."""
    try:
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return datetime.fromtimestamp(value, timezone.utc)
        if isinstance(value, str):
            found = datetime.fromisoformat(
                value.removesuffix("Z") + "+00:00" if value.endswith("Z") else value
            )
            return found.replace(tzinfo=found.tzinfo or timezone.utc)
    except (ValueError, OverflowError, OSError):
        pass
    return None


def _xml(body: bytes) -> dict[str, Any]:
    """
    Read the children of an XML document's root: name without namespace to text, or to a dictionary.

    Of children with the same name the first one counts.
    """
    with IMPORTING:
        from xml.parsers import expat

    root: dict[str, Any] = {}
    open_elements: list[tuple[dict[str, Any], list[str]]] = []
    names: list[str] = []

    def start(name: str, _: object) -> None:
        names.append(name.rpartition(" ")[2])
        open_elements.append(({}, []))

    def data(text: str) -> None:
        open_elements[-1][1].append(text)

    def end(_: str) -> None:
        children, texts = open_elements.pop()
        name = names.pop()
        if open_elements:
            open_elements[-1][0].setdefault(name, children or "".join(texts))
        else:
            root.update(children)

    try:
        parser: XMLParserType = expat.ParserCreate("utf-8", namespace_separator=" ")
        parser.StartElementHandler, parser.EndElementHandler = start, end
        parser.CharacterDataHandler = data
        parser.StartDoctypeDeclHandler = _refuse
        parser.Parse(body.decode("utf-8"), True)  # by itself, it would follow a mark of UTF-16
    except (expat.ExpatError, ValueError):
        root.clear()
    else:
        return root
    raise InvalidAnswerError("not XML in UTF-8 without a document type")


def _refuse(*_: object) -> NoReturn:
    # Entities are declared in a document type only.
    raise ValueError
