"""JSON that is read piece by piece, so that other threads get their turn between two of them.

`json.loads` holds the interpreter until it is through: a quarter of a second for 80 MB, in which
a window stands still whichever thread calls it. Exports are one long list, bare or in an object.
"""

from __future__ import annotations

import json
import re
from typing import Any

_BLANKS = re.compile(r"[ \t\n\r]*")
_DECODER = json.JSONDecoder()


def loads(content: bytes) -> Any:
    """Return what `json.loads` returns.

    Raises:
        ValueError: it is no JSON.
        RecursionError: it is nested too deeply.
    """
    text = content.decode(json.detect_encoding(content), "surrogatepass")
    at = _skip(text, 0)
    value, at = _object(text, at) if text[at : at + 1] == "{" else _value(text, at)
    if _skip(text, at) != len(text):
        raise json.JSONDecodeError("Extra data", text, at)
    return value


def _object(text: str, at: int) -> tuple[dict[str, object], int]:
    found: dict[str, object] = {}
    at = _skip(text, at + 1)
    if text[at : at + 1] == "}":
        return found, at + 1
    while True:
        key, at = _DECODER.raw_decode(text, at)
        if not isinstance(key, str):
            raise json.JSONDecodeError("Expecting a name", text, at)
        found[key], at = _value(text, _after(text, at, ":"))
        at = _skip(text, at)
        if text[at : at + 1] == "}":
            return found, at + 1
        at = _after(text, at, ",")


def _value(text: str, at: int) -> tuple[object, int]:
    if text[at : at + 1] != "[":
        return _DECODER.raw_decode(text, at)
    found: list[object] = []
    at = _skip(text, at + 1)
    if text[at : at + 1] == "]":
        return found, at + 1
    while True:
        value, at = _DECODER.raw_decode(text, at)
        found.append(value)
        at = _skip(text, at)
        if text[at : at + 1] == "]":
            return found, at + 1
        at = _after(text, at, ",")


def _after(text: str, at: int, mark: str) -> int:
    at = _skip(text, at)
    if text[at : at + 1] != mark:
        raise json.JSONDecodeError(f"Expecting {mark!r}", text, at)
    return _skip(text, at + 1)


def _skip(text: str, at: int) -> int:
    found = _BLANKS.match(text, at)
    return at if found is None else found.end()
