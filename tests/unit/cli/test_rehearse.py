"""How a rehearsal ends: stopped after an error, left working after Ctrl-C, honest about both."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from desktop.cli import rehearse
from desktop.cli.commands import run
from desktop.cli.events import EventQueue
from desktop.cli.output import JsonLines
from desktop.core.errors import HostUnreachable, ReplyFailed
from desktop.core.events import PhaseChanged
from desktop.core.phases import Phase


class StandIn:
    """A rehearsal of nothing."""

    scripted_reason = ""

    def __init__(self, *_: object) -> None: ...
    def __enter__(self) -> StandIn:
        return self

    def __exit__(self, *_: object) -> None: ...
    def wishes(self) -> None: ...


@pytest.fixture
def stops(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Stand in for everything around the end of a rehearsal; returns the stops asked for."""
    stops: list[str] = []

    @contextmanager
    def opened(*_: object) -> Iterator[None]:
        yield

    def stop(*_: object) -> bool:
        stops.append("stop")
        return True

    monkeypatch.setattr(rehearse, "Rehearsal", StandIn)
    monkeypatch.setattr(rehearse, "opened_session", opened)
    monkeypatch.setattr(rehearse, "_ask_to_stop", stop)
    return stops


def failing_with(error: BaseException) -> Any:
    def until_ready(*_: object) -> None:
        raise error

    return until_ready


def test_an_error_stops_what_has_begun(
    stops: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(rehearse, "until_ready", failing_with(ReplyFailed("reply-cut")))
    assert run(["rehearse", "--terminal"]) == 71
    assert stops == ["stop"]
    assert capsys.readouterr().err


def test_an_error_with_keep_leaves_it(stops: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rehearse, "until_ready", failing_with(ReplyFailed("reply-cut")))
    assert run(["rehearse", "--terminal", "--keep"]) == 71
    assert stops == []


def test_ctrl_c_leaves_it_working_and_says_how_to_stop_it(
    stops: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(rehearse, "until_ready", failing_with(KeyboardInterrupt()))
    assert run(["rehearse", "--terminal"]) == 130
    assert stops == []
    assert "paperkite rehearse --down" in capsys.readouterr().err.splitlines()[-1]


class UnstoppableSession:
    """A session whose stop does not work."""

    def __init__(self, events: EventQueue) -> None:
        self._events = events

    def stop(self) -> None:
        self._events.put(PhaseChanged(Phase.STOPPING))
        self._events.put(PhaseChanged(Phase.FAILED, HostUnreachable("host-refused")))


def test_a_stop_that_fails_is_no_success() -> None:
    events = EventQueue()
    with pytest.raises(HostUnreachable):
        rehearse.until_stopped(UnstoppableSession(events), events, JsonLines("en"))  # type: ignore[arg-type]
