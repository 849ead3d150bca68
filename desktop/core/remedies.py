"""What a person can do about an error that ended a start: a button for each, the best one first.

Data, so that no code is without a deliberate answer: a contract test walks all codes.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

from desktop.core.errors import AppError


class Remedy(Enum):
    """Something that a button can do."""

    RETRY = "retry"
    PASSWORD = "password"  # noqa: S105 - asks for it, by trying again
    ADDRESS = "address"  # the provider's line, pasted once more
    COMPARE_KEYS = "compare-keys"
    CONSOLE = "console"  # the provider's page
    OTHER_HOST = "other-host"
    OTHER_MODEL = "other-model"
    SHORTER = "shorter"  # a context of the length that was named
    TIDY = "tidy"  # the agent's `clean --partial`
    DATA_DIR = "data-dir"
    HUB = "hub"
    PROXY = "proxy"
    STOP = "stop"
    STOP_THERE = "stop-there"  # what somebody else, or another wish, has started
    LOG = "log"
    REPORT = "report"


# The page of the settings that a remedy is about.
PAGES: Mapping[Remedy, str] = {
    Remedy.DATA_DIR: "advanced",
    Remedy.HUB: "network",
    Remedy.PROXY: "network",
}

_AGAIN = (Remedy.RETRY,)
_AGAIN_OR_LOG = (Remedy.RETRY, Remedy.LOG)
_SAY_IT = (Remedy.REPORT, Remedy.RETRY, Remedy.LOG)
_MOVED = (Remedy.ADDRESS, Remedy.CONSOLE, Remedy.RETRY)
_OFF_PERHAPS = (Remedy.CONSOLE, Remedy.RETRY, Remedy.ADDRESS)
_ANOTHER_BOX = (Remedy.CONSOLE, Remedy.OTHER_HOST)
_ROOM = (Remedy.TIDY, Remedy.DATA_DIR, Remedy.CONSOLE)
_SMALLER = (Remedy.OTHER_MODEL, Remedy.CONSOLE)
_LENGTH = (Remedy.SHORTER, Remedy.OTHER_MODEL)
_THROUGH = (Remedy.PROXY, Remedy.RETRY)
_STOP = (Remedy.CONSOLE, Remedy.STOP)

REMEDIES: Mapping[str, tuple[Remedy, ...]] = {
    "unexpected": _SAY_IT,
    # -- reaching the host
    "name-service-silent": _AGAIN,
    "host-not-found": _MOVED,
    "host-refused": _MOVED,
    "not-ssh": (Remedy.RETRY, Remedy.OTHER_HOST, Remedy.CONSOLE),
    "host-silent": _OFF_PERHAPS,
    "host-booting": (Remedy.RETRY, Remedy.CONSOLE),
    "host-unreachable": (Remedy.RETRY, Remedy.PROXY),
    "host-stalled": (Remedy.RETRY, Remedy.CONSOLE),
    "host-fake-ip": (Remedy.RETRY, Remedy.PROXY),
    "greeting-silent": (Remedy.RETRY, Remedy.CONSOLE, Remedy.PROXY),
    "greeting-closed": (Remedy.RETRY, Remedy.CONSOLE, Remedy.PROXY),
    "handshake-failed": (Remedy.RETRY, Remedy.PROXY),
    "jump-prohibited": (Remedy.OTHER_HOST, Remedy.RETRY),
    "jump-failed": (Remedy.RETRY, Remedy.CONSOLE, Remedy.OTHER_HOST),
    "proxy-unreachable": _THROUGH,
    "proxy-refused": _THROUGH,
    "proxy-with-password": _THROUGH,
    "destination-bad-proxy": _THROUGH,
    "proxy-command-failed": (Remedy.RETRY, Remedy.OTHER_HOST),
    "ssh-incompatible": _ANOTHER_BOX,
    "connection-lost": _AGAIN,
    "session-refused": (Remedy.RETRY, Remedy.CONSOLE),
    # -- trusting it, being let in
    "host-key-unknown": (Remedy.RETRY, Remedy.ADDRESS, Remedy.CONSOLE),
    "host-key-changed": (Remedy.COMPARE_KEYS, Remedy.ADDRESS, Remedy.CONSOLE),
    "host-key-mismatch": _OFF_PERHAPS[:2],
    "host-key-revoked": (Remedy.OTHER_HOST,),
    "authentication-failed": (Remedy.PASSWORD, Remedy.ADDRESS, Remedy.CONSOLE),
    "password-needed": (Remedy.PASSWORD, Remedy.ADDRESS, Remedy.CONSOLE),
    "password-expired": (Remedy.CONSOLE, Remedy.RETRY),
    "code-needed": _AGAIN,
    "key-unusable": (Remedy.RETRY, Remedy.OTHER_HOST),
    # -- the string
    "forward-prohibited": _ANOTHER_BOX,
    "forward-refused": _AGAIN_OR_LOG,
    "forward-failed": _AGAIN_OR_LOG,
    "forward-no-answer": _AGAIN_OR_LOG,
    "local-port-taken": _AGAIN,
    "storage-not-writable": _AGAIN,
    # -- the agent
    "python-missing": _ANOTHER_BOX,
    "deploy-failed": (Remedy.RETRY, Remedy.REPORT),
    "deploy-disk-full": (Remedy.RETRY, Remedy.CONSOLE),
    "protocol-mismatch": (Remedy.RETRY, Remedy.REPORT),
    "nothing-running": _AGAIN,
    "run-lost": _AGAIN_OR_LOG,
    "run.busy": (Remedy.OTHER_MODEL, Remedy.STOP_THERE, Remedy.RETRY),
    "run.bad-spec": (Remedy.OTHER_MODEL, Remedy.REPORT),
    "run.bug": _SAY_IT,
    "run.disk-full": (Remedy.TIDY, Remedy.CONSOLE),
    "run.not-ended": (Remedy.RETRY, Remedy.CONSOLE),
    "run.alive": _AGAIN,
    # -- before anything is fetched
    "preflight.disk-full": _ROOM,
    "preflight.no-inodes": (Remedy.DATA_DIR, Remedy.TIDY),
    "preflight.not-writable": (Remedy.DATA_DIR,),
    "preflight.driver-too-old": _ANOTHER_BOX,
    "preflight.card-too-old": _ANOTHER_BOX,
    "preflight.glibc-too-old": _ANOTHER_BOX,
    "preflight.driver-fails": (Remedy.CONSOLE, Remedy.RETRY),
    "preflight.boot-with-gpu": (Remedy.CONSOLE, Remedy.RETRY),
    "preflight.model-does-not-fit": _SMALLER,
    "preflight.length-does-not-fit": _LENGTH,
    "preflight.card-busy": (Remedy.RETRY, Remedy.OTHER_MODEL),
    # -- the engine's environment
    "environment.install-failed": _AGAIN_OR_LOG,
    "environment.no-installer": _AGAIN_OR_LOG,
    "environment.no-interpreter": _ANOTHER_BOX,
    "environment.check-failed": _AGAIN_OR_LOG,
    "environment.disk-full": _ROOM,
    "environment.cuda-mismatch": _AGAIN_OR_LOG,
    "environment.torch-mismatch": _AGAIN_OR_LOG,
    "environment.glibc-mismatch": _ANOTHER_BOX,
    # -- the model's files
    "model.not-found": (Remedy.OTHER_MODEL, Remedy.HUB),
    "model.hub-unreachable": (Remedy.RETRY, Remedy.HUB),
    "model.access-denied": (Remedy.HUB, Remedy.OTHER_MODEL),
    "model.incomplete": (Remedy.RETRY, Remedy.HUB, Remedy.LOG),
    "model.hash-mismatch": (Remedy.RETRY, Remedy.HUB),
    "model.disk-full": _ROOM,
    "model.not-servable": (Remedy.OTHER_MODEL,),
    "model.needs-code": (Remedy.OTHER_MODEL,),
    # -- the engine
    "engine.exited": (Remedy.LOG, Remedy.RETRY, Remedy.OTHER_MODEL),
    "engine.out-of-memory": _SMALLER,
    "engine.bad-argument": (Remedy.RETRY, Remedy.LOG, Remedy.OTHER_MODEL),
    "engine.not-ready": _AGAIN_OR_LOG,
    "engine.crashed": _AGAIN_OR_LOG,
    "engine.killed": _AGAIN_OR_LOG,
    "engine.hung": _AGAIN_OR_LOG,
    "engine.length-does-not-fit": _LENGTH,
    "engine.card-busy": (Remedy.RETRY, Remedy.CONSOLE),
    "engine.driver-too-old": _ANOTHER_BOX,
    "engine.no-device": (Remedy.CONSOLE, Remedy.RETRY),
    "engine.wrong-build": _AGAIN_OR_LOG,
    "engine.no-compiler": (Remedy.RETRY, Remedy.LOG, Remedy.CONSOLE),
    "engine.files-damaged": (Remedy.RETRY, Remedy.OTHER_MODEL),
    "engine.not-supported": (Remedy.OTHER_MODEL, Remedy.LOG),
    "engine.cards-do-not-divide": (Remedy.OTHER_MODEL, Remedy.CONSOLE),
    "engine.cards-cannot-talk": (Remedy.RETRY, Remedy.CONSOLE),
    "engine.shared-memory": _ANOTHER_BOX,
    "engine.host-memory": _SMALLER,
    "engine.disk-full": _ROOM,
    "engine.not-writable": (Remedy.DATA_DIR, Remedy.LOG),
    "engine.port-taken": _AGAIN,
    # -- a stop that failed, which trying again would turn into a start
    "stop-unseen": _STOP,
    "power-off-not-known": _STOP[:1],
    "power-off-failed": _STOP,
    "power-off-not-confirmed": _STOP[:1],
    "power-off-unseen": _STOP[:1],
}

_STOP_CODES = ("stop-", "power-off-")
_OF_A_NEWER_AGENT = (Remedy.RETRY, Remedy.LOG, Remedy.REPORT)


def remedies(error: AppError, *, has_console: bool) -> tuple[Remedy, ...]:
    """Return what can be done about an error, the best first.

    Trying again is always among it, except where that would start what a person wants stopped.

    Args:
        error: what ended the start.
        has_console: whether it is known where the provider's console is.
    """
    listed = REMEDIES.get(error.code, _OF_A_NEWER_AGENT)
    possible = [each for each in listed if _is_possible(each, error, has_console)]
    last = () if _is_of_a_stop(error) else (Remedy.RETRY,)
    return tuple(dict.fromkeys((*possible, *last)))


def named_length(error: AppError) -> int:
    """Return the context in tokens that would fit, where the host named one; else 0."""
    fits = error.facts.get("fits")
    return fits if isinstance(fits, int) and not isinstance(fits, bool) and fits > 0 else 0


def asks_for_address(error: AppError) -> bool:
    """Tell whether the host may have another address by now, so that a person is asked for it."""
    return Remedy.ADDRESS in REMEDIES.get(error.code, ())


def _is_of_a_stop(error: AppError) -> bool:
    return error.code.startswith(_STOP_CODES)


def _is_possible(remedy: Remedy, error: AppError, has_console: bool) -> bool:
    if remedy is Remedy.CONSOLE:
        return has_console
    return remedy is not Remedy.SHORTER or named_length(error) > 0
