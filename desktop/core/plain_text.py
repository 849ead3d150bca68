"""Text of others on one line: a host's, a proxy's, a log's.

An escape sequence moves a terminal's cursor, a line break in a reason is a line of the log that
nobody wrote, and half a surrogate pair cannot be printed at all.
"""

from __future__ import annotations


def plain_text(text: str) -> str:
    """Return the text as one line, with a blank for each sign that cannot be printed."""
    if text.isprintable():
        return text
    return "".join(sign if sign.isprintable() else " " for sign in text)
