"""The local end of the string: a port that stays while connections come and go."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest

from desktop.core.errors import ConnectionLost, ForwardFailed
from desktop.core.ssh.downflow import Downflow
from desktop.core.ssh.forward import LocalForward
from desktop.core.ssh.pair import Pair
from tests.helpers.waiting import until

_WINDOW_PIECE = 64 << 10
_WINDOW_PIECES = 32  # 2 MiB, as the window of a channel


class SocketTunnels:
    """Stands for a Connection: a tunnel is a plain TCP connection on this machine."""

    def __init__(self) -> None:
        self.opened: list[tuple[str, int]] = []
        self.refuses = self.is_lost = False

    def open_tunnel(self, host: str, port: int) -> SocketChannel:
        self.opened.append((host, port))
        if self.is_lost:
            raise ConnectionLost("connection-lost")
        if self.refuses:
            raise ForwardFailed("forward-refused", remote_port=port)
        return SocketChannel(socket.create_connection((host, port)))


class SocketChannel:
    """Stands for an SSH channel: its thread stands for the one that reads the SSH connection."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._window = threading.Semaphore(_WINDOW_PIECES)
        self._written = 0
        self._is_closed = False
        self._is_diverted = False

    def divert(self, sink: Downflow, /) -> None:
        self._is_diverted = True
        threading.Thread(target=self._deliver, args=(sink,), name="forward-fake").start()

    def give_window(self, n: int, most: int, /) -> None:
        self._written += n
        while self._written >= _WINDOW_PIECE:
            self._written -= _WINDOW_PIECE
            self._window.release()

    def sendall(self, s: bytes | memoryview, /) -> None:
        self._sock.sendall(s)

    def shutdown_write(self) -> None:
        self._sock.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        self._is_closed = True
        self._window.release()
        with suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)
        if not self._is_diverted:
            self._sock.close()

    def _deliver(self, sink: Downflow) -> None:
        with self._sock, suppress(OSError):
            owed = 0
            while data := self._sock.recv(_WINDOW_PIECE):
                owed += len(data)
                while owed >= _WINDOW_PIECE:
                    owed -= _WINDOW_PIECE
                    self._window.acquire()
                if self._is_closed:
                    break
                sink.feed(data)
                sink.flush()
        sink.end()
        sink.flush()


@pytest.fixture
def service() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(10)
        yield listener


@pytest.fixture
def forward() -> Iterator[LocalForward]:
    with LocalForward() as forward:
        yield forward


def _port(listener: socket.socket) -> int:
    return int(listener.getsockname()[1])


def _pairs(forward: LocalForward) -> list[Pair]:
    with forward._lock:
        return list(forward._pairs)


def _threads(name: str) -> int:
    return [thread.name for thread in threading.enumerate()].count(name)


def _dial(forward: LocalForward) -> socket.socket:
    return socket.create_connection(("127.0.0.1", forward.port), timeout=10)


def test_bytes_go_both_ways_and_each_way_ends_by_itself(
    forward: LocalForward, service: socket.socket
) -> None:
    tunnels = SocketTunnels()
    forward.attach(tunnels, _port(service))
    with _dial(forward) as client, service.accept()[0] as server:
        client.sendall(b"question")
        client.shutdown(socket.SHUT_WR)
        assert server.recv(100) == b"question"
        assert server.recv(100) == b""
        server.sendall(b"answer")
        server.shutdown(socket.SHUT_WR)
        assert client.recv(100) == b"answer"
        assert client.recv(100) == b""
    assert tunnels.opened == [("127.0.0.1", _port(service))]


def test_it_listens_on_the_loopback_only(forward: LocalForward) -> None:
    assert forward._listener.getsockname()[0] == "127.0.0.1"


def test_a_slow_reader_holds_the_writer_back(forward: LocalForward, service: socket.socket) -> None:
    forward.attach(SocketTunnels(), _port(service))
    with _dial(forward), service.accept()[0] as server:
        server.settimeout(0.5)
        sent = 0
        with suppress(TimeoutError):
            while sent < 100 << 20:
                sent += server.send(bytes(1 << 20))
        assert sent < 50 << 20


def test_a_reader_that_pauses_gets_every_byte_in_order_and_holds_up_nobody(
    forward: LocalForward, service: socket.socket
) -> None:
    forward.attach(SocketTunnels(), _port(service))
    content = bytes(range(256)) * (32 << 10)  # more than the sockets on the way hold
    with _dial(forward) as slow, service.accept()[0] as server:

        def send() -> None:
            server.sendall(content)
            server.shutdown(socket.SHUT_WR)

        sender = threading.Thread(target=send)
        sender.start()
        with _dial(forward) as quick, service.accept()[0] as other:
            other.sendall(b"at once")
            assert quick.recv(100) == b"at once"
        with slow.makefile("rb") as reader:
            assert reader.read() == content
        sender.join()


def test_a_connection_waits_for_the_string_to_be_attached(
    forward: LocalForward, service: socket.socket
) -> None:
    with _dial(forward) as client:
        client.sendall(b"early")
        forward.attach(SocketTunnels(), _port(service))
        with service.accept()[0] as server:
            assert server.recv(100) == b"early"


