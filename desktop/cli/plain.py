"""Text of others on our terminal: it is shown, and never drives it.

What a host, a hub or a model says may hold escape sequences that retitle the window, fill the
clipboard or paint over our own lines.
"""

from __future__ import annotations

# C0 without tab and line feed, DEL, and C1 (ECMA-48): what begins or is a control sequence.
_CONTROLS = {code: None for code in (*range(0x20), *range(0x7F, 0xA0)) if code not in (0x09, 0x0A)}
_WIDE_OR_FIXED_SPACE = (
    "\u3000\u00a0"  # Python calls them not printable; Chinese text is full of them
)


def plain(value: object) -> str:
    """Return a host's text for one line: what is not printable becomes a replacement mark."""
    kept = "\t" + _WIDE_OR_FIXED_SPACE
    return "".join(char if char.isprintable() or char in kept else "�" for char in str(value))


def prose(text: str) -> str:
    """Return a model's text without control characters; line breaks, tabs and emoji stay."""
    return text.translate(_CONTROLS)
