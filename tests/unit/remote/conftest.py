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

from remote import locks, power, processes, runs, wire
from remote.status import status_of
from remote.verbs import stop

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

    def __init__(self, home: Path, programs: Path, bytecode: Path) -> None:
        self.home = home
        self.variables: dict[str, str] = {}
        self.shutdowns = home / "shutdowns"
        self.programs = programs  # first in the PATH, before the harmless `shutdown`
        self._bytecode = bytecode
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

    def start(self, scenario: str = "serves", *options: str, **fields: Any) -> Answer:
        return self("start", *options, scenario=scenario, stdin=spec_line(**fields))

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

    # What follows looks at the disk, as the verbs do: a process for each look takes ten times
    # as long, and proves nothing more.

    def events(self) -> list[dict[str, Any]]:
        """Return the newest run's events until now."""
        text = self.run().journal.read_text(encoding="utf-8")
        return [json.loads(line) for line in text.splitlines()]

    def story(self) -> list[dict[str, Any]]:
        """Return the newest run's events once it is over."""
        eventually(lambda: locks.holder(self.run().lock) is None)
        return self.events()

    def status(self) -> dict[str, Any]:
        return status_of(runs.newest(self.runs))

    def wait_for(self, state: str) -> dict[str, Any]:
        eventually(lambda: self.status()["state"] == state)
        return self.status()

    def supervisor(self) -> int:
        """Return the process that supervises the newest run, or has done so."""
        return int(self.run().lock.read_text(encoding="ascii").split()[0])

    def lives(self, pid: int) -> bool:
        """Tell whether a process is there and no zombie: who reaps orphans may take seconds."""
        return processes._living_group(f"/proc/{pid}") != 0

    def end(self) -> None:
        """End whatever lives, at once."""
        known = runs.all_runs(self.runs)
        for run in known:
            if locks.holder(run.lock) is not None:
                stop._end_supervisor(run.lock, 0)
        if self.left():
            processes.end_runs([run.id for run in known], 0)

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
            "PYTHONPYCACHEPREFIX": str(self._bytecode),
            **self.variables,
        }


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


@pytest.fixture(scope="session")
def harmless(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder for the PATH with a `shutdown` that only writes down that it was called."""
    folder = tmp_path_factory.mktemp("harmless")
    program = folder / "shutdown"
    program.write_text('#!/bin/sh\necho "called: $*" >> "$HOME/shutdowns"\n')
    program.chmod(0o755)
    return folder


@pytest.fixture(autouse=True)
def no_real_shutdown(harmless: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep every test away from this machine's own `shutdown`, whatever it calls."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PATH", os.pathsep.join([str(harmless), os.environ["PATH"]]))
    monkeypatch.setattr(power, "_WELL_KNOWN", str(harmless / "shutdown"))


@pytest.fixture(scope="session")
def bytecode(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give where all agents keep their compiled modules: outside the sources, and only once."""
    return tmp_path_factory.mktemp("bytecode")


@pytest.fixture
def agent(
    no_real_shutdown: None,
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    bytecode: Path,
) -> Iterator[Agent]:
    """Give an agent in a fresh home; after the test no process of it is left."""
    agent = Agent(tmp_path, tmp_path_factory.mktemp("programs"), bytecode)
    yield agent
    agent.end()
    assert agent.left() == []


@pytest.fixture(name="eventually")
def eventually_fixture() -> Callable[..., None]:
    return eventually


@pytest.fixture
def make_spec_line() -> Callable[..., str]:
    return spec_line
