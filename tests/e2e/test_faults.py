"""What a laptop's life does to the string, over a real sshd and a cable that can be cut.

After each fault the session is ready again without a person where none is needed, soon after the
network is back, at the same local port; the journal was heard once, and nothing is left over.
"""

from __future__ import annotations

import http.client
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from desktop.core.events import Endpoint
from desktop.core.phases import Phase
from desktop.core.ssh.liveness import INTERVAL, STALLED
from desktop.core.ssh.prompts import SecretQuestion
from desktop.system.network import network_watcher
from desktop.system.wake import SleepWatcher
from tests.e2e.conftest import MakeBox
from tests.helpers.cable import Cable, is_possible
from tests.helpers.person import Person
from tests.helpers.shadow import Shadow
from tests.helpers.traveller import NAME, Traveller, travel
from tests.helpers.waiting import until

pytestmark = pytest.mark.skipif(not is_possible(), reason="needs root and /dev/net/tun")

BACK_SECONDS = 5.0  # from the network's return to ready


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
    made: list[Traveller] = []

    def make(
        *engine: str, quick: bool = True, person: Person | None = None, by_key: bool = True
    ) -> Traveller:
        assert addresses
        listen = "".join(f"ListenAddress {each}\n" for each in (cable.host, cable.host_later))
        box = make_box(*engine, sshd_extra=listen)
        traveller = travel(box, cable, person or Person(), quick=quick, by_key=by_key)
        traveller.idle = traveller.at_rest()
        made.append(traveller)
        return traveller

    yield make
    for traveller in made:
        cable.is_cut, cable.loss, cable.delay = False, 0.0, 0.0
        if traveller.session.phase is Phase.READY:
            traveller.session.stop()
            traveller.until_phase(Phase.OFF)
        traveller.session.close()
        until(lambda who=traveller: who.use() <= who.idle)  # type: ignore[misc]


def is_back_as_it_was(traveller: Traveller, before: Endpoint, rest: tuple[int, int]) -> None:
    """Check what holds after every fault."""
    assert traveller.ready_events[-1] == before, "the same port, key and run"
    until(lambda: traveller.heard() == traveller.written())
    assert traveller.person.asked == []
    until(lambda: traveller.use() <= rest, 30)


@pytest.mark.parametrize("seconds", [5, 60])
def test_a_cable_is_out_for_a_while(make_traveller: MakeTraveller, seconds: int) -> None:
    traveller = make_traveller(quick=seconds < 60)
    traveller.start()
    before = traveller.until_ready()
    rest = traveller.at_rest()
    traveller.cable.is_cut = True
    time.sleep(seconds)
    traveller.cable.is_cut = False
    began = time.monotonic()
    traveller.until_ready(2)
    assert time.monotonic() - began < BACK_SECONDS
    is_back_as_it_was(traveller, before, rest)


def test_nothing_of_the_journal_is_lost_or_doubled_by_a_cut_while_loading(
    make_traveller: MakeTraveller,
) -> None:
    traveller = make_traveller("--scripted-startup-s", "8")
    traveller.start()
    traveller.until_phase(Phase.LOADING, 60)
    traveller.cable.is_cut = True
    traveller.until_phase(Phase.RECONNECTING)
    heard = len(traveller.heard())
    until(lambda: len(traveller.written()) > heard)  # the host worked on meanwhile
    traveller.cable.is_cut = False
    traveller.until_ready()
    until(lambda: traveller.heard() == traveller.written())


def test_a_host_that_freezes_for_a_moment_is_not_given_up(make_traveller: MakeTraveller) -> None:
    traveller = make_traveller(quick=False)
    traveller.start()
    before = traveller.until_ready()
    rest = traveller.at_rest()
    traveller.box.sshd.freeze()
    time.sleep(3)
    traveller.box.sshd.thaw()
    assert traveller.ask(before) == http.client.OK
    assert traveller.phases[-1] is Phase.READY
    assert Phase.RECONNECTING not in traveller.phases
    is_back_as_it_was(traveller, before, rest)


def test_a_frozen_connection_is_replaced_long_before_it_is_dead(
    make_traveller: MakeTraveller,
) -> None:
    traveller = make_traveller(quick=False)
    traveller.start()
    before = traveller.until_ready()
    rest = traveller.at_rest()
    began = time.monotonic()
    traveller.box.sshd.freeze()
    traveller.until_ready(2)
    assert time.monotonic() - began < INTERVAL * STALLED + BACK_SECONDS
    traveller.box.sshd.thaw()
    is_back_as_it_was(traveller, before, rest)


