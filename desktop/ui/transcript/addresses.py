"""Addresses that stand bare in a text: where one begins, and where it is over."""

from __future__ import annotations

import re

# Chinese writes no space around an address: a host has only ASCII, and full-width punctuation ends
# the rest. Brackets belong to it in pairs, as in Wikipedia's.
_INNER = r"[^\s<>()\[\]{}\\\"'`|，。；：！？、（）【】《》「」『』“”‘’…]"
_ADDRESS = re.compile(
    rf"https?://[A-Za-z0-9][A-Za-z0-9._~%@:-]*+(?:[/?#](?:{_INNER}|\({_INNER}*+\))*+)?",
    re.IGNORECASE,
)
_NEVER_LAST = ".,;:!?*_~"  # what a sentence ends with, and Markdown's marks


def address_at(text: str, at: int, end: int) -> str:
    """Return the address that begins at a place and is over before `end`, or ""."""
    found = _ADDRESS.match(text, at, end)
    return found[0].rstrip(_NEVER_LAST) if found is not None else ""


def addresses(text: str) -> list[str]:
    """Return the addresses in a text, each once."""
    found = (match[0].rstrip(_NEVER_LAST) for match in _ADDRESS.finditer(text))
    return list(dict.fromkeys(found))
