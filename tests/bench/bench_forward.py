"""Our forward beside `ssh -L`: the same sshd, the same service behind it, in turns.

Service, forward and `ssh` are processes of their own, so that neither shares an interpreter with
the clock. Both hold a session open beside the tunnel, as the product does and as a shell would.
"""

from __future__ import annotations

import contextlib
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from desktop.core.ssh.connection import connect
from desktop.core.ssh.credentials import Credentials
from desktop.core.ssh.destination import Destination
from desktop.core.ssh.forward import LocalForward
from desktop.core.ssh.known_hosts import KnownHosts
from remote.engine.endpoint import free_port
from tests.bench.figures import Figure, quantile, show
from tests.helpers.person import Person
from tests.helpers.sshd import Sshd
from tests.helpers.waiting import until

ROUNDS = 3
BULK_BYTES = 256 << 20
PIECE = 256 << 10
EVENTS = 300
EVENTS_PER_S = 200
EVENT_BYTES = 250  # of one token as vLLM sends it

# -- the service and our forward: processes of their own -------------------------------------------


def serve() -> None:
    """Answer on the port that is printed until stdin ends: down, up or events, as asked."""
    with socket.create_server(("127.0.0.1", 0), backlog=16) as listener:
        print(listener.getsockname()[1], flush=True)
        threading.Thread(target=accept, args=(listener,), daemon=True).start()
        sys.stdin.read()


def accept(listener: socket.socket) -> None:
    while True:
        sock, _ = listener.accept()
        threading.Thread(target=answer, args=(sock,), daemon=True).start()


def answer(sock: socket.socket) -> None:
    services = {b"down": send_bulk, b"up": take_bulk, b"events": send_events}
    with sock, contextlib.suppress(ConnectionError):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        services.get(sock.recv(16).strip(), lambda _: None)(sock)


