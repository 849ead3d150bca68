"""No text may end a command because a terminal, a pipe or a host is of another encoding."""

from __future__ import annotations

import io
import sys


def forgive_encodings(*, json: bool) -> None:
    """Make the standard streams take and give any text; before anything was read or written.

    JSON Lines are UTF-8 wherever they are printed (RFC 8259, section 8.1), as is what a program
    pipes to us. Half a surrogate pair leaves as the escape that JSON has for it, too.
    """
    encoding = "utf-8" if json else None
    for stream, errors in (
        (sys.stdin, "replace"),
        (sys.stdout, "backslashreplace" if json else "replace"),
        (sys.stderr, "backslashreplace"),
    ):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding=encoding, errors=errors)
