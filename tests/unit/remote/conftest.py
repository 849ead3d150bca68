"""What the tests of the host side share; nothing of the desktop: Python 3.8 runs them too."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from remote import processes, runs, wire

ROOT = Path(__file__).parents[3]
DEADLINE_SECONDS = 20.0
KEY = "sk-secret-of-the-test"


class Answer(NamedTuple):
    """What one call of the agent gave."""

    status: int
    lines: list[dict[str, Any]]
    stdout: str
    stderr: str

    @property
    def kinds(self) -> list[str]:
        return [line["kind"] for line in self.lines]


class Agent:
    """The real agent as a process per verb, with toy tasks, in a home of its own."""

    def __init__(self, home: Path, programs: Path) -> None:
        self.home = home
        self.variables: dict[str, str] = {}
        self.shutdowns = home / "shutdowns"
        self.programs = programs  # first in the PATH
        install_harmless_shutdown(programs)
        self.runs = home / ".paperkite" / "runs"

    def __call__(self, *arguments: str, scenario: str = "serves", stdin: str = "") -> Answer:
        done = subprocess.run(
            self.command(scenario, *arguments),
            input=stdin,
            capture_output=True,
            encoding="utf-8",
            env=self.environment(),
            timeout=DEADLINE_SECONDS,
            check=False,
        )
        return Answer(done.returncode, parsed(done.stdout), done.stdout, done.stderr)

    def start(self, scenario: str = "serves", **fields: Any) -> Answer:
        return self("start", scenario=scenario, stdin=spec_line(**fields))

    def crash(self) -> None:
        """Let the engine end by itself."""
        (self.home / "life").unlink()

    def open(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self.command("serves", *arguments),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
            env=self.environment(),
        )

    def watch(self, after: int = 0, *options: str) -> list[dict[str, Any]]:
        """Return what a watch prints until its `end`."""
        with self.open("watch", "--after", str(after), *options) as process:
            assert process.stdout is not None
            return parsed(process.stdout.read())

    def watch_so_far(self) -> list[dict[str, Any]]:
        """Return the newest run's events until now."""
        text = self.run().journal.read_text(encoding="utf-8")
        return [json.loads(line) for line in text.splitlines()]

    def status(self) -> dict[str, Any]:
        return self("status").lines[0]

    def wait_for(self, state: str) -> dict[str, Any]:
        eventually(lambda: self.status()["state"] == state)
        return self.status()

    def run(self) -> runs.Run:
        newest = runs.newest(self.runs)
        assert newest is not None
        return newest

    def left(self) -> list[int]:
        """Return the processes that carry the mark of one of this home's runs."""
        ids = [run.id for run in runs.all_runs(self.runs)]
        return [pid for pid, run in processes.marked().items() if run in ids]

    def command(self, scenario: str, *arguments: str) -> list[str]:
        return [sys.executable, str(Path(__file__).with_name("toy_agent.py")), scenario, *arguments]

    def environment(self) -> dict[str, str]:
        return {
            "HOME": str(self.home),
            "PATH": os.pathsep.join([str(self.programs), os.environ["PATH"]]),
            "PYTHONPATH": str(ROOT),
            "PYTHONDONTWRITEBYTECODE": "1",
            **self.variables,
        }


def install_harmless_shutdown(folder: Path) -> None:
    """Put a `shutdown` into a folder of the PATH that only writes down that it was called."""
    program = folder / "shutdown"
    program.write_text('#!/bin/sh\necho "called: $*" >> "$HOME/shutdowns"\n')
    program.chmod(0o755)


def spec_line(**fields: Any) -> str:
    wanted = {"kind": "spec", "model": "01ai/Yi-34B-Chat-4bits", "api_key": KEY, **fields}
    return json.dumps(wanted) + "\n"


def parsed(stdout: str) -> list[dict[str, Any]]:
    lines = stdout.splitlines()
    if not lines:
        return []
    assert lines[:2] == ["", wire.MARKER]
    return [wire.decode(line) for line in lines[2:]]


def eventually(condition: Callable[[], Any], seconds: float = DEADLINE_SECONDS) -> None:
    """Wait until a condition holds; fail when it does not in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


@pytest.fixture
def agent(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Agent]:
    """Give an agent in a fresh home; after the test no process of it is left."""
    agent = Agent(tmp_path, tmp_path_factory.mktemp("programs"))
    yield agent
    agent("stop", "--grace", "0")
    assert agent.left() == []


@pytest.fixture(name="eventually")
def eventually_fixture() -> Callable[..., None]:
    return eventually


@pytest.fixture
def make_spec_line() -> Callable[..., str]:
    return spec_line
