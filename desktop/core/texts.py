"""Every string that people read, apart from errors: `assets/texts/{zh,en}.toml`, by dotted key.

The app and the command line share the names of phases and tasks; a contract test holds both
files to the same keys and the same facts.
"""

from __future__ import annotations

import tomllib
from functools import cache
from typing import Any

from desktop.core.assets import asset
from desktop.core.explain import Language


class Texts:
    """The strings of the language in use.

    Attributes:
        language: "zh" or "en".
    """

    def __init__(self, language: Language) -> None:
        self.speak(language)

    def speak(self, language: Language) -> None:
        """Use another language from now on; what was read already stays as it is."""
        self.language: Language = language
        self._texts = catalogue(language)

    def __getitem__(self, key: str) -> str:
        """Return the text as it is written; raises KeyError on a key that is not there."""
        return self._texts[key]

    def __call__(self, key: str, **facts: object) -> str:
        """Return the text with its `{facts}` filled in."""
        return self._texts[key].format_map(facts)

    def word(self, group: str, name: str) -> str:
        """Return the text `group.name`, or "" for a name that this version does not know.

        For words that come from the host: a newer agent may send others.
        """
        return self._texts.get(f"{group}.{name}", "")


@cache
def catalogue(language: Language) -> dict[str, str]:
    """Return all texts of a language by dotted key."""
    raw = asset("texts", f"{language}.toml").read_text(encoding="utf-8")
    return dict(_flatten(tomllib.loads(raw)))


def _flatten(table: dict[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    for name, value in table.items():
        if isinstance(value, dict):
            pairs += _flatten(value, f"{prefix}{name}.")
        else:
            pairs.append((prefix + name, value))
    return pairs
