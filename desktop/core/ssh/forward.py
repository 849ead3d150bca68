"""The local end of the string: a port of this laptop that leads to a port of the host.

The listener belongs to the app, not to a connection: it keeps its port while the connection is
lost and found again. It listens on 127.0.0.1 only. Two threads per accepted connection copy bytes,
each way as fast as the other side takes them; measured, that is fast enough (a stream's events
arrive 0.3 ms later than without), and it needs nothing but sockets and channels.
"""

from __future__ import annotations

import logging
import socket
import sys
import threading
from contextlib import suppress
from typing import Protocol

from desktop.core.errors import AppError, ForwardFailed

_LOG = logging.getLogger(__name__)

LOOPBACK = "127.0.0.1"
_HOLD_SECONDS = 2.0  # that a new connection waits while there is no SSH connection
_ACCEPT_AGAIN_SECONDS = 0.5
_PIECE = 256 << 10
_MOST_CONNECTIONS = 128
_JOIN_SECONDS = 5.0


class Channel(Protocol):
    """What is needed of an SSH channel; every call may raise OSError or EOFError."""

    def recv(self, nbytes: int, /) -> bytes: ...  # noqa: D102 - as of a socket
    def sendall(self, s: bytes, /) -> None: ...  # noqa: D102
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
        self._listener.close()

    def _join(self) -> None:
        with self._lock:
            threads = [self._accepting, *(pair.thread for pair in self._pairs)]
        for thread in threads:
            if thread is not threading.current_thread():
                thread.join(_JOIN_SECONDS)

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError as error:  # out of descriptors, most likely: others will be closed
                _LOG.warning("accept: %s", error)
                with self._lock:
                    if self._lock.wait_for(lambda: self._closed, _ACCEPT_AGAIN_SECONDS):
                        return
                continue
            pair = _Pair(sock)
            with self._lock:
                if self._closed:
                    sock.close()
                    return
                if len(self._pairs) >= _MOST_CONNECTIONS:
                    sock.close()
                    continue
                self._pairs.add(pair)
                pair.thread = threading.Thread(
                    target=self._carry, args=(pair,), name="forward-up", daemon=True
                )
                pair.thread.start()

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
    """One accepted socket and the channel that it is joined to.

    Attributes:
        thread: carries it; copies upwards, with a second thread for the way down.
    """

    thread: threading.Thread

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._channel: Channel | None = None
        self._is_cut = False
        self._lock = threading.Lock()
        with suppress(OSError):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def carry(self, channel: Channel) -> None:
        """Copy both ways until both have ended, or one has failed."""
        with self._lock:
            self._channel = channel
            is_cut = self._is_cut
        if is_cut:
            return
        down = threading.Thread(
            target=self._copy_down, args=(channel,), name="forward-down", daemon=True
        )
        down.start()
        self._copy_up(channel)
        down.join()

    def cut(self) -> None:
        """End it from any thread: both copies wake up and return."""
        with self._lock:
            self._is_cut = True
            channel = self._channel
        with suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)
        if channel is not None:
            with suppress(OSError, EOFError):
                channel.close()

    def finish(self) -> None:
        """Close both ends; on the carrying thread, when nobody uses them any more."""
        self.cut()
        self._sock.close()

    def _copy_up(self, channel: Channel) -> None:
        try:
            while data := self._sock.recv(_PIECE):
                channel.sendall(data)
            channel.shutdown_write()  # half-closed: the answer may still be coming
        except (OSError, EOFError):
            self.cut()

    def _copy_down(self, channel: Channel) -> None:
        try:
            while data := channel.recv(_PIECE):
                self._sock.sendall(data)
            self._sock.shutdown(socket.SHUT_WR)
        except (OSError, EOFError):
            self.cut()


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
