"""The two defects of stock paramiko that end a session under load stay out: #1115 and #822.

Without the outbox the key exchange test fails in its first rounds. The order of a channel's
messages is a race that a load meets once in some dozens of rounds; test_stock_defects.py holds it
still, and shows both beside stock paramiko.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from desktop.core.ssh.connection import Connection, connect
from desktop.core.ssh.forward import LocalForward
from tests.bench.soak_forward import AT_ONCE, Count, cycle, service, soak
from tests.helpers.person import Person
from tests.helpers.sshd import Sshd

_ROUNDS = 6


def test_many_connections_closing_at_once_do_not_end_the_session(
    sshd: Sshd, connection: Connection
) -> None:
    with (
        LocalForward() as forward,
        service() as port,
        ThreadPoolExecutor(AT_ONCE) as clients,
    ):
        forward.attach(connection, port)
        count = Count()
        for _ in range(_ROUNDS):
            cycle(connection, forward.port, clients, count)
    assert count == Count(cycles=_ROUNDS, lost=0, short=0)
    assert connection.run("echo alive").stdout == b"alive\n"
    assert not [line for line in sshd.log if "nonexistent" in line]


def test_cycles_of_connections_among_key_exchanges_of_both_sides_lose_no_session() -> None:
    assert soak(_ROUNDS) == Count(cycles=_ROUNDS, lost=0, short=0)


def test_channels_that_close_during_a_key_exchange_do_not_hang_the_session(
    connection: Connection,
) -> None:
    packets = connection._transport.packetizer
    packets.REKEY_BYTES = 200_000  # so that every command meets a key exchange of our own
    with ThreadPoolExecutor(4) as pool:
        for _ in range(_ROUNDS):
            outputs = pool.map(
                lambda _: connection.run("head -c 500000 /dev/zero", timeout=15).stdout, range(4)
            )
            assert [len(output) for output in outputs] == [500_000] * 4


def test_a_key_exchange_that_the_host_starts_is_survived(tmp_path: Path) -> None:
    with (
        Sshd(tmp_path, extra="RekeyLimit 300K") as sshd,
        connect(sshd.destination, sshd.credentials, Person(), sshd.known_hosts()) as connection,
    ):
        for _ in range(_ROUNDS):
            assert len(connection.run("head -c 1000000 /dev/zero", timeout=15).stdout) == 1_000_000
