"""Which of several connections is kept: the one that stalled, one dialled beside it, or a rival."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import cast

import pytest

from desktop.core.errors import (
    AuthenticationFailed,
    Cancelled,
    ConnectionLost,
    HostUnreachable,
)
from desktop.core.ssh import dialled as module
from desktop.core.ssh.attempt import ORDINARY, Attempt, PersonNeeded
from desktop.core.ssh.connection import Connection
from desktop.core.ssh.dialled import Dialled
from tests.helpers.waiting import until

LATER = 3600.0  # seconds; a host that was heard then was heard after whatever the test did


class FakeConnection:
    """Stalls when told to."""

    def __init__(self) -> None:
        self.last_heard = time.monotonic()
        self.pokes = 0
        self.stall: Callable[[], None] = lambda: None
        self.alive = True

    def when_stalled(self, action: Callable[[], None]) -> None:
        self.stall = action

    def poke(self) -> None:
        self.pokes += 1

    def cut(self) -> None:
        self.alive = False

    def close(self) -> None:
        self.alive = False


class FakeTry:
    """One try, which ends when the test says how, or when it is given up."""

    def __init__(self, attempt: Attempt) -> None:
        self.attempt = attempt
        self.connection = FakeConnection()
        self.given_up = False
        self._error: Exception | None = None
        self._over = threading.Event()

    def stand(self) -> FakeConnection:
        self._over.set()
        return self.connection

    def fail(self, error: Exception) -> None:
        self._error = error
        self._over.set()

    def ask(self) -> None:
        self.attempt.asking.set()

    def outcome(self) -> Connection:
        with self.attempt.abandon.by(self._give_up):
            assert self._over.wait(10)
            if self._error is not None:
                raise self._error
        return cast("Connection", self.connection)

    def _give_up(self) -> None:
        self.given_up = True
        self.fail(ConnectionLost("connection-lost"))


class FakeHost:
    """A host that is dialled; the test decides how each try ends."""

    def __init__(self) -> None:
        self.tries: list[FakeTry] = []
        self.changed = threading.Condition()

    def dial(self, attempt: Attempt = ORDINARY) -> Connection:
        trying = FakeTry(attempt)
        with self.changed:
            self.tries.append(trying)
            self.changed.notify_all()
        return trying.outcome()

    def nth(self, number: int) -> FakeTry:
        """Return the so-manieth try once it is being made."""
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.tries) >= number, 5), self.tries
        return self.tries[number - 1]


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> FakeHost:
    monkeypatch.setattr(module, "RIVAL_SECONDS", LATER)
    monkeypatch.setattr(module, "_PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(module, "_LONGEST_WAIT", 0.05)
    return FakeHost()


@pytest.fixture
def dialled(host: FakeHost) -> Iterator[Dialled]:
    dialled = Dialled(host.dial)
    yield dialled
    dialled.close()
    until(lambda: "ssh-dial" not in {thread.name for thread in threading.enumerate()})


@pytest.fixture
def caller() -> Iterator[ThreadPoolExecutor]:
    """The session's thread."""
    with ThreadPoolExecutor(1) as executor:
        yield executor


@pytest.fixture
def first(host: FakeHost, dialled: Dialled, caller: ThreadPoolExecutor) -> FakeConnection:
    """The connection that stands, and is the session's."""
    taken = caller.submit(dialled)
    connection = host.nth(1).stand()
    assert taken.result(5) is cast("Connection", connection)
    return connection


# -- beside a connection that stalls -----------------------------------------------------------


def test_a_connection_that_stays_silent_is_given_up_for_the_new_one(
    host: FakeHost, dialled: Dialled, first: FakeConnection
) -> None:
    first.stall()
    second = host.nth(2).stand()
    until(lambda: not first.alive)
    assert dialled() is cast("Connection", second)
    assert len(host.tries) == 2


def test_a_connection_that_revives_is_kept(host: FakeHost, first: FakeConnection) -> None:
    first.stall()
    trying = host.nth(2)
    first.last_heard = time.monotonic() + LATER
    second = trying.stand()
    until(lambda: not second.alive)
    assert first.alive


def test_who_dials_meanwhile_waits_for_what_is_dialled_already(
    host: FakeHost, dialled: Dialled, first: FakeConnection, caller: ThreadPoolExecutor
) -> None:
    first.stall()
    trying = host.nth(2)
    first.close()
    taken = caller.submit(dialled, quick=True)
    second = trying.stand()
    assert taken.result(5) is cast("Connection", second)
    assert second.alive
    assert len(host.tries) == 2


