"""After a killed supervisor and after a reboot: the status says so, and the next `up` goes on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from desktop.rehearsal.faults import Faults
from remote import wire
from tests.e2e.conftest import WEIGHTS, WEIGHTS_BYTES, Box, MakeBox
from tests.helpers.command import Line
from tests.helpers.waiting import until


def is_fetching(line: Line) -> bool:
    task, done = line.get("task"), line.get("done", 0)
    return task == wire.MODEL_FILES and isinstance(done, float) and done > WEIGHTS_BYTES / 4


def supervisor(box: Box) -> int:
    """Return the pid in the lock of the newest run."""
    runs = box.home / ".paperkite" / "runs"
    newest = max(path for path in runs.iterdir() if (path / "lock").is_file())
    return int((newest / "lock").read_text(encoding="ascii").split()[0])


def kill(pids: list[int]) -> None:
    """Kill processes of ours, as the kernel or a power cut would, and wait until they are gone."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    until(lambda: not any(map(is_alive, pids)))


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2]
    except OSError:
        return False
    return state.split()[0] not in "ZX"


def is_lost(box: Box) -> bool:
    """Tell whether `status` says that the newest run's supervisor has gone without a word."""
    outcome = box.run("status")
    states = [line["value"] for line in outcome.of("fact") if line["name"] == "state"]
    return outcome.status == 73 and states == [wire.RUN_LOST]


def fetched(box: Box) -> int:
    return sum(fetch.sent for fetch in box.hub.fetches() if fetch.path == WEIGHTS)


def test_a_supervisor_that_is_killed_while_it_downloads(make_box: MakeBox) -> None:
    box = make_box(faults=Faults(bytes_per_s=WEIGHTS_BYTES // 3))
    with box.going_up() as running:
        running.wait_for(is_fetching)
        kill([supervisor(box)])
        outcome = running.end()
    assert (outcome.status, outcome.error) == (64, "run-lost")
    orphans = box.processes
    assert is_lost(box)
    assert box.up().status == 0
    assert not any(map(is_alive, orphans)), "the next up ends what the dead one left"
    resumed = [fetch.start for fetch in box.hub.fetches() if fetch.path == WEIGHTS][-1]
    assert resumed > WEIGHTS_BYTES / 8


def test_a_supervisor_that_is_killed_while_the_engine_serves(box: Box) -> None:
    assert box.up().status == 0
    kill([supervisor(box)])
    orphans = box.processes
    assert orphans, "the engine lives on"
    assert is_lost(box)
    again = box.up()
    assert again.status == 0
    assert not any(map(is_alive, orphans))
    assert again.task_states(wire.MODEL_FILES)[-1] == wire.SKIPPED
    assert fetched(box) == WEIGHTS_BYTES
    assert box.ask("Hello?").status == 0


@pytest.mark.parametrize("when", ["downloading", "serving"])
def test_everything_ends_at_once_as_in_a_reboot(make_box: MakeBox, when: str) -> None:
    box = make_box(faults=Faults(bytes_per_s=WEIGHTS_BYTES))
    with box.going_up() as running:
        running.wait_for(is_fetching if when == "downloading" else is_ready)
        kill(box.processes)
        running.end()
    assert is_lost(box)
    assert box.up().status == 0
    assert fetched(box) < WEIGHTS_BYTES * 1.5
    assert box.ask("Hello?").status == 0


def is_ready(line: Line) -> bool:
    return bool(line["kind"] == "ready")


# The first process of a machine: it collects the dead, and with it everything ends. It can be
# told to start strangers, one for each line.
INIT = """
import signal, subprocess, sys
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
for line in sys.stdin:
    subprocess.Popen(["sleep", "1000"], env={})
    print(flush=True)
signal.pause()
"""


class Machine:
    """A process table of its own over the same disk, which a reboot makes anew."""

    def __init__(self, folder: Path) -> None:
        self._init_pid = folder / "init-pid"
        self._init: subprocess.Popen[str] | None = None

    @property
    def enter(self) -> str:
        """The command that runs the SSH command on this machine, in sshd's words."""
        shell = '/bin/sh -c "$SSH_ORIGINAL_COMMAND"'
        return f"ForceCommand nsenter -t $(cat {self._init_pid}) -p -m {shell}"

    def boot(self) -> None:
        argv = ["unshare", "-pf", "--mount-proc", "--kill-child", sys.executable, "-c", INIT]
        self._init = subprocess.Popen(
            argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        children = Path(f"/proc/{self._init.pid}/task/{self._init.pid}/children")
        until(lambda: bool(children.read_text(encoding="ascii").split()))
        self._init_pid.write_text(children.read_text(encoding="ascii").split()[0])

    def strangers(self, count: int) -> list[int]:
        """Start other people's programs; returns their pids as the rest of the world sees them."""
        assert self._init is not None
        assert self._init.stdin is not None
        assert self._init.stdout is not None
        for _ in range(count):
            self._init.stdin.write("\n")
            self._init.stdout.readline()
        init = self._init_pid.read_text(encoding="ascii")
        children = Path(f"/proc/{init}/task/{init}/children")
        return [int(pid) for pid in children.read_text(encoding="ascii").split()]

    def power_off(self) -> None:
        if self._init is None:
            return
        self._init.kill()
        for pipe in (self._init.stdin, self._init.stdout):
            assert pipe is not None
            pipe.close()
        self._init.wait(20)
        self._init = None


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    machine = Machine(tmp_path)
    with ExitStack() as stack:
        stack.callback(machine.power_off)
        machine.boot()
        yield machine


def pids_in(status: Path) -> int:
    """Return a process's pid in its own, innermost namespace."""
    line = next(row for row in status.read_text().splitlines() if row.startswith("NSpid:"))
    return int(line.split()[-1])


def test_a_reboot_in_which_other_programs_get_our_old_pids(
    machine: Machine, make_box: MakeBox
) -> None:
    box = make_box(sshd_extra=machine.enter)
    assert box.up().status == 0
    old = [pids_in(Path(f"/proc/{pid}/status")) for pid in box.processes]
    assert supervisor(box) in old
    machine.power_off()
    until(lambda: box.processes == [])
    machine.boot()
    strangers = machine.strangers(max(old) + 1)
    theirs = [pids_in(Path(f"/proc/{pid}/status")) for pid in strangers]
    assert set(old) <= set(theirs), "each of our old pids is somebody else's now"

    assert is_lost(box)
    assert box.up().status == 0
    assert box.ask("Hello?").status == 0
    assert fetched(box) == WEIGHTS_BYTES
    assert box.down().status == 0
    assert all(map(is_alive, strangers)), "no stranger was ended"
