from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any


def test_a_run_tells_its_story_in_order(agent: Any) -> None:
    agent.start()
    agent.wait_for("ready")
    agent("stop")
    events = agent.watch()
    assert [event["seq"] for event in events[:-1]] == list(range(1, len(events)))
    assert events[0]["kind"] == "run"
    assert [e["kind"] for e in events[-3:]] == ["ready", "stopped", "end"]
    assert events[-2]["reason"] == events[-1]["reason"].replace("stopped", "asked")
    states = [(e["task"], e["state"]) for e in events if e["kind"] == "task"]
    assert states == [
        ("preflight", "waiting"),
        ("engine-environment", "waiting"),
        ("serve", "waiting"),
        ("preflight", "running"),
        ("preflight", "done"),
        ("engine-environment", "running"),
        ("engine-environment", "skipped"),
        ("serve", "running"),
        ("serve", "done"),
    ]


def test_children_carry_the_mark_of_their_run(agent: Any) -> None:
    run = agent.start().lines[0]["run"]
    agent.wait_for("ready")
    facts = {e["name"]: e["value"] for e in events_of(agent) if e["kind"] == "fact"}
    assert facts["installed"] == [0, "installed", run]
    assert "private" not in facts


def test_ready_comes_with_an_endpoint_that_alone_has_the_key(agent: Any) -> None:
    agent.start()
    agent.wait_for("ready")
    assert agent("endpoint").lines == [
        {
            "kind": "endpoint",
            "run": agent.run().id,
            "port": 8123,
            "api_key": "sk-secret-of-the-test",
            "model": "01ai/Yi-34B-Chat-4bits",
            "max_model_len": 4096,
            "engine_version": "0.32.0",
        }
    ]
    told = agent("status").stdout + agent("hello").stdout + agent("logs").stdout
    assert "sk-secret" not in told + agent.run().journal.read_text()


def test_a_failed_task_ends_the_run_with_its_code_and_the_end_of_its_log(agent: Any) -> None:
    agent.start("fails")
    events = agent.watch()
    failed = events[-2]
    assert (failed["kind"], failed["code"], failed["task"]) == (
        "failed",
        "model.not-found",
        "serve",
    )
    assert (failed["model"], failed["detail"]) == ("a/b", "no such model")
    assert failed["last_lines"] == ["the last thing that was tried, with ***"]
    assert events[-1] == {"kind": "end", "reason": "failed"}
    status = agent.status()
    assert (status["state"], status["code"]) == ("failed", "model.not-found")


def test_a_mistake_of_ours_is_told_as_one(agent: Any) -> None:
    agent.start("stumbles")
    failed = agent.story()[-1]
    assert (failed["code"], failed["task"]) == ("run.bug", "serve")
    assert failed["detail"] == "KeyError: 'nobody left this'"
    assert failed["last_lines"][0].startswith("Traceback")
    assert "nobody left this" in failed["last_lines"][-1]


def test_a_graph_that_leaves_no_endpoint_is_a_mistake_of_ours(agent: Any) -> None:
    agent.start("forgets")
    assert agent.story()[-1]["code"] == "run.bug"


def test_a_killed_supervisor_is_a_lost_run(agent: Any) -> None:
    agent.start("spins")
    agent.wait_for("working")
    with agent.open("watch", "--after", "0") as watch:
        os.kill(agent.supervisor(), signal.SIGKILL)
        lines = watch.stdout.read().splitlines()
    assert json.loads(lines[-1]) == {"kind": "end", "reason": "lost"}
    assert agent.status()["state"] == "lost"
    assert agent("endpoint").status == 73


def test_the_supervisor_ignores_a_hangup(agent: Any, eventually: Callable[..., None]) -> None:
    agent.start()
    agent.wait_for("ready")
    supervisor = agent.supervisor()
    os.kill(supervisor, signal.SIGHUP)
    agent.crash()
    # It lived on to see it.
    eventually(lambda: "restarting" in agent.run().journal.read_text(encoding="utf-8"))


def events_of(agent: Any) -> list[dict[str, Any]]:
    path: Path = agent.run().journal
    return [json.loads(line) for line in path.read_text().splitlines()]
