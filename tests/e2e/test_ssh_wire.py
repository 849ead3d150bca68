"""What leaves the socket: the algorithms that are offered, and small packets at once."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from desktop.core.errors import AppError
from desktop.core.ssh.connection import Credentials, Timeouts, connect
from desktop.core.ssh.destination import Destination
from desktop.core.ssh.forward import LocalForward
from desktop.core.ssh.known_hosts import KnownHosts
from tests.helpers.person import Person
from tests.helpers.proxies import Proxy
from tests.helpers.sshd import Sshd

pytestmark = pytest.mark.usefixtures("no_keys_of_this_machine")

_LISTS = (
    "kex",
    "host keys",
    *("ciphers out", "ciphers in", "macs out", "macs in"),
    *("compression out", "compression in", "languages out", "languages in"),
)
_NO_ALGORITHMS = {"ext-info-c", "kex-strict-c-v00@openssh.com"}  # marks, RFC 8308 and Terrapin's


@pytest.fixture
def offer(tmp_path: Path) -> dict[str, list[str]]:
    """The lists of the KEXINIT (RFC 4253 §7.1) that a host receives from `connect`."""
    heard = bytearray()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        host = threading.Thread(target=_hear_an_offer, args=(listener, heard))
        host.start()
        where = Destination("127.0.0.1", listener.getsockname()[1], "root")
        with suppress(AppError):
            connect(
                where,
                Credentials(),
                Person(),
                KnownHosts(tmp_path / "known_hosts", ()),
                Timeouts(connect=5, greeting=5, handshake=5),
            )
        host.join()
    return _lists(bytes(heard))


def _hear_an_offer(listener: socket.socket, heard: bytearray) -> None:
    sock, _ = listener.accept()
    with sock, sock.makefile("rb") as stream:
        sock.sendall(b"SSH-2.0-listener\r\n")
        assert stream.readline().startswith(b"SSH-2.0-")
        heard += stream.read(int.from_bytes(stream.read(4), "big"))


def _lists(packet: bytes) -> dict[str, list[str]]:
    assert packet[1] == 20
    at, lists = 2 + 16, {}  # the padding's length, the type, the cookie
    for name in _LISTS:
        size = int.from_bytes(packet[at : at + 4], "big")
        lists[name] = packet[at + 4 : at + 4 + size].decode().split(",")
        at += 4 + size
    return lists


def test_modern_algorithms_are_asked_for_first(offer: dict[str, list[str]]) -> None:
    assert offer["kex"][0] == "mlkem768x25519-sha256"
    for way in ("out", "in"):
        gcm = {"aes128-gcm@openssh.com", "aes256-gcm@openssh.com"}
        assert set(offer[f"ciphers {way}"][:2]) == gcm
        assert offer[f"macs {way}"][0].endswith("-etm@openssh.com")
        assert offer[f"compression {way}"] == ["none"]
    assert offer["host keys"][0] == "ssh-ed25519"


def test_neither_cbc_nor_md5_nor_sha_1_is_ever_offered(offer: dict[str, list[str]]) -> None:
    names = [name for kind in _LISTS for name in offer[kind] if name not in _NO_ALGORITHMS]
    for name in names:
        assert not any(weak in name for weak in ("cbc", "md5", "sha1", "3des", "arcfour", "dss"))
        assert "sha-1" not in name
    # An RSA key signs with SHA-1 under its own name, RFC 8332 §3; the first DH group is 1024 bits.
    assert not {"ssh-rsa", "ssh-rsa-cert-v01@openssh.com", "none"} & set(
        offer["host keys"] + offer["ciphers out"] + offer["macs out"]
    )
    assert not [name for name in offer["kex"] if "group1-" in name or "group14-" in name]


def test_a_host_cannot_slip_out_of_a_strict_key_exchange(offer: dict[str, list[str]]) -> None:
    assert set(offer["kex"]) >= _NO_ALGORITHMS


# Nagle's algorithm


def _tcp_sockets(ports: set[int]) -> Iterator[socket.socket]:
    """Yield a copy of each TCP socket of this process with one of these ports at the far end."""
    for entry in Path("/proc/self/fd").iterdir():
        try:
            sock = socket.socket(fileno=os.dup(int(entry.name)))
        except OSError:  # no socket, or closed meanwhile
            continue
        with sock:
            if sock.family == socket.AF_INET and _far_port(sock) in ports:
                yield sock


def _far_port(sock: socket.socket) -> int:
    try:
        return int(sock.getpeername()[1])
    except OSError:
        return 0  # it listens


def _sends_at_once(sock: socket.socket) -> bool:
    return bool(sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))


@pytest.fixture
def jump(tmp_path: Path) -> Iterator[Sshd]:
    (tmp_path / "jump").mkdir()
    with Sshd(tmp_path / "jump") as server:
        yield server


def test_every_socket_on_the_way_through_a_jump_host_sends_at_once(sshd: Sshd, jump: Sshd) -> None:
    hop = replace(jump.destination, identity_files=(jump.identity,))
    where = replace(sshd.destination, via=hop)
    with connect(where, sshd.credentials, Person(), sshd.known_hosts()):
        assert [_sends_at_once(sock) for sock in _tcp_sockets({jump.port})] == [True]


@pytest.mark.parametrize("kind", ["socks5", "http"])
def test_the_socket_to_a_proxy_sends_at_once(sshd: Sshd, kind: str) -> None:
    with Proxy() as proxy:
        where = replace(sshd.destination, proxy=proxy.url(kind))
        port = int(proxy.url(kind).rpartition(":")[2])
        with connect(where, sshd.credentials, Person(), sshd.known_hosts()):
            assert [_sends_at_once(sock) for sock in _tcp_sockets({port})] == [True]


def test_the_socket_to_the_host_and_those_of_the_forward_send_at_once(sshd: Sshd) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as service,
        connect(sshd.destination, sshd.credentials, Person(), sshd.known_hosts()) as connection,
        LocalForward() as forward,
    ):
        assert [_sends_at_once(sock) for sock in _tcp_sockets({sshd.port})] == [True]
        forward.attach(connection, service.getsockname()[1])
        with socket.create_connection(("127.0.0.1", forward.port)) as client:
            served, _ = service.accept()
            with served:
                client.sendall(b"x")
                assert served.recv(1) == b"x"
                own = {int(client.getsockname()[1])}
                assert {_sends_at_once(sock) for sock in _tcp_sockets(own)} == {True}
