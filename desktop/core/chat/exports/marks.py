"""Marks that ChatGPT's replies hold for its own page, where they become links and cards.

    U+E200 kind U+E202 part U+E202 part … U+E201

    cite      where something was found, by numbers that mean nothing outside
    url       a title and an address
    entity    a JSON list: what kind of thing, and its name as it stands in the sentence

Nobody has documented them either. What a reader would miss is kept; all others are left out.
"""

from __future__ import annotations

import json
import re

_MARK = re.compile("( ?)\ue200([^\ue200\ue201]*)\ue201")
_CUT = re.compile("\ue200[^\ue200\ue201\n]*\\Z")  # a reply that was stopped inside of one
_WEB = re.compile(r"https?://[^\s<>]+")


def without(text: str) -> str:
    """Return a reply as it reads without the marks."""
    return _CUT.sub("", _MARK.sub(_kept, text)) if "\ue200" in text else text


def _kept(found: re.Match[str]) -> str:
    kind, *parts = found[2].split("\ue202")
    words = ""
    if kind == "url":
        words = _link(parts)
    elif kind == "entity":
        words = _name(parts)
    follows = found.string[found.end() : found.end() + 1]
    return found[1] + words if words or follows.isalnum() else ""


def _link(parts: list[str]) -> str:
    title, address = (*(part.strip() for part in parts), "", "")[:2]
    if _WEB.fullmatch(address) is None:
        return title
    title = re.sub(r"([\\\[\]])", r"\\\1", " ".join(title.split()) or address)
    return f"[{title}](<{address}>)"


def _name(parts: list[str]) -> str:
    try:
        value = json.loads(parts[0] if parts else "")
    except (ValueError, RecursionError):
        return ""
    name = value[1] if isinstance(value, list) and len(value) > 1 else ""
    return name if isinstance(name, str) else ""
