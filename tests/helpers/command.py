"""`paperkite` as another program runs it: argv in, JSON Lines and an exit status out."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
Line = dict[str, Any]


@dataclass(frozen=True)
class Outcome:
    """What one command did. `lines` are its JSON lines, each with the seconds since its start."""

    status: int
    lines: list[Line]
    stdout: str
    stderr: str
    seconds: float

    def of(self, kind: str) -> list[Line]:
        return [line for line in self.lines if line["kind"] == kind]

    def only(self, kind: str) -> Line:
        found = self.of(kind)
        assert len(found) == 1, (kind, self.lines, self.stderr)
        return found[0]

    @property
    def error(self) -> str:
        return str(self.only("error")["code"])

    @property
    def phases(self) -> list[str]:
        return [line["phase"] for line in self.of("phase")]

    def task_states(self, task: str) -> list[str]:
        name = f"task.{task}"
        return [line["value"] for line in self.of("fact") if line["name"] == name]


@dataclass
class Running:
    """A command that has not ended yet."""

    process: subprocess.Popen[str]
    began: float
    lines: list[Line] = field(default_factory=list)
    stdout: list[str] = field(default_factory=list)
    stderr: list[str] = field(default_factory=list)
    changed: threading.Condition = field(default_factory=threading.Condition)

    def wait_for(self, wanted: Callable[[Line], bool], seconds: float = 60) -> Line:
        """Return the first line that is wanted, or fail with what came instead."""
        deadline = time.monotonic() + seconds
        with self.changed:
            while True:
                for line in self.lines:
                    if wanted(line):
                        return line
                left = deadline - time.monotonic()
                ended = self.process.poll() is not None and not self._readers_alive()
                assert left > 0, (self.lines[-5:], self.stderr)
                assert not ended, (self.lines[-5:], self.stderr)
                self.changed.wait(min(left, 0.2))

    def interrupt(self) -> Outcome:
        self.process.send_signal(signal.SIGINT)
        return self.end()

    def kill(self) -> Outcome:
        self.process.kill()
        return self.end()

    def end(self, seconds: float = 120) -> Outcome:
        status = self.process.wait(seconds)
        for reader in self._readers:
            reader.join(10)
        took = time.monotonic() - self.began
        return Outcome(status, self.lines, "".join(self.stdout), "".join(self.stderr), took)

    _readers: list[threading.Thread] = field(default_factory=list)

    def _readers_alive(self) -> bool:
        return any(reader.is_alive() for reader in self._readers)

    def read(self) -> None:
        self._readers = [
            threading.Thread(target=self._read_stdout, name="command-stdout"),
            threading.Thread(target=self._read_stderr, name="command-stderr"),
        ]
        for reader in self._readers:
            reader.start()

    def _read_stdout(self) -> None:
        stream = self.process.stdout
        assert stream is not None
        with stream:
            for text in stream:
                self.stdout.append(text)
                with contextlib.suppress(json.JSONDecodeError), self.changed:
                    line = json.loads(text)
                    line["at"] = time.monotonic() - self.began
                    self.lines.append(line)
                    self.changed.notify_all()

    def _read_stderr(self) -> None:
        stream = self.process.stderr
        assert stream is not None
        with stream:
            self.stderr.extend(stream)


@contextlib.contextmanager
def started(*argv: str, stdin: str = "", env: Mapping[str, str] | None = None) -> Iterator[Running]:
    """Start `paperkite ARGV`; it is killed at the end if it still runs."""
    began = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "desktop", *argv],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        env={**os.environ, **(env or {})},
        cwd=ROOT,
        start_new_session=True,
    )
    running = Running(process, began)
    running.read()
    assert process.stdin is not None
    with contextlib.suppress(BrokenPipeError):
        process.stdin.write(stdin)
        process.stdin.close()
    try:
        yield running
    finally:
        if process.poll() is None:
            process.kill()
        running.end()


def paperkite(
    *argv: str, stdin: str = "", env: Mapping[str, str] | None = None, seconds: float = 120
) -> Outcome:
    """Run `paperkite ARGV` to its end."""
    with started(*argv, stdin=stdin, env=env) as running:
        return running.end(seconds)
