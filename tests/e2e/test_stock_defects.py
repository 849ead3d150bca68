"""Three defects of stock paramiko that our transport does not have: each shown, then not shown.

Every test runs twice: with paramiko's own class, which must fail (else the test proves nothing,
or paramiko has cured it and our cure can go), and with ours. The races are held still by hooks at
the places where paramiko sends; nothing is left to luck.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial

import paramiko
import pytest
from paramiko.common import MSG_CHANNEL_EOF
from paramiko.message import Message

from desktop.core.ssh.channel import SafeChannel
from desktop.core.ssh.stock import StockTransport
from desktop.core.ssh.transport import SafeTransport
from tests.helpers.sshd import Sshd
from tests.helpers.waiting import until

_HELD = 0.5  # seconds that a message is held when nothing overtakes it
_SECONDS = 20.0
_BOTH = pytest.mark.parametrize("kind", [StockTransport, SafeTransport], ids=["stock", "ours"])


@contextmanager
def _entered(kind: type[StockTransport], sshd: Sshd) -> Iterator[StockTransport]:
    """Yield a transport of this class that the host let in."""
    sock = socket.create_connection((sshd.destination.host, sshd.port))
    transport = kind(sock)
    transport.set_log_channel("paramiko.stock")
    transport.logger.setLevel(100)
    try:
        transport.start_client(timeout=_SECONDS)
        key = paramiko.Ed25519Key.from_private_key_file(str(sshd.identity))
        transport.auth_publickey(str(sshd.destination.user), key)
        yield transport
    finally:
        transport.close()
        transport.join(_SECONDS)


@_BOTH
def test_two_threads_that_end_one_channel_do_not_end_the_session(
    kind: type[StockTransport], sshd: Sshd, monkeypatch: pytest.MonkeyPatch
) -> None:
    """#1115: an EOF that another thread's CLOSE overtakes names a channel that is no more."""
    with (
        socket.create_server(("127.0.0.1", 0)) as service,
        _entered(kind, sshd) as transport,
        ThreadPoolExecutor(2) as threads,
    ):
        channel = transport.open_channel("direct-tcpip", service.getsockname(), ("127.0.0.1", 0))
        held = _hold_eof(transport, channel, monkeypatch)
        eof = threads.submit(channel.shutdown_write)
        until(lambda: bool(held))
        close = threads.submit(channel.close)
        eof.result(_SECONDS)
        close.result(_SECONDS)
        if kind is StockTransport:
            transport.join(_SECONDS)
            assert not transport.is_active()
            sshd.wait_for_log("nonexistent channel")
        else:
            assert _output(transport, "echo alive") == b"alive\n"
            assert not [line for line in sshd.log if "nonexistent" in line]


def _hold_eof(
    transport: StockTransport, channel: paramiko.Channel, monkeypatch: pytest.MonkeyPatch
) -> list[float]:
    """Hold an EOF until the host has answered a CLOSE, if one overtakes it."""
    held: list[float] = []
    send = transport._send_user_message

    def hold(message: Message) -> None:
        if message.asbytes()[0] == MSG_CHANNEL_EOF:
            held.append(time.monotonic())
            until(
                lambda: (
                    transport._channels.get(channel.chanid) is None
                    or time.monotonic() > held[0] + _HELD
                )
            )
        send(message)

    monkeypatch.setattr(transport, "_send_user_message", hold)
    return held


@pytest.mark.parametrize("sshd_extra", ["LogLevel DEBUG3"])
@_BOTH
def test_a_channel_that_the_host_closes_during_a_key_exchange_does_not_hang_the_session(
    kind: type[StockTransport], sshd: Sshd, monkeypatch: pytest.MonkeyPatch
) -> None:
    """#822: the reading thread answers the CLOSE, and so waits for the keys that it must read."""
    with _entered(kind, sshd) as transport:
        transport.clear_to_send_timeout = 2.0  # paramiko's 30 s, which are over before any cure
        start: Callable[[], None] = transport._send_kex_init  # type: ignore[attr-defined]

        def start_when_closed() -> None:
            """Ask for new keys when the host's CLOSE is on its way and unread."""
            sshd.wait_for_log("send close", begin)
            start()

        begin = len(sshd.log)
        monkeypatch.setattr(transport, "_send_kex_init", start_when_closed)
        monkeypatch.setattr(transport.packetizer, "REKEY_BYTES", 200_000)
        channel = transport.open_session()
        channel.exec_command("head -c 300000 /dev/zero")
        if kind is StockTransport:
            transport.join(_SECONDS)
            assert not transport.is_active()
            assert "Key-exchange timed out" in str(transport.get_exception())
        else:
            assert len(_rest(channel)) == 300_000
            monkeypatch.setattr(transport, "_send_kex_init", start)
            assert _output(transport, "echo alive") == b"alive\n"


def _output(transport: StockTransport, command: str) -> bytes:
    channel = transport.open_session()
    channel.settimeout(_SECONDS)
    channel.exec_command(command)
    return _rest(channel)


def _rest(channel: paramiko.Channel) -> bytes:
    channel.settimeout(_SECONDS)
    return b"".join(iter(partial(channel.recv, 65536), b""))


class _Nowhere:
    """A transport that sends nothing: what is left is the copying."""

    def get_log_channel(self) -> str:
        return "paramiko.stock"

    def _sanitize_packet_size(self, size: int) -> int:
        return size

    def _send_user_message(self, message: Message) -> None:
        pass

    def _unlink_channel(self, chanid: int) -> None:
        pass

    def send(self, message: Message) -> None:
        pass

    def post(self, action: object) -> None:
        pass


@pytest.mark.parametrize("kind", [paramiko.Channel, SafeChannel], ids=["stock", "ours"])
def test_a_large_send_takes_time_in_proportion_to_its_size(kind: type[paramiko.Channel]) -> None:
    """Stock `sendall` copies all that is left for each packet: 8 times the data, 64 times the time.

    The bound lies between, far from both, and is a ratio of processor times of one thread.
    """
    small, large = (min(_sending(kind, size << 20) for _ in range(3)) for size in (2, 16))
    if kind is paramiko.Channel:
        assert large > 24 * small
    else:
        assert large < 24 * small


def _sending(kind: type[paramiko.Channel], size: int) -> float:
    """Return the processor time that sending takes this thread, in seconds."""
    wire = _Nowhere()
    channel = SafeChannel(1, wire) if kind is SafeChannel else kind(1)  # type: ignore[arg-type]
    channel._set_transport(wire)  # type: ignore[attr-defined]
    channel._set_remote_channel(1, 2**32 - 1, 32768)  # type: ignore[attr-defined]
    data = bytes(size)
    begin = time.thread_time()
    channel.sendall(data)
    spent = time.thread_time() - begin
    channel.closed = True
    return spent
