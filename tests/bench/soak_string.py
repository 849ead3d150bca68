"""An hour of a laptop's life at one string: does it always come back, and does anything grow?

`paperkite forward` runs as a person runs it, in a network namespace at the other end of a cable to
a real sshd, on which a run with the scripted engine is ready. Every half minute something happens
to the network, the host's sshd or the laptop, mostly while a reply is streaming and sometimes
beside a large upload. After each: how long until a new request is answered through the local
port, and what the process then holds, once its garbage is collected and given back.

Usage: `python tests/bench/soak_string.py [minutes] [seed]`, 60 minutes by default; as root. Ends
with status 1 where a bar is missed. Leaves nothing behind, also after Ctrl-C or SIGTERM.
"""

from __future__ import annotations

import os
import random
import signal
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from desktop.core.ssh.forward import IDLE_WORKERS
from desktop.rehearsal.engine import install_scripted_engine
from desktop.rehearsal.hub import Hub
from tests.bench import misfortunes, model
from tests.bench.bench_string import stop_what_runs
from tests.bench.figures import Figure, median, quantile, show
from tests.bench.misfortunes import Misfortune, Road
from tests.helpers.cable import Cable, is_possible
from tests.helpers.command import Line
from tests.helpers.held_string import Holding, bring_up, held
from tests.helpers.sshd import Sshd
from tests.helpers.streaming import Bulk, Streaming

MINUTES = 60.0
SEED = 4
QUIET_SECONDS = (4.0, 12.0)  # between two misfortunes; with their own time that is half a minute
BACK_SECONDS = 5.0
GIVEN_UP_SECONDS = 60.0
GROWTH_MIB = 2.0
STREAM_TOKENS = 1900
ENGINE = (f"--scripted-reply-tokens={STREAM_TOKENS}", "--scripted-tokens-per-s=25")
STREAMING_SHARE, BULK_SHARE = 0.7, 0.25
BULK_WORDS = 200_000  # a megabyte up, and as much down
HANGS_SECONDS = 20.0  # that a stream may stand still after everything else is back
IDLE_SECONDS = 90.0  # for what is kept a while for the next use, at the end of all


class Lost(Exception):
    """The string did not come back."""


@dataclass(frozen=True)
class Return:
    """What one misfortune led to.

    Attributes:
        kind: of misfortune.
        seconds: until a new request was answered.
        failed: requests made meanwhile that were not.
        stream: "whole", "cut", "goes on", "hangs" or "torn", or "" where there was none.
        holding: of the process, afterwards.
        told: by the command meanwhile.
    """

    kind: str
    seconds: float
    failed: int
    stream: str
    holding: Holding
    told: Sequence[Line]


@dataclass
class Soak:
    """The story so far; `first` is what was held before anything happened."""

    first: Holding
    returns: list[Return] = field(default_factory=list)
    is_lost: bool = False
    last: Holding | None = None


@contextmanager
def road(folder: Path, chance: random.Random) -> Iterator[Road]:
    """Bring a run to ready and hold its string; at the end nothing of ours runs."""
    home, files = folder / "host-home", model.write_model(folder / "model", 1_000_000)
    home.mkdir()
    engine = install_scripted_engine(folder / "engine", *ENGINE)
    with Cable() as cable, Hub({model.NAME: files}) as hub:
        extra = f"SetEnv HOME={home}\nListenAddress {cable.host}"
        with Sshd(folder, extra=extra) as sshd:
            try:
                host = (
                    f"{sshd.destination.user}@{cable.host}:{sshd.port}",
                    *("--identity", str(sshd.identity), "--host-key", sshd.host_fingerprint),
                )
                work = (
                    *("--model", model.NAME, "--hub", hub.url),
                    *("--data-dir", str(folder / "data"), "--engine-env", str(engine)),
                )
                bring_up(cable.laptop, *host, *work)
                with held(cable.laptop, *host) as string:
                    yield Road(cable, sshd, string, chance)
            finally:
                stop_what_runs(home)


def suffer(way: Road, misfortune: Misfortune, most: tuple[int, int]) -> Return:
    """Let it happen, and see how the string comes back."""
    endpoint, chance = way.string.endpoint, way.chance
    stream = Streaming(endpoint, STREAM_TOKENS) if chance.random() < STREAMING_SHARE else None
    bulk = Bulk(endpoint, BULK_WORDS) if chance.random() < BULK_SHARE else None
    asking = [each for each in (stream, bulk) if each is not None]
    for each in asking:
        way.cable.laptop.run(each.start)
    told = len(way.string.told)
    try:
        way.wait(*QUIET_SECONDS)
        misfortune(way)
        seconds, failed = until_answered(way)
        ended = how_it_went(stream) if stream is not None else ""
    finally:
        way.clear()
        for each in asking:
            each.stop()
    holding = way.string.at_rest(most, 10)
    return Return(misfortune.__name__, seconds, failed, ended, holding, way.string.told[told:])


def until_answered(way: Road) -> tuple[float, int]:
    """Ask until there is an answer; return the seconds, and how many requests had none."""
    began, failed = time.monotonic(), 0
    while not way.string.answers(GIVEN_UP_SECONDS):
        failed += 1
        if way.string.is_over or time.monotonic() > began + GIVEN_UP_SECONDS:
            raise Lost
        time.sleep(0.05)
    return time.monotonic() - began, failed


