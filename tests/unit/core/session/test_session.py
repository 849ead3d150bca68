"""The story, with stand-ins for connection, agent and engine; the real ones are in e2e."""

import threading
import time
from collections.abc import Callable, Iterator
from typing import cast

import pytest

from desktop.core.agent.answers import HostEndpoint
from desktop.core.agent.client import Agent
from desktop.core.errors import (
    AgentRefused,
    AppError,
    AuthenticationFailed,
    ConnectionLost,
    ForwardFailed,
    HostUnreachable,
    NothingRunning,
)
from desktop.core.events import Ended, Ready, Restarting, Retrying, Sample
from desktop.core.phases import Phase
from desktop.core.session import session as story
from desktop.core.session.dial import Dial
from desktop.core.session.session import Session
from desktop.core.ssh.attempt import ORDINARY
from desktop.core.ssh.connection import Connection
from tests.helpers.story import (
    READY,
    STOPPED,
    WISHES,
    WORK,
    FakeForward,
    FakeHost,
    Hanging,
    Heard,
    dialling,
    living,
)


def test_from_a_click_to_ready(begin: Callable[..., Session], heard: Heard) -> None:
    begin(FakeHost([*WORK, READY, "until closed"]))
    ready = cast("Ready", heard.wait_for(lambda event: isinstance(event, Ready)))
    assert ready.endpoint.base_url == "http://127.0.0.1:8123/v1"
    assert heard.phases == [
        Phase.CONNECTING,
        Phase.CHECKING,
        Phase.PREPARING,
        Phase.LOADING,
        Phase.READY,
    ]


def test_a_lost_connection_is_taken_up_from_the_cursor(
    begin: Callable[..., Session], heard: Heard
) -> None:
    host = FakeHost(
        [*WORK[:3], ConnectionLost("connection-lost")], [WORK[3], READY, "until closed"]
    )
    begin(host)
    heard.phase(Phase.READY)
    assert host.cursors == [0, 3]
    assert host.asked == ["start", "endpoint"]
    assert Phase.RECONNECTING in heard.phases


def test_a_lost_connection_under_a_ready_model_ends_at_ready_again(
    begin: Callable[..., Session], heard: Heard
) -> None:
    host = FakeHost(
        [*WORK, READY, ConnectionLost("connection-lost")], ["until closed"], run=living()
    )
    begin(host)
    heard.phase(Phase.RECONNECTING)
    heard.wait_for(lambda event: heard.phases.count(Phase.READY) == 2)
    assert host.cursors == [0, 5]


def test_an_unreachable_host_is_tried_again_only_once_there_is_a_run(
    begin: Callable[..., Session], heard: Heard
) -> None:
    begin(FakeHost(), HostUnreachable("host-refused"))
    assert heard.phase(Phase.FAILED).error is not None
    assert Phase.RECONNECTING not in heard.phases


def test_a_host_that_is_gone_for_a_while_is_tried_again(
    begin: Callable[..., Session], heard: Heard
) -> None:
    host = FakeHost([*WORK, ConnectionLost("connection-lost")], [READY, "until closed"])
    session = begin(host, None, HostUnreachable("host-silent"))
    heard.wait_for(lambda event: isinstance(event, Retrying) and event.attempt == 1)
    session.retry_now()
    heard.phase(Phase.READY)


