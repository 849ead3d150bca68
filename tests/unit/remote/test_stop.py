from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from pathlib import Path
from typing import Any

import pytest

from remote import locks, runs
from remote.spec import Spec, to_fields
from remote.verbs import Request, stop


def test_stop_returns_when_no_process_is_left(agent: Any) -> None:
    run = agent.start("escaping").lines[0]["run"]
    agent.wait_for("ready")
    assert agent.left()
    assert agent("stop").lines == [{"kind": "stopped", "run": run, "was_running": True}]
    assert agent.left() == []
    assert agent.status()["state"] == "stopped"


def test_stop_interrupts_a_task_and_its_child(agent: Any, eventually: Callable[..., None]) -> None:
    agent.start("blocks")
    eventually(agent.left)
    agent("stop")
    events = agent.story()
    assert events[-1]["kind"] == "stopped"
    assert {"task": "serve", "state": "cancelled"}.items() <= events[-2].items()


def test_stop_kills_what_a_polite_signal_does_not_impress(agent: Any) -> None:
    agent.start("stubborn")
    agent.wait_for("ready")
    began = time.monotonic()
    assert agent("stop", "--grace", "0.2").lines[0]["was_running"] is True
    assert time.monotonic() - began < 8  # the supervisor's own grace is 10 s
    assert agent.status()["state"] == "stopped"


def test_stop_does_not_wait_for_a_task_that_never_listens(agent: Any) -> None:
    agent.start("deaf")
    assert agent("stop", "--grace", "0.1").lines[0]["was_running"] is True
    assert agent.status()["tasks"]["serve"] == "cancelled"


def test_stop_twice_is_fine(agent: Any) -> None:
    nothing = [{"kind": "stopped", "run": None, "was_running": False}]
    assert agent("stop").lines == nothing
    agent.start("spins")
    agent("stop")
    assert agent("stop").lines == nothing


def test_stop_ends_the_orphans_of_a_killed_supervisor(agent: Any) -> None:
    run = agent.start("escaping").lines[0]["run"]
    agent.wait_for("ready")
    os.kill(agent.supervisor(), signal.SIGKILL)
    agent.wait_for("lost")
    assert agent("stop").lines == [{"kind": "stopped", "run": run, "was_running": True}]
    assert agent.left() == []


def test_stop_ends_a_frozen_supervisor_too(
    agent: Any, eventually: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    agent.start("blocks")
    # Not the child of the task before: that one ends by itself.
    eventually(lambda: agent.status()["tasks"]["serve"] == "running" and agent.left())
    lock = agent.run().lock
    os.kill(locks.holder(lock).pid, signal.SIGSTOP)
    monkeypatch.setattr(stop, "_HURRY_SECONDS", 0.3)
    stop._end_supervisor(lock, 0)
    assert locks.holder(lock) is None
    assert agent("stop").lines[0]["was_running"] is True  # its child was left
    assert agent.left() == []


def test_a_start_that_waits_for_a_leaving_run_is_stopped_too(
    agent: Any, eventually: Callable[..., None]
) -> None:
    leaving = runs.publish(runs.create(agent.runs, to_fields(Spec(model="a/b", api_key="k"))))
    lock = locks.take(leaving.lock)
    os.pwrite(lock, b"0 leaving".ljust(24), 0)  # not our own id: a stop would end the tests
    with ThreadPoolExecutor(2) as pool:
        starting = pool.submit(agent.start, "spins", model="a/b")
        eventually(lambda: locks.holder(runs.start_lock(agent.runs)) is not None)
        stopping = pool.submit(agent, "stop", "--grace", "0.1")
        with pytest.raises(FutureTimeout):
            stopping.result(0.5)
        os.close(lock)
        run = starting.result(20).lines[0]["run"]
        assert stopping.result(20).lines == [{"kind": "stopped", "run": run, "was_running": True}]
    assert agent.status()["state"] == "stopped"
    assert agent.left() == []


def test_a_start_that_hangs_does_not_keep_anybody_from_stopping(
    agent: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    agent.start("spins")
    monkeypatch.setenv("HOME", str(agent.home))
    monkeypatch.setattr(stop, "_START_SECONDS", 0.1)
    with locks.held(runs.start_lock(agent.runs)):
        assert stop.run(Request("stop", {"grace": 0.1})) == 0
    assert '"was_running":true' in capsys.readouterr().out
    assert agent.left() == []


def test_stop_makes_no_file_where_nothing_ever_ran(agent: Any, tmp_path: Path) -> None:
    agent("stop")
    assert list(tmp_path.iterdir()) == []
