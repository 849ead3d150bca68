"""What the hints of errors call a thing that can be chosen: its option, or its place in the window.

A hint says `<data-dir>`, or `<engine vllm==0.19.1>` with a value. These are filled in before the
facts of an error: nothing that a host says is read as one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from desktop.core.explain import Language

_NAMED = re.compile(r"<(?P<name>[a-z-]+)(?: (?P<value>[^<>]+))?>")
_COLON = {"zh": "：", "en": ": "}
_SPACED_QUOTE = re.compile(r" ?(“[^”]*”) ?")


@dataclass(frozen=True, slots=True)
class Spelling:
    """What one choice is called.

    Attributes:
        terminal: what is typed, in any language.
        window: keys of the texts that are read on the way to it, the control's own the last.
    """

    terminal: str
    window: tuple[str, ...]


_ADVANCED = ("settings.title", "settings.page.advanced")
_PLANNER = "remedy.other-model"

SPELLINGS: Mapping[str, Spelling] = {
    "start": Spelling("paperkite up", ("action.start",)),
    "stop": Spelling("paperkite down", ("action.stop",)),
    "stop-there": Spelling("paperkite down", ("remedy.stop-there",)),
    "log": Spelling("paperkite logs", ("remedy.log",)),
    "engine-log": Spelling("paperkite logs --task engine", ("remedy.log",)),
    "report": Spelling("paperkite logs", ("remedy.report",)),
    "data-dir": Spelling("--data-dir", (*_ADVANCED, "settings.data_dir")),
    "engine": Spelling("--engine", (*_ADVANCED, "settings.engine")),
    "engine-env": Spelling("--engine-env", (*_ADVANCED, "settings.engine_env")),
    "model": Spelling("-m", (_PLANNER,)),
    "length": Spelling("--max-model-len", (_PLANNER, "plan.length")),
    "any-length": Spelling("--max-model-len auto", ("plan.length-auto",)),
    "kv-cache": Spelling("--kv-cache-dtype", (_PLANNER, "plan.details", "plan.kv")),
    "hub-token": Spelling(
        "--hub-token-stdin", ("settings.title", "settings.page.network", "settings.token")
    ),
    "new-key": Spelling("--host-key", ("notice.compare",)),
}


def spelled(text: str, language: Language, *, in_terminal: bool) -> str:
    """Return a text with all that can be chosen called by its name where it is read."""

    def name(found: re.Match[str]) -> str:
        spelling, value = SPELLINGS[found["name"]], found["value"] or ""
        if in_terminal:
            return f"{spelling.terminal} {value}".rstrip()
        return _in_window(spelling, value, language)

    text = _NAMED.sub(name, text)
    # Chinese quotes bring their own room.
    return text if in_terminal or language == "en" else _SPACED_QUOTE.sub(r"\1", text)


def _in_window(spelling: Spelling, value: str, language: Language) -> str:
    """Return the way to a control: “Settings → Advanced → Engine version: vllm==0.19.1”."""
    # The texts know their language from `explain`, which needs this module first.
    from desktop.core.texts import catalogue  # noqa: PLC0415

    words = catalogue(language)
    way = " → ".join(words[key].rstrip("…") for key in spelling.window)
    return f"“{way}{_COLON[language] if value else ''}{value}”"
