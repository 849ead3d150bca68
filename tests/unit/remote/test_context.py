from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from remote.children import Children
from remote.context import RunContext, Shared, TaskLog, Thinned
from remote.disclosure import Disclosure
from remote.journal import Follower, Journal
from remote.runs import Run
from remote.spec import Spec
from remote.task import Cancelled

KEY = "sk-secret-of-the-test"


@pytest.fixture
def shared(tmp_path: Path) -> Iterator[Shared]:
    run = Run(tmp_path / "20260101000000000-ctxt")
    run.logs.mkdir(parents=True)
    journal, children = Journal(run.journal), Children(run.id)
    spec = Spec(model="a/b", api_key=KEY)
    yield Shared(run, spec, {}, threading.Event(), journal, children, Disclosure([KEY]))
    children.end_all(0)
    journal.close()


@pytest.fixture
def context(shared: Shared) -> Iterator[RunContext]:
    context = RunContext("model-files", shared)
    yield context
    context.close()


def told(shared: Shared) -> list[dict[str, Any]]:
    return [json.loads(line) for line in Follower(shared.run.journal).read()]


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_facts_are_shared_and_private_ones_stay_out_of_the_journal(
    context: RunContext, shared: Shared
) -> None:
    context.fact("model.bytes", 12)
    context.fact("engine.argv", ["x"], private=True)
    assert RunContext("serve", shared).facts == {"model.bytes": 12, "engine.argv": ["x"]}
    assert [(e["name"], e["value"]) for e in told(shared)] == [("model.bytes", 12)]


def test_a_fact_that_is_no_json_becomes_text_and_loses_secrets(
    context: RunContext, shared: Shared
) -> None:
    context.fact("odd", {"path": Path("/x"), "bad": float("nan"), "key": "is " + KEY, 1: (1, 2)})
    expected = {"path": "/x", "bad": None, "key": "is ***", "1": [1, 2]}
    assert told(shared)[0]["value"] == expected


def test_a_burst_of_progress_is_thinned_and_its_last_one_kept(
    context: RunContext, shared: Shared
) -> None:
    for done in range(1000):
        context.progress(done, 999, "bytes", "fetch", rate=float("inf"))
    context.close()
    events = told(shared)
    assert len(events) <= 3
    assert events[0]["done"] == 0
    assert {"done": 999, "total": 999, "rate": None, "step": "fetch"}.items() <= events[-1].items()
    assert {event["task"] for event in events} == {"model-files"}


def test_the_last_progress_is_written_without_another_call() -> None:
    written: list[Any] = []
    arrived = threading.Event()

    def write(event: Any) -> None:
        written.append(event)
        if event == {"done": 2}:
            arrived.set()

    thinned = Thinned(write, seconds=0.05)
    thinned.put({"done": 1})
    thinned.put({"done": 2})
    assert arrived.wait(10)
    thinned.close()
    assert written == [{"done": 1}, {"done": 2}]


def test_progress_passes_again_when_its_time_has_come() -> None:
    clock, written = Clock(), []
    thinned = Thinned(written.append, seconds=60, clock=clock)
    for now, done in ((0, 1), (1, 2), (59, 3), (60, 4), (61, 5)):
        clock.now = now
        thinned.put({"done": done})
    assert written == [{"done": 1}, {"done": 4}]
    thinned.close()
    assert written[-1] == {"done": 5}


def test_a_childs_output_goes_to_the_log_without_secrets(
    context: RunContext, shared: Shared
) -> None:
    lines: list[str] = []
    status, last = context.run(["sh", "-c", "echo $KEY; pwd"], {"KEY": KEY}, lines.append, cwd="/")
    assert (status, last) == (0, ["***", "/"])
    assert lines == [KEY, "/"]
    assert shared.run.log("model-files").read_text() == "***\n/\n"


def test_nothing_is_started_in_a_run_that_is_being_stopped(
    context: RunContext, shared: Shared
) -> None:
    shared.cancelled.set()
    with pytest.raises(Cancelled):
        context.run(["true"])
    with pytest.raises(Cancelled):
        context.spawn(["true"], {}, "engine.log")


def test_a_spawned_child_writes_to_a_log_of_the_run(
    context: RunContext, shared: Shared, eventually: Callable[..., None]
) -> None:
    child = context.spawn(["sh", "-c", "echo $WORD; exit 5"], {"WORD": "hello"}, "engine.log")
    assert child.log_path == str(shared.run.logs / "engine.log")
    eventually(lambda: child.poll() == 5)
    assert Path(child.log_path).read_text() == "hello\n"
    assert context.spawned is child


def test_a_log_is_bounded(tmp_path: Path) -> None:
    log = TaskLog(tmp_path / "a.log", max_bytes=100)
    for number in range(50):
        log.write(f"line {number}")
    log.close()
    assert (tmp_path / "a.log").read_text().endswith("line 49\n")
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 200


def test_a_log_on_a_full_disk_is_silent() -> None:
    log = TaskLog(Path("/dev/full"))
    log.write("nobody will read this")
    log.close()
