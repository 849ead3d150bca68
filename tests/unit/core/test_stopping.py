"""What a stop may offer, and what of it counts as seen."""

from __future__ import annotations

from dataclasses import replace

import pytest

from desktop.core.errors import AgentRefused, AppError, ConnectionLost
from desktop.core.events import (
    Ended,
    Event,
    Fact,
    PhaseChanged,
    PoweringOff,
    Sample,
    Surveyed,
    TaskChanged,
)
from desktop.core.phases import Phase
from desktop.core.stopping import Course, Rung, Seen, Standing, follow, offer, recalled, stands

READY = Standing("box", Phase.READY, is_on=True, address="connect.westb.seetacloud.com")
LOOKS = [PoweringOff(silent, 3) for silent in range(4)]


def rungs(**how: object) -> tuple[Rung, ...]:
    return offer(replace(READY, **how)).rungs  # type: ignore[arg-type]


def test_the_ladder_goes_from_the_reply_to_the_host() -> None:
    assert rungs(replying=True) == (Rung.REPLY, Rung.SERVER, Rung.POWER_OFF)
    assert rungs() == (Rung.SERVER, Rung.POWER_OFF)


@pytest.mark.parametrize(
    ("provider", "address", "safe"),
    [
        ("autodl", "10.0.0.7", True),
        ("gpushare", "", True),
        ("runpod", "connect.westb.seetacloud.com", False),  # the host knows better than its name
        ("", "connect.westb.seetacloud.com", False),  # it bears no provider's mark
        ("another", "connect.westb.seetacloud.com", False),
        (None, "connect.westb.seetacloud.com", True),  # not asked yet: its name has to do
        (None, "ssh5.vast.ai", False),
        (None, "10.0.0.7", False),
    ],
)
def test_power_off_is_offered_only_where_it_is_known_to_end_the_bill(
    provider: str | None, address: str, safe: bool
) -> None:
    found = offer(replace(READY, provider=provider, address=address))
    assert (Rung.POWER_OFF in found.rungs) is safe
    assert (Rung.CONSOLE in found.rungs) is not safe
    assert found.asks is safe


@pytest.mark.parametrize("phase", list(Phase))
def test_a_server_can_be_stopped_in_every_phase_but_off(phase: Phase) -> None:
    assert (Rung.SERVER in rungs(phase=phase)) is (phase is not Phase.OFF)
    assert Rung.POWER_OFF in rungs(phase=phase), "a host that does nothing costs as much"


def test_no_reply_is_offered_where_none_can_stream() -> None:
    assert Rung.REPLY not in rungs(replying=True, phase=Phase.LOADING)


def test_how_a_host_stands_follows_from_what_its_session_says() -> None:
    standing = Standing("box", Phase.OFF)
    for event in (
        PhaseChanged(Phase.CONNECTING),
        TaskChanged("connect", "running"),
        Fact("provider", "autodl"),
        Fact("glibc", "2.35"),
    ):
        standing = stands(standing, event)
    assert (standing.phase, standing.is_on) == (Phase.CONNECTING, False)
    assert standing.provider == "autodl"
    standing = stands(standing, TaskChanged("connect", "done"))
    assert standing.is_on
    assert stands(standing, Ended("stopped", "asked")).is_on, "its server is stopped, and no more"
    assert not stands(standing, Ended("stopped", "asked", powered_off=True)).is_on
    assert stands(standing, Fact("provider", None)).provider == "autodl", "nobody knows better"


def test_a_host_that_was_left_running_is_taken_to_be_on_until_somebody_has_seen_it() -> None:
    left = recalled(Standing("box", Phase.OFF), was_left=True)
    assert (left.is_on, left.was_left) == (True, True)
    assert recalled(left, was_left=False) == Standing("box", Phase.OFF)
    silent = AppError("host-silent")
    for event in (PhaseChanged(Phase.CONNECTING), PhaseChanged(Phase.FAILED, silent)):
        left = stands(left, event)
    assert left.was_left, "that it does not answer tells nothing"
    left = stands(left, TaskChanged("connect", "done"))
    assert left.was_left, "nor does the host itself, yet"
    joined = stands(left, Fact("run", "r1"))
    assert (joined.is_on, joined.was_left) == (True, False)
    assert recalled(joined, was_left=True) == joined, "what was seen counts for more"
    off = stands(left, Ended("stopped", "asked", powered_off=True))
    assert (off.is_on, off.was_left) == (False, False)


