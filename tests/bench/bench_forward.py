"""Our forward beside `ssh -L`: the same sshd, the same service behind it, in turns.

Service, forward and `ssh` are processes of their own, so that neither shares an interpreter with
the clock. Each holds a session open beside the tunnel, as the product does and as a shell would.
`ssh -L` with AES-GCM and the usual way to forward with paramiko stand beside them for context.
"""

from __future__ import annotations

import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.bench.figures import Figure, quantile, show
from tests.bench.tunnels import (
    BULK_BYTES,
    EVENT_BYTES,
    EVENTS,
    EVENTS_PER_S,
    PIECE,
    Way,
    ask,
    ways,
)

ROUNDS = 5
STREAMS = 8
REQUESTS = 300
CONNECTIONS = 50
OURS, THEIRS = "ours", "ssh -L"

# -- what is measured ------------------------------------------------------------------------------


def down(way: Way) -> list[float]:
    """Return the MiB/s from the service to here."""
    began, taken = time.monotonic(), 0
    with ask(way.port, b"down") as sock:
        while piece := sock.recv(PIECE):
            taken += len(piece)
    assert taken == BULK_BYTES
    return [BULK_BYTES / (1 << 20) / (time.monotonic() - began)]


def down_cpu(way: Way) -> list[float]:
    """Return the processor seconds that the tunnel's own process takes for a GiB down."""
    before = way.cpu_seconds()
    down(way)
    return [(way.cpu_seconds() - before) * (1 << 30) / BULK_BYTES]


def up(way: Way) -> list[float]:
    """Return the MiB/s from here to the service."""
    with ask(way.port, b"up") as sock:
        sock.recv(1)
        began = time.monotonic()
        for _ in range(BULK_BYTES // PIECE):
            sock.sendall(bytes(PIECE))
        assert sock.recv(1) == b"."
        return [BULK_BYTES / (1 << 20) / (time.monotonic() - began)]


def events(way: Way) -> list[float]:
    """Return how many milliseconds each event of a stream was under way."""
    with ask(way.port, b"events") as sock, sock.makefile("rb") as lines:
        return [(time.monotonic() - float(line)) * 1000 for line in lines]


def requests(way: Way) -> list[float]:
    """Return the milliseconds from each request to its answer, one after the other."""
    with ask(way.port, b"echo".ljust(16)) as sock:

        def once() -> None:
            sock.sendall(bytes(200))
            assert sock.recv(200)

        return [answered(once) for _ in range(REQUESTS)]


def connections(way: Way) -> list[float]:
    """Return the milliseconds of a connection that asks once and is closed."""

    def once() -> None:
        with ask(way.port, b"echo".ljust(16)) as sock:
            sock.sendall(b"?")
            assert sock.recv(1) == b"?"

    return [answered(once) for _ in range(CONNECTIONS)]


def answered(do: Callable[[], object]) -> float:
    began = time.monotonic()
    do()
    return (time.monotonic() - began) * 1000


def events_beside_bulk(way: Way) -> list[float]:
    """Return what `events` does, of several streams while a bulk transfer runs without a pause."""
    is_over = threading.Event()
    samples: list[float] = []

    def bulk() -> None:
        with ask(way.port, b"endless") as sock:
            while not is_over.is_set():
                sock.recv(PIECE)

    streams = [threading.Thread(target=lambda: samples.extend(events(way))) for _ in range(STREAMS)]
    burden = threading.Thread(target=bulk)
    burden.start()
    for stream in streams:
        stream.start()
    for stream in streams:
        stream.join()
    is_over.set()
    burden.join()
    return samples


# -- the table -------------------------------------------------------------------------------------

MEASURES: dict[str, Callable[[Way], list[float]]] = {
    "down": down,
    "cpu": down_cpu,
    "up": up,
    "request": requests,
    "connection": connections,
    "events": events,
    "beside": events_beside_bulk,
}
Samples = dict[tuple[str, str], list[float]]


def measured(all_ways: list[Way]) -> Samples:
    """Return all samples by (what, way): each round takes every way once."""
    samples: Samples = {}
    for _ in range(ROUNDS):
        for what, measure in MEASURES.items():
            for way in all_ways:
                if what not in way.skips:
                    samples.setdefault((what, way.name), []).extend(measure(way))
    return samples


def rows(samples: Samples, what: str, name: str, unit: str, share: float = 0.5) -> list[Figure]:
    """Return one quantile of every way."""
    return [
        Figure(f"{name}, {way}", quantile(values, share), unit)
        for (measure, way), values in samples.items()
        if measure == what
    ]


def ratio(samples: Samples, what: str, share: float = 0.5, less: str = "") -> float:
    """Return ours / ssh -L of one quantile; both less that of the way `less`."""
    known = quantile(samples[what, less], share) if less else 0.0
    ours, theirs = (quantile(samples[what, way], share) - known for way in (OURS, THEIRS))
    return ours / max(theirs, 1e-9)


def figures(samples: Samples) -> list[Figure]:
    """Return the bars of the forward, and what lies behind each."""

    def against(name: str, value: float, bar: float, side: str = "<=") -> Figure:
        return Figure(f"{name}, ours / ssh -L", value, "x", bar, ">=" if side == ">=" else "<=")

    return [
        *rows(samples, "down", "bulk down", "MiB/s"),
        against("bulk down", ratio(samples, "down"), 1.4, ">="),
        *rows(samples, "up", "bulk up", "MiB/s"),
        against("bulk up", ratio(samples, "up"), 0.9, ">="),
        *rows(samples, "cpu", "processor for a GiB down", "s"),
        against("processor for a GiB down", ratio(samples, "cpu"), 0.9),
        *rows(samples, "request", "request p50", "ms"),
        against("request p50", ratio(samples, "request"), 1.6),
        *rows(samples, "connection", "new connection p50", "ms"),
        against("new connection p50", ratio(samples, "connection"), 2.0),
        *rows(samples, "events", "event p50", "ms"),
        against("delay added to an event, p50", ratio(samples, "events", 0.5, "direct"), 1.3),
        *rows(samples, "events", "event p99", "ms", 0.99),
        against("delay added to an event, p99", ratio(samples, "events", 0.99, "direct"), 1.5),
        *rows(samples, "beside", "event beside bulk p50", "ms"),
        against("event beside bulk p50", ratio(samples, "beside"), 0.8),
        *rows(samples, "beside", "event beside bulk p99", "ms", 0.99),
        against("event beside bulk p99", ratio(samples, "beside", 0.99), 0.1),
    ]


def bench() -> None:
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        samples = measured(ways(stack, Path(folder)))
    show(
        f"Forward, {os.cpu_count()} cores for both ends, sshd and service",
        figures(samples),
        f"{ROUNDS} turns; bulk of {BULK_BYTES >> 20} MiB; {REQUESTS} requests and {CONNECTIONS} "
        f"connections a turn; {EVENTS_PER_S} events/s of {EVENT_BYTES} bytes, {EVENTS} a stream; "
        f"{STREAMS} streams beside the bulk",
    )


if __name__ == "__main__":
    bench()
