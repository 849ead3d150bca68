"""A run's journal: JSON Lines with `seq` from 1 without gaps, one writer, any number of readers.

The line number *is* the seq, so a reader finds its cursor without decoding what it skips. A line
counts once its newline is there; a torn last line (kill -9, a full disk) is cut off by the next
write and never shown by a reader.
"""

import contextlib
import os
import threading
import time
from collections import deque
from pathlib import Path
from typing import Any, Callable, Deque, Dict, List, Tuple

from remote import wire

_CHUNK_BYTES = 1024 * 1024
_MAX_LATE = 1000  # events kept in memory while the disk takes none
_MAX_VALUE = 4096  # characters of one value, once a line is too long as a whole


class Journal:
    """The writing end; may be used from any thread.

    While the disk takes nothing (it is full), events wait in memory in their order, and get
    their seq when they are written: a full disk delays the journal, and leaves no gap.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        self._file = os.open(str(path), flags, 0o600)
        self._lines, self._size = _whole_lines(self._file)
        self._clock = clock
        self._late: Deque[Dict[str, Any]] = deque()
        self._lock = threading.Lock()

    @property
    def behind(self) -> bool:
        """Whether events wait for room on the disk."""
        return bool(self._late)

    def append(self, kind: str, **fields: Any) -> None:
        """Add one event; never raises because of the disk."""
        event = dict(fields, kind=kind, time=round(self._clock(), 3))
        with self._lock:
            self._late.append(event)
            self._write_late()
            _drop_dispensable(self._late)

    def flush(self) -> bool:
        """Try again to write what waits; return whether all is written."""
        with self._lock:
            self._write_late()
            return not self._late

    def close(self) -> None:
        """Close the file; what still waits is lost."""
        with self._lock:
            os.close(self._file)

    def _write_late(self) -> None:
        while self._late:
            line = event_line(self._late[0], self._lines + 1).encode("ascii")
            if not self._write(line):
                return
            self._lines += 1
            self._size += len(line)
            self._late.popleft()

    def _write(self, line: bytes) -> bool:
        try:
            self._cut_torn_line()
            if os.write(self._file, line) == len(line):
                return True
        except OSError:
            pass  # no room: the event waits
        with contextlib.suppress(OSError):
            self._cut_torn_line()
        return False

    def _cut_torn_line(self) -> None:
        if os.fstat(self._file).st_size != self._size:
            os.ftruncate(self._file, self._size)


class Follower:
    """A reading end that starts after a cursor and sees whole lines only."""

    def __init__(self, path: Path, after: int = 0) -> None:
        self._path = path
        self._skip = after
        self._offset = 0

    def read(self) -> List[str]:
        """Return the next lines, without their newlines; empty when there are none yet."""
        while True:
            lines = self._next_lines()
            skipped = min(self._skip, len(lines))
            self._skip -= skipped
            if skipped < len(lines) or not lines:
                return lines[skipped:]

    def _next_lines(self) -> List[str]:
        try:
            with self._path.open("rb") as stream:
                stream.seek(self._offset)
                data = stream.read(_CHUNK_BYTES)
        except FileNotFoundError:
            return []
        whole = data[: data.rfind(b"\n") + 1]
        if len(data) == _CHUNK_BYTES and not whole:
            whole = data[:-1] + b"\n"  # no event of ours is that long: damaged; do not stand still
        self._offset += len(whole)
        return whole.decode("ascii", "replace").split("\n")[:-1]


def event_line(event: Dict[str, Any], seq: int) -> str:
    """Return one event as a line of at most `wire.MAX_LINE_BYTES`; long values give way."""
    ordered = dict({"kind": event["kind"], "seq": seq}, **event)
    line = wire.encode(ordered)
    if len(line) <= wire.MAX_LINE_BYTES:
        return line
    short = {name: value for name, value in ordered.items() if len(repr(value)) <= _MAX_VALUE}
    return wire.encode(dict(short, cut=sorted(set(ordered) - set(short))[:20]))


def _whole_lines(descriptor: int) -> Tuple[int, int]:
    """Return how many whole lines a file has, and where the last of them ends."""
    lines = size = offset = 0
    while True:
        data = os.pread(descriptor, _CHUNK_BYTES, offset)
        if not data:
            return lines, size
        if b"\n" in data:
            lines += data.count(b"\n")
            size = offset + data.rfind(b"\n") + 1
        offset += len(data)


def _drop_dispensable(late: Deque[Dict[str, Any]]) -> None:
    """Let go of progress, oldest first, when too much waits: the newest tells it all."""
    while len(late) > _MAX_LATE:
        oldest = next((event for event in late if event["kind"] == "progress"), late[0])
        late.remove(oldest)
