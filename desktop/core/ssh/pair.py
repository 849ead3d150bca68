"""One accepted connection of a forward and the tunnel that it is joined to."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress

from desktop.core.ssh.downflow import Downflow, Drain
from desktop.core.ssh.lanes import Channel, Lane
from desktop.core.ssh.load import Load

_EARLY = 64 << 10  # bytes that are taken from a connection in wait; the rest stays in its socket
_WAIT_SECONDS = 3600.0  # any: it keeps the shared descriptor non-blocking, as the way down needs it


class Pair:
    """An accepted socket, and later a channel.

    Attributes:
        until: how long it may wait for a connection to the host, in the monotonic clock's seconds.
        load: what it moves.
    """

    def __init__(self, sock: socket.socket, drain: Drain, until: float) -> None:
        self.until = until
        self.load = Load()
        self._sock = sock
        self._early = bytearray()
        self._channel: Channel | None = None
        self._lane: Lane | None = None
        self._lock = threading.Lock()
        try:
            self._down = Downflow(sock, drain)
        except OSError:
            sock.close()
            raise
        sock.settimeout(_WAIT_SECONDS)
        with suppress(OSError):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def fileno(self) -> int:
        """Return the descriptor that becomes readable when there is something to `hear`."""
        return self._down.sock.fileno()

    def hear(self) -> bool:
        """Take what it says while it waits; return whether it is still there. Never waits.

        Its end is the only sign that nobody waits any more, and is seen only behind what it said.
        """
        try:
            data = self._down.sock.recv(_EARLY - len(self._early))
        except BlockingIOError:
            return True
        except OSError:
            return False
        self._early += data
        return bool(data)

    @property
    def is_full(self) -> bool:
        """Whether nothing more is heard of it while it waits."""
        return len(self._early) >= _EARLY

    def join(self, channel: Channel, lane: Lane) -> None:
        """Belong to this channel: `cut` closes it from now on."""
        with self._lock:
            self._channel, self._lane = channel, lane

    def carry(self, buffer: memoryview) -> None:
        """Copy both ways until both have ended, or one has failed; up by way of the buffer."""
        channel, lane = self._channel, self._lane
        assert channel is not None  # it was joined
        assert lane is not None

        def give_window(size: int) -> None:
            channel.give_window(size, lane.moved(self.load, size))

        self._down.when_written(give_window)
        channel.divert(self._down)
        self._copy_up(channel, lane, buffer)
        self._down.done.wait()

    def cut(self) -> None:
        """End it from any thread, unless its tunnel is still being opened: both ways wake up."""
        with self._lock:
            channel = self._channel
        if channel is None:
            return
        with suppress(OSError, EOFError):
            channel.close()
        self._end()

    def finish(self) -> None:
        """Close both ends, when nobody uses them any more."""
        self.cut()
        self._end()
        self._down.done.wait()
        self._down.sock.close()
        self._sock.close()

    def _end(self) -> None:
        with suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)
        self._down.end()
        self._down.flush()

    def _copy_up(self, channel: Channel, lane: Lane, buffer: memoryview) -> None:
        try:
            if self._early:
                early, self._early = bytes(self._early), bytearray()
                channel.sendall(early)
            while size := self._receive(buffer):
                channel.sendall(buffer[:size])
                lane.moved(self.load, size)
            channel.shutdown_write()  # half-closed: the answer may still be coming
        except (OSError, EOFError):
            self.cut()

    def _receive(self, buffer: memoryview) -> int:
        while True:
            with suppress(TimeoutError):  # nothing to say for an hour is no reason to hang up
                return self._sock.recv_into(buffer)
