"""The stop: seen or not called one, with the power-off after it, and cut short by a person."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from desktop.core.agent.answers import Stopped
from desktop.core.agent.client import Agent
from desktop.core.errors import AuthenticationFailed, ConnectionLost, HostUnreachable
from desktop.core.events import Ended, PoweringOff, Retrying
from desktop.core.phases import Phase
from desktop.core.session import power
from desktop.core.session.power import SILENT_PROBES, Port, await_silence
from desktop.core.session.session import Session
from desktop.core.ssh.connection import Connection
from tests.helpers.story import (
    READY,
    STOPPED,
    WISHES,
    WORK,
    FakeHost,
    Hanging,
    Heard,
    living,
)


class Looks:
    """What a look at the SSH port shows."""

    def __init__(self) -> None:
        self.shown = Port.SPEAKS
        self.looked = threading.Event()

    def __call__(self, _where: object) -> Port:
        self.looked.set()
        return self.shown


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> Looks:
    """Give the host's SSH port, which is looked at without a pause."""
    looks = Looks()
    monkeypatch.setattr(power, "look", looks)
    monkeypatch.setattr(power, "await_silence", partial(await_silence, between_s=0.005))
    return looks


class HangingStop(FakeHost):
    """Its stop verb gives no answer until the connection is cut."""

    def __init__(self, *scripts: list[Any]) -> None:
        super().__init__(*scripts)
        self.stop_begun = threading.Event()

    def stop(self, *, power_off: bool = False) -> Stopped:
        self.stop_begun.set()
        assert self.connection.closed.wait(10)
        raise ConnectionLost("connection-lost")


def test_stop_ends_in_off(begin: Callable[..., Session], heard: Heard) -> None:
    host = FakeHost([*WORK, READY, "until stopped", STOPPED])
    session = begin(host)
    heard.phase(Phase.READY)
    session.stop()
    heard.phase(Phase.OFF)
    assert host.asked == ["start", "endpoint", "stop"]
    assert heard.phases[-2:] == [Phase.STOPPING, Phase.OFF]
    assert Ended("stopped", "asked") in heard.events


def test_stop_without_a_connection_connects_and_stops(
    begin: Callable[..., Session], heard: Heard
) -> None:
    host = FakeHost()
    session = begin(host, HostUnreachable("host-refused"))
    heard.phase(Phase.FAILED)
    session.stop()
    heard.phase(Phase.OFF)
    assert host.asked == ["stop"]


