"""What a laptop's life does to the string, over a real sshd and a cable that can be cut.

After each fault the session is ready again without a person where none is needed, soon after the
network is back, at the same local port; every line of the journal was heard once, a reply that
streamed was not torn, and nothing is left over (`what_outlives`).
"""

from __future__ import annotations

import http.client
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from desktop.core.phases import Phase
from desktop.core.session.retrying import backoff
from desktop.core.ssh.known_hosts import lookup_name
from desktop.core.ssh.liveness import INTERVAL, STALLED
from desktop.core.ssh.prompts import SecretQuestion
from desktop.system.network import network_watcher
from desktop.system.wake import SleepWatcher
from remote.engine.endpoint import free_port
from tests.e2e.conftest import MakeBox
from tests.helpers.cable import Cable, is_possible
from tests.helpers.person import Person
from tests.helpers.shadow import Shadow
from tests.helpers.traveller import NAME, STREAMING, Traveller, travel
from tests.helpers.waiting import until

pytestmark = pytest.mark.skipif(not is_possible(), reason="needs root and /dev/net/tun")

BACK_SECONDS = 5.0  # from the network's return to ready
SHORT_REPLY = 20  # tokens: less than a second
TRIES_OF_A_MINUTE, TRIES_OF_TEN_MINUTES = 40, 400  # at most: one each 1.5 s


@pytest.fixture
def cable() -> Iterator[Cable]:
    with Cable() as made:
        yield made


