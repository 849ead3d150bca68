"""One reply at a time: shown up to its own end, whatever became of the one before."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from desktop.cli import chat
from desktop.cli.events import EventQueue
from desktop.core.chat.ask import Ask
from desktop.core.chat.turn import Turn
from desktop.core.errors import AppError, HostUnreachable, NothingRunning, ReplyFailed
from desktop.core.events import (
    Delta,
    Endpoint,
    Event,
    PhaseChanged,
    ReplyBroken,
    ReplyDone,
    ReplyStarted,
)
from desktop.core.phases import Phase

ENDPOINT = Endpoint("http://127.0.0.1:8000/v1", "pk-x", "a/b", 2048, "r1", "0.32.0")


class ScriptedReplies:
    """Replies as they are written down: a function from the reply's number to its events."""

    def __init__(self, events: EventQueue, *scripts: Callable[[int], list[Event]]) -> None:
        self._events = events
        self._scripts = list(scripts)
        self.asked: list[list[str]] = []

    def send(self, _endpoint: Endpoint, ask: Ask) -> int:
        self.asked.append([turn.content for turn in ask.turns])
        number = len(self.asked)
        for event in self._scripts[number - 1](number):
            self._events.put(event)
        return number

    def cancel(self, number: int) -> None:
        self._events.put(ReplyDone(number, "cancelled", None, None, None))


class Shown:
    """An output that remembers, and is interrupted where a text says so."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.errors: list[AppError] = []

    def event(self, event: Event) -> None:
        self.events.append(event)
        if isinstance(event, Delta) and event.text == "Ctrl-C here":
            raise KeyboardInterrupt

    def error(self, error: AppError) -> None:
        self.errors.append(error)

    def record(self, kind: str, **fields: Any) -> None: ...
    def say(self, key: str, **facts: object) -> None: ...
    def make_way(self) -> None: ...
    def close(self) -> None: ...


def saying(text: str) -> Callable[[int], list[Event]]:
    return lambda number: [
        ReplyStarted(number),
        Delta(number, text),
        ReplyDone(number, "stop", None, None, None),
    ]


def beginning(text: str) -> Callable[[int], list[Event]]:
    return lambda number: [ReplyStarted(number), Delta(number, text)]


def breaking(code: str) -> Callable[[int], list[Event]]:
    return lambda number: [ReplyBroken(number, ReplyFailed(code))]


def in_phase(phase: Phase, error: AppError | None = None) -> Callable[[int], list[Event]]:
    return lambda _number: [PhaseChanged(phase, error)]


@pytest.fixture
def events() -> EventQueue:
    return EventQueue()


@pytest.fixture
def shown() -> Shown:
    return Shown()


def ask(replies: ScriptedReplies, events: EventQueue, shown: Shown) -> str:
    return chat.ask(replies, ENDPOINT, [Turn("user", "?")], events, shown)  # type: ignore[arg-type]


def test_what_is_left_of_a_cancelled_reply_is_neither_shown_nor_taken_for_the_next(
    events: EventQueue, shown: Shown
) -> None:
    replies = ScriptedReplies(events, lambda _: [], saying("second"))
    replies.send(ENDPOINT, Ask(()))
    late: list[Event] = [Delta(1, "late"), ReplyDone(1, "cancelled", None, None, None)]
    for event in late:
        events.put(event)
    assert ask(replies, events, shown) == "second"
    assert not [event for event in late if event in shown.events]


def test_a_reply_of_another_number_that_breaks_is_not_ours(
    events: EventQueue, shown: Shown
) -> None:
    replies = ScriptedReplies(events, lambda _: [], saying("second"))
    replies.send(ENDPOINT, Ask(()))
    events.put(ReplyBroken(1, ReplyFailed("reply-cut")))
    assert ask(replies, events, shown) == "second"


def test_an_interrupted_reply_is_stopped_and_shown_to_its_end(
    events: EventQueue, shown: Shown
) -> None:
    replies = ScriptedReplies(events, beginning("Ctrl-C here"))
    with pytest.raises(KeyboardInterrupt):
        ask(replies, events, shown)
    assert shown.events[-1] == ReplyDone(1, "cancelled", None, None, None)


@pytest.mark.parametrize(
    ("script", "error"),
    [
        (breaking("reply-too-long"), ReplyFailed),
        (in_phase(Phase.FAILED, HostUnreachable("host-refused")), HostUnreachable),
        (in_phase(Phase.OFF), NothingRunning),
    ],
)
def test_what_ends_a_reply_early_is_raised(
    events: EventQueue,
    shown: Shown,
    script: Callable[[int], list[Event]],
    error: type[AppError],
) -> None:
    with pytest.raises(error):
        ask(ScriptedReplies(events, script), events, shown)


def converse(
    monkeypatch: pytest.MonkeyPatch,
    replies: ScriptedReplies,
    events: EventQueue,
    shown: Shown,
    *lines: str | type[BaseException],
) -> int:
    typed = iter(lines)

    def typed_next(_prompt: str) -> str:
        line = next(typed)
        if isinstance(line, str):
            return line
        raise line

    monkeypatch.setattr("builtins.input", typed_next)
    return chat.converse(replies, ENDPOINT, events, shown)  # type: ignore[arg-type]


def test_a_broken_reply_is_shown_and_forgotten_and_the_chat_goes_on(
    monkeypatch: pytest.MonkeyPatch, events: EventQueue, shown: Shown
) -> None:
    replies = ScriptedReplies(events, saying("1"), breaking("reply-too-long"), saying("3"))
    status = converse(monkeypatch, replies, events, shown, "one", "far too long", "three", EOFError)
    assert status == 0
    assert [error.code for error in shown.errors] == ["reply-too-long"]
    assert replies.asked[-1] == ["one", "1", "three"]


def test_ctrl_c_stops_the_reply_and_then_the_chat(
    monkeypatch: pytest.MonkeyPatch, events: EventQueue, shown: Shown
) -> None:
    replies = ScriptedReplies(events, beginning("Ctrl-C here"), saying("2"))
    status = converse(monkeypatch, replies, events, shown, "one", " ", "two", KeyboardInterrupt)
    assert status == 0
    assert replies.asked == [["one"], ["two"]]


def test_a_session_that_fails_ends_the_chat(
    monkeypatch: pytest.MonkeyPatch, events: EventQueue, shown: Shown
) -> None:
    failing = in_phase(Phase.FAILED, HostUnreachable("host-refused"))
    with pytest.raises(HostUnreachable):
        converse(monkeypatch, ScriptedReplies(events, failing), events, shown, "one")
