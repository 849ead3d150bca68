"""What real sessions come to in the diary: the two know each other by events alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from desktop.core.diary import fold
from desktop.core.diary.entry import About, Entry
from desktop.core.errors import ConnectionLost
from desktop.core.events import Fact, Sample
from desktop.core.phases import Phase
from desktop.core.session.session import Session
from tests.helpers.story import READY, STOPPED, WORK, FakeHost, Heard, living

NAMED = {"kind": "run", "run": "r1", "model": "a/b", "seq": 1}
T = 1_795_435_200.0


def sample(tokens: int) -> dict[str, Any]:
    return {"kind": "sample", "gpus": [], "running": 0, "waiting": 0, "generation_tokens": tokens}


def entered(heard: Heard) -> Entry:
    """Return the entry of everything that was told, a second between two events."""
    entry = fold.begun("e", "box", About("a/b", 3.6, "CNY"), T)
    assert fold.begins(heard.events[0])
    for seconds, event in enumerate(heard.events):
        assert entry.is_open
        entry = fold.after(entry, event, T + seconds)
    return entry


def test_a_session_from_click_to_stop_is_one_closed_entry(
    begin: Callable[..., Session], heard: Heard
) -> None:
    host = FakeHost([NAMED, *WORK, READY, sample(5), sample(47), "until stopped", STOPPED])
    session = begin(host)
    heard.wait_for(lambda event: isinstance(event, Sample) and event.generation_tokens == 47)
    session.stop()
    heard.phase(Phase.OFF)
    entry = entered(heard)
    assert (entry.because, entry.generated, entry.model) == ("asked", 47, "a/b")
    assert Fact("run", "r1") in heard.events
    assert entry.ended == T + len(heard.events) - 1
    assert 0 < entry.rented_s() < len(heard.events)


def test_a_connection_that_came_back_is_in_the_same_entry(
    begin: Callable[..., Session], heard: Heard
) -> None:
    host = FakeHost(
        [NAMED, *WORK, READY, sample(5), ConnectionLost("connection-lost")],
        [sample(900), "until stopped", STOPPED],
        run=living(),
    )
    session = begin(host)
    heard.wait_for(lambda event: isinstance(event, Sample) and event.generation_tokens == 900)
    session.stop()
    heard.phase(Phase.OFF)
    assert entered(heard).generated == 900


def test_a_run_that_vanished_ends_when_it_was_seen_last(
    begin: Callable[..., Session], heard: Heard
) -> None:
    host = FakeHost(
        [NAMED, *WORK, READY, sample(5), ConnectionLost("connection-lost")],
        [{"kind": "end", "reason": "lost"}],
        run=living("lost"),
    )
    begin(host)
    heard.phase(Phase.FAILED)
    entry = entered(heard)
    assert (entry.because, entry.code) == ("lost", "run-lost")


def test_a_failed_run_has_its_cause(begin: Callable[..., Session], heard: Heard) -> None:
    failed = {"kind": "failed", "seq": 5, "code": "engine.out-of-memory"}
    begin(FakeHost([NAMED, *WORK, failed, {"kind": "end", "reason": "failed"}]))
    heard.phase(Phase.FAILED)
    entry = entered(heard)
    assert (entry.because, entry.code, entry.ready) == ("failed", "engine.out-of-memory", None)
