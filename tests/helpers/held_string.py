"""`paperkite forward` on a laptop at the other end of a cable, and what that process holds."""

from __future__ import annotations

import http.client
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from desktop.core.events import Endpoint
from tests.helpers.cable import Laptop
from tests.helpers.command import ROOT, Line, Running
from tests.helpers.waiting import until

# The program itself, which on a signal collects its garbage and gives back what is free: what is
# left is what it holds. Python runs the handler in the main thread, between two events.
_PROGRAM = """
import ctypes, gc, signal, sys
from desktop.__main__ import main

def settle(_number, _frame):
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    print("settled", len(gc.get_objects()), file=sys.stderr, flush=True)

signal.signal(signal.SIGUSR1, settle)
main()
"""


@dataclass(frozen=True)
class Holding:
    """What a process holds: memory in MiB, its threads, descriptors and live objects."""

    memory: float
    threads: int
    files: int
    objects: int

    @property
    def use(self) -> tuple[int, int]:
        return self.threads, self.files


class HeldString:
    """The running command.

    Attributes:
        endpoint: where the model answers, in the laptop's network.
    """

    def __init__(self, laptop: Laptop, running: Running) -> None:
        ready = running.wait_for(lambda line: line["kind"] == "ready")
        fields = {name: ready[name] for name in Endpoint.__annotations__}
        self.endpoint = Endpoint(**fields)
        self._laptop = laptop
        self._running = running

    @property
    def is_over(self) -> bool:
        """Whether it gave up."""
        return self._running.process.poll() is not None

    @property
    def told(self) -> list[Line]:
        """What it printed, each with the seconds since its start, without the host's samples."""
        return [line for line in list(self._running.lines) if line["kind"] != "sample"]

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self._running.process.send_signal(number)

    def answers(self, seconds: float) -> bool:
        """Ask the model for its name and return whether it said it."""
        return self._laptop.run(_answers, self.endpoint, seconds)

    def holding(self) -> Holding:
        """Return what it holds once its garbage is collected."""
        told = len(self._settled())
        self.signal(signal.SIGUSR1)
        until(lambda: len(self._settled()) > told)
        process = Path(f"/proc/{self._running.process.pid}")
        status = dict(line.split(":", 1) for line in (process / "status").read_text().splitlines())
        return Holding(
            memory=int(status["VmRSS"].split()[0]) / 1024,
            threads=int(status["Threads"]),
            files=len(list((process / "fd").iterdir())),
            objects=int(self._settled()[-1].split()[1]),
        )

    def at_rest(self, most: tuple[int, int] | None, seconds: float) -> Holding:
        """Return what it holds once it is no more than `most`, or the time is over."""
        deadline = time.monotonic() + seconds
        while True:
            holding = self.holding()
            is_at_rest = most is None or all(
                now <= then for now, then in zip(holding.use, most, strict=True)
            )
            if is_at_rest or time.monotonic() > deadline:
                return holding
            time.sleep(0.5)

    def _settled(self) -> list[str]:
        return [line for line in list(self._running.stderr) if line.startswith("settled")]


@contextmanager
def held(laptop: Laptop, *argv: str) -> Iterator[HeldString]:
    """Run `paperkite forward ARGV --json` there until the end of the block."""
    with _started(laptop, "-c", _PROGRAM, "forward", *argv, "--json") as running:
        yield HeldString(laptop, running)


def bring_up(laptop: Laptop, *argv: str) -> None:
    """Run `paperkite up ARGV` there to its end; fails with what it said where it does."""
    with _started(laptop, "-m", "desktop", "up", *argv, "--json") as running:
        outcome = running.end()
    assert outcome.status == 0, (outcome.lines[-3:], outcome.stderr)


@contextmanager
def _started(laptop: Laptop, *argv: str) -> Iterator[Running]:
    process = laptop.run(
        subprocess.Popen[str],
        [sys.executable, *argv],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        cwd=ROOT,
        start_new_session=True,
        env=dict(os.environ),
    )
    running = Running(process, time.monotonic())
    running.read()
    try:
        yield running
    finally:
        if process.poll() is None:
            process.kill()  # it may be stopped, and then hears nothing else
        running.end()


def _answers(endpoint: Endpoint, seconds: float) -> bool:
    url = urlsplit(endpoint.base_url)
    connection = http.client.HTTPConnection(url.hostname or "", url.port, timeout=seconds)
    try:
        headers = {"Authorization": f"Bearer {endpoint.api_key}"}
        connection.request("GET", f"{url.path}/models", headers=headers)
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
