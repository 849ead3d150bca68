"""Text of other programs, cut into bounded lines: their output while it comes, and logs' ends."""

import os
from pathlib import Path
from typing import List, Optional

LAST_LINES = 40  # as many as an event carries
LINE_CHARS = 500  # of each
_MAX_LINE_BYTES = 8192
_TAIL_BYTES_PER_LINE = 4096  # plenty; of longer ones fewer are found
_MAX_TAIL_BYTES = 4 * 1024 * 1024


class LineSplitter:
    """Bytes in, lines out. A carriage return ends a line too: progress bars are made of them."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> List[str]:
        """Return the lines that are complete now; empty ones are left out."""
        pieces = (self._rest + data).replace(b"\r", b"\n").split(b"\n")
        self._rest = pieces.pop()
        if len(self._rest) > _MAX_LINE_BYTES:
            pieces.append(self._rest)
            self._rest = b""
        return [_text(piece) for piece in pieces if piece.strip()]

    def end(self) -> List[str]:
        """Return the last line where it had no newline."""
        rest, self._rest = self._rest, b""
        return [_text(rest)] if rest.strip() else []


def last_lines(
    path: Path, count: int = LAST_LINES, chars: int = LINE_CHARS, upto: Optional[int] = None
) -> List[str]:
    """Return the last lines of a log, each cut to `chars`; empty when there is no such file.

    Args:
        path: the log.
        count: how many lines at most.
        chars: of each line at most.
        upto: the size in bytes up to which the file is looked at; None means all of it.
    """
    wanted = min(_MAX_TAIL_BYTES, (count + 1) * _TAIL_BYTES_PER_LINE)
    try:
        with path.open("rb") as stream:
            end = stream.seek(0, os.SEEK_END) if upto is None else upto
            start = stream.seek(max(0, end - wanted))
            data = stream.read(end - start)
    except OSError:
        return []
    splitter = LineSplitter()
    found = splitter.feed(data) + splitter.end()
    if start > 0 and len(found) > 1:
        found = found[1:]  # it begins somewhere in a line
    return [line[:chars] for line in found[-count:]] if count > 0 else []


def _text(piece: bytes) -> str:
    return piece[:_MAX_LINE_BYTES].decode("utf-8", "replace").rstrip()