def test_who_wakes_a_try_that_is_under_way_gets_another_one_at_once(
    begin: Callable[..., Session], heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(story, "backoff", lambda attempt, _luck, **_how: 60.0 if attempt else 0.0)
    host = FakeHost([*WORK, ConnectionLost("connection-lost")], [READY, "until closed"])

    begun = threading.Event()

    def while_dialling() -> None:
        assert begun.wait(10)
        session.retry_now()
        raise HostUnreachable("host-silent")

    session = begin(host, None, while_dialling)
    begun.set()
    heard.phase(Phase.READY)


def test_after_a_sleep_the_connection_is_asked_and_a_wait_is_over(
    begin: Callable[..., Session], heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(story, "backoff", lambda attempt, _luck, **_how: 60.0 if attempt else 0.0)
    host = FakeHost([*WORK, READY, "until closed"], ["until closed"])
    session = begin(host, None, HostUnreachable("host-silent"))
    heard.phase(Phase.READY)
    session.look_again()
    assert host.connection.poked.is_set()
    host.connection.close()
    heard.wait_for(lambda event: isinstance(event, Retrying) and event.attempt == 1)
    session.look_again()
    heard.wait_for(lambda event: heard.phases.count(Phase.READY) == 2)


def test_a_refused_password_is_never_tried_again(
    begin: Callable[..., Session], heard: Heard
) -> None:
    host = FakeHost([*WORK, ConnectionLost("connection-lost")])
    begin(host, None, AuthenticationFailed("authentication-failed"))
    assert isinstance(heard.phase(Phase.FAILED).error, AuthenticationFailed)


def test_the_hosts_failure_is_the_sessions(begin: Callable[..., Session], heard: Heard) -> None:
    failed = {"kind": "failed", "code": "model.not-found", "model": "a/b", "seq": 5}
    begin(FakeHost([*WORK, failed, {"kind": "end", "reason": "failed"}]))
    error = heard.phase(Phase.FAILED).error
    assert isinstance(error, AgentRefused)
    assert error.code == "model.not-found"


RESTARTING = {"kind": "restarting", "seq": 6, "code": "engine.crashed", "exit_status": -9}
CRASHED = {"kind": "failed", "seq": 9, "code": "engine.crashed"}
SERVING = {"kind": "task", "seq": 7, "task": "serve", "state": "running"}


def test_an_engine_that_is_started_again_is_ready_again_on_the_same_local_port(
    begin: Callable[..., Session], heard: Heard, forward: FakeForward
) -> None:
    begin(FakeHost([*WORK, READY, RESTARTING, SERVING, {**READY, "seq": 8}, "until closed"]))
    heard.wait_for(lambda _: heard.phases.count(Phase.READY) == 2)
    assert heard.phases[-3:] == [Phase.READY, Phase.LOADING, Phase.READY]
    assert forward.calls == ["attach 8000", "detach", "attach 8001"]
    heard.wait_for(lambda _: len(endpoints(heard)) == 2)
    assert len(set(endpoints(heard))) == 1
    told = heard.wait_for(lambda event: isinstance(event, Restarting))
    assert cast("Restarting", told).error.code == "engine.crashed"


def endpoints(heard: Heard) -> list[str]:
    return [event.endpoint.base_url for event in heard.events if isinstance(event, Ready)]


def test_an_engine_that_crashes_again_ends_in_failed(
    begin: Callable[..., Session], heard: Heard
) -> None:
    end = {"kind": "end", "reason": "failed"}
    begin(FakeHost([*WORK, READY, RESTARTING, SERVING, CRASHED, end]))
    error = heard.phase(Phase.FAILED).error
    assert error is not None
    assert error.code == "engine.crashed"
    assert heard.phases[-3:] == [Phase.READY, Phase.LOADING, Phase.FAILED]


def test_a_connection_lost_while_the_engine_is_started_again_comes_back_to_loading(
    begin: Callable[..., Session], heard: Heard
) -> None:
    lost = ConnectionLost("connection-lost")
    begin(
        FakeHost([*WORK, READY, RESTARTING, lost], [SERVING, {**READY, "seq": 8}, "until closed"])
    )
    heard.wait_for(lambda _: heard.phases.count(Phase.READY) == 2)
    assert heard.phases[-4:] == [
        Phase.LOADING,
        Phase.RECONNECTING,
        Phase.LOADING,
        Phase.READY,
    ]


def test_a_stop_while_the_engine_is_started_again_ends_in_off(
    begin: Callable[..., Session], heard: Heard
) -> None:
    session = begin(FakeHost([*WORK, READY, RESTARTING, "until stopped", SERVING, STOPPED]))
    heard.phase(Phase.LOADING)
    heard.wait_for(lambda event: isinstance(event, Restarting))
    session.stop()
    heard.phase(Phase.OFF)
    assert heard.phases[-2:] == [Phase.STOPPING, Phase.OFF]


@pytest.mark.parametrize("reason", ["lease", "idle", "limit"])
def test_a_run_that_the_host_stopped_says_why(
    begin: Callable[..., Session], heard: Heard, reason: str
) -> None:
    begin(FakeHost([*WORK, READY, {"kind": "stopped", "reason": reason, "seq": 6}, STOPPED]))
    heard.phase(Phase.OFF)
    assert Ended("stopped", reason) in heard.events


def test_samples_are_passed_on_and_move_no_cursor(
    begin: Callable[..., Session], heard: Heard
) -> None:
    sample = {"kind": "sample", "gpus": [], "kv_use": 0.5, "running": 1, "waiting": 0}
    lost = ConnectionLost("connection-lost")
    host = FakeHost([*WORK, READY, sample, lost], ["until closed"], run=living())
    begin(host)
    heard.wait_for(lambda _: len(host.cursors) == 2)
    assert Sample((), 0.5, 1, 0, None, None) in heard.events
    assert host.cursors == [0, 5]


def test_a_lost_run_says_so(begin: Callable[..., Session], heard: Heard) -> None:
    begin(FakeHost([*WORK, {"kind": "end", "reason": "lost"}]))
    error = heard.phase(Phase.FAILED).error
    assert error is not None
    assert error.code == "run-lost"


def test_close_leaves_the_host_working(begin: Callable[..., Session], heard: Heard) -> None:
    host = FakeHost([*WORK, READY, "until closed"])
    session = begin(host)
    heard.phase(Phase.READY)
    session.close()
    assert "stop" not in host.asked
    assert session.phase is Phase.OFF


def test_joining_needs_a_living_run(begin: Callable[..., Session], heard: Heard) -> None:
    begin(FakeHost(run=living("failed")), join_only=True)
    assert isinstance(heard.phase(Phase.FAILED).error, NothingRunning)


def test_joining_never_starts(begin: Callable[..., Session], heard: Heard) -> None:
    host = FakeHost(["until closed"], run=living())
    begin(host, join_only=True)
    heard.phase(Phase.READY)
    assert host.asked == ["endpoint"]


def test_a_bug_is_shown_and_not_lost(begin: Callable[..., Session], heard: Heard) -> None:
    begin(FakeHost([ZeroDivisionError("ours")]))
    error = heard.phase(Phase.FAILED).error
    assert isinstance(error, AppError)
    assert error.code == "unexpected"


def test_start_while_it_works_does_nothing(begin: Callable[..., Session], heard: Heard) -> None:
    host = FakeHost([*WORK, READY, "until closed"])
    session = begin(host)
    heard.phase(Phase.READY)
    session.start()
    assert host.asked == ["start", "endpoint"]


def test_a_connection_lost_while_asking_for_the_endpoint_is_made_good(
    begin: Callable[..., Session], heard: Heard
) -> None:
    host = FakeHost([*WORK, READY], ["until closed"], run=living())
    lost = iter([ConnectionLost("connection-lost")])
    real = host.endpoint

    def endpoint() -> HostEndpoint:
        for error in lost:
            raise error
        return real()

    host.endpoint = endpoint  # type: ignore[method-assign]
    begin(host)
    heard.phase(Phase.READY)
    assert host.cursors == [0, 5]


def test_a_model_that_answered_before_is_worth_another_connection(
    begin: Callable[..., Session], heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost, silent = ConnectionLost("connection-lost"), ForwardFailed("forward-no-answer", reason="x")
    answers: Iterator[bool | AppError] = iter([True, silent, True])

    def await_answer(_endpoint: object, _is_moot: object) -> bool:
        answer = next(answers)
        if isinstance(answer, AppError):
            raise answer
        return answer

    monkeypatch.setattr(story, "await_answer", await_answer)
    begin(FakeHost([*WORK, READY, lost], [], ["until closed"], run=living()))
    heard.wait_for(lambda _: sum(isinstance(event, Ready) for event in heard.events) == 2)
    assert Phase.FAILED not in heard.phases
    reasons = [
        event.error.code for event in heard.events if isinstance(event, Retrying) and event.error
    ]
    assert reasons == ["connection-lost", "forward-no-answer"]


def test_a_model_that_never_answered_is_told_at_once(
    begin: Callable[..., Session], heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    def await_answer(_endpoint: object, _is_moot: object) -> bool:
        raise ForwardFailed("forward-no-answer", reason="x")

    monkeypatch.setattr(story, "await_answer", await_answer)
    begin(FakeHost([*WORK, READY]))
    error = heard.phase(Phase.FAILED).error
    assert isinstance(error, ForwardFailed)


def test_a_watch_that_brings_nothing_is_not_taken_up_without_a_pause(
    begin: Callable[..., Session], heard: Heard
) -> None:
    lost = [ConnectionLost("connection-lost")]
    begin(FakeHost([*WORK, *lost], *[lost] * 10))
    heard.wait_for(lambda event: isinstance(event, Retrying) and event.attempt == 1)
    waits = [event.wait_s for event in heard.events if isinstance(event, Retrying)]
    assert waits == [0.0, 1.0]


def test_a_crash_after_ready_is_told_even_when_ready_is_only_heard_later(
    begin: Callable[..., Session], heard: Heard
) -> None:
    crashed = {"kind": "failed", "seq": 6, "code": "engine.crashed"}
    host = FakeHost([*WORK, READY, crashed, {"kind": "end", "reason": "failed"}])

    def endpoint() -> HostEndpoint:
        raise NothingRunning("nothing-running")

    host.endpoint = endpoint  # type: ignore[method-assign]
    begin(host)
    error = heard.phase(Phase.FAILED).error
    assert error is not None
    assert error.code == "engine.crashed"


def test_a_failure_survives_a_connection_lost_before_the_end(
    begin: Callable[..., Session], heard: Heard
) -> None:
    failed = {"kind": "failed", "seq": 6, "code": "engine.crashed"}
    lost = ConnectionLost("connection-lost")
    begin(FakeHost([*WORK, failed, lost], [{"kind": "end", "reason": "failed"}]))
    error = heard.phase(Phase.FAILED).error
    assert error is not None
    assert error.code == "engine.crashed"


def test_a_run_whose_folder_is_gone_is_lost_and_not_just_off(
    begin: Callable[..., Session], heard: Heard
) -> None:
    begin(FakeHost([*WORK, {"kind": "end", "reason": "nothing-running"}]))
    error = heard.phase(Phase.FAILED).error
    assert error is not None
    assert error.code == "run-lost"


def test_the_phase_never_falls_back_because_of_a_cancelled_task(
    begin: Callable[..., Session], heard: Heard
) -> None:
    cancelled = {"kind": "task", "task": "serve", "state": "cancelled", "seq": 5}
    begin(FakeHost([*WORK, cancelled, STOPPED]))
    heard.phase(Phase.OFF)
    assert heard.phases[-2:] == [Phase.LOADING, Phase.OFF]


def test_after_close_nothing_is_said(begin: Callable[..., Session], heard: Heard) -> None:
    dialling, going_on = threading.Event(), threading.Event()

    class Slow(FakeHost):
        def deploy(self, connection: Connection) -> Agent:
            dialling.set()
            assert going_on.wait(10)
            raise HostUnreachable("host-silent")

    session = begin(Slow())
    assert dialling.wait(10)
    threading.Thread(target=going_on.set).start()
    session.close()
    told = len(heard.events)
    session.stop()
    assert len(heard.events) == told


def test_a_try_that_hangs_does_not_hold_up_the_close(heard: Heard) -> None:
    hanging = Hanging()
    session = Session(WISHES, heard, hanging)
    session.start()
    assert hanging.begun.wait(10)
    began = time.monotonic()
    session.close()
    assert time.monotonic() - began < 1
    assert hanging.given_up.is_set()
    assert session.phase is Phase.OFF


def lost_in(begin: Callable[..., Session], heard: Heard, dial: Dial) -> Session:
    """Return a session that has a run and is dialling again in this way."""
    host = FakeHost([*WORK, READY, "until closed"], ["until closed"], run=living())
    session = begin(host)
    heard.phase(Phase.READY)
    session._dial._dial = dial
    host.connection.close()
    heard.phase(Phase.RECONNECTING)
    return session


def test_a_stop_that_was_not_seen_is_no_off_however_impatient(
    begin: Callable[..., Session], heard: Heard
) -> None:
    hanging = Hanging()
    session = lost_in(begin, heard, hanging)
    assert hanging.begun.wait(10)
    session.stop()
    heard.phase(Phase.STOPPING)
    assert not hanging.given_up.is_set(), "a run costs money: it is worth another moment"
    session.stop()
    assert heard.phase(Phase.FAILED).error is not None
    assert hanging.given_up.is_set()


def test_a_look_again_while_a_try_hangs_begins_a_rival_that_wins(
    begin: Callable[..., Session], heard: Heard
) -> None:
    hanging = Hanging()
    ways: list[Dial] = [hanging, dialling()]
    session = lost_in(begin, heard, lambda attempt=ORDINARY: ways.pop(0)(attempt))
    assert hanging.begun.wait(10)
    session.look_again()
    heard.wait_for(lambda _: heard.phases.count(Phase.READY) == 2)
    assert hanging.given_up.wait(10)


def test_a_host_that_may_be_starting_is_tried_for_a_while(
    begin: Callable[..., Session], heard: Heard
) -> None:
    refused = HostUnreachable("host-refused")
    session = begin(FakeHost(["until closed"], run=living()), refused, refused, patience_s=60.0)
    told = cast("Retrying", heard.wait_for(lambda event: isinstance(event, Retrying)))
    assert told.error is refused
    assert told.left_s is not None
    assert 50 < told.left_s <= 60
    session.retry_now()
    heard.wait_for(lambda event: isinstance(event, Retrying) and event.attempt == 2)
    session.retry_now()
    heard.phase(Phase.CHECKING)
    assert Phase.RECONNECTING not in heard.phases


def test_a_host_that_does_not_start_is_told_as_it_was_seen(
    begin: Callable[..., Session], heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(story, "backoff", lambda *_, **_how: 0.001)
    begin(FakeHost(), *[HostUnreachable("host-refused")] * 10_000, patience_s=0.05)
    error = heard.phase(Phase.FAILED).error
    assert error is not None
    assert error.code == "host-refused"


@pytest.mark.parametrize("code", ["host-not-found", "host-fake-ip", "not-ssh", "proxy-refused"])
def test_what_no_start_mends_is_told_at_once(
    begin: Callable[..., Session], heard: Heard, code: str
) -> None:
    begin(FakeHost(), HostUnreachable(code), patience_s=60.0)
    error = heard.phase(Phase.FAILED).error
    assert error is not None
    assert error.code == code


def test_the_wait_for_a_starting_host_ends_with_a_stop(
    begin: Callable[..., Session], heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(story, "backoff", lambda *_, **_how: 60.0)
    session = begin(FakeHost(), HostUnreachable("host-refused"), patience_s=60.0)
    heard.wait_for(lambda event: isinstance(event, Retrying))
    session.stop()
    heard.phase(Phase.OFF)


def test_a_host_that_refuses_again_and_again_is_asked_about_and_tried_on(
    begin: Callable[..., Session], heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(story, "backoff", lambda *_, **_how: 0.0)
    lost_in(begin, heard, dialling(*[HostUnreachable("host-refused")] * 9))
    heard.wait_for(lambda _: heard.phases.count(Phase.READY) == 2)
    asked = [event.asks for event in heard.events if isinstance(event, Retrying)]
    assert asked == sorted(asked)
    assert True in asked
    assert False in asked


def test_a_host_that_moved_goes_on_with_run_cursor_and_port(
    begin: Callable[..., Session], heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(story, "backoff", lambda *_, **_how: 60.0)
    session = lost_in(begin, heard, dialling(*[HostUnreachable("host-refused")] * 99))
    heard.wait_for(lambda event: isinstance(event, Retrying))
    session.move(WISHES, dialling())
    heard.wait_for(lambda _: len(endpoints(heard)) == 2)
    assert len(set(endpoints(heard))) == 1
    assert Phase.FAILED not in heard.phases


def test_a_move_gives_up_the_try_at_the_old_address(
    begin: Callable[..., Session], heard: Heard
) -> None:
    hanging = Hanging()
    session = lost_in(begin, heard, hanging)
    assert hanging.begun.wait(10)
    session.move(WISHES, dialling())
    heard.wait_for(lambda _: heard.phases.count(Phase.READY) == 2)
    assert hanging.given_up.is_set()


def test_where_the_run_is_not_alive_after_a_move_another_one_is_started(
    begin: Callable[..., Session], heard: Heard
) -> None:
    lost = ConnectionLost("connection-lost")
    host = FakeHost([*WORK, lost], [*WORK, READY, "until closed"])
    session = begin(host, None, *[HostUnreachable("host-refused")] * 99)
    heard.phase(Phase.RECONNECTING)
    session.move(WISHES, dialling())
    heard.phase(Phase.READY)
    assert host.asked.count("start") == 2
    assert host.cursors == [0, 0]


def test_a_move_after_a_failure_begins_again(begin: Callable[..., Session], heard: Heard) -> None:
    session = begin(
        FakeHost([*WORK, READY, "until closed"]), AuthenticationFailed("password-needed")
    )
    heard.phase(Phase.FAILED)
    session.move(WISHES, dialling())
    heard.phase(Phase.READY)
