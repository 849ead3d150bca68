from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest

from remote import locks, wire
from remote.journal import Journal
from remote.runs import Run
from remote.status import status_of, told_by

BEGUN: list[dict[str, Any]] = [
    {"kind": "run", "seq": 1, "time": 5.5, "run": "r", "model": "a/b", "revision": "master"},
    {"kind": "task", "seq": 2, "task": "preflight", "state": "running"},
]
READY = {"kind": "ready", "seq": 3, "port": 8000, "engine_version": "1", "max_model_len": 4096}
FAILED = {"kind": "failed", "seq": 4, "code": "engine.crashed", "detail": "it fell"}
RESTARTING = {"kind": "restarting", "seq": 4, "code": "engine.crashed", "detail": "it fell"}
STOPPED = {"kind": "stopped", "seq": 4, "reason": "asked"}


@pytest.mark.parametrize(
    ("events", "alive", "state"),
    [
        ([], True, wire.RUN_WORKING),
        (BEGUN, True, wire.RUN_WORKING),
        (BEGUN, False, wire.RUN_LOST),
        ([*BEGUN, READY], True, wire.RUN_READY),
        ([*BEGUN, READY], False, wire.RUN_LOST),
        ([*BEGUN, READY, RESTARTING], True, wire.RUN_WORKING),
        ([*BEGUN, READY, RESTARTING], False, wire.RUN_LOST),
        ([*BEGUN, READY, RESTARTING, READY], True, wire.RUN_READY),
        ([*BEGUN, READY, FAILED], False, wire.RUN_FAILED),
        ([*BEGUN, STOPPED], False, wire.RUN_STOPPED),
        ([*BEGUN, FAILED], True, wire.RUN_FAILED),
    ],
)
def test_the_state_follows_from_the_journal_and_the_lock(
    events: list[dict[str, Any]], alive: bool, state: str
) -> None:
    assert told_by(events, alive)["state"] == state


def test_a_status_tells_what_the_journal_says() -> None:
    status = told_by([*BEGUN, READY, {"kind": "news", "seq": 9}, FAILED], alive=False)
    assert status == {
        "run": None,
        "state": "failed",
        "model": "a/b",
        "revision": "master",
        "port": 8000,
        "engine_version": "1",
        "max_model_len": 4096,
        "started": 5.5,
        "seq": 4,
        "tasks": {"preflight": "running"},
        "code": "engine.crashed",
        "detail": "it fell",
    }


def test_a_status_counts_the_progress_that_it_passes_over(tmp_path: Path) -> None:
    run = Run(tmp_path / "20260101000000000-stat")
    run.folder.mkdir()
    journal = Journal(run.journal)
    journal.append("run", run=run.id, model="a/b", revision="v1")
    journal.append("progress", task="preflight", done=1)
    assert status_of(run)["seq"] == 2
    journal.append("stopped", reason="asked")
    journal.close()
    status = status_of(run)
    assert (status["run"], status["state"], status["seq"]) == (run.id, "stopped", 3)


def test_a_status_tells_why_a_run_was_stopped() -> None:
    assert told_by([*BEGUN, dict(STOPPED, reason="lease")], alive=False)["reason"] == "lease"


def test_an_engine_that_is_started_again_has_no_port_yet() -> None:
    assert told_by([*BEGUN, READY, RESTARTING], alive=True)["port"] is None


def test_after_a_reboot_a_run_is_lost_whoever_has_its_supervisors_number_now(
    tmp_path: Path,
) -> None:
    run = Run(tmp_path / "20260101000000000-boot")
    run.folder.mkdir()
    lock = locks.take(run.lock)
    locks.sign(lock)  # our own number: a living process
    journal = Journal(run.journal)
    journal.append("ready", port=8000)
    assert status_of(run)["state"] == wire.RUN_READY
    os.close(lock)  # the kernel's table of locks is empty after a boot, the files are as they were
    assert status_of(run)["state"] == wire.RUN_LOST
    journal.close()


def test_without_any_run_the_status_is_stopped() -> None:
    status = status_of(None)
    assert (status["run"], status["state"], status["tasks"]) == (None, "stopped", {})


@pytest.mark.parametrize(
    ("began_s_ago", "age"),
    [(90.0, pytest.approx(90, abs=10)), (-3600.0, 0)],  # the second: its clock was set back
)
def test_a_status_tells_how_old_its_run_is(tmp_path: Path, began_s_ago: float, age: object) -> None:
    run = Run(tmp_path / "20260101000000000-aged")
    run.folder.mkdir()
    event = dict(BEGUN[0], time=time.time() - began_s_ago)
    run.journal.write_text(wire.encode(event), encoding="ascii")
    assert status_of(run)["age"] == age
    run.journal.write_text(wire.encode(dict(event, time="today")), encoding="ascii")
    assert status_of(run)["age"] is None
    assert status_of(None)["age"] is None
