"""From a code and its facts to the words a person reads, in zh or en.

All texts live in `assets/errors.toml`; a contract test holds every code to title, detail and hint
in both languages. A code may have a second entry, `CODE+FACT`, for when that fact is known too, and
a `terminal-hint` where the window's does not fit. What can be chosen is named as in `spellings`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from desktop.core import catalogue as models
from desktop.core import providers
from desktop.core.assets import asset
from desktop.core.errors import AppError
from desktop.core.paths import paths
from desktop.core.plain_text import plain_text
from desktop.core.spellings import spelled

Language = Literal["zh", "en"]

_FALLBACK = "unexpected"
_BYTE_COUNTS = ("free", "needed", "room")
_POWER_OFF = "power-off-"
_DOES_NOT_FIT = "preflight.model-does-not-fit"
_OF_MEMORY = (_DOES_NOT_FIT, "preflight.card-busy")  # GiB, as drivers and the account count it
_IN_NO_SCREEN = ("local-port-taken", "model.needs-code")  # the window reads it, and has no field


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
    """Return all texts: code → language → title, detail, hint, perhaps terminal-hint."""
    return tomllib.loads(asset("errors.toml").read_text(encoding="utf-8"))


def explain(error: AppError, language: Language, *, in_terminal: bool = False) -> Explanation:
    """Return the texts of an error's code with its facts filled in.

    A code that this version does not know (a newer agent's) gets the general text, with the code
    and the host's own detail in it.

    Args:
        error: what happened.
        language: of the texts.
        in_terminal: they are read where options and commands can be typed, not in the window.
    """
    known = error.facts | _known_here(error)
    texts = _entry(error.code, known)[language]
    facts = _Facts(known | {"code": error.code})
    shown = _Facts({name: _shown(error.code, name, value) for name, value in facts.items()})
    hint = texts.get("terminal-hint", texts["hint"]) if in_terminal else texts["hint"]
    hint = spelled(hint, language, in_terminal=in_terminal)
    return Explanation(
        *(text.format_map(shown) for text in (texts["title"], texts["detail"], hint))
    )


def _known_here(error: AppError) -> dict[str, object]:
    """Return what the laptop can add.

    For a model that does not fit the nearest that does; where a rental is ended by hand; the file
    of what no screen has a field for.
    """
    if error.code in _IN_NO_SCREEN:
        return {"settings_file": paths().settings}
    if error.code.startswith(_POWER_OFF):
        host = str(error.facts.get("host"))
        provider = providers.find(error.facts.get("provider")) or providers.of_host(host)
        return {"console": provider.console} if provider else {}
    room = error.facts.get("room")
    if error.code != _DOES_NOT_FIT or not isinstance(room, int):
        return {}
    alternative = models.nearest_that_fits(str(error.facts.get("model")), room)
    return {"alternative": alternative.id} if alternative else {}


def _entry(code: str, facts: Mapping[str, object]) -> dict[str, dict[str, str]]:
    """Return a code's texts, the second ones where their fact is known; or the general texts."""
    entries = catalogue()
    for key, entry in entries.items():
        base, plus, fact = key.partition("+")
        if plus and base == code and fact in facts:
            return entry
    return entries.get(code) or entries[_FALLBACK]


def _shown(code: str, name: str, value: Any) -> str:
    """Return a fact as one short line of plain text; byte counts in the unit of disks' labels."""
    if name in _BYTE_COUNTS and isinstance(value, int) and code in _OF_MEMORY:
        return f"{value / (1 << 30):.1f} GiB"
    if name in _BYTE_COUNTS and isinstance(value, int):
        return f"{value / 1e9:.1f} GB" if value >= 1e9 else f"{value / 1e6:.1f} MB"
    if isinstance(value, list | tuple):
        value = ", ".join(str(item) for item in value[:5])
    return plain_text(str(value))[:300]
