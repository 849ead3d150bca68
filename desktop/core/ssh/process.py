"""A command running on the host: its lines, its input and how it ended."""

from __future__ import annotations

import codecs
import math
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from desktop.core.errors import ConnectionLost
from desktop.core.ssh.channel import SafeChannel
from desktop.core.ssh.destination import Destination
from desktop.core.ssh.failures import converted, lost, stalled
from desktop.core.ssh.transport import FOREIGN

MAX_LINE = 1 << 20  # characters; the rest of a longer line is dropped
_MAX_OUTPUT = 16 << 20  # bytes that `read_all` keeps
_PIECE = 256 << 10
_STATUS_SECONDS = 10.0  # between the end of the output and the exit status
_WRITE_SECONDS = 60.0  # for the host to take some input
# Of the signals that RFC 4254 §6.10 names; as a shell counts, 128 is added.
_SIGNALS = {"HUP": 1, "INT": 2, "QUIT": 3, "ILL": 4, "ABRT": 6, "FPE": 8, "KILL": 9}
_SIGNALS |= {"USR1": 10, "SEGV": 11, "USR2": 12, "PIPE": 13, "ALRM": 14, "TERM": 15}


@dataclass(frozen=True, slots=True)
class Completed:
    """A command that has ended. `stderr` is its last 64 KiB."""

    status: int
    stdout: bytes
    stderr: bytes


class Process:
    """A running command. Closing it does not stop the command; the end of its stdin may."""

    def __init__(self, channel: SafeChannel, where: Destination) -> None:
        self._channel = channel
        self._where = where

    def lines(self, timeout: float | None = None, within: float | None = None) -> Iterator[str]:
        """Yield stdout line by line, without line ends; invalid UTF-8 is replaced.

        Args:
            timeout: seconds to wait for more output; None waits as long as the host lives.
            within: seconds for all of it, from the first line that is asked for; a host that
                sends a byte now and then is never silent.

        Raises:
            ConnectionLost: the output was cut, rather than ended by an exit status; what came of
                an unfinished line is not yielded. `host-stalled`: none for `timeout` seconds, or
                no end `within` them.
        """
        decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        line = _Line()
        for piece in self._pieces(timeout, within):
            yield from line.feed(decode(piece))
        self._confirm_end()
        yield from line.feed(decode(b"", True))
        yield from line.rest()

    def read_all(self, timeout: float) -> bytes:
        """Return the rest of stdout; raises ConnectionLost, also after `timeout` seconds."""
        output = bytearray()
        for piece in self._pieces(None, timeout):
            output += piece[: _MAX_OUTPUT - len(output)]
        self._confirm_end()
        return bytes(output)

    def write(self, data: bytes) -> None:
        """Send to stdin; raises ConnectionLost.

        A command that ended before it read all its input is no error: its status tells.
        """
        self._channel.settimeout(_WRITE_SECONDS)
        with converted(partial(self._lost, _WRITE_SECONDS)):
            try:
                self._channel.sendall(data)
            except TimeoutError:
                raise
            except OSError:
                self._confirm_end()

    def close_stdin(self) -> None:
        """Let the command see the end of its input; raises ConnectionLost."""
        with converted(partial(self._lost, _WRITE_SECONDS)):
            self._channel.shutdown_write()

    def close(self) -> None:
        """Let go of the command; never raises."""
        with suppress(*FOREIGN):  # the transport is gone, and the channel with it
            self._channel.close()

    @property
    def exit_status(self) -> int | None:
        """The exit status, 128 + N after signal N, or None while it runs or when it was cut."""
        if self._channel.exit_signal:
            return 128 + _SIGNALS.get(self._channel.exit_signal, 0)
        return self._channel.exit_status if self._channel.exit_status >= 0 else None

    @property
    def stderr(self) -> bytes:
        """The last 64 KiB of stderr so far."""
        return self._channel.stderr_tail()

    def _pieces(self, silence: float | None, within: float | None) -> Iterator[bytes]:
        """Yield what comes, to its end; ConnectionLost as in `lines`."""
        deadline = math.inf if within is None else time.monotonic() + within
        while True:
            left = max(0.001, deadline - time.monotonic())
            piece = self._read(left if silence is None else min(silence, left), silence or within)
            if not piece:
                return
            yield piece
            if time.monotonic() > deadline:  # output without end leaves no time for a silence
                raise stalled(self._where, within or 0)

    def _read(self, seconds: float, told: float | None) -> bytes:
        """Return some output, in `seconds`; an error says that the caller waited `told` seconds."""
        self._channel.settimeout(None if seconds == math.inf else seconds)
        with converted(partial(self._lost, told or 0)):
            return self._channel.recv(_PIECE)

    def _confirm_end(self) -> None:
        """Return once the exit status is there; the end of the output alone may be a cut."""
        self._channel.status_event.wait(_STATUS_SECONDS)
        if self.exit_status is None:
            raise ConnectionLost(
                "connection-lost",
                host=self._where.host,
                port=self._where.port,
                reason="the output ended without an exit status",
            )

    def _lost(self, waited: float, error: Exception) -> ConnectionLost:
        if isinstance(error, TimeoutError):
            return stalled(self._where, waited)
        return lost(self._where, error)


class _Line:
    """Splits text into lines, of at most MAX_LINE characters each."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._size = 0

    def feed(self, text: str) -> Iterator[str]:
        """Yield the lines that this text completes."""
        *complete, rest = text.split("\n")
        for end in complete:
            self._add(end)
            yield self._take()
        self._add(rest)

    def rest(self) -> Iterator[str]:
        """Yield the last line if it had no line end."""
        if self._size:
            yield self._take()

    def _add(self, text: str) -> None:
        kept = text[: MAX_LINE - self._size]
        if kept:
            self._parts.append(kept)
            self._size += len(kept)

    def _take(self) -> str:
        line = "".join(self._parts).removesuffix("\r")
        self._parts, self._size = [], 0
        return line