def test_it_is_dialled_again_beside_one_that_stays_silent(
    host: FakeHost, first: FakeConnection
) -> None:
    first.stall()
    host.nth(2).fail(HostUnreachable("host-silent"))
    second = host.nth(3).stand()
    until(lambda: not first.alive)
    assert second.alive


@pytest.mark.parametrize(
    "error", [AuthenticationFailed("authentication-failed"), PersonNeeded("password-needed")]
)
def test_what_needs_a_person_is_not_tried_again_beside(
    host: FakeHost, first: FakeConnection, error: Exception
) -> None:
    first.stall()
    trying = host.nth(2)
    assert trying.attempt.quiet, "nobody is asked for a connection that may not be needed"
    trying.fail(error)
    until(lambda: "ssh-dial" not in {thread.name for thread in threading.enumerate()})
    assert first.alive
    assert len(host.tries) == 2


def test_only_one_is_dialled_beside(host: FakeHost, first: FakeConnection) -> None:
    first.stall()
    first.stall()
    host.nth(2).stand()
    until(lambda: not first.alive)
    assert len(host.tries) == 2


def test_after_the_close_nothing_is_kept(
    host: FakeHost, dialled: Dialled, first: FakeConnection
) -> None:
    first.stall()
    trying = host.nth(2)
    dialled.close()
    assert trying.given_up
    assert first.alive, "whoever has it closes it"
    first.stall()
    assert len(host.tries) == 2


def test_one_that_stands_ready_is_closed_with_the_rest(
    host: FakeHost, dialled: Dialled, first: FakeConnection
) -> None:
    first.stall()
    second = host.nth(2).stand()
    until(lambda: not first.alive)
    dialled.rest()
    assert not second.alive


# -- while somebody waits ----------------------------------------------------------------------


def test_a_poke_goes_to_the_last_connection(dialled: Dialled, first: FakeConnection) -> None:
    dialled.poke()
    assert first.pokes == 1


def test_a_poke_while_it_is_dialled_begins_a_rival_and_the_first_to_stand_wins(
    host: FakeHost, dialled: Dialled, caller: ThreadPoolExecutor
) -> None:
    taken = caller.submit(dialled, quick=True)
    old = host.nth(1)
    dialled.poke()
    rival = host.nth(2)
    assert (old.attempt.quiet, rival.attempt.quiet) == (False, True), "one may ask the person"
    connection = rival.stand()
    assert taken.result(5) is cast("Connection", connection)
    until(lambda: old.given_up)
    assert connection.alive


def test_at_most_two_are_dialled_and_the_oldest_goes_on(
    host: FakeHost, dialled: Dialled, caller: ThreadPoolExecutor
) -> None:
    taken = caller.submit(dialled, quick=True)
    oldest = host.nth(1)
    for number in (2, 3, 4):
        dialled.poke()
        host.nth(number)
    until(lambda: host.tries[1].given_up and host.tries[2].given_up)
    assert not oldest.given_up
    connection = oldest.stand()
    assert taken.result(5) is cast("Connection", connection)


def test_a_try_that_takes_long_gets_a_rival_by_itself(
    host: FakeHost, dialled: Dialled, caller: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "RIVAL_SECONDS", 0.02)
    taken = caller.submit(dialled, quick=True)
    connection = host.nth(2).stand()
    assert taken.result(5) is cast("Connection", connection)


def test_a_first_connection_is_left_in_peace(
    host: FakeHost, dialled: Dialled, caller: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "RIVAL_SECONDS", 0.0)
    taken = caller.submit(dialled)
    trying = host.nth(1)
    dialled.look()
    trying.stand()
    taken.result(5)
    assert len(host.tries) == 1


def test_while_a_person_is_asked_there_is_no_rival(
    host: FakeHost, dialled: Dialled, caller: ThreadPoolExecutor
) -> None:
    taken = caller.submit(dialled, quick=True)
    trying = host.nth(1)
    trying.ask()
    dialled.poke()
    trying.stand()  # whoever waits has looked by then: the poke woke it before this did
    taken.result(5)
    assert len(host.tries) == 1


def test_a_quiet_rival_that_comes_to_a_question_makes_way_for_one_that_may_ask(
    host: FakeHost, dialled: Dialled, caller: ThreadPoolExecutor
) -> None:
    taken = caller.submit(dialled, quick=True)
    hanging = host.nth(1)
    dialled.poke()
    host.nth(2).fail(PersonNeeded("password-needed"))
    asking = host.nth(3)
    assert not asking.attempt.quiet
    assert hanging.given_up
    connection = asking.stand()
    assert taken.result(5) is cast("Connection", connection)