def test_a_stop_that_is_cut_off_again_and_again_is_tried_with_pauses(
    begin: Callable[..., Session], heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = FakeHost([*WORK, READY, "until closed"], run=living())
    session = begin(host)
    heard.phase(Phase.READY)
    waits: list[float | None] = []
    monkeypatch.setattr(session._woken, "wait", waits.append)
    cuts = iter([ConnectionLost("connection-lost")] * 4)
    real = host.stop

    def stop(**_how: bool) -> Stopped:
        for cut in cuts:
            raise cut
        return real()

    host.stop = stop  # type: ignore[method-assign]
    session.stop()
    heard.phase(Phase.OFF)
    assert waits[-2:] == [2.0, 4.0]


def test_stop_of_a_host_that_is_gone_says_that_it_was_not_seen(
    begin: Callable[..., Session], heard: Heard
) -> None:
    host = FakeHost([*WORK, ConnectionLost("connection-lost")])
    session = begin(host, None, *[HostUnreachable("host-refused")] * 50)
    heard.wait_for(lambda event: isinstance(event, Retrying) and event.attempt == 1)
    session.stop()
    assert isinstance(heard.phase(Phase.FAILED).error, HostUnreachable)


def test_a_stop_while_a_person_is_asked_ends_in_off(
    begin: Callable[..., Session], heard: Heard
) -> None:
    asked, answered = threading.Event(), threading.Event()

    class Asking(FakeHost):
        def deploy(self, connection: Connection) -> Agent:
            asked.set()
            assert answered.wait(10)
            raise AuthenticationFailed("password-needed")

    session = begin(Asking())
    assert asked.wait(10)
    session.stop()
    heard.phase(Phase.STOPPING)
    answered.set()
    heard.phase(Phase.OFF)


def test_a_first_try_that_hangs_is_given_up_by_a_stop_at_once(
    heard: Heard,
) -> None:
    hanging = Hanging()
    session = Session(WISHES, heard, hanging)
    session.start()
    assert hanging.begun.wait(10)
    session.stop()
    heard.phase(Phase.OFF)
    assert hanging.given_up.is_set()
    session.close()


def ready(begin: Callable[..., Session], heard: Heard, host: FakeHost) -> Session:
    session = begin(host)
    heard.phase(Phase.READY)
    return session


def looks_told(heard: Heard) -> list[int]:
    return [event.silent for event in heard.events if isinstance(event, PoweringOff)]


def failure(heard: Heard) -> str:
    error = heard.phase(Phase.FAILED).error
    assert error is not None
    return error.code


def test_a_power_off_ends_in_off_once_the_port_was_silent(
    begin: Callable[..., Session], heard: Heard, port: Looks
) -> None:
    host = FakeHost([*WORK, READY, "until stopped", STOPPED])
    session = ready(begin, heard, host)
    session.stop(power_off=True)
    assert port.looked.wait(10)
    assert session.phase is Phase.STOPPING, "the port still speaks"
    port.shown = Port.SILENT
    heard.phase(Phase.OFF)
    assert host.asked[-2:] == ["stop", "power off"]
    assert looks_told(heard)[-SILENT_PROBES:] == [1, 2, 3]
    assert Ended("stopped", "asked", powered_off=True) in heard.events


def test_a_power_off_that_ends_the_connection_is_no_lost_connection(
    begin: Callable[..., Session], heard: Heard, port: Looks
) -> None:
    host = FakeHost([*WORK, READY, "until closed"])
    session = ready(begin, heard, host)
    session.stop(power_off=True)
    heard.wait_for(lambda event: isinstance(event, PoweringOff))
    host.connection.close()
    port.shown = Port.SILENT
    heard.phase(Phase.OFF)
    assert Phase.RECONNECTING not in heard.phases
    assert Ended("stopped", "asked", powered_off=True) in heard.events


@pytest.mark.parametrize(
    ("told", "code"),
    [("not-known-safe", "power-off-not-known"), ("failed", "power-off-failed")],
)
def test_a_power_off_that_is_refused_says_so_and_the_run_is_stopped_all_the_same(
    begin: Callable[..., Session], heard: Heard, port: Looks, told: str, code: str
) -> None:
    class Refusing(FakeHost):
        def stop(self, *, power_off: bool = False) -> Stopped:
            super().stop(power_off=power_off)
            return Stopped(was_running=True, power_off=told if power_off else "")

    ready(begin, heard, Refusing([*WORK, READY, "until stopped", STOPPED])).stop(power_off=True)
    assert failure(heard) == code
    assert Ended("stopped", "asked") in heard.events
    assert not port.looked.is_set()


def test_a_port_that_goes_on_speaking_is_no_off(
    begin: Callable[..., Session], heard: Heard, port: Looks, monkeypatch: pytest.MonkeyPatch
) -> None:
    impatient = partial(await_silence, seconds=0.05, between_s=0.005)
    monkeypatch.setattr(power, "await_silence", impatient)
    ready(begin, heard, FakeHost([*WORK, READY, "until closed"])).stop(power_off=True)
    assert failure(heard) == "power-off-not-confirmed"
    assert Ended("stopped", "asked") in heard.events


def test_who_stops_waiting_for_the_silence_is_told_that_it_was_not_seen(
    begin: Callable[..., Session], heard: Heard, port: Looks
) -> None:
    session = ready(begin, heard, FakeHost([*WORK, READY, "until stopped", STOPPED]))
    session.stop(power_off=True)
    assert port.looked.wait(10)
    session.stop()
    assert failure(heard) == "power-off-unseen"
    assert Ended("stopped", "asked") in heard.events


def test_a_second_stop_ends_the_wait_for_a_host_that_does_not_answer(
    begin: Callable[..., Session], heard: Heard
) -> None:
    host = HangingStop([*WORK, READY, "until closed"])
    session = ready(begin, heard, host)
    session.stop()
    assert host.stop_begun.wait(10)
    assert session.phase is Phase.STOPPING
    session.stop()
    assert failure(heard) == "stop-unseen"
    assert not [event for event in heard.events if isinstance(event, Ended)]


def test_a_connection_that_was_lost_long_before_is_not_the_reason(
    begin: Callable[..., Session], heard: Heard
) -> None:
    lost = ConnectionLost("connection-lost")
    host = HangingStop([*WORK, READY, lost], ["until closed"])
    session = begin(host)
    heard.wait_for(lambda _: heard.phases.count(Phase.READY) == 2)
    session.stop()
    assert host.stop_begun.wait(10)
    session.stop()
    assert failure(heard) == "stop-unseen"


def test_a_stop_that_goes_further_cuts_nothing_short(
    begin: Callable[..., Session], heard: Heard, port: Looks
) -> None:
    answers = threading.Event()

    class Slow(FakeHost):
        def stop(self, *, power_off: bool = False) -> Stopped:
            stopped = super().stop(power_off=power_off)
            assert answers.wait(10)
            return stopped

    host = Slow([*WORK, READY, "until stopped", STOPPED])
    session = ready(begin, heard, host)
    session.stop()
    assert host.stop_asked.wait(10)
    session.stop(power_off=True)
    port.shown = Port.SILENT
    answers.set()
    heard.phase(Phase.OFF)
    assert host.asked[-2:] == ["stop", "power off"]
    assert Ended("stopped", "asked", powered_off=True) in heard.events


def test_a_host_where_nothing_runs_any_more_can_be_powered_off(
    begin: Callable[..., Session], heard: Heard, port: Looks
) -> None:
    host = FakeHost([*WORK, READY, "until stopped", STOPPED])
    session = ready(begin, heard, host)
    session.stop()
    heard.phase(Phase.OFF)
    port.shown = Port.SILENT
    session.stop(power_off=True)
    heard.wait_for(lambda event: event == Ended("stopped", "asked", powered_off=True))
    assert host.asked[-2:] == ["stop", "power off"]
    heard.wait_for(lambda _: heard.phases.count(Phase.OFF) == 2)


def test_an_earlier_power_off_is_not_asked_again_by_a_plain_stop(
    begin: Callable[..., Session], heard: Heard, port: Looks
) -> None:
    again = [*WORK, READY, "until stopped", STOPPED]
    host = FakeHost(again, again)
    session = ready(begin, heard, host)
    port.shown = Port.SILENT
    session.stop(power_off=True)
    heard.phase(Phase.OFF)
    host.stop_asked.clear()
    session.start()
    heard.wait_for(lambda _: heard.phases.count(Phase.READY) == 2)
    session.stop()
    heard.wait_for(lambda _: heard.phases.count(Phase.OFF) == 2)
    assert host.asked.count("power off") == 1
    assert [e.powered_off for e in heard.events if isinstance(e, Ended)] == [True, False]


def test_a_connection_lost_before_the_power_off_is_made_good(
    begin: Callable[..., Session], heard: Heard, port: Looks
) -> None:
    losses = [ConnectionLost("connection-lost")]

    class Lossy(FakeHost):
        def stop(self, *, power_off: bool = False) -> Stopped:
            if power_off and losses:
                raise losses.pop()
            return super().stop(power_off=power_off)

    host = Lossy([*WORK, READY, "until closed"])
    session = ready(begin, heard, host)
    port.shown = Port.SILENT
    session.stop(power_off=True)
    heard.phase(Phase.OFF)
    assert host.asked[-2:] == ["stop", "power off"], "the run is stopped once"
    assert Ended("stopped", "asked", powered_off=True) in heard.events


def test_a_host_that_is_gone_before_it_has_begun_to_power_off_is_not_called_off(
    begin: Callable[..., Session], heard: Heard, port: Looks
) -> None:
    class Gone(FakeHost):
        def stop(self, *, power_off: bool = False) -> Stopped:
            if power_off:
                raise ConnectionLost("connection-lost")
            return super().stop()

    host = Gone([*WORK, READY, "until closed"])
    session = begin(host, None, *[HostUnreachable("host-silent")] * 50)
    heard.phase(Phase.READY)
    port.shown = Port.SILENT
    session.stop(power_off=True)
    assert failure(heard) == "power-off-unseen"
    assert Ended("stopped", "asked") in heard.events


def test_a_power_off_alone_that_is_cut_off_says_what_was_seen_of_it(
    begin: Callable[..., Session], heard: Heard, port: Looks
) -> None:
    class Cut(FakeHost):
        def stop(self, *, power_off: bool = False) -> Stopped:
            if power_off:
                raise ConnectionLost("connection-lost")
            return super().stop()

    session = begin(Cut(), HostUnreachable("host-silent"))
    heard.phase(Phase.FAILED)
    heard.events.clear()
    session.stop(power_off=True)
    assert failure(heard) == "power-off-unseen"
    assert Ended("stopped", "asked") in heard.events


def test_a_power_off_asked_for_while_connecting_waits_for_the_connection(
    begin: Callable[..., Session], heard: Heard, port: Looks
) -> None:
    dialling, going_on = threading.Event(), threading.Event()

    def dial() -> None:
        dialling.set()
        assert going_on.wait(10)

    host = FakeHost()
    port.shown = Port.SILENT
    session = begin(host, dial)
    assert dialling.wait(10)
    session.stop(power_off=True)
    going_on.set()
    heard.phase(Phase.OFF)
    assert host.asked == ["stop", "power off"]