@pytest.fixture
def addresses(cable: Cable, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The addresses that the host's name leads to: the one thing that is not real here."""
    known = [cable.host]
    real = socket.getaddrinfo

    def look_up(host: str, port: int, *argv: Any, **kwargs: Any) -> Any:
        names = known if host == NAME else [host]
        return [found for name in names for found in real(name, port, *argv, **kwargs)]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return known


MakeTraveller = Callable[..., Traveller]


@pytest.fixture
def make_traveller(
    make_box: MakeBox, cable: Cable, addresses: list[str]
) -> Iterator[MakeTraveller]:
    with ExitStack() as at_the_end:

        def make(
            *engine: str, quick: bool = True, person: Person | None = None, by_key: bool = True
        ) -> Traveller:
            assert addresses
            listen = "".join(f"ListenAddress {each}\n" for each in (cable.host, cable.host_later))
            box = make_box(*STREAMING, *engine, sshd_extra=listen)
            traveller = travel(box, cable, person or Person(), quick=quick, by_key=by_key)
            traveller.idle = traveller.at_rest()
            at_the_end.callback(traveller.go_home)
            return traveller

        yield make


@contextmanager
def what_outlives(
    traveller: Traveller, *, is_replaced: bool = True, back: float = BACK_SECONDS
) -> Iterator[Fault]:
    """Have something happen in the block to one that is ready, and check what holds after it.

    Args:
        traveller: not started yet.
        is_replaced: whether the connection cannot outlive it; where it can, so must the stream.
        back: seconds from `fault.is_over` to an answer of the model.
    """
    traveller.start()
    before = traveller.until_ready()
    rest = traveller.at_rest()
    stream = traveller.begin_stream()
    fault = Fault()
    yield fault
    traveller.until_ready(2 if is_replaced else 1, answer_seconds=back)
    assert time.monotonic() - fault.over_at < back
    assert traveller.ready_events[-1] == before, "the same port, key and run"
    if is_replaced:
        assert stream.over.wait(BACK_SECONDS), "a reply that is cut must not seem to go on"
    else:
        size = stream.size
        until(lambda: stream.size > size)
    assert stream.is_in_order
    stream.stop()
    again = traveller.begin_stream(SHORT_REPLY)
    assert again.over.wait(30)
    assert again.is_whole
    assert again.is_in_order
    again.stop()
    until(lambda: traveller.has_heard_everything_once)
    assert traveller.person.asked == []
    until(lambda: traveller.use().is_within(rest), 30)


@dataclass
class Fault:
    """When it was over: the network is back, or the host."""

    over_at: float = 0.0

    def is_over(self) -> None:
        self.over_at = time.monotonic()


def test_a_moment_without_network_cuts_no_stream(make_traveller: MakeTraveller) -> None:
    traveller = make_traveller(quick=False)
    with what_outlives(traveller, is_replaced=False) as fault:
        traveller.cable.is_cut = True
        time.sleep(1)
        traveller.cable.is_cut = False
        fault.is_over()
    assert Phase.RECONNECTING not in traveller.phases


@pytest.mark.parametrize("seconds", [5, 60])
def test_a_cable_is_out_for_a_while(make_traveller: MakeTraveller, seconds: int) -> None:
    traveller = make_traveller(quick=seconds < 60)
    with what_outlives(traveller) as fault:
        traveller.cable.is_cut = True
        time.sleep(seconds)
        traveller.cable.is_cut = False
        fault.is_over()


def test_ten_minutes_of_tries_cost_no_more_than_one_and_the_next_one_is_as_quick(
    make_traveller: MakeTraveller,
) -> None:
    """A cut of ten minutes, with the clock shortened where it is ours.

    What it has that one of a minute has not is the number of tries: here each wait between two of
    them is ended at once (`retry_now`), until there were as many as ten minutes have. The last
    wait is not, so that coming back is as slow as it gets. TCP's own clock plays no part in that:
    each try is a new connection, and the old one was given up in the first seconds.
    """
    traveller = make_traveller()
    with what_outlives(traveller) as fault:
        traveller.cable.unplug()

        def has_tried(times: int) -> bool:
            traveller.session.retry_now()
            return len(traveller.retries) >= times

        until(lambda: has_tried(TRIES_OF_A_MINUTE), 60)
        after_a_minute = traveller.at_rest()
        until(lambda: has_tried(TRIES_OF_TEN_MINUTES), 120)
        assert traveller.at_rest().is_within(after_a_minute)
        traveller.cable.plug()
        fault.is_over()
    assert len(traveller.retries) <= TRIES_OF_TEN_MINUTES + 10
    assert traveller.retries[-1].wait_s >= backoff(TRIES_OF_TEN_MINUTES, 0.0, silent=True)


def test_a_host_that_freezes_for_a_moment_is_not_given_up(make_traveller: MakeTraveller) -> None:
    traveller = make_traveller(quick=False)
    with what_outlives(traveller, is_replaced=False) as fault:
        traveller.box.sshd.freeze()
        time.sleep(3)
        traveller.box.sshd.thaw()
        fault.is_over()
    assert Phase.RECONNECTING not in traveller.phases


def test_a_frozen_connection_is_replaced_long_before_it_is_dead(
    make_traveller: MakeTraveller,
) -> None:
    traveller = make_traveller(quick=False)
    with what_outlives(traveller, back=INTERVAL * STALLED + BACK_SECONDS) as fault:
        fault.is_over()  # it begins, and nothing else will end it
        traveller.box.sshd.freeze()
        traveller.until_ready(2)
        traveller.box.sshd.thaw()


def test_sshd_is_restarted(make_traveller: MakeTraveller) -> None:
    traveller = make_traveller()
    with what_outlives(traveller) as fault:
        traveller.box.sshd.stop()
        traveller.until_phase(Phase.RECONNECTING)
        traveller.box.sshd.start()
        fault.is_over()


def test_the_connection_is_reset(make_traveller: MakeTraveller) -> None:
    traveller = make_traveller(quick=False)
    with what_outlives(traveller) as fault:
        traveller.box.sshd.freeze()
        traveller.session._dial.poke()
        sent = traveller.cable.packets
        until(lambda: traveller.cable.packets > sent)  # a socket that was not read to its end …
        traveller.box.sshd.cut()  # … is reset when its process dies
        fault.is_over()
    assert traveller.cable.resets > 0


def test_the_laptop_sleeps_eight_hours(make_traveller: MakeTraveller) -> None:
    traveller = make_traveller(quick=False)
    slept = 0.0

    def clocks() -> tuple[float, float]:
        return time.time() + slept, time.monotonic()

    with what_outlives(traveller) as fault:
        watcher = SleepWatcher(traveller.session.look_again, clocks)
        watcher.start()
        try:
            traveller.cable.forget_flows()  # no router keeps a silent connection for a night
            slept = 8 * 3600.0
            fault.is_over()
            traveller.until_ready(2)
        finally:
            watcher.stop()


def test_the_laptop_moves_to_another_network(make_traveller: MakeTraveller) -> None:
    traveller = make_traveller(quick=False)
    with what_outlives(traveller) as fault:
        watcher = network_watcher(traveller.session.look_again)
        traveller.cable.laptop.run(watcher.start)
        try:
            traveller.cable.move_laptop()
            fault.is_over()
            traveller.until_ready(2)
        finally:
            watcher.stop()


def test_the_host_gets_another_address(make_traveller: MakeTraveller, addresses: list[str]) -> None:
    traveller = make_traveller()
    with what_outlives(traveller) as fault:
        addresses[:] = [traveller.cable.host_later]
        traveller.cable.move_host()
        fault.is_over()


def test_a_bad_network_is_lived_with(make_traveller: MakeTraveller) -> None:
    traveller = make_traveller(quick=False)
    traveller.start()
    before = traveller.until_ready()
    rest = traveller.at_rest()
    stream = traveller.begin_stream()
    traveller.cable.loss, traveller.cable.delay = 0.3, 0.3
    time.sleep(20)
    traveller.cable.loss = traveller.cable.delay = 0.0
    until(lambda: traveller.session.phase is Phase.READY, BACK_SECONDS)
    # TCP repeats what was lost last at a pace of its own, which it has doubled a few times by now.
    assert traveller.ask(before, 20) == http.client.OK
    size = stream.size
    until(lambda: stream.over.is_set() or stream.size > size)
    assert stream.is_in_order
    stream.stop()
    assert traveller.ready_events[-1] == before
    until(lambda: traveller.has_heard_everything_once)
    assert traveller.person.asked == []
    until(lambda: traveller.use().is_within(rest), 30)


# -- while the engine loads: the journal grows during the fault -----------------------------------


def is_cut(traveller: Traveller) -> None:
    traveller.cable.is_cut = True
    works_on(traveller)
    traveller.cable.is_cut = False


def is_frozen(traveller: Traveller) -> None:
    traveller.box.sshd.freeze()
    works_on(traveller)
    traveller.box.sshd.thaw()


def has_no_sshd(traveller: Traveller) -> None:
    traveller.box.sshd.stop()
    works_on(traveller)
    traveller.box.sshd.start()


def loses_a_third(traveller: Traveller) -> None:
    traveller.cable.loss, traveller.cable.delay = 0.3, 0.3
    works_on(traveller)
    traveller.cable.loss = traveller.cable.delay = 0.0


def works_on(traveller: Traveller) -> None:
    """Wait until the host has written more than the laptop can know."""
    written = len(traveller.written)
    until(lambda: len(traveller.written) > written + 1)


@pytest.mark.parametrize("befalls", [is_cut, is_frozen, has_no_sshd, loses_a_third])
def test_nothing_of_the_journal_is_lost_or_doubled_while_it_grows(
    make_traveller: MakeTraveller, befalls: Callable[[Traveller], None]
) -> None:
    traveller = make_traveller("--scripted-startup-s", "8")
    traveller.start()
    traveller.until_phase(Phase.LOADING, 60)
    befalls(traveller)
    traveller.until_ready()
    until(lambda: traveller.has_heard_everything_once)


# -- who asks while the host is not there ---------------------------------------------------------


def test_a_request_that_comes_while_the_host_is_away_is_served_once_it_is_back(
    make_traveller: MakeTraveller,
) -> None:
    traveller = make_traveller()
    with what_outlives(traveller) as fault:
        traveller.box.sshd.stop()
        traveller.until_phase(Phase.RECONNECTING)
        asking = traveller.ask_beside(SHORT_REPLY)
        assert not asking.over.wait(6)
        traveller.box.sshd.start()
        fault.is_over()
        assert asking.over.wait(BACK_SECONDS + 5)
        assert asking.is_whole
        assert asking.is_in_order


def test_a_request_that_comes_before_the_cut_is_noticed_is_served_too(
    make_traveller: MakeTraveller,
) -> None:
    traveller = make_traveller(quick=False)
    with what_outlives(traveller) as fault:
        traveller.cable.is_cut = True
        asking = traveller.ask_beside(SHORT_REPLY)
        assert not asking.over.wait(15)
        traveller.cable.is_cut = False
        fault.is_over()
        assert asking.over.wait(BACK_SECONDS + 5)
        assert asking.is_whole
        assert asking.is_in_order


# -- where a person must decide -------------------------------------------------------------------


def test_another_host_key_is_not_believed_and_nobody_is_asked_in_passing(
    make_traveller: MakeTraveller,
) -> None:
    traveller = make_traveller()
    traveller.start()
    before = traveller.until_ready()
    stream = traveller.begin_stream()
    sshd = traveller.box.sshd
    sshd.stop()
    known = sshd.host_key.fingerprint
    sshd.rotate_host_key()
    log = len(sshd.log)
    sshd.start()
    traveller.until_phase(Phase.FAILED)
    failure = traveller.failure
    assert failure is not None
    assert failure.code == "host-key-changed"
    assert {known, sshd.host_key.fingerprint} <= set(map(str, failure.facts.values()))
    assert traveller.phases.count(Phase.FAILED) == 1
    assert traveller.person.asked == []
    assert not any("Accepted" in line or "Failed" in line for line in sshd.log[log:])
    assert stream.over.wait(BACK_SECONDS)
    assert stream.is_in_order
    stream.stop()
    until(lambda: traveller.use().is_within(traveller.idle))
    sshd.known_hosts().forget(lookup_name(NAME, sshd.port))  # the deliberate step
    traveller.start()
    assert traveller.until_ready(2) == before


def test_a_host_that_is_gone_is_asked_about_once_and_found_at_its_new_port(
    make_traveller: MakeTraveller,
) -> None:
    traveller = make_traveller()
    with what_outlives(traveller) as fault:
        traveller.box.sshd.stop()
        until(lambda: any(retry.asks for retry in traveller.retries), 60)
        tries = len(traveller.retries)
        until(lambda: len(traveller.retries) > tries + 1)  # it goes on meanwhile
        traveller.box.sshd.port = free_port(20_000)
        traveller.box.sshd.start()
        traveller.move_to(traveller.box.sshd.port)
        fault.is_over()
    asks = [retry.asks for retry in traveller.retries]
    assert asks == sorted(asks), "a question that was taken back and asked again"
    assert "host-refused" in {retry.error.code for retry in traveller.retries if retry.error}


def test_a_password_that_changed_is_asked_for_once(
    make_traveller: MakeTraveller, tmp_path: Path
) -> None:
    person = Person("before", "after")
    traveller = make_traveller(person=person, by_key=False)
    sshd = traveller.box.sshd
    sshd.stop()
    with Shadow(tmp_path) as shadow:
        shadow.set_password("before")
        shadow.run(sshd.start)
        traveller.start()
        before = traveller.until_ready()
        rest = traveller.at_rest()
        shadow.set_password("after")
        sshd.cut()
        traveller.until_ready(2)
        assert traveller.ready_events[-1] == before
        where = (sshd.destination.user, NAME, sshd.port)
        assert person.asked == [
            SecretQuestion("password", *where),
            SecretQuestion("password", *where, wrong=True),
        ]
        until(lambda: traveller.has_heard_everything_once)
        until(lambda: traveller.use().is_within(rest), 30)
    assert sum("Failed password" in line for line in sshd.log) == 1


def test_a_password_that_changed_while_nobody_is_there_is_tried_once_and_never_again(
    make_traveller: MakeTraveller, tmp_path: Path
) -> None:
    person = Person("before", None)
    traveller = make_traveller(person=person, by_key=False)
    sshd = traveller.box.sshd
    sshd.stop()
    with Shadow(tmp_path) as shadow:
        shadow.set_password("before")
        shadow.run(sshd.start)
        traveller.start()
        traveller.until_ready()
        shadow.set_password("after")
        sshd.cut()
        traveller.until_phase(Phase.FAILED)
        assert traveller.failure is not None
        assert traveller.failure.code == "authentication-failed"
        where = (sshd.destination.user, NAME, sshd.port)
        assert person.asked == [
            SecretQuestion("password", *where),
            SecretQuestion("password", *where, wrong=True),
        ]
    assert sum("Failed password" in line for line in sshd.log) == 1
    until(lambda: traveller.use().is_within(traveller.idle))
