"""The connections that a forward's tunnels go over: the session's own, and a spare beside bulk.

What bulk has under way on a connection delays every event on it, on a link of 20 Mbit/s by 355 ms;
on a connection of its own by 9 ms (measured). Nobody says beforehand that it will be bulk, so it
stays where it is, and the tunnels that come after it go over the spare.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Protocol

from desktop.core.errors import AppError, ConnectionLost
from desktop.core.ssh.downflow import Downflow
from desktop.core.ssh.load import FULL, Load, most_ahead

_LOG = logging.getLogger(__name__)

LOOPBACK = "127.0.0.1"
_IDLE_SECONDS = 60.0  # without a tunnel, until the spare is dropped
_AGAIN_SECONDS = 60.0  # after a spare that did not come about or was lost


class Channel(Protocol):
    """What is needed of an SSH channel; every call may raise OSError or EOFError."""

    def divert(self, sink: Downflow, /) -> None:
        """Give all that the host sends to the sink."""
        ...

    def give_window(self, n: int, most: int, /) -> None:
        """Let the host send `n` bytes more, by and by, but not more than `most` ahead."""
        ...

    def sendall(self, s: bytes | memoryview, /) -> None: ...  # noqa: D102 - as of a socket
    def shutdown_write(self) -> None: ...  # noqa: D102
    def close(self) -> None: ...  # noqa: D102


class Tunnels(Protocol):
    """What is needed of a Connection; the errors are its own."""

    def open_tunnel(self, host: str, port: int) -> Channel:
        """Return a channel to a port of the host."""
        ...


class Spare(Tunnels, Protocol):
    """What is needed of a Connection that is ours to close."""

    def send_promptly(self) -> None:
        """Have sshd switch Nagle's algorithm off: streams go over it."""
        ...

    def when_ended(self, action: Callable[[], None]) -> None:
        """Have this called once, on some thread, when it has ended."""
        ...

    def close(self) -> None: ...  # noqa: D102


class Carried(Protocol):
    """What goes over a lane.

    Attributes:
        load: what it moves.
    """

    load: Load

    def cut(self) -> None:
        """End it from any thread, unless its tunnel is still being opened."""
        ...


class Lane:
    """One connection, and what goes over it."""

    def __init__(self, connection: Tunnels, when_bulk: Callable[[], None]) -> None:
        self.connection = connection
        self._when_bulk = when_bulk
        # Replaced, never changed: it is read for each piece of bulk, without a lock.
        self._carried: tuple[Carried, ...] = ()
        self._free_since = time.monotonic()
        self.has_ended = False

    def moved(self, load: Load, size: int) -> int:
        """Count what one tunnel moved; return how much the host may send ahead on it."""
        now = time.monotonic()
        load.count(size, now)
        if not load.is_bulk(now):
            return FULL
        self._when_bulk()
        return most_ahead(load, (carried.load for carried in self._carried), now)

    def carries_bulk(self) -> bool:
        """Return whether a stream had better not go over it."""
        now = time.monotonic()
        return any(carried.load.is_bulk(now) for carried in self._carried)

    def idle_seconds(self) -> float | None:
        """Return for how long it has had no tunnel; None: it has one."""
        return None if self._carried else time.monotonic() - self._free_since

    def join(self, carried: Carried) -> None:
        """Have it go over this lane. Its lanes' lock is held."""
        self._carried = (*self._carried, carried)

    def leave(self, carried: Carried) -> None:
        """Have it go over this lane no more. Its lanes' lock is held."""
        self._carried = tuple(one for one in self._carried if one is not carried)
        self._free_since = time.monotonic()

    def cut(self) -> None:
        """End what goes over it."""
        for carried in self._carried:
            carried.cut()