def send_bulk(sock: socket.socket) -> None:
    for _ in range(BULK_BYTES // PIECE):
        sock.sendall(bytes(PIECE))


def take_bulk(sock: socket.socket) -> None:
    sock.sendall(b".")
    left = BULK_BYTES
    while left:
        left -= len(sock.recv(PIECE))
    sock.sendall(b".")


def send_events(sock: socket.socket) -> None:
    due = time.monotonic()
    for _ in range(EVENTS):
        due += 1 / EVENTS_PER_S
        time.sleep(max(0.0, due - time.monotonic()))
        # One clock for all processes of a computer, on Linux and macOS.
        sock.sendall(f"{time.monotonic():.7f}".encode().ljust(EVENT_BYTES - 1) + b"\n")


def forward(user: str, ssh_port: str, identity: str, known_hosts: str, port: str) -> None:
    """Hold our forward to `port` open until stdin ends; its own port is printed."""
    where = Destination("127.0.0.1", int(ssh_port), user, text="the benchmark's sshd")
    credentials = Credentials(identity=Path(identity), accept_new_host_key=True)
    trusted = KnownHosts(Path(known_hosts), ())
    with connect(where, credentials, Person(), trusted) as connection, LocalForward() as local:
        connection.exec("cat")
        local.attach(connection, int(port))
        print(local.port, flush=True)
        sys.stdin.read()


# -- what is measured ------------------------------------------------------------------------------


def ask(port: int, what: bytes) -> socket.socket:
    sock = socket.create_connection(("127.0.0.1", port), 30)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.sendall(what)
    return sock


def down(port: int) -> list[float]:
    """Return the MiB/s from the service to here."""
    began, taken = time.monotonic(), 0
    with ask(port, b"down") as sock:
        while piece := sock.recv(PIECE):
            taken += len(piece)
    assert taken == BULK_BYTES
    return [BULK_BYTES / (1 << 20) / (time.monotonic() - began)]


def up(port: int) -> list[float]:
    """Return the MiB/s from here to the service."""
    with ask(port, b"up") as sock:
        sock.recv(1)
        began = time.monotonic()
        for _ in range(BULK_BYTES // PIECE):
            sock.sendall(bytes(PIECE))
        assert sock.recv(1) == b"."
        return [BULK_BYTES / (1 << 20) / (time.monotonic() - began)]


def events(port: int) -> list[float]:
    """Return how many milliseconds each event of a stream was under way."""
    with ask(port, b"events") as sock, sock.makefile("rb") as lines:
        return [(time.monotonic() - float(line)) * 1000 for line in lines]


# -- the processes ---------------------------------------------------------------------------------


@contextmanager
def running(*argv: str) -> Iterator[subprocess.Popen[str]]:
    """Give a process that ends when its stdin does."""
    process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None
    try:
        yield process
    finally:
        process.stdin.close()
        process.wait(10)
        assert process.stdout is not None
        process.stdout.close()


def port_of(process: subprocess.Popen[str]) -> int:
    assert process.stdout is not None
    return int(process.stdout.readline())


def ports(stack: ExitStack, folder: Path) -> dict[str, int]:
    """Start everything; return the ports that lead to the service, by the way they take."""

    def start(*argv: str) -> int:
        return port_of(stack.enter_context(running(sys.executable, __file__, *argv)))

    service = start("serve")
    sshd = stack.enter_context(Sshd(folder))
    user, identity = sshd.destination.user, str(sshd.identity)
    ours = start(
        "forward", user, str(sshd.port), identity, str(folder / "known_hosts"), f"{service}"
    )
    theirs = free_port(18_000)
    stack.enter_context(
        running(
            *("ssh", "-F", "none", "-q", "-i", identity, "-p", str(sshd.port)),
            *("-o", "StrictHostKeyChecking=no", "-o", f"UserKnownHostsFile={folder}/ssh_hosts"),
            *("-o", "ExitOnForwardFailure=yes", "-L", f"127.0.0.1:{theirs}:127.0.0.1:{service}"),
            *(f"{user}@127.0.0.1", "cat"),
        )
    )
    until(lambda: answers(theirs))
    return {"direct": service, "ours": ours, "ssh -L": theirs}


def answers(port: int) -> bool:
    with contextlib.suppress(OSError), ask(port, b"nothing"):
        return True
    return False


# -- the table -------------------------------------------------------------------------------------

Measure = Callable[[int], list[float]]


def measured(ways: dict[str, int]) -> dict[tuple[str, str], list[float]]:
    """Return all samples by (what, way): each round takes every way once."""
    measures: dict[str, Measure] = {"down": down, "up": up, "events": events}
    samples: dict[tuple[str, str], list[float]] = {}
    for _ in range(ROUNDS):
        for what, measure in measures.items():
            for way, port in ways.items():
                samples.setdefault((what, way), []).extend(measure(port))
    return samples


def bench() -> None:
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        samples = measured(ports(stack, Path(folder)))
    figures = []
    for what in ("down", "up"):
        ours, theirs = (statistics.median(samples[what, way]) for way in ("ours", "ssh -L"))
        figures += [
            Figure(f"bulk {what}, ours", ours, "MiB/s"),
            Figure(f"bulk {what}, ssh -L", theirs, "MiB/s"),
            Figure(f"bulk {what}, ours / ssh -L", ours / theirs, "x"),
        ]
    for name, share in (("p50", 0.5), ("p99", 0.99)):
        at = {way: quantile(samples["events", way], share) for way in ("direct", "ours", "ssh -L")}
        ours, theirs = at["ours"] - at["direct"], at["ssh -L"] - at["direct"]
        figures += [
            Figure(f"delay added to an event, {name}, ours", ours, "ms"),
            Figure(f"delay added to an event, {name}, ssh -L", theirs, "ms"),
        ]
    show(
        f"Forward, {os.cpu_count()} cores for both ends, sshd and service",
        figures,
        f"medians of {ROUNDS} turns of {BULK_BYTES >> 20} MiB; {EVENTS_PER_S} events/s of "
        f"{EVENT_BYTES} bytes, {ROUNDS * EVENTS} in all",
    )


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["serve"]:
            serve()
        case ["forward", *where]:
            forward(*where)
        case _:
            bench()
