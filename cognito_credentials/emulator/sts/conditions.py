"""
The Condition of a policy, evaluated as IAM does: operators, keys and values.

Source: reference/service.md#9.3.13;
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html.
"""

from __future__ import annotations

import datetime as dt
import fnmatch
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

_SETS = ("ForAnyValue", "ForAllValues")
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_SECONDS = re.compile(r"-?[0-9]{1,12}")
_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?(Z|[+-][0-9]{2}:[0-9]{2}))?"
)


def condition_holds(name: str, key: str, wanted: Sequence[Any], context: Mapping[str, Sequence[str]]) -> bool:
    """
    Whether one line of a Condition holds. An unknown operator never holds.

    Args:
        name: The operator with its qualifier, e.g. ``ForAnyValue:StringLike``.
        wanted: The values in the policy.
        context: The values of the call: condition key, in lower case, to values.
    """
    qualifier, plain, optional = _parts(name)
    actual = context.get(key.lower())
    texts = [_text(item) for item in wanted]
    if plain == "Null":
        return (actual is None) == _boolean(texts[0])
    if plain not in _OPERATORS or qualifier not in ("", *_SETS):
        return False
    negated = plain in _NEGATED
    if actual is None:
        return optional or qualifier == "ForAllValues" or (negated and qualifier != "ForAnyValue")
    # A negated operator holds for a value that differs from every value in the policy.
    combine = all if negated else any
    matches = [combine(_compare(plain, value, text) for text in texts) for value in actual]
    if qualifier == "ForAllValues":
        return all(matches)
    if qualifier == "ForAnyValue" or not negated:
        return any(matches)
    return all(matches)


def is_evaluated(name: str, wanted: Sequence[Any]) -> bool:
    """Whether `condition_holds` knows the operator *name*, and can read *wanted*: no variables."""
    qualifier, plain, _ = _parts(name)
    if any("${" in _text(item) for item in wanted) or qualifier not in ("", *_SETS):
        return False
    if plain not in _OPERATORS:
        return plain == "Null"
    read = _OPERATORS[plain][0]
    try:
        for item in wanted:
            read(_text(item))
    except ValueError:
        return False
    return True


def condition_mistake(condition: Any) -> str | None:
    """What is wrong with a Condition, or is not evaluated by `condition_holds`; None if nothing is."""
    if not isinstance(condition, dict):
        return "expected a table"
    for name, keys in condition.items():
        qualifier, plain, optional = _parts(name)
        if plain == "Null" and not optional and not qualifier:
            read: Callable[[str], Any] = _boolean
        elif plain in _OPERATORS and qualifier in ("", *_SETS):
            read = _OPERATORS[plain][0]
        else:
            return f"{name} is not an operator that is evaluated"
        if not isinstance(keys, dict) or not keys:
            return f"{name}: expected a table of keys and values"
        for key, wanted in keys.items():
            if plain == "Null" and len(as_list(wanted)) > 1:
                return f"{name}: {key}: expected true or false, not several values"
            wrong = _values_mistake(as_list(wanted), read)
            if wrong is not None:
                return f"{name}: {key}: {wrong}"
    return None


def condition_refusal(condition: Any) -> str | None:
    """Why IAM does not save a Condition; None if it does, also where `condition_mistake` finds something."""
    if not isinstance(condition, dict):
        return "expected a table"
    for name, keys in condition.items():
        if not isinstance(keys, dict) or not keys:
            return f"{name}: expected a table of keys and values"
        for key, wanted in keys.items():
            values = as_list(wanted)
            if not values or not all(isinstance(item, str | int | float) for item in values):
                return f"{name}: {key}: expected a text, or a list of texts"
            if name == "Null" and (len(values) > 1 or _text(values[0]).lower() not in ("true", "false")):
                return f"{name}: {key}: expected true or false"
    return None


def _values_mistake(wanted: Sequence[Any], read: Callable[[str], Any]) -> str | None:
    if not wanted or not all(isinstance(item, str | int | float) for item in wanted):
        return "expected a text, or a list of texts"
    for item in wanted:
        if read not in _EXPECTED and not isinstance(item, str):
            return f"expected a text, not {_text(item)}"
        if "${" in _text(item):
            return "variables of policies are not evaluated"
        try:
            read(_text(item))
        except ValueError:
            return f"expected {_EXPECTED[read]}, not '{_text(item)}'"
    return None


