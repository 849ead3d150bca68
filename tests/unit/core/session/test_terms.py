"""The terms of a run: what was spent comes off, new ones reach a run that lives, and no other."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

import pytest

from desktop.core.agent.answers import Started
from desktop.core.agent.client import Agent
from desktop.core.errors import AgentRefused, AppError, ConnectionLost, NothingRunning
from desktop.core.events import SPENDING, Ended, SessionEvent, TermsChanged
from desktop.core.phases import Phase
from desktop.core.rental import Rental
from desktop.core.session.session import Session
from desktop.core.session.terms import Terms
from tests.helpers.story import READY, WISHES, WORK, FakeHost, Heard, living

HOUR = 3600
PAID = replace(WISHES, spending_seconds=HOUR)


class FakeAgent:
    """Keeps the limits that it was told, and answers as it was told to."""

    def __init__(self) -> None:
        self.limits: list[int] = []
        self.joins: list[bool] = []
        self.error: AppError | None = None

    def start(self, spec: dict[str, Any], *, join_only: bool = False) -> Started:
        if self.error is not None:
            raise self.error
        self.limits.append(spec["limit_seconds"])
        self.joins.append(join_only)
        return Started("r1", adopted=join_only)


class Told:
    """Terms on a clock that goes when it is told to."""

    def __init__(self) -> None:
        self.now = 1e9
        self.said: list[SessionEvent] = []
        self.rental = Rental(lambda: self.now)
        self.terms = Terms(self.said.append, self.rental)
        self.host = FakeAgent()
        self.agent = cast("Agent", self.host)


@pytest.fixture
def told() -> Told:
    return Told()


def test_what_a_failed_run_has_cost_comes_off_what_the_next_one_may(told: Told) -> None:
    told.terms.reached()
    told.terms.start(told.agent, PAID, None)
    told.now += 600
    told.terms.ended(Phase.FAILED)
    told.terms.reached()
    told.terms.start(told.agent, PAID, None)
    assert told.host.limits == [HOUR, HOUR - 600]


def test_after_off_the_next_session_has_the_whole_limit(told: Told) -> None:
    told.terms.reached()
    told.now += 600
    told.terms.ended(Phase.OFF)
    told.terms.reached()
    told.terms.start(told.agent, PAID, None)
    assert told.host.limits == [HOUR]


def test_a_start_that_was_cancelled_before_it_reached_the_host_ends_no_rental(told: Told) -> None:
    told.rental.reached()  # a look at the host
    told.rental.left()
    told.now += 300
    told.terms.ended(Phase.OFF)
    told.now += 300
    told.terms.reached()
    told.terms.start(told.agent, PAID, None)
    assert told.host.limits == [HOUR - 600]


def test_who_starts_with_nothing_left_is_not_stopped_at_once(told: Told) -> None:
    told.terms.reached()
    told.now += 2 * HOUR
    told.terms.ended(Phase.FAILED)
    told.terms.start(told.agent, PAID, None)
    assert told.host.limits == [HOUR]


def test_a_run_that_is_joined_was_paid_for_from_its_beginning(told: Told) -> None:
    told.terms.reached()
    told.terms.start(told.agent, PAID, replace(living(), age_s=1000.0))
    told.now += 600
    told.terms.start(told.agent, PAID, replace(living(), age_s=100.0))
    assert told.host.limits == [HOUR, HOUR - 500]


def test_a_clock_that_was_set_back_gives_no_more_than_the_limit(told: Told) -> None:
    told.terms.reached()
    told.now -= 600
    told.terms.start(told.agent, PAID, None)
    assert told.host.limits == [HOUR]


def test_terms_are_sent_only_when_they_are_new_and_start_nothing(told: Told) -> None:
    told.terms.renew(told.agent, PAID, living())
    assert told.host.limits == []
    told.terms.change()
    told.terms.renew(told.agent, PAID, living())
    told.terms.renew(told.agent, PAID, living())
    assert (told.host.limits, told.host.joins) == ([HOUR], [True])
    assert told.said == [TermsChanged()]


def test_terms_that_did_not_come_through_are_sent_again(told: Told) -> None:
    told.terms.change()
    told.host.error = ConnectionLost("connection-lost")
    with pytest.raises(ConnectionLost):
        told.terms.renew(told.agent, PAID, living())
    told.host.error = None
    told.terms.renew(told.agent, PAID, living())
    assert told.host.limits == [HOUR]


def test_terms_that_the_host_refuses_are_told_and_not_sent_again(told: Told) -> None:
    refused = AgentRefused("run.busy", model="a/b")
    told.terms.change()
    told.host.error = refused
    told.terms.renew(told.agent, PAID, living())
    told.host.error = None
    told.terms.renew(told.agent, PAID, living())
    assert told.said == [TermsChanged(refused)]
    assert told.host.limits == []


def test_terms_for_a_run_that_is_over_are_not_worth_a_word(told: Told) -> None:
    told.terms.change()
    told.host.error = NothingRunning("nothing-running")
    told.terms.renew(told.agent, PAID, living())
    assert told.said == []


def test_the_limit_is_told_as_the_spending_limit_where_that_was_it(told: Told) -> None:
    told.terms.start(told.agent, PAID, None)
    assert told.terms.told("limit") == SPENDING
    assert told.terms.told("idle") == "idle"
    told.terms.start(told.agent, replace(PAID, limit_seconds=60), None)
    assert told.terms.told("limit") == "limit"


# -- in the story ----------------------------------------------------------------------------------


def test_new_terms_are_sent_over_the_living_connection(
    begin: Callable[..., Session], heard: Heard
) -> None:
    host = FakeHost([*WORK, READY, "until closed"])
    session = begin(host)
    heard.phase(Phase.READY)
    session.change_terms(replace(PAID, model="not/this"))
    heard.wait_for(lambda event: isinstance(event, TermsChanged))
    assert host.asked == ["start", "endpoint", "renew"]
    assert host.limits == [0, pytest.approx(HOUR, abs=2)]


def test_terms_that_are_changed_without_a_connection_are_sent_with_the_next(
    begin: Callable[..., Session], heard: Heard
) -> None:
    lost = ConnectionLost("connection-lost")
    host = FakeHost([*WORK, READY, lost], ["until closed"], run=living())
    is_changed = threading.Event()
    session = begin(host, None, lambda: is_changed.wait(10) and None)
    heard.phase(Phase.RECONNECTING)
    session.change_terms(PAID)
    is_changed.set()
    heard.wait_for(lambda event: isinstance(event, TermsChanged))
    assert host.limits == [0, pytest.approx(HOUR, abs=2)]
    assert host.asked.count("start") == 1


def test_a_run_that_is_gone_is_not_started_anew_by_terms(
    begin: Callable[..., Session], heard: Heard
) -> None:
    lost, end = ConnectionLost("connection-lost"), {"kind": "end", "reason": "lost"}
    host = FakeHost([*WORK, READY, lost], [end], run=living("failed"))
    is_changed = threading.Event()
    session = begin(host, None, lambda: is_changed.wait(10) and None)
    heard.phase(Phase.RECONNECTING)
    session.change_terms(PAID)
    is_changed.set()
    heard.phase(Phase.FAILED)
    assert host.asked.count("start") == 1
    assert "renew" not in host.asked


def test_a_run_that_cost_as_much_as_it_may_says_so(
    begin: Callable[..., Session], heard: Heard
) -> None:
    stopped = {"kind": "stopped", "reason": "limit", "seq": 6}
    host = FakeHost([*WORK, READY, stopped, {"kind": "end", "reason": "stopped"}])
    begin(host, wishes=PAID)
    heard.phase(Phase.OFF)
    assert Ended("stopped", SPENDING) in heard.events


def test_terms_that_are_changed_while_the_run_is_started_are_sent_after_it(
    begin: Callable[..., Session], heard: Heard
) -> None:
    class SlowHost(FakeHost):
        is_asked, may_answer = threading.Event(), threading.Event()

        def start(self, spec: dict[str, Any], *, join_only: bool = False) -> Started:
            self.is_asked.set()
            assert self.may_answer.wait(10)
            return super().start(spec, join_only=join_only)

    host = SlowHost([*WORK, "until closed"])
    session = begin(host)
    assert host.is_asked.wait(10)
    session.change_terms(PAID)
    host.may_answer.set()
    heard.wait_for(lambda event: isinstance(event, TermsChanged))
    assert host.asked == ["start", "renew"]
    assert host.limits == [0, pytest.approx(HOUR, abs=2)]


def test_who_closes_while_terms_are_sent_leaves_no_thread(
    begin: Callable[..., Session], heard: Heard
) -> None:
    class SlowHost(FakeHost):
        is_asked = threading.Event()

        def start(self, spec: dict[str, Any], *, join_only: bool = False) -> Started:
            if join_only:
                self.is_asked.set()
                assert self.connection.closed.wait(10)
                raise ConnectionLost("connection-lost")
            return super().start(spec, join_only=join_only)

    host = SlowHost([*WORK, READY, "until closed"])
    session = begin(host)
    heard.phase(Phase.READY)
    session.change_terms(PAID)
    assert host.is_asked.wait(10)
    session.close()
    assert not [each for each in threading.enumerate() if each.name.startswith("session")]
