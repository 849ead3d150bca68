"""The forward over a real sshd: what it leaves behind, what it holds in memory, and a slow link."""

from __future__ import annotations

import resource
import selectors
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from desktop.core.ssh.connection import Connection, connect
from desktop.core.ssh.forward import IDLE_WORKERS, LocalForward
from tests.helpers.person import Person
from tests.helpers.sshd import Sshd
from tests.helpers.waiting import until

_CONNECTIONS = 10_000  # one after another, and as many again, 64 at a time
_AT_ONCE = 64
_OFFERED = 256 << 20
_GROWTH = 8 << 20
_LINK = 2_500_000  # bytes a second: 20 Mbit/s


@pytest.fixture
def sshd(tmp_path: Path) -> Iterator[Sshd]:
    with Sshd(tmp_path) as sshd:
        yield sshd


def _connect(sshd: Sshd, port: int | None = None) -> Connection:
    where = replace(sshd.destination, port=port or sshd.port)
    return connect(where, sshd.credentials, Person(), sshd.known_hosts())


@pytest.fixture
def connection(sshd: Sshd) -> Iterator[Connection]:
    with _connect(sshd) as connection:
        connection.send_promptly()
        yield connection


@contextmanager
def _service(answer: Callable[[socket.socket], None]) -> Iterator[int]:
    """Answer each connection on a thread of its own; a port."""
    with socket.create_server(("127.0.0.1", 0), backlog=_AT_ONCE * 2) as listener:

        def one(sock: socket.socket) -> None:
            with sock, suppress(OSError):
                answer(sock)

        def accept() -> None:
            with ThreadPoolExecutor(8) as pool, suppress(OSError):
                while True:
                    pool.submit(one, listener.accept()[0])

        thread = threading.Thread(target=accept)
        thread.start()
        try:
            yield int(listener.getsockname()[1])
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def _dial(forward: LocalForward) -> socket.socket:
    return socket.create_connection(("127.0.0.1", forward.port), timeout=20)


def _threads() -> int:
    """Count the forward's and the connection's; idle workers stay for the next connection."""
    names = [thread.name for thread in threading.enumerate()]
    workers = min(names.count("forward-up"), IDLE_WORKERS)
    return sum(name.startswith(("forward", "ssh")) for name in names) - workers


def _descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.mark.parametrize("first", ["client", "service"])
def test_one_end_may_close_its_way_and_still_hears_the_other(
    connection: Connection, first: str
) -> None:
    heard: list[bytes] = []

    def answer(sock: socket.socket) -> None:
        with sock.makefile("rb") as reader:
            if first == "service":
                sock.shutdown(socket.SHUT_WR)
            heard.append(reader.read())
            if first == "client":
                sock.sendall(b"answer")

    with _service(answer) as port, LocalForward() as forward:
        forward.attach(connection, port)
        with _dial(forward) as client, client.makefile("rb") as reader:
            if first == "service":
                assert reader.read() == b""
            client.sendall(b"question")
            client.shutdown(socket.SHUT_WR)
            if first == "client":
                assert reader.read() == b"answer"
            until(lambda: heard == [b"question"])


@pytest.mark.timeout(180)
def test_ten_thousand_connections_leave_no_thread_descriptor_or_channel_behind(
    connection: Connection,
) -> None:
    def echo(sock: socket.socket) -> None:
        sock.sendall(sock.recv(1))

    def ask(_: int) -> bytes:
        with _dial(forward) as client:
            client.sendall(b"?")
            return client.recv(1)

    with _service(echo) as port, LocalForward() as forward:
        forward.attach(connection, port)
        with ThreadPoolExecutor(_AT_ONCE) as clients:
            assert set(clients.map(ask, range(_AT_ONCE))) == {b"?"}
            until(lambda: not forward._pairs)
            before = _threads(), _descriptors()
            assert {ask(number) for number in range(_CONNECTIONS)} == {b"?"}
            assert set(clients.map(ask, range(_CONNECTIONS))) == {b"?"}
            until(lambda: not forward._pairs)
            until(lambda: (_threads(), _descriptors()) == before)
            until(lambda: not connection._transport._channels.values())
        assert connection.alive


def _resident() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()


