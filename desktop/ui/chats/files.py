"""Text files that are attached: bounded, and never binary."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from desktop.core.chat.conversation import Attachment

MOST_BYTES = 1_000_000
_ENCODINGS = ("utf-8-sig", "gb18030")  # what people's text files are in
_BOMS = (b"\xff\xfe", b"\xfe\xff")
_LOOKED_AT = 8192


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a file is not attached; `why` is the key of its text below `attach`."""

    name: str
    why: str


def read(path: Path) -> Attachment | Refused:
    """Return the text of a file, or why it cannot be attached."""
    try:
        if not path.is_file():
            return Refused(path.name, "no-file")
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError:
        return Refused(path.name, "unreadable")
    if len(content) > MOST_BYTES:
        return Refused(path.name, "too-large")
    text = decoded(content)
    return Refused(path.name, "binary") if text is None else Attachment(path.name, text)


def decoded(content: bytes) -> str | None:
    """Return the text in these bytes, or None where they are none."""
    if content[:2] in _BOMS:
        try:
            return content.decode("utf-16")
        except UnicodeDecodeError:
            return None
    if b"\0" in content[:_LOOKED_AT]:
        return None
    for encoding in _ENCODINGS:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        return None if _is_noise(text) else text
    return None


def _is_noise(text: str) -> bool:
    head = text[:_LOOKED_AT]
    strange = sum(1 for each in head if ord(each) < 32 and each not in "\t\n\r\f\x1b")
    return strange * 20 > len(head)
