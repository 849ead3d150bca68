"""Values as TOML writes them: Python reads TOML but has no writer of its own."""

from __future__ import annotations

import json
from collections.abc import Mapping


def assignment(name: str, value: object) -> str:
    """Return the line `name = value`, with its line end."""
    return f"{_key(name)} = {written(value)}\n"


def written(value: object) -> str:
    """Return a value as TOML writes it; tables become inline ones."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_key(k)} = {written(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(written(item) for item in value) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _string(value)
    return str(value)  # numbers, inf, nan and dates print as TOML writes them


def _key(name: str) -> str:
    plain = name.replace("_", "").replace("-", "").isalnum() and name.isascii()
    return name if plain else _string(name)


def _string(text: str) -> str:
    # JSON's escapes are TOML's too, but TOML also wants DEL escaped.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
