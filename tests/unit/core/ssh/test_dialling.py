"""Which address is connected to, and how the waiting for it ends."""

from __future__ import annotations

import errno
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from desktop.core.errors import Cancelled
from desktop.core.ssh import dialling
from desktop.core.ssh.attempt import Abandon
from desktop.core.ssh.dialling import dial_first
from desktop.core.ssh.lookup import Address, Lookups

REFUSED: Address = (socket.AF_INET, ("127.0.0.1", 1))  # tcpmux: nobody listens there


@pytest.fixture
def listening() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


@pytest.fixture
def full() -> Iterator[Address]:
    """A port whose queue is full: Linux drops what comes then, as a dead route does."""
    with socket.socket() as server, socket.socket() as one, socket.socket() as two:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        for sock in (one, two):
            sock.setblocking(False)
            sock.connect_ex(server.getsockname())
        yield (socket.AF_INET, server.getsockname())


def at(server: socket.socket) -> Address:
    return (socket.AF_INET, server.getsockname())


def test_the_first_that_answers_is_taken(listening: socket.socket) -> None:
    with dial_first([REFUSED, at(listening)], 5) as sock:
        assert sock.getpeername() == listening.getsockname()
        assert sock.gettimeout() is None
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_a_dead_route_costs_a_quarter_of_a_second(full: Address, listening: socket.socket) -> None:
    with dial_first([full, at(listening)], 2 * dialling.STAGGER) as sock:
        assert sock.getpeername() == listening.getsockname()


def test_a_refusal_says_more_than_a_family_that_leads_nowhere() -> None:
    nowhere: Address = (socket.AF_INET6, ("2001:db8::1", 22, 0, 0))
    for addresses in ([REFUSED, nowhere], [nowhere, REFUSED]):
        with pytest.raises((ConnectionRefusedError, TimeoutError)) as caught:
            dial_first(addresses, 1)
        if caught.type is not TimeoutError:  # where there is an IPv6 route, it is silent
            assert caught.value.errno == errno.ECONNREFUSED


def test_silence_ends_at_the_deadline(full: Address) -> None:
    with pytest.raises(TimeoutError):
        dial_first([full], 0.05)


def test_who_gives_up_does_not_wait_for_the_deadline(full: Address) -> None:
    abandon = Abandon()
    threading.Timer(0.02, abandon.fire).start()
    with pytest.raises(Cancelled):
        dial_first([full], 60, abandon)


class NameService:
    """Answers when it is told to."""

    def __init__(self) -> None:
        self.answers = threading.Event()
        self.answers.set()
        self.asked = 0
        self.error: OSError | None = None
        self.address = "192.0.2.1"

    def __call__(self, _host: str, port: int, **_: Any) -> list[Any]:
        self.asked += 1
        assert self.answers.wait(10)
        if self.error is not None:
            raise self.error
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (self.address, port))] * 2


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[NameService]:
    service = NameService()
    monkeypatch.setattr(socket, "getaddrinfo", service)
    yield service
    service.answers.set()


FIRST = [(socket.AF_INET, ("192.0.2.1", 22))]


def test_an_address_is_told_once(service: NameService) -> None:
    assert Lookups().addresses("gpu", 22, 5) == FIRST


def test_a_name_service_that_hangs_holds_one_thread_however_often_it_is_asked(
    service: NameService,
) -> None:
    lookups = Lookups()
    service.answers.clear()
    for _ in range(5):
        with pytest.raises(TimeoutError):
            lookups.addresses("gpu", 22, 0.01)
    assert service.asked == 1
    assert sum(thread.name == "name-lookup" for thread in threading.enumerate()) == 1


def test_a_lookup_that_hangs_is_given_up_at_once(service: NameService) -> None:
    service.answers.clear()
    abandon = Abandon()
    threading.Timer(0.02, abandon.fire).start()
    with pytest.raises(Cancelled):
        Lookups().addresses("gpu", 22, 60, abandon)


def test_a_name_service_that_is_slow_to_come_back_is_not_waited_for(
    service: NameService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("desktop.core.ssh.lookup._KNOWN_AFTER", 0.01)
    lookups = Lookups()
    lookups.addresses("gpu", 22, 5)
    service.answers.clear()
    assert lookups.addresses("gpu", 22, 60) == FIRST


def test_a_host_that_moved_is_found_at_its_new_address(service: NameService) -> None:
    lookups = Lookups()
    lookups.addresses("gpu", 22, 5)
    service.address = "192.0.2.2"
    assert lookups.addresses("gpu", 22, 5) == [(socket.AF_INET, ("192.0.2.2", 22))]


@pytest.mark.parametrize(
    ("number", "known"), [(socket.EAI_AGAIN, True), (socket.EAI_NONAME, False)]
)
def test_a_name_that_is_gone_is_gone_and_one_that_cannot_be_asked_for_is_remembered(
    service: NameService, number: int, known: bool
) -> None:
    lookups = Lookups()
    lookups.addresses("gpu", 22, 5)
    service.error = socket.gaierror(number, "no")
    if known:
        assert lookups.addresses("gpu", 22, 5) == FIRST
    else:
        with pytest.raises(socket.gaierror):
            lookups.addresses("gpu", 22, 5)
