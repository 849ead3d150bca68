"""When a host that cannot be reached is tried again, and what a person is told: pure decisions."""

from __future__ import annotations

from desktop.core.errors import AppError, HostUnreachable

BOOT_SECONDS = 120.0  # from "running" in a console to an sshd that lets people in, at most (facts)
JITTER = 0.2  # of a wait, either way: laptops behind one router do not come back in step
_GROWING = (0.0, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
_SHORT = (0.0, 1.0, 1.5)

# Tries in a row after which the line itself is in doubt. A console that gave the host another port
# or name shows in a few seconds; silence is mostly the network, and gets a minute.
_DOUBTS = {
    "host-refused": 6,
    "host-not-found": 6,
    "greeting-closed": 8,
    "jump-failed": 8,
    "not-ssh": 3,
    "host-silent": 12,
    "greeting-silent": 4,
}

# What a host fails with that was just powered on. A refused password or a changed key is none.
_OF_A_START = frozenset(
    {
        "host-refused",
        "host-silent",
        "host-unreachable",
        "name-service-silent",
        "greeting-silent",
        "greeting-closed",
        "handshake-failed",
        "host-booting",
        "jump-failed",
    }
)


def backoff(attempt: int, luck: float, *, silent: bool = False) -> float:
    """Return the seconds to wait before try `attempt` (from 0): 0, 1, 2, 4, 8, 15, then 30.

    Where no SSH server answers there is nobody to be spared. With the 4 s that a quick try gives
    TCP and TCP's own repetitions (at 1 and 3 s) the host is asked at least every 3 s then: back
    within 5 s of the network's return, with nobody told of it. The first try is always made at
    once.

    Args:
        attempt: how many have failed in a row.
        luck: 0 to 1, random: where in the `JITTER` it falls.
        silent: whether no SSH server answered.
    """
    steps = _SHORT if silent else _GROWING
    return steps[min(attempt, len(steps) - 1)] * (1 + JITTER * (2 * luck - 1))


def asks_for_address(error: AppError, attempt: int) -> bool:
    """Tell whether a person should be asked for the host's new address after so many tries."""
    return attempt >= _DOUBTS.get(error.code, 1 << 30)


def may_be_starting(error: AppError) -> bool:
    """Tell whether a host that was just powered on fails like this.

    A mistyped port refuses as well, and nobody can tell the two apart: it is tried on, and the
    person sees the question and can stop or correct the line at any moment. The other way round,
    a start that fails because it came ten seconds too early, is the worse surprise.
    """
    return isinstance(error, HostUnreachable) and error.code in _OF_A_START
