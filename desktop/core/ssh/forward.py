"""The local end of the string: a port of this laptop that leads to a port of the host.

The listener belongs to the app, not to a connection: it keeps its port while the connection is
lost and found again, and what is asked of it meanwhile waits. It listens on 127.0.0.1 only. One
thread per carried connection copies what goes up; what comes down is written by the thread that
reads the SSH connection (`downflow`).
"""

from __future__ import annotations

import logging
import socket
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue

from desktop.core.errors import AppError, ConnectionLost, ForwardFailed
from desktop.core.ssh.downflow import Drain
from desktop.core.ssh.lanes import LOOPBACK, Channel, Lane, Lanes, Spare, Tunnels
from desktop.core.ssh.pages import pages
from desktop.core.ssh.pair import Pair
from desktop.core.ssh.waiting import Waiting

__all__ = ["IDLE_WORKERS", "LOOPBACK", "LocalForward", "Spare", "Tunnels"]

_LOG = logging.getLogger(__name__)

_HOLD_SECONDS = 30.0  # that a new connection waits for an SSH connection: most returns are quicker
_ACCEPT_AGAIN_SECONDS = 0.5
_MOST_CONNECTIONS = 128  # carried and in wait, together; the next one is closed at once
_PIECE = 256 << 10  # bytes that go up at once
IDLE_WORKERS = 4
_JOIN_SECONDS = 5.0


