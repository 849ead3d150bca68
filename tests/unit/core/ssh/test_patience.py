"""A host that was just powered on is waited for; what no waiting mends is told at once."""

from __future__ import annotations

import threading

import pytest

from desktop.core.errors import AuthenticationFailed, Cancelled, HostUnreachable
from desktop.core.ssh.patience import Patience


class Host:
    def __init__(self, *codes: str) -> None:
        self.codes = list(codes)
        self.tries = 0

    def attempt(self) -> str:
        self.tries += 1
        if self.codes:
            raise HostUnreachable(self.codes.pop(0), host="gpu", port=22)
        return "up"


def test_a_starting_host_is_tried_again_until_it_is_up() -> None:
    told: list[tuple[str, bool]] = []
    host = Host("host-refused", "greeting-closed", "handshake-failed")
    patience = Patience(
        60, waiting=lambda error, left: told.append((error.code, left > 50)), first_pause=0.001
    )
    assert patience.until(host.attempt) == "up"
    assert host.tries == 4
    assert told == [("host-refused", True), ("greeting-closed", True), ("handshake-failed", True)]


def test_without_patience_the_first_failure_is_told() -> None:
    host = Host("host-refused")
    with pytest.raises(HostUnreachable) as caught:
        Patience().until(host.attempt)
    assert (caught.value.code, host.tries) == ("host-refused", 1)


@pytest.mark.parametrize("code", ["host-fake-ip", "not-ssh", "ssh-incompatible", "proxy-refused"])
def test_what_a_starting_host_does_not_show_is_told_at_once(code: str) -> None:
    host = Host(code)
    with pytest.raises(HostUnreachable) as caught:
        Patience(60, first_pause=0.001).until(host.attempt)
    assert (caught.value.code, host.tries) == (code, 1)


def test_a_refused_password_is_never_waited_out() -> None:
    def attempt() -> str:
        raise AuthenticationFailed("authentication-failed")

    with pytest.raises(AuthenticationFailed):
        Patience(60).until(attempt)


def test_a_host_that_does_not_come_up_is_told_as_one_that_is_starting() -> None:
    host = Host(*["host-refused"] * 1000)
    with pytest.raises(HostUnreachable) as caught:
        Patience(0.05, first_pause=0.01).until(host.attempt)
    assert caught.value.code == "host-booting"
    assert caught.value.facts["reason"] == "host-refused"
    assert host.tries > 1


def test_the_waiting_can_be_stopped() -> None:
    stop = threading.Event()
    host = Host(*["host-refused"] * 1000)
    with pytest.raises(Cancelled):
        Patience(60, stop, waiting=lambda _error, _left: stop.set()).until(host.attempt)
    assert host.tries == 1
