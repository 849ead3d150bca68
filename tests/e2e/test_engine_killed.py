"""An engine that is killed: one restart, ready again at the same place; then a FAILED with why."""

from __future__ import annotations

import os
import signal

from desktop.core.errors import ExitStatus
from remote import wire
from tests.e2e.conftest import Box, MakeBox
from tests.helpers.command import Line, Running, started
from tests.helpers.processes import command_line
from tests.helpers.waiting import until

SLOW = ("--scripted-startup-s", "3")


def engine_of(box: Box) -> int:
    """Return the process of the engine that runs now."""
    found = [pid for pid in box.processes if b"engine.pyz" in command_line(pid)]
    assert len(found) == 1
    return found[0]


def kill_engine(box: Box) -> None:
    os.kill(engine_of(box), signal.SIGKILL)


def readies(running: Running, count: int) -> list[Line]:
    """Wait until the model was ready so many times."""

    def so_many(_: Line) -> bool:
        return len([line for line in running.lines if line["kind"] == "ready"]) >= count

    running.wait_for(so_many)
    return [line for line in running.lines if line["kind"] == "ready"]


def kinds(box: Box) -> list[object]:
    return [event["kind"] for event in box.journal]


def test_a_killed_engine_is_started_again_once_and_then_the_run_has_failed(box: Box) -> None:
    assert box.up().status == 0
    with started("forward", *box.host, "--json") as running:
        readies(running, 1)
        kill_engine(box)
        first, second = readies(running, 2)
        assert (second["base_url"], second["api_key"]) == (first["base_url"], first["api_key"])
        assert box.ask("Are you there again?").status == 0
        kill_engine(box)
        outcome = running.end()
    assert outcome.status == ExitStatus.ENGINE
    assert outcome.error == "engine.killed"
    assert outcome.phases[-4:] == ["ready", "loading", "ready", "failed"]
    assert kinds(box).count("restarting") == 1
    failed = box.journal[-1]
    assert (failed["kind"], failed["task"], failed["exit_status"]) == ("failed", "serve", -9)
    assert failed["last_lines"]
    assert box.processes == []
    status = box.run("status")
    assert status.status == ExitStatus.NOTHING_RUNNING
    assert box.up().status == 0  # and the next one goes on as if nothing had been


def test_an_engine_that_is_killed_with_nobody_there_serves_again(box: Box) -> None:
    assert box.up().status == 0
    kill_engine(box)
    until(lambda: kinds(box).count("ready") == 2)
    assert box.ask("Hello?").status == 0


def test_an_up_while_the_engine_is_started_again_waits_for_it(make_box: MakeBox) -> None:
    box = make_box(*SLOW)
    assert box.up().status == 0
    kill_engine(box)
    until(lambda: "restarting" in kinds(box))
    outcome = box.up()
    assert outcome.status == 0
    assert outcome.only("ready")["run"] == box.journal[0]["run"]
    assert kinds(box).count("ready") == 2


def test_a_stop_while_the_engine_is_started_again_leaves_nothing(make_box: MakeBox) -> None:
    box = make_box(*SLOW)
    assert box.up().status == 0
    kill_engine(box)
    until(lambda: "restarting" in kinds(box))
    assert box.down().status == 0
    assert box.processes == []
    last = box.journal[-1]
    assert (last["kind"], last["reason"]) == ("stopped", wire.ASKED)