class Lanes:
    """One connection that a forward was attached to, and the spare beside it: at most one."""

    def __init__(self, main: Tunnels, port: int, more: Callable[[], Spare] | None) -> None:
        """Lead to this port of the host's loopback; `more` dials the spare, on a thread of ours."""
        self._main = Lane(main, self._want_spare)
        self._port = port
        self._more = more
        self._changed = threading.Condition()
        self._spare: Lane | None = None
        self._keeper: threading.Thread | None = None  # dials the spare and looks after it
        self._not_before = 0.0
        self._is_closed = False

    def open(self, carried: Carried) -> tuple[Lane, Channel]:
        """Open a tunnel on the connection that carries no bulk; the caller is to `leave` it.

        Raises:
            ConnectionLost: the main connection is gone, or the spare and then that one.
            ForwardFailed: the host refuses it.
        """
        lane = self._join_best(carried)
        try:
            return lane, lane.connection.open_tunnel(LOOPBACK, self._port)
        except ConnectionLost:
            self.leave(lane, carried)
            if lane is self._main:
                raise
        except BaseException:
            self.leave(lane, carried)
            raise
        return self._open_on_main(carried)

    def leave(self, lane: Lane, carried: Carried) -> None:
        """Say that it is over."""
        with self._changed:
            lane.leave(carried)
            self._changed.notify_all()

    def cut(self) -> None:
        """End what goes over the main connection, which stays as it is."""
        self._main.cut()

    def close(self) -> None:
        """Have the spare closed, with what goes over it. Never waits: see `join`."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
            spare = self._spare
        if spare is not None:
            spare.cut()

    def join(self, timeout: float) -> bool:
        """Wait until nothing of the spare is left, and return whether nothing is."""
        keeper = self._keeper
        if keeper is not None:
            keeper.join(timeout)
        return keeper is None or not keeper.is_alive()

    def _open_on_main(self, carried: Carried) -> tuple[Lane, Channel]:
        with self._changed:
            self._main.join(carried)
        try:
            return self._main, self._main.connection.open_tunnel(LOOPBACK, self._port)
        except BaseException:
            self.leave(self._main, carried)
            raise

    def _join_best(self, carried: Carried) -> Lane:
        with self._changed:
            lane, spare = self._main, self._spare
            if spare is not None and lane.carries_bulk() and not spare.carries_bulk():
                lane = spare
            lane.join(carried)
        return lane

    def _want_spare(self) -> None:
        """Begin to dial one, unless there is one. Called for each piece of bulk; never waits."""
        if self._more is None or self._keeper is not None or time.monotonic() < self._not_before:
            return
        with self._changed:
            if self._keeper is None and not self._is_closed:
                self._keeper = threading.Thread(
                    target=self._keep_spare, args=(self._more,), name="forward-spare", daemon=True
                )
                self._keeper.start()

    def _keep_spare(self, dial: Callable[[], Spare]) -> None:
        """Dial the spare, look after it, and close it."""
        was_dropped = False
        try:
            connection = dial()
            try:
                connection.send_promptly()
                was_dropped = self._use(connection)
            finally:
                connection.close()
        except AppError as error:
            _LOG.info("no spare connection: %s", error)
        with self._changed:
            self._not_before = time.monotonic() + (0.0 if was_dropped else _AGAIN_SECONDS)
            if not self._is_closed:  # else the one who joins still looks for it
                self._keeper = None

    def _use(self, connection: Spare) -> bool:
        """Have tunnels go over it; return whether it was given up because there were none."""
        lane = Lane(connection, self._want_spare)

        def end() -> None:
            with self._changed:
                lane.has_ended = True
                self._changed.notify_all()

        connection.when_ended(end)
        with self._changed:
            self._spare = lane
            while not self._is_closed and not lane.has_ended:
                idle = lane.idle_seconds()
                if idle is not None and idle >= _IDLE_SECONDS:
                    break
                self._changed.wait(None if idle is None else _IDLE_SECONDS - idle)
            self._spare = None
            was_dropped = not lane.has_ended
        lane.cut()
        return was_dropped
