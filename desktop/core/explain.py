"""From a code and its facts to the words a person reads, in zh or en.

All texts live in `assets/errors.toml`; a contract test holds every code to title, detail and hint
in both languages.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from desktop.core.assets import asset
from desktop.core.errors import AppError

Language = Literal["zh", "en"]

_FALLBACK = "unexpected"
_BYTE_COUNTS = ("free", "needed")


@dataclass(frozen=True, slots=True)
class Explanation:
    """What happened, why, and what to do: plain text."""

    title: str
    detail: str
    hint: str


class _Facts(dict[str, object]):
    """A fact that the host did not send reads as an ellipsis rather than an exception."""

    def __missing__(self, key: str) -> str:
        return "…"


@cache
def catalogue() -> dict[str, dict[str, dict[str, str]]]:
    """Return all texts: code → language → title, detail, hint."""
    return tomllib.loads(asset("errors.toml").read_text(encoding="utf-8"))


def explain(error: AppError, language: Language) -> Explanation:
    """Return the texts of an error's code with its facts filled in.

    A code that this version does not know (a newer agent's) gets the general text, with the code
    and the host's own detail in it.
    """
    entry = catalogue().get(error.code) or catalogue()[_FALLBACK]
    texts = entry[language]
    facts = _Facts(error.facts | {"code": error.code})
    shown = _Facts({name: _shown(name, value) for name, value in facts.items()})
    return Explanation(*(texts[key].format_map(shown) for key in ("title", "detail", "hint")))


def _shown(name: str, value: Any) -> str:
    """Return a fact as one short line of plain text; byte counts in the unit of disks' labels."""
    if name in _BYTE_COUNTS and isinstance(value, int):
        return f"{value / 1e9:.1f} GB" if value >= 1e9 else f"{value / 1e6:.1f} MB"
    if isinstance(value, list | tuple):
        value = ", ".join(str(item) for item in value[:5])
    line = "".join(char if char.isprintable() else " " for char in str(value))
    return line[:300]
