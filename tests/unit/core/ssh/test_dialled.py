"""Which of two connections is kept: the one that stalled, or the one dialled beside it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import cast

import pytest

from desktop.core.errors import HostUnreachable
from desktop.core.ssh.connection import Connection
from desktop.core.ssh.dialled import Dialled
from tests.helpers.waiting import until


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

    def close(self) -> None:
        self.alive = False


class FakeHost:
    """Lets nobody in before it is told to, after the first."""

    def __init__(self) -> None:
        self.made: list[FakeConnection] = []
        self.asked = threading.Semaphore(0)
        self.opens = threading.Semaphore(1)
        self.error: Exception | None = None

    def dial(self) -> Connection:
        self.asked.release()
        assert self.opens.acquire(timeout=10)
        if self.error is not None:
            raise self.error
        self.made.append(FakeConnection())
        return cast("Connection", self.made[-1])


@pytest.fixture
def host() -> FakeHost:
    return FakeHost()


@pytest.fixture
def dialled(host: FakeHost) -> Dialled:
    """A dial whose first connection has stalled; another is being dialled."""
    dialled = Dialled(host.dial)
    dialled()
    host.asked.acquire()
    host.made[0].stall()
    assert host.asked.acquire(timeout=5)
    return dialled


def no_thread_is_left() -> None:
    until(lambda: "ssh-beside" not in {thread.name for thread in threading.enumerate()})


def test_a_connection_that_stays_silent_is_given_up_for_the_new_one(
    host: FakeHost, dialled: Dialled
) -> None:
    host.opens.release()
    until(lambda: not host.made[0].alive)
    assert dialled() is cast("Connection", host.made[1])
    assert len(host.made) == 2
    no_thread_is_left()


def test_a_connection_that_revives_is_kept(host: FakeHost, dialled: Dialled) -> None:
    host.made[0].last_heard = time.monotonic() + 1
    host.opens.release()
    no_thread_is_left()
    assert [connection.alive for connection in host.made] == [True, False]


def test_who_dials_meanwhile_waits_for_what_is_dialled_already(
    host: FakeHost, dialled: Dialled
) -> None:
    host.made[0].close()
    threading.Timer(0.05, host.opens.release).start()
    assert dialled() is cast("Connection", host.made[1])
    assert host.made[1].alive
    no_thread_is_left()


def test_a_failure_beside_is_nobodys_but_who_waits_for_it(host: FakeHost, dialled: Dialled) -> None:
    host.error = HostUnreachable("host-silent")
    host.opens.release()
    no_thread_is_left()
    assert host.made[0].alive
    host.error = None
    host.opens.release()
    assert dialled() is cast("Connection", host.made[1])


def test_only_one_is_dialled_beside(host: FakeHost, dialled: Dialled) -> None:
    host.made[0].stall()
    assert not host.asked.acquire(blocking=False)
    host.opens.release()
    no_thread_is_left()


def test_after_the_close_nothing_is_kept(host: FakeHost, dialled: Dialled) -> None:
    dialled.close()
    host.opens.release()
    no_thread_is_left()
    assert not host.made[1].alive
    assert host.made[0].alive, "whoever has it closes it"
    host.made[0].stall()
    assert not host.asked.acquire(blocking=False)


def test_one_that_stands_ready_is_closed_with_the_rest(host: FakeHost, dialled: Dialled) -> None:
    host.opens.release()
    no_thread_is_left()
    dialled.close()
    assert not host.made[1].alive


def test_a_poke_goes_to_the_last_connection(host: FakeHost) -> None:
    dialled = Dialled(host.dial)
    dialled.poke()
    dialled()
    dialled.poke()
    assert host.made[0].pokes == 1
