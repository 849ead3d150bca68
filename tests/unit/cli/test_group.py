"""`up GROUP`: all hosts at once, ready when the head is, and who failed is said."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from desktop.cli import group as module
from desktop.cli.commands import run
from desktop.cli.events import EventQueue
from desktop.core.errors import AgentRefused, AppError
from desktop.core.events import Endpoint, Ready
from desktop.core.paths import paths
from desktop.core.session.wishes import Wishes

ENDPOINT = Endpoint("http://127.0.0.1:8000/v1", "k", "a/b", 2048, "r", "0.32.0")


class Rehearsed:
    """Stands in for the head's session and the members: one of them fails, or the head is ready."""

    def __init__(self) -> None:
        self.head: Wishes | None = None
        self.members: list[Wishes] = []
        self.closed: list[str] = []
        self.failing: str = ""
        self.events: EventQueue | None = None

    def start(self) -> None:
        assert self.events is not None
        if not self.failing:
            self.events.put(Ready(ENDPOINT))

    @contextmanager
    def opened_session(
        self, _call: object, wished: Wishes, events: EventQueue
    ) -> Iterator[Rehearsed]:
        self.head, self.events = wished, events
        yield self
        self.closed.append("head")

    def member(self, wished: Wishes, _dial: object) -> Member:
        self.members.append(wished)
        return Member(self, wished)


class Member:
    """One of the others."""

    def __init__(self, story: Rehearsed, wishes: Wishes) -> None:
        self.wishes = wishes
        self.error: AppError | None = None
        self._story = story

    def start(self, on_failure: Callable[[AppError], None]) -> None:
        if self.wishes.destination.host == self._story.failing:
            self.error = AgentRefused("model.not-found", model="a/b", hub="h", revision="r")
            on_failure(self.error)

    def close(self) -> None:
        self._story.closed.append(self.wishes.destination.host)


@pytest.fixture
def story(monkeypatch: pytest.MonkeyPatch) -> Rehearsed:
    found = Rehearsed()
    monkeypatch.setattr(module, "opened_session", found.opened_session)
    monkeypatch.setattr(module, "Member", found.member)
    hosts = '["root@a:1", "root@b:2", "root@c:3"]'
    text = f'[groups.three]\nhosts = {hosts}\nhead_address = "10.0.0.1"\n'
    paths().ensure().settings.write_text(text, encoding="utf-8")
    return found


def test_every_host_starts_and_the_head_is_waited_for(story: Rehearsed) -> None:
    assert run(["up", "three", "-m", "a/b", "--json"]) == 0
    assert story.head is not None
    places = [(each.destination.host, each.node_rank) for each in (story.head, *story.members)]
    assert places == [("a", 0), ("b", 1), ("c", 2)]
    assert {each.model for each in story.members} == {"a/b"}
    assert sorted(story.closed) == ["b", "c", "head"]


def test_the_host_that_failed_is_named(
    story: Rehearsed, capsys: pytest.CaptureFixture[str]
) -> None:
    story.failing = "c"
    assert run(["up", "three", "--lang", "en"]) == 70
    assert "It failed on root@c:3." in capsys.readouterr().err