def restricts(condition: Mapping[str, Mapping[str, Any]], keys: Sequence[str]) -> bool:
    """
    Whether *condition* restricts one of *keys* to certain values.

    Args:
        keys: In lower case.
    """
    return any(
        key.lower() in keys and all(_text(item).strip("*") for item in as_list(wanted))
        for name, wanted_of in condition.items()
        if _parts(name)[1].startswith("String") and _parts(name)[1] not in _NEGATED
        for key, wanted in wanted_of.items()
    )


def like(text: str, pattern: str) -> bool:
    """Whether *text* matches an IAM pattern, in which ``*`` and ``?`` are special."""
    # In fnmatch a bracket is special, too.
    return fnmatch.fnmatchcase(text, pattern.replace("[", "[[]"))


def as_list(value: Any) -> list[Any]:
    """The items of *value*. In an IAM policy a list of one item may be the item alone."""
    return list(value) if isinstance(value, list | tuple) else [value]


def _parts(name: str) -> tuple[str, str, bool]:
    """Qualifier, operator, and whether the key may be missing."""
    qualifier, _, plain = name.rpartition(":")
    return qualifier, plain.removesuffix("IfExists"), plain.endswith("IfExists")


def _compare(plain: str, actual: str, wanted: str) -> bool:
    read, compare = _OPERATORS[plain]
    try:
        return compare(read(actual), read(wanted))
    except ValueError:  # A value that is not a number, or not a date, equals nothing.
        return False


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _unlike(text: str, pattern: str) -> bool:
    return not like(text, pattern)


def _arn_like(arn: str, pattern: str) -> bool:
    """Compare part by part: a star does not match a colon, except in the last of the six parts."""
    parts, patterns = arn.split(":", 5), pattern.split(":", 5)
    return len(parts) == len(patterns) == 6 and all(map(like, parts, patterns))


def _arn_unlike(arn: str, pattern: str) -> bool:
    return not _arn_like(arn, pattern)


def _boolean(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise ValueError
    return text.lower() == "true"


def _number(text: str) -> float:
    if _NUMBER.fullmatch(text) is None:
        raise ValueError
    return float(text)


def _date(text: str) -> float:
    if _SECONDS.fullmatch(text):
        return float(text)
    if _MOMENT.fullmatch(text) is None:
        raise ValueError
    moment = dt.datetime.fromisoformat(re.sub(r"\.[0-9]+", "", text).replace("Z", "+00:00"))
    return moment.replace(tzinfo=moment.tzinfo or dt.timezone.utc).timestamp()


_EXPECTED: Mapping[Callable[[str], Any], str] = {
    _boolean: "true or false",
    _number: "a number",
    _date: "a date like 2030-01-31T00:00:00Z, or seconds since 1970",
}
_OPERATORS: Mapping[str, tuple[Callable[[str], Any], Callable[[Any, Any], bool]]] = {
    "StringEquals": (str, operator.eq),
    "StringNotEquals": (str, operator.ne),
    "StringEqualsIgnoreCase": (str.lower, operator.eq),
    "StringNotEqualsIgnoreCase": (str.lower, operator.ne),
    "StringLike": (str, like),
    "StringNotLike": (str, _unlike),
    "ArnEquals": (str, _arn_like),
    "ArnLike": (str, _arn_like),
    "ArnNotEquals": (str, _arn_unlike),
    "ArnNotLike": (str, _arn_unlike),
    "Bool": (_boolean, operator.eq),
    "NumericEquals": (_number, operator.eq),
    "NumericNotEquals": (_number, operator.ne),
    "NumericLessThan": (_number, operator.lt),
    "NumericLessThanEquals": (_number, operator.le),
    "NumericGreaterThan": (_number, operator.gt),
    "NumericGreaterThanEquals": (_number, operator.ge),
    "DateEquals": (_date, operator.eq),
    "DateNotEquals": (_date, operator.ne),
    "DateLessThan": (_date, operator.lt),
    "DateLessThanEquals": (_date, operator.le),
    "DateGreaterThan": (_date, operator.gt),
    "DateGreaterThanEquals": (_date, operator.ge),
}
_NEGATED = frozenset(name for name in _OPERATORS if "Not" in name)
