"""Which values a setting can have: the same for all hosts and for a saved one.

A table is sorted into what can be used, what a newer version wrote, and what is no good.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from desktop.core.errors import DestinationError
from desktop.core.proxy_setting import check_proxy

_CHOICES = {
    "language": ("", "zh", "en"),
    "theme": ("", "light", "dark"),
    "kv_cache_dtype": ("", "auto", "fp8"),
}
_MOST_MINUTES = 366 * 24 * 60  # as the host's spec has it
_MOST: dict[str, float] = {
    "local_port": 65535,
    "lease_minutes": _MOST_MINUTES,
    "idle_minutes": _MOST_MINUTES,
    "limit_minutes": _MOST_MINUTES,
    "idle_prompt_minutes": _MOST_MINUTES,
    "font_size": 32,
    "rate": 1_000_000,
    "spending_limit": 1_000_000,
}
_PRICES = ("rate", "spending_limit")
_LONGEST = {"line": 500, "currency": 8, "font": 100}
_NOT_REPEATED = ("proxy", "line")  # a password may stand in them


@dataclass(frozen=True, slots=True)
class Sorted:
    """A table, taken apart.

    Attributes:
        chosen: values that can be used, by name.
        unknown: of names that this version does not have.
        rejected: values that are no good, as they were read.
        problems: what is wrong with those, one line each.
    """

    chosen: dict[str, Any] = field(default_factory=dict)
    unknown: dict[str, Any] = field(default_factory=dict)
    rejected: dict[str, Any] = field(default_factory=dict)
    problems: tuple[str, ...] = ()


def sort_out(table: Mapping[str, Any], defaults: Mapping[str, object]) -> Sorted:
    """Return the table taken apart; a value has the type of its default."""
    found = Sorted(unknown={name: table[name] for name in table if name not in defaults})
    problems = []
    for name in sorted(defaults.keys() & table.keys()):
        value = _natural(name, table[name])
        if _fits(name, value, defaults[name]):
            found.chosen[name] = value
        else:
            found.rejected[name] = table[name]
            problems.append(f"{name}: {_shown(name, table[name])} is not a value it can have")
    return Sorted(found.chosen, found.unknown, found.rejected, tuple(problems))


def fits(name: str, text: str) -> bool:
    """Tell whether a text can be kept under this name."""
    return _fits(name, text, "")


def _shown(name: str, value: object) -> str:
    return "this" if name in _NOT_REPEATED else repr(value)


def _natural(name: str, value: object) -> object:
    """Return the value as it is kept: a length or a price may be written as a plain number."""
    is_count = isinstance(value, int) and not isinstance(value, bool)
    if name == "max_model_len" and is_count:
        return str(value) if value > 0 else value  # type: ignore[operator]
    if name in _PRICES and is_count:
        return float(value)  # type: ignore[arg-type]
    return tuple(value) if isinstance(value, list) else value


def _fits(name: str, value: object, default: object) -> bool:
    if type(value) is not type(default):
        return False
    if isinstance(value, tuple):
        return all(isinstance(item, str) for item in value)
    if isinstance(value, bool):
        return True
    if isinstance(value, int | float):
        return math.isfinite(value) and 0 <= value <= _MOST[name]
    if isinstance(value, str):
        return _is_text_for(name, value)
    return False


def _is_text_for(name: str, text: str) -> bool:
    if name == "proxy":
        return _is_proxy(text)
    if name in _LONGEST:
        return len(text) <= _LONGEST[name] and text.isprintable()
    return text in _CHOICES.get(name, (text,))


def _is_proxy(text: str) -> bool:
    try:
        check_proxy(text)
    except DestinationError:
        return False
    return True
