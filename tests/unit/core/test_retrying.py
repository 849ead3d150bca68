"""When a host is tried again, and what a person is told meanwhile."""

import pytest

from desktop.core.errors import AppError, AuthenticationFailed, ConnectionLost, HostUnreachable
from desktop.core.session.retrying import JITTER, asks_for_address, backoff, may_be_starting
from desktop.core.ssh.connection import QUICK

MIDDLE = 0.5


def test_waits_between_tries_grow_to_half_a_minute() -> None:
    waits = [backoff(attempt, MIDDLE) for attempt in range(9)]
    assert waits == [0, 1, 2, 4, 8, 15, 30, 30, 30]


@pytest.mark.parametrize("silent", [True, False])
def test_the_first_try_is_made_at_once_and_the_others_are_spread(silent: bool) -> None:
    assert [backoff(0, luck, silent=silent) for luck in (0.0, 1.0)] == [0, 0]
    shortest, longest = (backoff(5, luck, silent=silent) for luck in (0.0, 1.0))
    assert longest / shortest == pytest.approx((1 + JITTER) / (1 - JITTER))


def test_a_silent_host_is_asked_often_enough_to_be_back_within_five_seconds() -> None:
    """TCP asks at 0, 1 and 3 s of a try (RFC 6298); the longest gap is from there to the next."""
    last_syn = max(at for at in (0, 1, 3, 7) if at < QUICK.connect)
    longest_wait = max(backoff(attempt, 1.0, silent=True) for attempt in range(100))
    assert QUICK.connect - last_syn + longest_wait < 3


def test_a_port_that_refuses_is_doubted_sooner_than_a_silent_network() -> None:
    refused, silent = HostUnreachable("host-refused"), HostUnreachable("host-silent")
    assert [asks_for_address(refused, attempt) for attempt in (1, 5, 6, 60)] == [
        False,
        False,
        True,
        True,
    ]
    assert not asks_for_address(silent, 6)
    assert asks_for_address(silent, 12)


def test_an_address_is_never_doubted_because_the_laptop_is_offline() -> None:
    for code in ("host-unreachable", "name-service-silent"):
        assert not asks_for_address(HostUnreachable(code), 1000)


# -- a host that was just powered on is waited for ------------------------------------------------


@pytest.mark.parametrize("code", ["host-refused", "host-silent", "host-booting", "greeting-closed"])
def test_a_host_may_be_starting(code: str) -> None:
    assert may_be_starting(HostUnreachable(code))


@pytest.mark.parametrize(
    "error",
    [
        HostUnreachable("host-not-found"),
        HostUnreachable("host-fake-ip"),
        HostUnreachable("not-ssh"),
        ConnectionLost("connection-lost"),
        AuthenticationFailed("authentication-failed"),
    ],
)
def test_what_is_no_sign_of_a_start(error: AppError) -> None:
    assert not may_be_starting(error)