def test_sshd_is_restarted(make_traveller: MakeTraveller) -> None:
    traveller = make_traveller()
    traveller.start()
    before = traveller.until_ready()
    rest = traveller.at_rest()
    traveller.box.sshd.stop()
    traveller.until_phase(Phase.RECONNECTING)
    traveller.box.sshd.start()
    began = time.monotonic()
    traveller.until_ready(2)
    assert time.monotonic() - began < BACK_SECONDS
    is_back_as_it_was(traveller, before, rest)


def test_the_connection_is_reset(make_traveller: MakeTraveller) -> None:
    traveller = make_traveller(quick=False)
    traveller.start()
    before = traveller.until_ready()
    rest = traveller.at_rest()
    traveller.box.sshd.freeze()
    traveller.session._dial.poke()
    sent = traveller.cable.packets
    until(lambda: traveller.cable.packets > sent)  # a socket that was not read to its end …
    began = time.monotonic()
    traveller.box.sshd.cut()  # … is reset when its process dies
    traveller.until_ready(2)
    assert traveller.cable.resets > 0
    assert time.monotonic() - began < BACK_SECONDS
    is_back_as_it_was(traveller, before, rest)


def test_the_laptop_sleeps_eight_hours(make_traveller: MakeTraveller) -> None:
    traveller = make_traveller(quick=False)
    traveller.start()
    before = traveller.until_ready()
    rest = traveller.at_rest()
    slept = 0.0

    def clocks() -> tuple[float, float]:
        return time.time() + slept, time.monotonic()

    watcher = SleepWatcher(traveller.session.look_again, clocks)
    watcher.start()
    try:
        traveller.cable.forget_flows()  # no router keeps a silent connection for a night
        slept = 8 * 3600.0
        began = time.monotonic()
        traveller.until_ready(2)
        assert time.monotonic() - began < BACK_SECONDS
    finally:
        watcher.stop()
    is_back_as_it_was(traveller, before, rest)


def test_the_laptop_moves_to_another_network(make_traveller: MakeTraveller) -> None:
    traveller = make_traveller(quick=False)
    traveller.start()
    before = traveller.until_ready()
    rest = traveller.at_rest()
    watcher = network_watcher(traveller.session.look_again)
    traveller.cable.laptop.run(watcher.start)
    try:
        began = time.monotonic()
        traveller.cable.move_laptop()
        traveller.until_ready(2)
        assert time.monotonic() - began < BACK_SECONDS
    finally:
        watcher.stop()
    is_back_as_it_was(traveller, before, rest)


def test_the_host_gets_another_address(make_traveller: MakeTraveller, addresses: list[str]) -> None:
    traveller = make_traveller()
    traveller.start()
    before = traveller.until_ready()
    rest = traveller.at_rest()
    began = time.monotonic()
    addresses[:] = [traveller.cable.host_later]
    traveller.cable.move_host()
    traveller.until_ready(2, 30)
    assert time.monotonic() - began < BACK_SECONDS
    is_back_as_it_was(traveller, before, rest)


def test_another_host_key_is_not_believed_and_nobody_is_asked_in_passing(
    make_traveller: MakeTraveller,
) -> None:
    traveller = make_traveller()
    traveller.start()
    traveller.until_ready()
    sshd = traveller.box.sshd
    sshd.stop()
    sshd.rotate_host_key()
    log = len(sshd.log)
    sshd.start()
    traveller.until_phase(Phase.FAILED)
    assert traveller.failure is not None
    assert traveller.failure.code == "host-key-changed"
    assert traveller.person.asked == []
    assert not any("Accepted" in line or "Failed" in line for line in sshd.log[log:])
    until(lambda: traveller.use() <= traveller.idle)


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
        shadow.set_password("after")
        sshd.cut()
        traveller.until_ready(2)
        assert traveller.ready_events[-1] == before
        where = (sshd.destination.user, NAME, sshd.port)
        assert person.asked == [
            SecretQuestion("password", *where),
            SecretQuestion("password", *where, wrong=True),
        ]
        until(lambda: traveller.heard() == traveller.written())
    assert sum("Failed password" in line for line in sshd.log) == 1


def test_a_bad_network_is_lived_with(make_traveller: MakeTraveller) -> None:
    traveller = make_traveller(quick=False)
    traveller.start()
    before = traveller.until_ready()
    rest = traveller.at_rest()
    traveller.cable.loss, traveller.cable.delay = 0.3, 0.3
    time.sleep(20)
    traveller.cable.loss = traveller.cable.delay = 0.0
    until(lambda: traveller.session.phase is Phase.READY, BACK_SECONDS)
    # TCP repeats what was lost last at a pace of its own, which it has doubled a few times by now.
    assert traveller.ask(before, 20) == http.client.OK
    is_back_as_it_was(traveller, before, rest)
