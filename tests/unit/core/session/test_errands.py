"""One verb for a host beside its story: its own connection, its own end."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any, cast

import pytest

from desktop.core.agent.answers import Cleaned
from desktop.core.agent.client import Agent
from desktop.core.errors import AgentRefused, Cancelled, HostUnreachable
from desktop.core.events import LogLine, SessionEvent, Tidied, Tidying
from desktop.core.session.errands import Errands
from desktop.core.session.log_stream import LogStream
from desktop.core.ssh.attempt import Attempt
from desktop.core.ssh.connection import Connection
from tests.helpers.waiting import until


class Host:
    """What is dialled, and what its agent answers."""

    def __init__(self, answer: Any = None, failure: Exception | None = None) -> None:
        self.answer, self.failure = answer, failure
        self.attempts: list[Attempt] = []
        self.closed = threading.Event()
        self.hangs = False

    def dial(self, attempt: Attempt) -> Connection:
        self.attempts.append(attempt)
        if self.failure is not None:
            raise self.failure
        if self.hangs:
            given_up = threading.Event()
            with attempt.abandon.by(given_up.set):
                assert given_up.wait(10)
            raise Cancelled
        return cast("Connection", self)

    def deploy(self, _connection: Connection) -> Agent:
        return cast("Agent", self)

    def clean(self) -> Cleaned:
        if isinstance(self.answer, Exception):
            raise self.answer
        return cast("Cleaned", self.answer)

    def logs(self, *, lines: int) -> Iterator[dict[str, str]]:
        assert lines
        yield {"kind": "log", "task": "engine", "line": "the end"}

    def cut(self) -> None:
        self.closed.set()

    close = cut


@pytest.fixture
def heard() -> list[SessionEvent]:
    return []


def errands(host: Host, heard: list[SessionEvent]) -> Errands:
    return Errands(cast("Any", host.dial), host.deploy, heard.append)


def test_room_is_made_and_told(heard: list[SessionEvent]) -> None:
    host = Host(Cleaned(bytes=12_300_000_000, files=14))
    errands(host, heard).tidy()
    until(lambda: len(heard) == 2, 10)
    assert heard == [Tidying(), Tidied(12_300_000_000, 14)]
    assert host.closed.wait(10)
    assert not host.attempts[0].quiet, "a password may have to be typed"


@pytest.mark.parametrize("where", ["dialling", "cleaning"])
def test_why_nothing_was_removed_is_told(heard: list[SessionEvent], where: str) -> None:
    error = AgentRefused("run.alive", run="r1")
    host = Host(failure=HostUnreachable("host-silent")) if where == "dialling" else Host(error)
    errands(host, heard).tidy()
    until(lambda: len(heard) == 2, 10)
    assert heard[1] == Tidied(error=host.failure or error)


def test_the_log_is_fetched_without_asking_anybody(heard: list[SessionEvent]) -> None:
    host, log = Host(), LogStream(heard.append)
    errands(host, heard).fetch_log(log)
    until(lambda: log.lines == (LogLine("engine", "the end"),), 10)
    assert host.attempts[0].quiet


def test_one_at_a_time_and_closing_gives_it_up(heard: list[SessionEvent]) -> None:
    host = Host()
    host.hangs = True
    made = errands(host, heard)
    made.tidy()
    made.tidy()
    until(lambda: len(host.attempts) == 1, 10)
    made.close()
    assert heard == [Tidying()]
    made.tidy()
    assert len(host.attempts) == 1


def test_room_is_made_though_a_log_is_being_fetched(heard: list[SessionEvent]) -> None:
    host = Host(Cleaned(bytes=1, files=1))
    is_dialling, may_go_on = threading.Event(), threading.Event()
    dial = host.dial

    def slow(attempt: Attempt) -> Connection:
        is_dialling.set()
        assert may_go_on.wait(10)
        return dial(attempt)

    made = Errands(cast("Any", slow), host.deploy, heard.append)
    made.fetch_log(LogStream(heard.append))
    assert is_dialling.wait(10)
    made.tidy()
    may_go_on.set()
    until(lambda: Tidied(1, 1) in heard, 10)
    assert len(host.attempts) == 2
    made.close()