class LocalForward:
    """A listening port, and the connections that it carries.

    Attributes:
        port: where it listens on 127.0.0.1.
    """

    def __init__(self, port: int = 0) -> None:
        """Listen on this port; 0 takes any free one. Raises ForwardFailed: `local-port-taken`."""
        self._listener = _listen(port)
        self.port: int = self._listener.getsockname()[1]
        self._lock = threading.Condition()
        self._lanes: Lanes | None = None
        self._old_lanes: list[Lanes] = []  # whose spare may still be on its way out
        self._closed = False
        self._pairs: set[Pair] = set()
        self._workers: set[threading.Thread] = set()
        self._admitted: SimpleQueue[Pair | None] = SimpleQueue()
        self._idle = 0  # workers that wait for the next connection
        self._drain = Drain(f"forward-{self.port}-drain")
        self._waiting = Waiting(f"forward-{self.port}-wait", self._hand_out, self._finish)
        self._accepting = threading.Thread(
            target=self._accept, name=f"forward-{self.port}", daemon=True
        )
        self._accepting.start()

    def __enter__(self) -> LocalForward:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def open_count(self) -> int:
        """Connections that are carried or wait just now."""
        return len(self._pairs)

    def attach(
        self, connection: Tunnels, remote_port: int, more: Callable[[], Spare] | None = None
    ) -> None:
        """Lead to this port of the host's loopback from now on, also what is waiting.

        Args:
            connection: to the host; its end is the caller's affair.
            remote_port: of the host's loopback.
            more: dials another connection to the same host, to keep streams off the one that
                carries bulk. Called on a thread of ours, may take its time and raise AppError;
                what it returns is closed by us. Should ask nobody anything.
        """
        with self._lock:
            old = self._replace(Lanes(connection, remote_port, more))
        if old is not None:
            old.close()
        self._waiting.call_all()

    def detach(self) -> None:
        """Lead nowhere for now: what is carried is cut, what comes waits for half a minute.

        At most 128 wait. One that hangs up meanwhile is let go at once.
        """
        with self._lock:
            old = self._replace(None)
        if old is not None:
            old.close()
            old.cut()

    def close(self) -> None:
        """Stop listening, cut what is open, and wait for the threads; safe more than once."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            self._lock.notify_all()
        with suppress(OSError):  # wakes accept(), on every system
            socket.create_connection((LOOPBACK, self.port), 1.0).close()
        self.detach()
        self._waiting.close(_JOIN_SECONDS)
        self._join()
        self._drain.close(_JOIN_SECONDS)
        self._listener.close()

    def _replace(self, lanes: Lanes | None) -> Lanes | None:
        """Return what was there before. The lock is held."""
        old, self._lanes = self._lanes, None if self._closed else lanes
        self._old_lanes = [one for one in (*self._old_lanes, old) if one and not one.join(0.0)]
        return old

    def _join(self) -> None:
        with self._lock:
            threads = [self._accepting, *self._workers]
            for _ in range(self._idle):
                self._admitted.put(None)
            self._idle = 0
        for thread in threads:
            if thread is not threading.current_thread():
                thread.join(_JOIN_SECONDS)
        for lanes in self._old_lanes:
            lanes.join(_JOIN_SECONDS)

    def _accept(self) -> None:
        while True:
            try:
                sock = self._listener.accept()[0]
                pair = Pair(sock, self._drain, until=time.monotonic() + _HOLD_SECONDS)
            except OSError as error:  # out of descriptors, most likely: others will be closed
                _LOG.warning("accept: %s", error)
                with self._lock:
                    if self._lock.wait_for(lambda: self._closed, _ACCEPT_AGAIN_SECONDS):
                        return
                continue
            if not self._admit(pair):
                pair.finish()
            if self._closed:
                return

    def _admit(self, pair: Pair) -> bool:
        """Have it carried or wait, and return whether there was room."""
        with self._lock:
            if self._closed or len(self._pairs) >= _MOST_CONNECTIONS:
                return False
            self._pairs.add(pair)
        self._hand_out(pair)
        return True

    def _hand_out(self, pair: Pair) -> None:
        """Have a thread carry it, or have it wait without one. Never waits itself."""
        with self._lock:
            if self._closed:
                pass
            elif self._lanes is None:
                return self._waiting.add(pair)
            elif self._idle:
                self._idle -= 1
                return self._admitted.put(pair)
            else:
                return self._hire(pair)
        return self._finish(pair)

    def _hire(self, pair: Pair) -> None:
        worker = threading.Thread(target=self._work, args=(pair,), name="forward-up", daemon=True)
        self._workers.add(worker)
        worker.start()

    def _work(self, pair: Pair | None) -> None:
        """Carry one connection after another: a thread and a buffer for each costs more."""
        buffer = pages(_PIECE)
        while pair is not None:
            self._carry(pair, buffer)
            with self._lock:
                if self._closed or self._idle >= IDLE_WORKERS:
                    self._workers.discard(threading.current_thread())
                    return
                self._idle += 1
            pair = self._admitted.get()

    def _carry(self, pair: Pair, buffer: memoryview) -> None:
        is_over = True
        try:
            is_over = self._carried(pair, buffer)
        except AppError as error:
            _LOG.info("no tunnel: %s", error)
        finally:
            if is_over:
                self._finish(pair)

    def _carried(self, pair: Pair, buffer: memoryview) -> bool:
        """Carry it to its end; return False where it was not, but waits for another way."""
        lanes = self._lanes
        if lanes is None:
            self._hand_out(pair)
            return False
        try:
            lane, channel = lanes.open(pair)
        except ConnectionLost:
            self._wait_for_other(pair, lanes)
            return False
        try:
            if self._joined(pair, lanes, lane, channel):
                pair.carry(buffer)
                return True
        finally:
            lanes.leave(lane, pair)
        with suppress(OSError, EOFError):
            channel.close()
        self._hand_out(pair)
        return False

    def _joined(self, pair: Pair, lanes: Lanes, lane: Lane, channel: Channel) -> bool:
        """Join them, unless the way that was taken is not the way any more."""
        with self._lock:
            if self._lanes is not lanes:
                return False
            pair.join(channel, lane)
            return True

    def _wait_for_other(self, pair: Pair, lanes: Lanes) -> None:
        """Have it wait until it is attached to something else than these."""
        with self._lock:
            if self._lanes is lanes and not self._closed:
                return self._waiting.add(pair)
        return self._hand_out(pair)

    def _finish(self, pair: Pair) -> None:
        pair.finish()
        with self._lock:
            self._pairs.discard(pair)
            self._lock.notify_all()


def _listen(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        if sys.platform == "win32":
            # There SO_REUSEADDR would let two programs listen on one port.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            # Here it only skips the minute in which a port rests after its last connection.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((LOOPBACK, port))
        listener.listen(_MOST_CONNECTIONS)
    except (OSError, OverflowError) as error:
        listener.close()
        raise ForwardFailed("local-port-taken", port=port, reason=str(error)) from error
    return listener
