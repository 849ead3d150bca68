"""What is worth a notification, and what is not."""

import pytest

from desktop.core.errors import ConnectionLost
from desktop.core.events import Ended, Event, PhaseChanged, Surveying, TaskChanged
from desktop.core.notices import News, Watch, follow
from desktop.core.phases import Phase

LOST = ConnectionLost("connection-lost", host="host")
TO_READY = [
    PhaseChanged(phase) for phase in (Phase.CONNECTING, Phase.CHECKING, Phase.LOADING, Phase.READY)
]


def news(*script: tuple[float, Event]) -> list[News]:
    watch, told = Watch(), []
    for now, event in script:
        watch, found = follow(watch, event, now)
        told += [found] if found else []
    return told


def test_a_host_that_becomes_ready_is_told_once() -> None:
    assert news(*((0.0, event) for event in [*TO_READY, TO_READY[-1]])) == [News("ready")]


@pytest.mark.parametrize(("outage", "told"), [(5.0, []), (90.0, [News("back")])])
def test_a_connection_that_is_back_is_told_after_a_long_outage(
    outage: float, told: list[News]
) -> None:
    script: list[tuple[float, Event]] = [(0.0, event) for event in TO_READY]
    script += [(10.0, PhaseChanged(Phase.RECONNECTING, LOST)), (11.0, TaskChanged("connect", "x"))]
    script += [(10.0 + outage, PhaseChanged(Phase.READY))]
    assert news(*script)[1:] == told


def test_a_failure_brings_its_cause() -> None:
    assert news((0.0, PhaseChanged(Phase.FAILED, LOST))) == [News("failed", LOST)]


@pytest.mark.parametrize(("because", "count"), [("idle", 1), ("lease", 1), ("asked", 0), ("", 0)])
def test_only_what_nobody_asked_for_is_told_as_an_end(because: str, count: int) -> None:
    assert len(news((0.0, Ended("stopped", because)))) == count


def test_a_look_that_fails_is_no_news_and_a_start_after_it_is() -> None:
    failed = PhaseChanged(Phase.FAILED, LOST)
    look = [(0.0, PhaseChanged(Phase.CONNECTING)), (0.0, Surveying()), (9.0, failed)]
    assert news(*look) == []
    assert news(*look, (60.0, PhaseChanged(Phase.CONNECTING)), (70.0, failed)) == [
        News("failed", LOST)
    ]
