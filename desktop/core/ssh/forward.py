"""The local end of the string: a port of this laptop that leads to a port of the host.

The listener belongs to the app, not to a connection: it keeps its port while the connection is
lost and found again. It listens on 127.0.0.1 only. One thread per accepted connection copies what
goes up; what comes down is written by the thread that reads the SSH connection (`downflow`).
"""

from __future__ import annotations

import logging
import socket
import sys
import threading
from contextlib import suppress
from queue import SimpleQueue
from typing import Protocol

from desktop.core.errors import AppError, ForwardFailed
from desktop.core.ssh.downflow import Downflow, Drain

_LOG = logging.getLogger(__name__)

LOOPBACK = "127.0.0.1"
_HOLD_SECONDS = 2.0  # that a new connection waits while there is no SSH connection
_ACCEPT_AGAIN_SECONDS = 0.5
_PIECE = 256 << 10
_MOST_CONNECTIONS = 128
IDLE_WORKERS = 4
_JOIN_SECONDS = 5.0
_WAIT_SECONDS = 3600.0  # any: it keeps the shared descriptor non-blocking, as the way down needs it


class Channel(Protocol):
    """What is needed of an SSH channel; every call may raise OSError or EOFError."""

    def divert(self, sink: Downflow, /) -> None:
        """Give all that the host sends to the sink."""
        ...

    def give_window(self, n: int, /) -> None:
        """Let the host send `n` bytes more."""
        ...

    def sendall(self, s: memoryview, /) -> None: ...  # noqa: D102 - as of a socket
    def shutdown_write(self) -> None: ...  # noqa: D102
    def close(self) -> None: ...  # noqa: D102


class Tunnels(Protocol):
    """What is needed of a Connection."""

    def open_tunnel(self, host: str, port: int) -> Channel:
        """Return a channel to a port of the host."""
        ...


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
        self._target: tuple[Tunnels, int] | None = None
        self._closed = False
        self._pairs: set[_Pair] = set()
        self._workers: set[threading.Thread] = set()
        self._admitted: SimpleQueue[_Pair | None] = SimpleQueue()
        self._idle = 0  # workers that wait for the next connection
        self._drain = Drain(f"forward-{self.port}-drain")
        self._accepting = threading.Thread(
            target=self._accept, name=f"forward-{self.port}", daemon=True
        )
        self._accepting.start()

    def __enter__(self) -> LocalForward:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def attach(self, connection: Tunnels, remote_port: int) -> None:
        """Lead to this port of the host's loopback from now on, also what is waiting."""
        with self._lock:
            self._target = (connection, remote_port)
            self._lock.notify_all()

    def detach(self) -> None:
        """Lead nowhere for now: what is open is cut, what comes is held for two seconds."""
        with self._lock:
            self._target = None
            pairs = list(self._pairs)
        for pair in pairs:
            pair.cut()

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
        self._join()
        self._drain.close(_JOIN_SECONDS)
        self._listener.close()

    def _join(self) -> None:
        with self._lock:
            threads = [self._accepting, *self._workers]
            for _ in range(self._idle):
                self._admitted.put(None)
            self._idle = 0
        for thread in threads:
            if thread is not threading.current_thread():
                thread.join(_JOIN_SECONDS)

    def _accept(self) -> None:
        while True:
            try:
                pair = _Pair(self._listener.accept()[0], self._drain)
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

    def _admit(self, pair: _Pair) -> bool:
        """Have a thread carry it, and return whether there was room."""
        with self._lock:
            if self._closed or len(self._pairs) >= _MOST_CONNECTIONS:
                return False
            self._pairs.add(pair)
            if self._idle:
                self._idle -= 1
                self._admitted.put(pair)
            else:
                worker = threading.Thread(
                    target=self._work, args=(pair,), name="forward-up", daemon=True
                )
                self._workers.add(worker)
                worker.start()
        return True

    def _work(self, pair: _Pair | None) -> None:
        """Carry one connection after another: starting a thread for each costs more."""
        while pair is not None:
            self._carry(pair)
            with self._lock:
                if self._closed or self._idle >= IDLE_WORKERS:
                    self._workers.discard(threading.current_thread())
                    return
                self._idle += 1
            pair = self._admitted.get()

    def _carry(self, pair: _Pair) -> None:
        """Carry one accepted connection from beginning to end, on its own thread."""
        try:
            target = self._wait_for_target()
            if target is not None:
                connection, port = target
                pair.carry(connection.open_tunnel(LOOPBACK, port))
        except AppError as error:
            _LOG.info("no tunnel: %s", error)
        finally:
            pair.finish()
            with self._lock:
                self._pairs.discard(pair)
                self._lock.notify_all()

    def _wait_for_target(self) -> tuple[Tunnels, int] | None:
        with self._lock:
            self._lock.wait_for(lambda: self._target or self._closed, _HOLD_SECONDS)
            return None if self._closed else self._target


class _Pair:
    """One accepted socket and the channel that it is joined to."""

    def __init__(self, sock: socket.socket, drain: Drain) -> None:
        self._sock = sock
        self._channel: Channel | None = None
        self._is_cut = False
        self._lock = threading.Lock()
        try:
            self._down = Downflow(sock, drain)
        except OSError:
            sock.close()
            raise
        sock.settimeout(_WAIT_SECONDS)
        with suppress(OSError):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def carry(self, channel: Channel) -> None:
        """Copy both ways until both have ended, or one has failed."""
        with self._lock:
            self._channel = channel
            is_cut = self._is_cut
        if is_cut:
            return
        self._down.when_written(channel.give_window)
        channel.divert(self._down)
        self._copy_up(channel)
        self._down.done.wait()

    def cut(self) -> None:
        """End it from any thread: both ways wake up and end."""
        with self._lock:
            self._is_cut = True
            channel = self._channel
        with suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)
        if channel is not None:
            with suppress(OSError, EOFError):
                channel.close()
        self._down.end()
        self._down.flush()

    def finish(self) -> None:
        """Close both ends; on the carrying thread, when nobody uses them any more."""
        self.cut()
        self._down.done.wait()
        self._down.sock.close()
        self._sock.close()

    def _copy_up(self, channel: Channel) -> None:
        buffer = memoryview(bytearray(_PIECE))
        try:
            while size := self._receive(buffer):
                channel.sendall(buffer[:size])
            channel.shutdown_write()  # half-closed: the answer may still be coming
        except (OSError, EOFError):
            self.cut()

    def _receive(self, buffer: memoryview) -> int:
        while True:
            with suppress(TimeoutError):  # nothing to say for an hour is no reason to hang up
                return self._sock.recv_into(buffer)


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
