"""Bring a body as sent and the same body as an engine shows it to one form.

Engines write numbers and booleans of settings as strings, expand dotted settings, and leave out
what is empty, but for entries of lists. Two bodies that mean the same are equal after `normalise`.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Mapping
from typing import Any

_EMPTY: tuple[object, ...] = ({}, [], None)


def normalise(value: Any) -> Any:
    """``value`` with strings of numbers and booleans typed, dotted keys nested, empties left out.

    The order of lists is kept; ``-0`` and ``007`` stay strings, since they would not come back.
    """
    if isinstance(value, Mapping):
        return _nested(value)
    if isinstance(value, list | tuple):
        return [_entry(item) for item in value]
    if isinstance(value, str):
        return _typed(value)
    return value


def diff(actual: Mapping[str, Any] | None, desired: Mapping[str, Any] | None) -> list[str]:
    """A unified diff, one string a line, from what is there to what is wanted; [] where equal."""
    lines = difflib.unified_diff(_lines(actual), _lines(desired), "actual", "desired", lineterm="")
    return list(lines)


def keep(body: Mapping[str, Any], keys: Iterable[str]) -> dict[str, Any]:
    """``body`` without the keys an engine added."""
    wanted = set(keys)
    return {key: value for key, value in body.items() if key in wanted}


def keep_like(value: Any, desired: Any) -> Any:
    """``value`` without the keys, at any depth, that ``desired`` does not have."""
    if isinstance(value, Mapping) and isinstance(desired, Mapping):
        return {key: keep_like(item, desired[key]) for key, item in value.items() if key in desired}
    return value


def _nested(value: Mapping[str, Any]) -> dict[str, Any]:
    nested: dict[str, Any] = {}
    for key, raw in value.items():
        item = normalise(raw)
        if item not in _EMPTY:
            for part in reversed(str(key).split(".")):
                item = {part: item}
            _merge(nested, item)
    return nested


def _entry(item: Any) -> Any:
    """An entry of a list; one of nothing but empties, as a processor without parameters, stays."""
    normal = normalise(item)
    if normal == {} and isinstance(item, Mapping):
        return {name: normalise(inner) for name, inner in item.items()}
    return normal


def _merge(into: dict[str, Any], other: Mapping[str, Any]) -> None:
    for key, item in other.items():
        held = into.get(key)
        if isinstance(held, dict) and isinstance(item, Mapping):
            _merge(held, item)
        else:
            into[key] = item


def _typed(text: str) -> Any:
    if text in {"true", "false"}:
        return text == "true"
    try:
        number = int(text)
    except ValueError:
        return text
    return number if str(number) == text else text


def _lines(body: Mapping[str, Any] | None) -> list[str]:
    if body is None:
        return []
    return json.dumps(body, indent=2, sort_keys=True, ensure_ascii=False).splitlines()