def test_a_quiet_rival_does_not_take_the_question_from_the_one_who_asks(
    host: FakeHost, dialled: Dialled, caller: ThreadPoolExecutor
) -> None:
    taken = caller.submit(dialled, quick=True)
    asking = host.nth(1)
    dialled.poke()
    rival = host.nth(2)
    asking.ask()
    rival.fail(PersonNeeded("password-needed"))
    until(lambda: [thread.name for thread in threading.enumerate()].count("ssh-dial") == 1)
    assert not asking.given_up
    connection = asking.stand()
    assert taken.result(5) is cast("Connection", connection)


def test_the_last_failure_is_told_when_all_have_failed(
    host: FakeHost, dialled: Dialled, caller: ThreadPoolExecutor
) -> None:
    taken = caller.submit(dialled, quick=True)
    old = host.nth(1)
    dialled.poke()
    rival = host.nth(2)
    old.fail(HostUnreachable("host-silent"))
    rival.fail(HostUnreachable("host-refused"))
    with pytest.raises(HostUnreachable):
        taken.result(5)


def test_what_another_try_would_not_mend_is_told_at_once(
    host: FakeHost, dialled: Dialled, caller: ThreadPoolExecutor
) -> None:
    taken = caller.submit(dialled, quick=True)
    old = host.nth(1)
    dialled.poke()
    host.nth(2).fail(AuthenticationFailed("authentication-failed"))
    with pytest.raises(AuthenticationFailed):
        taken.result(5)
    assert old.given_up


def test_who_wants_it_no_more_leaves_at_once(
    host: FakeHost, dialled: Dialled, caller: ThreadPoolExecutor
) -> None:
    moot = threading.Event()
    taken = caller.submit(dialled, is_moot=moot.is_set)
    trying = host.nth(1)
    moot.set()
    dialled.look()
    with pytest.raises(Cancelled):
        taken.result(5)
    assert trying.given_up


def test_a_close_ends_the_waiting(
    host: FakeHost, dialled: Dialled, caller: ThreadPoolExecutor
) -> None:
    taken = caller.submit(dialled)
    trying = host.nth(1)
    dialled.close()
    with pytest.raises(Cancelled):
        taken.result(5)
    assert trying.given_up


def test_it_is_led_elsewhere_at_once(
    host: FakeHost, dialled: Dialled, caller: ThreadPoolExecutor
) -> None:
    elsewhere = FakeHost()
    taken = caller.submit(dialled, quick=True)
    trying = host.nth(1)
    dialled.lead_to(elsewhere.dial)
    connection = elsewhere.nth(1).stand()
    assert taken.result(5) is cast("Connection", connection)
    assert trying.given_up


def test_who_dials_again_takes_what_was_dialled_beside_one_that_revived(
    host: FakeHost, dialled: Dialled, first: FakeConnection, caller: ThreadPoolExecutor
) -> None:
    first.stall()
    trying = host.nth(2)
    first.last_heard = time.monotonic() + LATER
    taken = caller.submit(dialled, quick=True)
    until(lambda: dialled._call is not None)
    second = trying.stand()
    assert taken.result(5) is cast("Connection", second)


# -- spares ------------------------------------------------------------------------------------


@pytest.mark.parametrize("elsewhere", [True, False])
def test_a_spare_asks_nobody_and_is_given_up_with_the_rest(
    host: FakeHost,
    dialled: Dialled,
    first: FakeConnection,
    caller: ThreadPoolExecutor,
    elsewhere: bool,
) -> None:
    assert first.alive
    taken = caller.submit(dialled.spare)
    trying = host.nth(2)
    assert trying.attempt.quiet
    dialled.lead_to(FakeHost().dial) if elsewhere else dialled.rest()
    with pytest.raises(ConnectionLost):
        taken.result(5)
    assert trying.given_up


def test_a_spare_that_stands_too_late_is_closed(
    host: FakeHost, dialled: Dialled, first: FakeConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = FakeConnection()

    def dial(attempt: Attempt = ORDINARY) -> Connection:
        dialled.rest()
        return cast("Connection", late)

    monkeypatch.setattr(dialled, "_dial", dial)
    with pytest.raises(ConnectionLost):
        dialled.spare()
    assert not late.alive
    assert first.alive


def test_without_a_connection_there_is_no_spare(host: FakeHost, dialled: Dialled) -> None:
    with pytest.raises(ConnectionLost):
        dialled.spare()
    assert host.tries == []