@pytest.mark.parametrize(
    ("look", "was_left"),
    [
        (Surveyed({"gpu.0.name": "4090", "run.model": "o/m"}), True),
        (Surveyed({"gpu.0.name": "4090"}), False),
        (Surveyed({"gpu.0.name": "4090"}, AgentRefused("model-too-large")), False),
        (Surveyed({"gpu.0.name": "4090"}, ConnectionLost("connection-lost")), True),
        (Surveyed({}, ConnectionLost("host-silent")), True),
    ],
)
def test_a_look_tells_whether_what_was_left_still_runs(look: Surveyed, was_left: bool) -> None:
    left = Standing("box", Phase.CHECKING, is_on=True, was_left=True, looks=True)
    assert stands(left, look).was_left is was_left


def after(rung: Rung, *events: Event) -> Course:
    course = Course(rung)
    for event in events:
        course = follow(course, event)
    return course


def test_a_stop_is_done_once_the_host_said_so_and_not_before() -> None:
    asked = after(Rung.SERVER, PhaseChanged(Phase.STOPPING))
    assert (asked.server, asked.is_over) == (Seen.RUNNING, False)
    done = follow(asked, Ended("stopped", "asked"))
    assert (done.server, done.is_over) == (Seen.DONE, False)
    over = follow(done, PhaseChanged(Phase.OFF))
    assert (over.server, over.is_good) == (Seen.DONE, True)


def test_a_host_is_off_once_its_port_was_silent_often_enough_and_not_before() -> None:
    going = after(Rung.POWER_OFF, PhaseChanged(Phase.STOPPING), *LOOKS)
    assert (going.server, going.host, going.silent) == (Seen.DONE, Seen.RUNNING, 3)
    off = follow(follow(going, Ended("stopped", "asked", True)), PhaseChanged(Phase.OFF))
    assert (off.host, off.is_good) == (Seen.DONE, True)


def test_a_port_that_speaks_again_begins_the_count_again() -> None:
    assert after(Rung.POWER_OFF, *LOOKS[:3], PoweringOff(0, 3)).silent == 0


def test_a_power_off_that_failed_leaves_a_server_that_was_seen_to_stop() -> None:
    error = AppError("power-off-not-confirmed")
    failed = after(Rung.POWER_OFF, LOOKS[0], Ended("stopped"), PhaseChanged(Phase.FAILED, error))
    assert (failed.server, failed.host, failed.error) == (Seen.DONE, Seen.FAILED, error)
    assert failed.is_over
    assert not failed.is_good


def test_off_without_a_power_off_that_was_seen_is_no_power_off() -> None:
    over = after(Rung.POWER_OFF, Ended("stopped"), PhaseChanged(Phase.OFF))
    assert over.host is Seen.FAILED
    assert not over.is_good


def test_a_stop_that_was_given_up_was_not_seen() -> None:
    error = AppError("stop-unseen")
    given_up = after(Rung.SERVER, PhaseChanged(Phase.FAILED, error))
    assert (given_up.server, given_up.is_good) == (Seen.FAILED, False)


def test_where_nothing_ran_nothing_is_called_stopped() -> None:
    over = after(Rung.SERVER, PhaseChanged(Phase.STOPPING), PhaseChanged(Phase.OFF))
    assert (over.server, over.is_good) == (Seen.NOTHING, True)


def test_a_lost_connection_is_shown_until_the_host_is_back() -> None:
    lost = after(Rung.SERVER, PhaseChanged(Phase.STOPPING), PhaseChanged(Phase.RECONNECTING))
    assert lost.is_lost
    assert not follow(lost, PhaseChanged(Phase.STOPPING)).is_lost
    assert not follow(lost, PoweringOff(0, 3)).is_lost


def test_what_comes_after_the_end_and_what_is_no_news_changes_nothing() -> None:
    over = after(Rung.SERVER, Ended("stopped"), PhaseChanged(Phase.OFF))
    assert follow(over, PhaseChanged(Phase.CONNECTING)) is over
    course = Course(Rung.SERVER)
    assert follow(course, Sample((), 0.0, 0, 0, None, None)) is course