def how_it_went(stream: Streaming) -> str:
    """Return what became of a reply: each is right but to hang and to be torn."""
    size, deadline = stream.size, time.monotonic() + HANGS_SECONDS
    while not stream.over.wait(0.1) and stream.size == size and time.monotonic() < deadline:
        pass
    if not stream.is_in_order:
        return "torn"
    if stream.over.is_set():
        return "whole" if stream.is_whole else "cut"
    return "goes on" if stream.size > size else "hangs"


def soak(way: Road, minutes: float) -> Soak:
    """Let things happen for so long, each kind as often as the others."""
    warm_up(way)
    done = Soak(way.string.at_rest(None, 0))
    deadline = time.monotonic() + minutes * 60
    try:
        for misfortune in endlessly(way.chance):
            if time.monotonic() > deadline:
                break
            done.returns.append(suffer(way, misfortune, done.first.use))
            tell(done.returns[-1])
        done.last = way.string.at_rest(done.first.use, IDLE_SECONDS)
    except (Lost, ProcessLookupError):
        done.is_lost = True
    return done


def endlessly(chance: random.Random) -> Iterator[Misfortune]:
    """Yield every kind once, in some order, and then again."""
    while True:
        yield from chance.sample(misfortunes.ALL, len(misfortunes.ALL))


def warm_up(way: Road) -> None:
    """Have the forward start the workers that it keeps, by asking for several things at once."""
    asking = [Bulk(way.string.endpoint, BULK_WORDS // 10) for _ in range(2 * IDLE_WORKERS)]
    for each in asking:
        way.cable.laptop.run(each.start)
    for each in asking:
        each.over.wait(GIVEN_UP_SECONDS)
        each.stop()


def tell(now: Return) -> None:
    """Print a line: an hour is long."""
    held_now = now.holding
    print(
        f"{time.strftime('%H:%M:%S')}  {now.kind:12} {now.seconds:6.2f} s  failed {now.failed}"
        f"  stream {now.stream or '-':8}  {held_now.memory:6.2f} MiB  {held_now.threads} threads"
        f"  {held_now.files} files  {held_now.objects} objects",
        flush=True,
    )
    if now.seconds > BACK_SECONDS:
        for line in now.told:  # but for `ready`, which has the key
            if line["kind"] in ("phase", "fact", "error"):
                print(f"            {line}", flush=True)


def figures(done: Soak) -> list[Figure]:
    """Return what is held to a bar, and below it each kind's own seconds."""
    backs = [each.seconds for each in done.returns] or [0.0]
    streams = Counter(each.stream for each in done.returns)
    last = done.last or done.first
    return [
        Figure("sessions lost", int(done.is_lost), "", 0),
        Figure("slowest return, p99", quantile(backs, 0.99), "s", BACK_SECONDS),
        Figure("streams that hung", streams["hangs"], "", 0),
        Figure("streams that were torn", streams["torn"], "", 0),
        Figure("memory grown", grown(done, lambda held: held.memory), "MiB", GROWTH_MIB),
        Figure("threads left behind", last.threads - done.first.threads, "", 0),
        Figure("descriptors left behind", last.files - done.first.files, "", 0),
        Figure("live objects grown", grown(done, lambda held: held.objects), ""),
        Figure("requests failed after the return", sum(r.failed for r in done.returns), ""),
        *(Figure(f"streams: {name}", streams[name], "") for name in ("whole", "cut", "goes on")),
        *of_each_kind(done.returns),
    ]


def of_each_kind(returns: Sequence[Return]) -> list[Figure]:
    """Return the median of each kind of misfortune, with its fastest and its slowest return."""
    kinds = sorted({each.kind for each in returns})
    return [
        median(f"back after {kind}", [each.seconds for each in returns if each.kind == kind], "s")
        for kind in kinds
    ]


def grown(done: Soak, of: Callable[[Holding], float]) -> float:
    """Return by how much the median of the last tenth exceeds that of the first steady tenth.

    The first tenth is left out: modules are still being loaded then, and pools filled.
    """
    values = [of(each.holding) for each in done.returns]
    tenth = max(1, len(values) // 10)
    if len(values) < 3 * tenth:
        return 0.0
    return statistics.median(values[-tenth:]) - statistics.median(values[tenth : 2 * tenth])


def main(minutes: float = MINUTES, seed: int = SEED) -> None:
    if not is_possible():
        sys.exit("it needs root and /dev/net/tun")
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        os.environ["PAPERKITE_HOME"] = str(Path(name) / "paperkite")
        with road(Path(name), random.Random(seed)) as way:
            done = soak(way, minutes)
    table = figures(done)
    note = f"seed {seed}; growth: the last tenth beside the first steady one"
    took = (time.monotonic() - began) / 60
    show(f"{len(done.returns)} misfortunes of one string, in {took:.0f} min", table, note)
    sys.exit(any(figure.verdict == "OVER" for figure in table))


if __name__ == "__main__":
    main(*(kind(word) for kind, word in zip((float, int), sys.argv[1:], strict=False)))
