"""A look at a host, with stand-ins for connection and agent; the real ones are in e2e."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, cast

import pytest

from desktop.core.agent.answers import Hello, RunStatus
from desktop.core.agent.client import Agent
from desktop.core.errors import (
    AgentRefused,
    AppError,
    AuthenticationFailed,
    Cancelled,
    ConnectionLost,
    HostUnreachable,
)
from desktop.core.events import Fact, Retrying, Surveyed, Surveying, TaskChanged
from desktop.core.last_checks import RUNNING_MODEL
from desktop.core.phases import Phase
from desktop.core.rental import Rental
from desktop.core.session import survey as looking
from desktop.core.session.survey import Survey
from desktop.core.ssh.attempt import ORDINARY, Attempt
from desktop.core.ssh.connection import Connection
from tests.helpers.story import WISHES, FakeConnection, Heard

FACTS = [
    {"kind": "fact", "name": "gpu.count", "value": 1},
    {"kind": "fact", "name": "gpu.0.name", "value": "NVIDIA GeForce RTX 4090"},
]
RUNNING = RunStatus("r1", "ready", "a/running", 8000, "0.33.0", 4096, 9, {}, "", "")


class FakeBox:
    """A host that can be looked at: what it answers, and what its connection does."""

    def __init__(self, *answers: Any, run: RunStatus | None = None) -> None:
        self.answers = answers or tuple(FACTS)
        self.hello = Hello("1", "3.8", "", "/root", run)
        self.connection = FakeConnection()
        self.dialled = 0
        self.trouble: list[AppError] = []
        self.asked: list[dict[str, Any]] = []

    def dial(self, attempt: Attempt = ORDINARY) -> Connection:
        attempt.abandon.check()
        self.dialled += 1
        if self.trouble:
            raise self.trouble.pop(0)
        return cast("Connection", self.connection)

    def deploy(self, _connection: Connection) -> Agent:
        return cast("Agent", self)

    def doctor(self, spec: dict[str, Any]) -> Iterator[dict[str, Any]]:
        self.asked.append(spec)
        for answer in self.answers:
            if isinstance(answer, Exception):
                raise answer
            if answer == "until cut":
                assert self.connection.closed.wait(10)
                raise ConnectionLost("connection-lost", host="h", port=22)
            yield answer


def look(box: FakeBox, patience_s: float = 0.0) -> tuple[Survey, Heard]:
    heard = Heard()
    survey = Survey(WISHES, heard, box.dial, box.deploy, patience_s=patience_s)
    survey.start()
    return survey, heard


def ended(heard: Heard, phase: Phase) -> Surveyed:
    heard.phase(phase)
    (surveyed,) = [event for event in heard.events if isinstance(event, Surveyed)]
    return surveyed


def test_a_look_tells_its_steps_as_a_session_does_and_ends_with_the_facts() -> None:
    box = FakeBox()
    survey, heard = look(box)
    surveyed = ended(heard, Phase.OFF)
    survey.close()
    assert heard.phases == [Phase.CONNECTING, Phase.CHECKING, Phase.OFF]
    assert [event for event in heard.events if isinstance(event, TaskChanged)] == [
        TaskChanged(task, state)
        for task in ("connect", "deploy", "preflight")
        for state in ("running", "done")
    ]
    assert isinstance(heard.events[1], Surveying)
    assert surveyed.error is None
    assert surveyed.facts["gpu.0.name"] == "NVIDIA GeForce RTX 4090"
    assert Fact("gpu.count", 1) in heard.events
    assert heard.events.index(surveyed) < len(heard.events) - 1, "before the phase that shows it"
    assert box.connection.closed.is_set()


def test_nothing_is_started_and_the_host_is_asked_about_the_model_that_is_wished() -> None:
    box = FakeBox()
    survey, heard = look(box)
    surveyed = ended(heard, Phase.OFF)
    survey.close()
    assert [spec["model"] for spec in box.asked] == [WISHES.model]
    assert surveyed.facts["model.id"] == WISHES.model


def test_what_stands_against_the_model_comes_with_the_facts_and_fails_nothing() -> None:
    refused = AgentRefused("preflight.model-does-not-fit", model="a/b", needed=2, room=1)
    survey, heard = look(FakeBox(*FACTS, refused))
    surveyed = ended(heard, Phase.OFF)
    survey.close()
    assert surveyed.error is refused
    assert surveyed.facts["gpu.count"] == 1


def test_a_model_that_runs_there_already_is_told() -> None:
    survey, heard = look(FakeBox(run=RUNNING))
    facts = ended(heard, Phase.OFF).facts
    survey.close()
    assert facts[RUNNING_MODEL] == "a/running"
    over = replace(RUNNING, state="stopped")
    survey, heard = look(FakeBox(run=over))
    assert RUNNING_MODEL not in ended(heard, Phase.OFF).facts
    survey.close()


@pytest.mark.parametrize(
    "error",
    [
        AuthenticationFailed("authentication-failed", host="h", port=22, user="root"),
        HostUnreachable("host-refused", host="h", port=22),
    ],
)
def test_a_host_that_cannot_be_reached_is_a_failure(error: AppError) -> None:
    box = FakeBox()
    box.trouble = [error]
    survey, heard = look(box)
    surveyed = ended(heard, Phase.FAILED)
    survey.close()
    assert (surveyed.error, surveyed.facts) == (error, {})
    assert heard.phase(Phase.FAILED).error is error


def test_a_host_that_may_still_be_starting_is_tried_again() -> None:
    box = FakeBox()
    box.trouble = [HostUnreachable("host-refused", host="h", port=22)]
    survey, heard = look(box, patience_s=60.0)
    waited = heard.wait_for(lambda event: isinstance(event, Retrying))
    survey.retry_now()
    assert isinstance(waited, Retrying)
    assert waited.left_s is not None
    ended(heard, Phase.OFF)
    survey.close()
    assert box.dialled == 2


def test_a_bug_is_shown_and_not_lost() -> None:
    survey, heard = look(FakeBox(ValueError("a bug")))
    surveyed = ended(heard, Phase.FAILED)
    survey.close()
    assert surveyed.error is not None
    assert surveyed.error.code == "unexpected"


# -- cancelled -----------------------------------------------------------------------------------


def test_a_look_that_is_cancelled_while_it_checks_ends_in_off_without_a_word() -> None:
    box = FakeBox(*FACTS, "until cut")
    survey, heard = look(box)
    heard.wait_for(lambda event: event == Fact("gpu.0.name", "NVIDIA GeForce RTX 4090"))
    survey.cancel()
    heard.phase(Phase.OFF)
    survey.close()
    assert not [event for event in heard.events if isinstance(event, Surveyed)]
    assert box.connection.closed.is_set()


def test_a_wait_for_the_next_try_is_cancelled_at_once() -> None:
    box = FakeBox()
    box.trouble = [HostUnreachable("host-silent", host="h", port=22)] * 50
    survey, heard = look(box, patience_s=600.0)
    heard.wait_for(lambda event: isinstance(event, Retrying) and event.attempt == 2)
    survey.cancel()
    heard.phase(Phase.OFF)
    survey.close()


def test_a_question_that_is_taken_back_by_the_cancel_is_no_failure() -> None:
    asking, answered = threading.Event(), threading.Event()
    heard = Heard()

    def dial(_attempt: Attempt = ORDINARY) -> Connection:
        asking.set()
        assert answered.wait(10)
        raise AuthenticationFailed("authentication-failed", host="h", port=22, user="root")

    survey = Survey(WISHES, heard, dial)
    survey.start()
    assert asking.wait(10)
    survey.cancel()
    answered.set()
    heard.phase(Phase.OFF)
    survey.close()
    assert heard.phases == [Phase.CONNECTING, Phase.OFF]


def test_one_that_is_closed_says_nothing_any_more() -> None:
    box = FakeBox(*FACTS, "until cut")
    survey, heard = look(box)
    heard.wait_for(lambda event: event == Fact("gpu.0.name", "NVIDIA GeForce RTX 4090"))
    survey.close()
    said = len(heard.events)
    assert heard.phases == [Phase.CONNECTING, Phase.CHECKING]
    assert len(heard.events) == said


def test_a_session_that_never_began_can_be_closed() -> None:
    Survey(WISHES, Heard(), FakeBox().dial).close()


# -- bounded -------------------------------------------------------------------------------------


def test_a_host_that_tells_facts_for_ever_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looking, "_MOST_LINES", 50)
    endless = tuple({"kind": "fact", "name": f"f{n}", "value": n} for n in range(200))
    survey, heard = look(FakeBox(*endless))
    facts = ended(heard, Phase.OFF).facts
    survey.close()
    assert len(facts) <= 52


def test_a_preflight_that_takes_for_ever_is_a_host_that_stalls() -> None:
    times = iter(range(0, 100_000, 70))
    heard = Heard()
    box = FakeBox(*FACTS, *FACTS, *FACTS)
    survey = Survey(WISHES, heard, box.dial, box.deploy, clock=lambda: float(next(times)))
    survey.start()
    surveyed = ended(heard, Phase.FAILED)
    survey.close()
    assert isinstance(surveyed.error, ConnectionLost)
    assert surveyed.error.code == "host-stalled"


def test_a_dial_that_is_given_up_is_no_failure() -> None:
    def dial(_attempt: Attempt = ORDINARY) -> Connection:
        raise Cancelled

    heard = Heard()
    survey = Survey(WISHES, heard, dial)
    survey.start()
    heard.phase(Phase.OFF)
    survey.close()
    assert heard.phases == [Phase.CONNECTING, Phase.OFF]


def test_a_host_costs_money_from_the_look_on() -> None:
    class Clock:
        now = 0.0

        def __call__(self) -> float:
            return self.now

    clock, heard, box = Clock(), Heard(), FakeBox()
    rental = Rental(clock)
    survey = Survey(WISHES, heard, box.dial, box.deploy, rental=rental)
    survey.start()
    heard.phase(Phase.OFF)
    survey.close()
    clock.now = 300.0
    rental.reached()
    assert rental.spent_s == 300
