from __future__ import annotations

import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any

import pytest

from remote import wire
from remote.graph import Finished, Walk, check, startable, state_after
from remote.task import Cancelled, Task, TaskFailed


def nothing(_: Any) -> bool:
    return False


DIAMOND = (
    Task("preflight", (), nothing),
    Task("engine", ("preflight",), nothing),
    Task("model", ("preflight",), nothing),
    Task("serve", ("engine", "model"), nothing),
)


class Told:
    """A walk with its books open: what changed, in order."""

    def __init__(self, perform: Callable[[Task], bool], graph: tuple[Task, ...] = DIAMOND) -> None:
        self.inbox: SimpleQueue[Finished] = SimpleQueue()
        self.cancelled = threading.Event()
        self.changes: list[tuple[str, str]] = []
        self.walk = Walk(
            graph, perform, lambda *change: self.changes.append(change), self.inbox, self.cancelled
        )

    def to_the_end(self) -> Walk:
        self.walk.begin()
        while not self.walk.over:
            self.walk.finished(self.inbox.get(timeout=10))
        return self.walk


def test_only_tasks_whose_needs_are_met_may_start() -> None:
    states = dict.fromkeys(("preflight", "engine", "model", "serve"), wire.WAITING)
    assert [task.name for task in startable(DIAMOND, states)] == ["preflight"]
    states["preflight"] = wire.DONE
    assert [task.name for task in startable(DIAMOND, states)] == ["engine", "model"]
    states.update(engine=wire.SKIPPED, model=wire.RUNNING)
    assert startable(DIAMOND, states) == []
    states["model"] = wire.SKIPPED
    assert [task.name for task in startable(DIAMOND, states)] == ["serve"]


@pytest.mark.parametrize(
    ("outcome", "cancelled", "state"),
    [
        (False, False, wire.DONE),
        (True, False, wire.SKIPPED),
        (TaskFailed("x"), False, wire.FAILED),
        (Cancelled(), False, wire.CANCELLED),
        (OSError(), True, wire.CANCELLED),
        (False, True, wire.DONE),
    ],
)
def test_the_state_follows_from_the_outcome(outcome: Any, cancelled: bool, state: str) -> None:
    assert state_after(outcome, cancelled) == state


def test_two_branches_run_side_by_side() -> None:
    both = threading.Barrier(2, timeout=10)

    def perform(task: Task) -> bool:
        if task.name in ("engine", "model"):
            both.wait()  # only passes when the other one runs too
        return task.name == "model"

    told = Told(perform)
    assert told.to_the_end().failure is None
    assert told.walk.states == {
        "preflight": wire.DONE,
        "engine": wire.DONE,
        "model": wire.SKIPPED,
        "serve": wire.DONE,
    }


def test_one_failure_cancels_the_rest() -> None:
    def perform(task: Task) -> bool:
        if task.name == "engine":
            raise TaskFailed("environment.install-failed")
        if task.name == "model":
            told.cancelled.wait(10)
            raise OSError("its child was ended")
        return False

    told = Told(perform)
    walk = told.to_the_end()
    assert walk.failure is not None
    assert walk.failure.task == "engine"
    assert walk.states["model"] == walk.states["serve"] == wire.CANCELLED
    assert ("serve", wire.RUNNING) not in told.changes


def test_even_an_exit_inside_a_task_is_its_outcome() -> None:
    def perform(_: Task) -> bool:
        raise SystemExit(3)

    walk = Told(perform, DIAMOND[:1]).to_the_end()
    assert walk.failure is not None
    assert isinstance(walk.failure.error, SystemExit)


def test_a_task_that_does_not_look_at_the_clock_is_given_up() -> None:
    release = threading.Event()
    told = Told(lambda _: release.wait(10))
    told.walk.begin()
    told.walk.cancel()
    assert not told.walk.over
    told.walk.give_up()
    assert told.walk.over
    release.set()
    told.walk.finished(told.inbox.get(timeout=10))
    assert told.walk.states["preflight"] == wire.CANCELLED


@pytest.mark.parametrize(
    "graph",
    [
        (Task("a", ("b",), nothing), Task("b", ("a",), nothing)),
        (Task("a", ("nobody",), nothing),),
        (Task("a", (), nothing), Task("a", (), nothing)),
    ],
)
def test_a_graph_that_could_never_end_is_refused(graph: tuple[Task, ...]) -> None:
    with pytest.raises(ValueError, match="task a"):
        check(graph)