def _offer(sock: socket.socket, progress: list[int]) -> None:
    piece = bytes(256 << 10)
    for _ in range(_OFFERED // len(piece)):
        sock.sendall(piece)
        progress[0] += len(piece)


def _stalls(progress: list[int]) -> None:
    """Return once nothing more is taken."""
    seen: list[int] = []

    def has_stalled() -> bool:
        seen.append(progress[0])
        return len(seen) > 25 and seen[-25] == seen[-1] > 0

    until(has_stalled)
    assert progress[0] < _OFFERED


def test_a_reader_that_takes_nothing_costs_no_memory(connection: Connection) -> None:
    progress, was = [0], _resident()
    with _service(lambda sock: _offer(sock, progress)) as port, LocalForward() as forward:
        forward.attach(connection, port)
        with _dial(forward):
            _stalls(progress)
            assert _resident() - was < _GROWTH


def test_a_service_that_takes_nothing_costs_no_memory(connection: Connection) -> None:
    progress, was, is_over = [0], _resident(), threading.Event()

    def take_nothing(_: socket.socket) -> None:
        is_over.wait(60)

    with _service(take_nothing) as port, LocalForward() as forward:
        forward.attach(connection, port)
        with _dial(forward) as client:

            def offer() -> None:
                with suppress(OSError):
                    _offer(client, progress)

            sender = threading.Thread(target=offer)
            sender.start()
            _stalls(progress)
            assert _resident() - was < _GROWTH
            client.shutdown(socket.SHUT_RDWR)
            sender.join()
        is_over.set()


# -- a slow link -----------------------------------------------------------------------------------


class SlowLink:
    """Relays TCP to a port; what comes from there shares one rate, each connection in its turn."""

    def __init__(self, port: int) -> None:
        self._to = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._selector = selectors.DefaultSelector()
        self._ended, self._ending = socket.socketpair()
        self._thread = threading.Thread(target=self._carry)

    def __enter__(self) -> SlowLink:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.close()
        self._thread.join()
        for key in list(self._selector.get_map().values()):
            assert isinstance(key.fileobj, socket.socket)
            key.fileobj.close()
        self._selector.close()

    def _carry(self) -> None:
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._selector.register(self._ended, selectors.EVENT_READ)
        while True:
            for key, _ in self._selector.select():
                if key.fileobj is self._ended:
                    return
                if key.fileobj is self._listener:
                    self._join(self._listener.accept()[0])
                else:
                    self._pass_on(key.fileobj, *key.data)

    def _join(self, client: socket.socket) -> None:
        server = socket.socket()
        server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32 << 10)
        server.connect(("127.0.0.1", self._to))
        self._selector.register(client, selectors.EVENT_READ, (server, False))
        self._selector.register(server, selectors.EVENT_READ, (client, True))

    def _pass_on(self, source: object, to: socket.socket, is_slow: bool) -> None:
        assert isinstance(source, socket.socket)
        try:
            data = source.recv(4096)
            to.sendall(data)
        except OSError:
            data = b""
        if not data:
            self._selector.unregister(source)
            source.close()
            with suppress(OSError, KeyError, ValueError):
                to.shutdown(socket.SHUT_RDWR)
        elif is_slow:
            time.sleep(len(data) / _LINK)  # the link itself: nothing is waited for


def _delays_beside_bulk(sshd: Sshd, *, spare: bool) -> list[float]:
    """Return by how much each event is late, in seconds; the bulk began before the stream."""

    def answer(sock: socket.socket) -> None:
        if sock.recv(1) == b"b":
            while True:
                sock.sendall(bytes(64 << 10))
        for _ in range(40):
            sock.sendall(f"{time.monotonic():.6f}\n".encode())
            time.sleep(0.05)

    with ExitStack() as stack:
        port = stack.enter_context(_service(answer))
        link = stack.enter_context(SlowLink(sshd.port))
        main = stack.enter_context(_connect(sshd, link.port))
        main.send_promptly()
        forward = stack.enter_context(LocalForward())
        more = (lambda: _connect(sshd, link.port)) if spare else None
        forward.attach(main, port, more)
        bulk = stack.enter_context(_dial(forward))
        bulk.sendall(b"b")
        taken = 0
        while taken < 3 << 20 or (spare and not _has_spare(forward)):
            taken += len(bulk.recv(1 << 20))
        reader = threading.Thread(target=_drink, args=(bulk,))
        reader.start()
        with _dial(forward) as stream, stream.makefile("r") as lines:
            stream.sendall(b"e")
            late = [time.monotonic() - float(line) for line in lines]
        bulk.shutdown(socket.SHUT_RDWR)
        reader.join()
    assert len(late) == 40
    return late


def _has_spare(forward: LocalForward) -> bool:
    lanes = forward._lanes
    return lanes is not None and lanes._spare is not None


def test_detaching_leaves_nothing_of_the_spare_behind(sshd: Sshd, connection: Connection) -> None:
    def answer(sock: socket.socket) -> None:
        while True:
            sock.sendall(bytes(64 << 10))

    with _service(answer) as port, LocalForward() as forward:
        before = _threads(), _descriptors()
        forward.attach(connection, port, lambda: _connect(sshd))
        with _dial(forward) as bulk:
            while not _has_spare(forward):
                assert bulk.recv(1 << 20)
            assert _threads() > before[0]
            forward.detach()
        until(lambda: (_threads(), _descriptors()) == before)
        assert connection.alive


def _drink(sock: socket.socket) -> None:
    with suppress(OSError):
        while sock.recv(1 << 20):
            pass


def test_bulk_that_shares_a_slow_link_and_a_connection_gets_out_of_a_streams_way(
    sshd: Sshd,
) -> None:
    late = sorted(_delays_beside_bulk(sshd, spare=False)[20:])
    assert late[10] < 0.2  # a full window takes 0.84 s


def test_a_stream_beside_bulk_on_a_slow_link_goes_over_the_spare(sshd: Sshd) -> None:
    late = sorted(_delays_beside_bulk(sshd, spare=True))
    assert late[20] < 0.06