def test_what_was_said_while_it_waited_arrives_whole_and_in_order(
    forward: LocalForward, service: socket.socket
) -> None:
    said = bytes(range(256)) * 1000  # more than is taken from a connection in wait
    with _dial(forward) as client:
        sender = threading.Thread(target=client.sendall, args=(said,))
        sender.start()
        until(lambda: all(pair.is_full for pair in _pairs(forward)) and _pairs(forward) != [])
        forward.attach(SocketTunnels(), _port(service))
        with service.accept()[0] as server, server.makefile("rb") as reader:
            assert reader.read(len(said)) == said
        sender.join()


def test_those_in_wait_have_no_thread_each_and_are_all_carried_in_the_end(
    forward: LocalForward, service: socket.socket
) -> None:
    tunnels = SocketTunnels()
    forward.attach(tunnels, _port(service))
    forward.detach()
    clients = [_dial(forward) for _ in range(20)]
    until(lambda: len(_pairs(forward)) == 20)
    assert _threads("forward-up") == 0
    assert _threads(f"forward-{forward.port}-wait") == 1
    forward.attach(tunnels, _port(service))
    for _ in clients:
        with service.accept()[0] as server:
            server.sendall(b"x")
    for client in clients:
        with client:
            assert client.recv(1) == b"x"
    until(lambda: _threads(f"forward-{forward.port}-wait") == 0)


def test_one_that_hangs_up_while_it_waits_is_let_go_at_once(forward: LocalForward) -> None:
    with _dial(forward) as client:
        client.sendall(b"GET / HTTP/1.1")
        until(lambda: len(_pairs(forward)) == 1)
    until(lambda: not _pairs(forward), 2)
    until(lambda: _threads(f"forward-{forward.port}-wait") == 0, 2)


def test_at_most_128_wait_and_the_next_is_closed(forward: LocalForward) -> None:
    clients = [_dial(forward) for _ in range(128)]
    until(lambda: len(_pairs(forward)) == 128)
    with _dial(forward) as one_more:
        assert one_more.recv(1) == b""
    for client in clients:
        client.close()
    until(lambda: not _pairs(forward))


def test_a_request_that_meets_a_lost_connection_waits_for_the_next(
    forward: LocalForward, service: socket.socket
) -> None:
    lost = SocketTunnels()
    lost.is_lost = True
    forward.attach(lost, _port(service))
    with _dial(forward) as client:
        client.sendall(b"question")
        until(lambda: len(lost.opened) == 1)
        forward.detach()
        forward.attach(SocketTunnels(), _port(service))
        with service.accept()[0] as server:
            assert server.recv(100) == b"question"


def test_closing_lets_go_of_those_in_wait() -> None:
    forward = LocalForward()
    with _dial(forward) as client:
        until(lambda: len(_pairs(forward)) == 1)
        forward.close()
        assert client.recv(1) == b""
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("forward")]


def test_a_connection_does_not_wait_for_ever(
    forward: LocalForward, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("desktop.core.ssh.forward._HOLD_SECONDS", 0.05)
    with _dial(forward) as client:
        assert client.recv(1) == b""


def test_the_port_stays_while_the_string_is_cut_and_found_again(
    forward: LocalForward, service: socket.socket
) -> None:
    port = forward.port
    for text in (b"before", b"after"):
        forward.attach(SocketTunnels(), _port(service))
        with _dial(forward) as client, service.accept()[0] as server:
            server.sendall(text)
            assert client.recv(100) == text
            forward.detach()
            assert client.recv(100) == b""
    assert forward.port == port


def test_a_port_of_the_host_that_refuses_closes_the_connection_and_nothing_else(
    forward: LocalForward, service: socket.socket
) -> None:
    tunnels = SocketTunnels()
    tunnels.refuses = True
    forward.attach(tunnels, _port(service))
    with _dial(forward) as client:
        assert client.recv(1) == b""
    tunnels.refuses = False
    with _dial(forward), service.accept()[0]:
        pass


def test_a_client_that_hangs_up_is_seen_at_the_other_end(
    forward: LocalForward, service: socket.socket
) -> None:
    forward.attach(SocketTunnels(), _port(service))
    client = _dial(forward)
    with service.accept()[0] as server:
        server.settimeout(10)
        client.close()
        assert server.recv(1) == b""


def test_closing_cuts_what_is_open_and_frees_the_port(service: socket.socket) -> None:
    forward = LocalForward()
    forward.attach(SocketTunnels(), _port(service))
    with _dial(forward) as client, service.accept()[0]:
        started = time.monotonic()
        forward.close()
        assert time.monotonic() - started < 2
        assert client.recv(1) == b""
        forward.close()
    with LocalForward(forward.port) as again:
        assert again.port == forward.port
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("forward")]


def test_a_taken_port_is_told(forward: LocalForward) -> None:
    with pytest.raises(ForwardFailed) as caught:
        LocalForward(forward.port)
    assert caught.value.code == "local-port-taken"
    assert caught.value.facts["port"] == forward.port


def test_a_hundred_connections_one_after_another_leave_nothing_behind(
    forward: LocalForward, service: socket.socket
) -> None:
    forward.attach(SocketTunnels(), _port(service))
    for _ in range(100):
        with _dial(forward) as client, service.accept()[0] as server:
            server.sendall(b"x")
            assert client.recv(1) == b"x"
    with forward._lock:
        assert forward._lock.wait_for(lambda: not forward._pairs, 10)
