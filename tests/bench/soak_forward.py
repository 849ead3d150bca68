"""Cycles of hard use of one SSH session: how many sessions are lost, and what is left behind.

Each cycle opens 24 connections at once. Some are read to their end, some are hung up on in the
middle, some are half-closed first; and the keys are exchanged every few megabytes, now from this
side and now from the host's. Stock paramiko loses a session in each few dozen cycles.

Usage: `python tests/bench/soak_forward.py [cycles]`, 1,000 by default; says what it counted.
"""

from __future__ import annotations

import contextlib
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from desktop.core.ssh.connection import Connection, connect
from desktop.core.ssh.forward import LocalForward
from tests.bench.figures import Figure, show
from tests.helpers.person import Person
from tests.helpers.sshd import Sshd
from tests.helpers.waiting import until

CYCLES = 1000
AT_ONCE = 24
ANSWER = 300_000
REKEY_BYTES = 3_000_000  # of one direction: in each cycle


@dataclass
class Count:
    """What happened.

    Attributes:
        cycles: that were run.
        lost: sessions that ended.
        short: answers that were not whole, though their client waited.
    """

    cycles: int = 0
    lost: int = 0
    short: int = 0


@contextmanager
def service() -> Iterator[int]:
    """Answer each connection with `ANSWER` bytes and close it; a port."""
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:

        def answer(sock: socket.socket) -> None:
            with sock, contextlib.suppress(OSError):
                sock.recv(1)
                sock.sendall(bytes(ANSWER))

        def serve() -> None:
            with ThreadPoolExecutor(AT_ONCE) as pool, contextlib.suppress(OSError):
                while True:
                    pool.submit(answer, listener.accept()[0])

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def ask(port: int, number: int) -> int:
    """Read an answer and return its size; every third client hangs up, every fourth half-closes."""
    total = 0
    with (
        contextlib.suppress(OSError),
        socket.create_connection(("127.0.0.1", port), timeout=30) as sock,
    ):
        sock.sendall(b"?")
        if number % 4 == 0:
            sock.shutdown(socket.SHUT_WR)
        while piece := sock.recv(65536):
            total += len(piece)
            if number % 3 == 0:
                break
    return total


def cycle(connection: Connection, port: int, clients: ThreadPoolExecutor, count: Count) -> None:
    """Run one cycle on a session that stands."""
    totals = list(clients.map(lambda number: ask(port, number), range(AT_ONCE)))
    count.cycles += 1
    count.short += sum(total != ANSWER for number, total in enumerate(totals) if number % 3)
    if not connection.alive:
        count.lost += 1


def session(sshd: Sshd, cycles: int, count: Count) -> None:
    """Use one session until it is lost, or all cycles are run."""
    with (
        connect(sshd.destination, sshd.credentials, Person(), sshd.known_hosts()) as connection,
        LocalForward() as forward,
        service() as port,
        ThreadPoolExecutor(AT_ONCE) as clients,
    ):
        connection._transport.packetizer.REKEY_BYTES = REKEY_BYTES
        forward.attach(connection, port)
        while connection.alive and count.cycles < cycles:
            cycle(connection, forward.port, clients, count)
        if connection.alive:
            until(lambda: not connection._transport._channels.values(), 20)


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def soak(cycles: int) -> Count:
    """Run that many cycles, with new sessions in the place of those that are lost."""
    count = Count()
    with tempfile.TemporaryDirectory() as folder, Sshd(Path(folder), extra="RekeyLimit 5M") as sshd:
        while count.cycles < cycles:
            session(sshd, cycles, count)
    return count


def main(cycles: int = CYCLES) -> None:
    threads, files, began = threading.active_count(), open_files(), time.monotonic()
    count = soak(cycles)
    show(
        f"{count.cycles} cycles of {AT_ONCE} connections, in {time.monotonic() - began:.0f} s",
        [
            Figure("sessions lost", count.lost, "", 0),
            Figure("answers cut short", count.short, "", 0),
            Figure("threads left behind", threading.active_count() - threads, "", 0),
            Figure("descriptors left behind", open_files() - files, "", 0),
        ],
    )


if __name__ == "__main__":
    main(*(int(word) for word in sys.argv[1:]))
