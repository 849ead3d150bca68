"""The log is followed while somebody looks, over whatever connection there is, and ends with it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from itertools import count
from queue import Queue
from typing import Any, cast

import pytest

from desktop.core.agent.client import Agent
from desktop.core.errors import ConnectionLost, NothingRunning
from desktop.core.events import Logged, LogLine, SessionEvent
from desktop.core.session import log_stream
from desktop.core.session.log_stream import LogStream
from desktop.core.ssh.attempt import Abandon
from tests.helpers.waiting import until

SECONDS = 10.0


class Host:
    """An agent whose log a test writes; None ends it, an exception is raised."""

    def __init__(self) -> None:
        self.lines: Queue[Any] = Queue()
        self.asked: list[tuple[int, bool]] = []
        self.ended = threading.Event()

    def logs(
        self, *, lines: int, follow: bool = False, abandon: Abandon | None = None
    ) -> Iterator[dict[str, str]]:
        self.asked.append((lines, follow))
        try:
            with (abandon or Abandon()).by(lambda: self.lines.put(ConnectionLost("closed"))):
                while (line := self.lines.get(timeout=SECONDS)) is not None:
                    if isinstance(line, Exception):
                        raise line
                    yield {"kind": "log", "task": "engine", "line": line}
        finally:
            self.ended.set()

    @property
    def agent(self) -> Agent:
        return cast("Agent", self)


@pytest.fixture
def heard() -> list[SessionEvent]:
    return []


@pytest.fixture
def stream(heard: list[SessionEvent]) -> Iterator[LogStream]:
    made = LogStream(heard.append)
    yield made
    made.close()


def wait(condition: Callable[[], bool]) -> None:
    until(condition, SECONDS)


def lines(*texts: str) -> tuple[LogLine, ...]:
    return tuple(LogLine("engine", text) for text in texts)


def test_nothing_is_asked_before_somebody_looks(stream: LogStream) -> None:
    host = Host()
    stream.attach(host.agent)
    stream.detach()
    assert host.asked == []


def test_lines_come_as_they_are_written(stream: LogStream, heard: list[SessionEvent]) -> None:
    host = Host()
    stream.attach(host.agent)
    stream.follow(wanted=True)
    host.lines.put("one")
    host.lines.put("two")
    wait(lambda: stream.lines == lines("one", "two"))
    wait(lambda: len(heard) == 3)
    assert heard == [
        Logged((), anew=True, live=True),
        Logged(lines("one"), anew=True),
        Logged(lines("two")),
    ]
    assert host.asked == [(log_stream.FIRST_LINES, True)]


def test_who_looks_no_more_ends_the_verb(stream: LogStream, heard: list[SessionEvent]) -> None:
    host = Host()
    stream.attach(host.agent)
    stream.follow(wanted=True)
    wait(lambda: bool(host.asked))
    stream.follow(wanted=False)
    assert host.ended.wait(SECONDS)
    assert heard == [Logged((), anew=True, live=True)]


def test_a_lost_connection_leaves_the_last_lines_and_the_next_begins_anew(
    stream: LogStream, heard: list[SessionEvent]
) -> None:
    first, second = Host(), Host()
    stream.follow(wanted=True)
    stream.attach(first.agent)
    first.lines.put("before")
    wait(lambda: stream.lines == lines("before"))
    first.lines.put(ConnectionLost("connection-lost"))
    wait(lambda: heard[-1] == Logged((), live=False))
    stream.detach()
    assert stream.lines == lines("before")
    stream.attach(second.agent)
    second.lines.put("before")
    second.lines.put("after")
    wait(lambda: stream.lines == lines("before", "after"))
    assert Logged(lines("before"), anew=True) in heard[3:]


def test_who_looks_without_a_connection_sees_what_is_known(
    stream: LogStream, heard: list[SessionEvent]
) -> None:
    stream.take({"kind": "log", "task": "engine", "line": str(n)} for n in range(3))
    stream.follow(wanted=True)
    assert heard[-1] == Logged(lines("0", "1", "2"), anew=True, live=False)


def test_without_a_run_there_is_nothing_to_follow(
    stream: LogStream, heard: list[SessionEvent]
) -> None:
    host = Host()
    stream.follow(wanted=True)
    stream.attach(host.agent)
    host.lines.put(NothingRunning("nothing-running"))
    wait(lambda: heard[-1] == Logged((), live=False))


def test_it_keeps_no_more_than_the_last_lines(stream: LogStream) -> None:
    host = Host()
    stream.follow(wanted=True)
    stream.attach(host.agent)
    for number in range(log_stream.MOST_LINES + 10):
        host.lines.put(str(number))
    wait(lambda: len(stream.lines) == log_stream.MOST_LINES)
    wait(lambda: stream.lines[-1].text == str(log_stream.MOST_LINES + 9))
    assert stream.lines[0].text == "10"


def test_what_is_no_log_line_is_passed_over(stream: LogStream) -> None:
    stream.take([{"kind": "log", "task": 7, "line": "x"}, {"kind": "keepalive"}, {"kind": "log"}])
    assert stream.lines == ()


def test_what_was_fetched_too_late_does_not_take_the_place_of_what_is_followed(
    stream: LogStream, heard: list[SessionEvent]
) -> None:
    host = Host()
    stream.follow(wanted=True)
    stream.attach(host.agent)
    host.lines.put("now")
    wait(lambda: stream.lines == lines("now"))
    told = len(heard)
    stream.take([{"kind": "log", "task": "engine", "line": "long ago"}])
    assert stream.lines == lines("now")
    assert len(heard) <= told + 1


def test_who_looks_away_and_back_hears_one_stream_and_not_that_it_ended(
    stream: LogStream, heard: list[SessionEvent]
) -> None:
    first, second = Host(), Host()
    is_late, may_end = threading.Event(), threading.Event()

    def late(**_how: Any) -> Iterator[dict[str, str]]:
        yield {"kind": "log", "task": "engine", "line": "first"}
        is_late.set()
        assert may_end.wait(SECONDS)
        yield {"kind": "log", "task": "engine", "line": "too late"}

    first.logs = late  # type: ignore[method-assign]
    stream.attach(first.agent)
    stream.follow(wanted=True)
    assert is_late.wait(SECONDS)
    stream.follow(wanted=False)
    (reader,) = stream._threads
    stream.attach(second.agent)
    stream.follow(wanted=True)
    told = len(heard)
    may_end.set()
    reader.join(SECONDS)
    assert heard[told:] == []
    second.lines.put("second")
    wait(lambda: stream.lines == lines("second"))


def test_a_host_that_sends_lines_for_ever_is_heard_no_further_than_that(stream: LogStream) -> None:
    stream.take({"kind": "log", "task": "engine", "line": str(n)} for n in count())
    assert len(stream.lines) == log_stream.MOST_LINES
