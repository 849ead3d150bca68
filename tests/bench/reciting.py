"""An engine that recites a text at a pace, in a process of its own, and tells when it sent what.

    python -m tests.bench.reciting RATE < text

It prints its address, then a line for every reply that was heard to its end: when each of its
tokens was sent, in seconds of `time.monotonic`, which on Linux is one clock for all processes.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from desktop.core.events import Endpoint
from desktop.rehearsal.scripted_engine.options import parse
from desktop.rehearsal.scripted_engine.replies import Script
from desktop.rehearsal.scripted_engine.server import EngineServer
from desktop.rehearsal.scripted_engine.traffic import Request, Traffic
from tests.helpers.command import ROOT

_SIZES = (2, 3)  # characters of a token, in turn: 2.5 of mixed Chinese and English
_CONTEXT = 4_000_000  # tokens: nothing is trimmed
_KEY = "pk-bench"


def tokens_of(text: str) -> list[str]:
    """Return the text as the engine sends it."""
    pairs = [text[at : at + sum(_SIZES)] for at in range(0, len(text), sum(_SIZES))]
    return [part for pair in pairs for part in (pair[: _SIZES[0]], pair[_SIZES[0] :]) if part]


@dataclass(frozen=True)
class Recital(Script):
    """A script that says nothing but its text."""

    text: str = ""

    def _tokens(self, asked: str) -> list[str]:
        return tokens_of(self.text)


class TimedTraffic(Traffic):
    """Traffic that notes when each token goes, and prints it where the reply was sent whole."""

    def __init__(self, whole: Traffic) -> None:
        super().__init__(seats=whole.seats, room=whole.room)
        self._sent: dict[int, list[float]] = {}

    def generated(self, request: Request) -> None:
        self._sent.setdefault(id(request), []).append(time.monotonic())

    def leave(self, request: Request, *, whole: bool) -> None:
        super().leave(request, whole=whole)
        sent = self._sent.pop(id(request), [])
        if whole:
            print(json.dumps(sent), flush=True)


class RecitingEngine(EngineServer):
    """The scripted engine with another script."""

    def __init__(self, text: str, rate: float) -> None:
        pace = f"--scripted-tokens-per-s={rate}"
        super().__init__(parse(["serve", "--host", "127.0.0.1", "--port", "0", pace]), _CONTEXT)
        self.script = Recital(self.script.model, _CONTEXT, len(text), 0, text)
        self.traffic = TimedTraffic(self.traffic)


@dataclass(frozen=True)
class Reciting:
    """An engine that runs.

    Attributes:
        endpoint: where it answers.
    """

    endpoint: Endpoint
    _process: subprocess.Popen[str]

    def sent(self, count: int) -> list[float]:
        """Return when each token of the last reply of so many tokens was sent."""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            times: list[float] = json.loads(line)
            if len(times) == count:  # a title was asked for too, perhaps
                return times
        raise EOFError


@contextmanager
def reciting(text: str, rate: float) -> Iterator[Reciting]:
    """Run an engine that answers everything with this text, at so many tokens a second."""
    command = [sys.executable, "-m", "tests.bench.reciting", str(rate)]
    pipe, nowhere = subprocess.PIPE, subprocess.DEVNULL
    with subprocess.Popen(
        command, stdin=pipe, stdout=pipe, stderr=nowhere, text=True, encoding="utf-8", cwd=ROOT
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(text)
        process.stdin.close()
        url, model = json.loads(process.stdout.readline())
        try:
            yield Reciting(Endpoint(url, _KEY, model, _CONTEXT, "run", ""), process)
        finally:
            process.kill()


def _serve() -> None:
    sys.stdin.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    with RecitingEngine(sys.stdin.read(), float(sys.argv[1])) as engine:
        engine.server_activate()
        url = f"http://127.0.0.1:{engine.server_address[1]}/v1"
        print(json.dumps([url, engine.script.model]), flush=True)
        engine.serve_forever()


if __name__ == "__main__":
    _serve()
