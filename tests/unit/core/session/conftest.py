"""A session over stand-ins, and what it has told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from desktop.core.session import endpoint
from desktop.core.session import session as story
from desktop.core.session.session import Session
from desktop.core.session.wishes import Wishes
from tests.helpers.story import WISHES, FakeForward, FakeHost, Heard, dialling


@pytest.fixture(autouse=True)
def forward(monkeypatch: pytest.MonkeyPatch) -> FakeForward:
    """Give the only forward; there are no sockets here."""
    forward = FakeForward()
    monkeypatch.setattr(endpoint, "open_forward", lambda *_ports: forward)
    monkeypatch.setattr(story, "random", SimpleNamespace(random=lambda: 0.5))
    monkeypatch.setattr(story, "await_answer", lambda _endpoint, is_moot: not is_moot())
    return forward


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def begin(heard: Heard) -> Iterator[Callable[..., Session]]:
    sessions: list[Session] = []

    def make(
        host: FakeHost,
        *dials: Exception | Callable[[], None] | None,
        wishes: Wishes = WISHES,
        **options: Any,
    ) -> Session:
        session = Session(wishes, heard, dialling(*dials), host.deploy, **options)
        sessions.append(session)
        session.start()
        return session

    yield make
    for session in sessions:
        session.close()
