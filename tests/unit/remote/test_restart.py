from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from remote import supervisor
from remote.engine.tail import LARGEST_READ
from remote.restarts import EARNED_AFTER_SECONDS, Budget


def crashed_once(agent: Any, eventually: Callable[..., None]) -> None:
    """Start a run, let its engine crash, and wait until it serves again."""
    agent.start("serves")
    agent.wait_for("ready")
    agent.crash()
    eventually(lambda: kinds(agent).count("ready") == 2)


def kinds(agent: Any) -> list[str]:
    return [event["kind"] for event in agent.events()]


def test_an_engine_that_crashes_is_started_again_once(
    agent: Any, eventually: Callable[..., None]
) -> None:
    crashed_once(agent, eventually)
    events = agent.events()
    restarting = next(event for event in events if event["kind"] == "restarting")
    assert (restarting["code"], restarting["exit_status"]) == ("engine.crashed", 3)
    assert agent.status()["state"] == "ready"
    after = events[events.index(restarting) + 1 :]
    assert [(e["task"], e["state"]) for e in after if e["kind"] == "task"] == [
        ("serve", "waiting"),
        ("serve", "running"),
        ("serve", "done"),
    ]


def test_a_second_crash_is_the_end(agent: Any, eventually: Callable[..., None]) -> None:
    crashed_once(agent, eventually)
    agent.crash()
    failed = agent.story()[-1]
    assert (failed["code"], failed["exit_status"], failed["task"]) == ("engine.crashed", 3, "serve")
    assert kinds(agent).count("restarting") == 1


def test_a_crash_shows_the_end_of_its_own_log_without_the_key(agent: Any) -> None:
    agent.start("dies")
    events = agent.story()
    restarting = next(event for event in events if event["kind"] == "restarting")
    for told in (restarting, events[-1]):  # the second one has nothing of the first one's log
        assert told["last_lines"] == ["key is ***", "the end"]


def test_the_endpoint_is_refused_until_the_engine_serves_again(agent: Any) -> None:
    agent.start("slow-again")
    agent.wait_for("ready")
    agent.crash()
    status = agent.wait_for("working")
    assert status["port"] is None
    assert agent("endpoint").status == 73
    (agent.home / "go-on").touch()
    agent.wait_for("ready")
    assert agent("endpoint").lines[0]["port"] == 8123


def test_a_stop_while_the_engine_is_started_again_ends_the_run(agent: Any) -> None:
    agent.start("slow-again")
    agent.wait_for("ready")
    agent.crash()
    agent.wait_for("working")
    assert agent("stop").lines[0]["was_running"] is True
    assert {"kind": "stopped", "reason": "asked"}.items() <= agent.story()[-1].items()
    assert agent.left() == []


def test_a_start_that_fails_the_second_time_says_why(agent: Any) -> None:
    agent.start("serves-once")
    failed = agent.story()[-1]
    assert (failed["kind"], failed["code"], failed["task"]) == (
        "failed",
        "engine.out-of-memory",
        "serve",
    )


def test_what_escaped_from_a_crashed_engine_is_ended_before_the_next_one(
    agent: Any, eventually: Callable[..., None]
) -> None:
    agent.start("escaping")
    agent.wait_for("ready")
    eventually(lambda: len(agent.left()) == 2)
    first = agent.left()
    leader = next(pid for pid in first if os.getpgid(pid) == pid and has_child(pid, first))
    os.kill(leader, signal.SIGKILL)
    eventually(lambda: kinds(agent).count("ready") == 2)
    assert not set(first) & set(agent.left())


def has_child(pid: int, others: list[int]) -> bool:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    return bool(set(map(int, children.split())) & set(others))


def test_an_engine_that_lives_but_says_that_it_is_dead_is_started_again(
    agent: Any, eventually: Callable[..., None]
) -> None:
    agent.start("freezes")
    agent.wait_for("ready")
    (agent.home / "dead").touch()
    eventually(lambda: "restarting" in kinds(agent))
    (agent.home / "dead").unlink()
    restarting = next(e for e in agent.events() if e["kind"] == "restarting")
    assert restarting["code"] == "engine.hung"
    eventually(lambda: kinds(agent).count("ready") == 2)


def test_an_engine_that_is_frozen_is_started_again(
    agent: Any, eventually: Callable[..., None]
) -> None:
    agent.start("freezes")
    agent.wait_for("ready")
    engine = agent.left()[0]
    os.kill(engine, signal.SIGSTOP)
    eventually(lambda: kinds(agent).count("ready") == 2)
    assert engine not in agent.left()


@pytest.mark.parametrize(
    ("budget", "seconds", "left"),
    [
        (Budget(), 0.0, 1),
        (Budget().spent(), 0.0, 0),
        (Budget().spent(), EARNED_AFTER_SECONDS - 1, 0),
        (Budget().spent(), EARNED_AFTER_SECONDS, 1),
        (Budget(), EARNED_AFTER_SECONDS * 10, 1),
    ],
)
def test_a_restart_is_earned_back_by_serving(budget: Budget, seconds: float, left: int) -> None:
    assert budget.after_serving(seconds).left == left


def test_of_a_log_of_days_only_the_end_is_read(tmp_path: Path) -> None:
    log = tmp_path / "engine.log"
    with log.open("wb") as stream:
        stream.truncate(64 * LARGEST_READ)  # a hole: it takes no room
        stream.seek(0, os.SEEK_END)
        stream.write(b"\nthe end\n")
    engine: Any = SimpleNamespace(log_path=str(log), log_offset=5)
    began = time.process_time()
    assert supervisor._end_of_log(engine)[-1] == "the end"
    assert time.process_time() - began < 1.0
    log.unlink()
    assert supervisor._end_of_log(engine) == []
