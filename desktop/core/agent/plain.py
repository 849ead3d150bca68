"""What a host says, made fit to be shown: the one door for its text, behind which it is plain.

An escape sequence moves a terminal's cursor, a line break in a reason is a line of the log that
nobody wrote, half a surrogate pair cannot be printed at all, and a list in a list in a list
exhausts the stack of whoever prints it.
"""

from __future__ import annotations

from typing import Any

from desktop.core.plain_text import plain_text

_DEPTH = 6  # of lists and objects in each other; the protocol has three


def plain(value: Any, depth: int = _DEPTH) -> Any:
    """Return a JSON value with printable text only, and None for what is nested too deep."""
    if isinstance(value, str):
        return plain_text(value)
    if isinstance(value, dict) and depth:
        return {plain_text(name): plain(item, depth - 1) for name, item in value.items()}
    if isinstance(value, list) and depth:
        return [plain(item, depth - 1) for item in value]
    return None if isinstance(value, dict | list) else value
