from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from remote import lease, runs, wire
from remote.__main__ import main
from remote.task import Task


def test_watch_resumes_after_the_cursor(agent: Any) -> None:
    agent.start("fails")
    everything = agent.watch()
    assert agent.watch(5) == everything[5:]
    assert agent.watch(len(everything) - 1) == [{"kind": "end", "reason": "failed"}]


def test_watch_of_a_named_run_tells_of_that_run(agent: Any) -> None:
    old = agent.start("fails").lines[0]["run"]
    agent.story()
    runs.publish(runs.create(agent.runs, {}))
    assert agent.watch(0, "--run", old)[0]["run"] == old


@pytest.mark.parametrize("run", ["20260101000000000-abcd", "../../etc", ""])
def test_watch_of_nothing_says_so(agent: Any, run: str) -> None:
    answer = agent("watch", "--after", "0", "--run", run)
    assert answer.lines == [{"kind": "end", "reason": "nothing-running"}]
    assert answer.status == wire.EXIT_NOTHING_RUNNING


def test_watch_ends_when_the_laptop_is_gone(agent: Any) -> None:
    agent.start("spins")
    with agent.open("watch", "--after", "0") as watch:
        assert watch.stdout.readline() + watch.stdout.readline() == f"\n{wire.MARKER}\n"
        watch.stdin.close()
        lines = watch.stdout.read().splitlines()
    assert watch.returncode == 0
    assert "end" not in [json.loads(line)["kind"] for line in lines]
    assert agent.status()["state"] == "working"


def test_watch_ends_quietly_when_nobody_reads(agent: Any) -> None:
    agent.start()
    agent.wait_for("ready")
    reader, writer = os.pipe()
    os.close(reader)
    done = agent_to(agent, writer, "watch", "--after", "0")
    os.close(writer)
    assert done == (0, b"")
    assert agent.status()["state"] == "ready"


def test_watch_shows_an_event_when_it_happens(agent: Any) -> None:
    agent.start()
    agent.wait_for("ready")
    with agent.open("watch", "--after", "0") as watch:
        while '"ready"' not in watch.stdout.readline():
            pass
        agent.crash()
        assert json.loads(watch.stdout.readline())["kind"] == "restarting"
        agent("stop")
        assert json.loads(watch.stdout.read().splitlines()[-1]) == {
            "kind": "end",
            "reason": "stopped",
        }
    assert watch.returncode == 0


def test_only_what_the_laptop_says_renews_the_lease_while_it_watches(
    agent: Any, eventually: Callable[..., None]
) -> None:
    agent.start("spins")
    run = agent.run()
    with agent.open("watch", "--after", "0") as watch:
        while '"run"' not in watch.stdout.readline():
            pass
        os.utime(str(run.lease), (5, 5))
        while '"keepalive"' not in watch.stdout.readline():  # it is being watched meanwhile
            pass
        assert lease.stamp(run.lease) == 5_000_000_000
        watch.stdin.write("\n")
        watch.stdin.flush()
        eventually(lambda: lease.stamp(run.lease) != 5_000_000_000)
        watch.stdin.close()
        watch.stdout.read()


@pytest.mark.parametrize("verb", ["hello", "status", "endpoint", "logs", "doctor", "stop"])
def test_every_verb_is_a_laptop_in_sight(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO()))
    run = runs.publish(runs.create(runs.runs_folder(), {}))
    os.utime(str(run.lease), (5, 5))
    main([verb], [Task("preflight", (), lambda _: False)])
    assert lease.stamp(run.lease) != 5_000_000_000


def agent_to(agent: Any, stdout: int, *arguments: str) -> tuple[int, bytes]:
    done = subprocess.run(
        agent.command("serves", *arguments),
        stdin=subprocess.PIPE,
        stdout=stdout,
        stderr=subprocess.PIPE,
        env=agent.environment(),
        timeout=20,
        check=False,
    )
    return done.returncode, done.stderr
