"""Everything the core raises on purpose.

    AppError(code, **facts)        shown to people through `desktop.core.explain`
    ├─ DestinationError            what was typed cannot be understood
    ├─ ConnectionFailed            could not reach, or lost, the host
    │  ├─ HostUnreachable  ├─ AuthenticationFailed  ├─ HostKeyUnknown  ├─ HostKeyChanged
    │  └─ ConnectionLost
    ├─ AgentError                  the agent could not do it
    │  ├─ PythonMissing  ├─ DeployFailed  ├─ ProtocolMismatch
    │  └─ AgentRefused(code)       the code is the host's: preflight.*, environment.*, model.*, …
    ├─ ForwardFailed               the local endpoint could not be opened or does not answer
    ├─ NothingRunning              there is no run to talk to
    ├─ ReplyFailed                 one reply broke; the session may be fine
    └─ StorageError                our own files on the laptop
    Cancelled                      not an AppError; shown as nothing

A code is stable and is the key of the texts in `assets/errors.toml`; facts are plain values
(`host`, `port`, `last_lines`, ...) that the texts may name. `str(error)` is for logs.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any, ClassVar


class ExitStatus(IntEnum):
    """What `paperkite` exits with: a contract (DESIGN §6) that other programs rely on."""

    DONE = 0
    USAGE = 2
    OTHER = 64
    UNREACHABLE = 65
    AUTHENTICATION = 66
    HOST_KEY = 67
    PREFLIGHT = 68
    ENVIRONMENT = 69
    MODEL = 70
    ENGINE = 71
    FORWARD = 72
    NOTHING_RUNNING = 73
    STORAGE = 74
    INTERRUPTED = 130


class Cancelled(Exception):
    """The user asked for it to stop."""


class AppError(Exception):
    """An error with a stable code and the facts that its texts need.

    Attributes:
        code: the key into `assets/errors.toml`.
        facts: plain values; no secrets.
        retryable: whether the same call may succeed later without a person.
    """

    exit_status: ClassVar[ExitStatus] = ExitStatus.OTHER
    retryable: ClassVar[bool] = False

    def __init__(self, code: str, **facts: Any) -> None:
        super().__init__(code)
        self.code = code
        self.facts = facts

    def __str__(self) -> str:
        """Return `code: fact=value, …`."""
        facts = ", ".join(f"{name}={value!r}" for name, value in self.facts.items())
        return f"{self.code}: {facts}" if facts else self.code


class DestinationError(AppError):
    """What was typed as a host cannot be understood (`destination-*`)."""

    exit_status = ExitStatus.USAGE


class ConnectionFailed(AppError):
    """The host could not be reached, or the connection was lost."""

    exit_status = ExitStatus.UNREACHABLE


class HostUnreachable(ConnectionFailed):
    """No SSH server answered (`host-not-found`, `host-refused`, `host-silent`, `not-ssh`)."""

    retryable = True


class ConnectionLost(ConnectionFailed):
    """It was there and is gone (`connection-lost`)."""

    retryable = True


class AuthenticationFailed(ConnectionFailed):
    """The host did not accept us (`authentication-failed`, `password-needed`)."""

    exit_status = ExitStatus.AUTHENTICATION


class HostKeyUnknown(ConnectionFailed):
    """A host key nobody has confirmed (`host-key-unknown`), with its fingerprint."""

    exit_status = ExitStatus.HOST_KEY


class HostKeyChanged(ConnectionFailed):
    """Another key than the pinned one (`host-key-changed`), with both fingerprints."""

    exit_status = ExitStatus.HOST_KEY


class AgentError(AppError):
    """The agent could not be brought up or understood."""


class PythonMissing(AgentError):
    """No Python ≥ 3.8 on the host (`python-missing`)."""

    exit_status = ExitStatus.PREFLIGHT


class DeployFailed(AgentError):
    """The archive could not be put in place (`deploy-failed`, `deploy-disk-full`)."""

    exit_status = ExitStatus.PREFLIGHT


class ProtocolMismatch(AgentError):
    """The agent spoke something else (`protocol-mismatch`)."""


_STATUS_OF_PREFIX = {
    "preflight": ExitStatus.PREFLIGHT,
    "environment": ExitStatus.ENVIRONMENT,
    "model": ExitStatus.MODEL,
    "engine": ExitStatus.ENGINE,
}
_STATUS_OF_CODE = {"run.disk-full": ExitStatus.PREFLIGHT}  # as any full disk that is found early


class AgentRefused(AgentError):
    """The host says no, with a code of its own such as `model.not-found`."""

    @property
    def exit_status(self) -> ExitStatus:  # type: ignore[override]
        """The status of the code, or of its first word."""
        of_prefix = _STATUS_OF_PREFIX.get(self.code.partition(".")[0], ExitStatus.OTHER)
        return _STATUS_OF_CODE.get(self.code, of_prefix)


class ForwardFailed(AppError):
    """The local endpoint could not be opened, or does not answer (`local-port-taken`, …)."""

    exit_status = ExitStatus.FORWARD


class NothingRunning(AppError):
    """There is no run on this host (`nothing-running`)."""

    exit_status = ExitStatus.NOTHING_RUNNING


class ReplyFailed(AppError):
    """One reply broke; the session may be fine (`reply-*`)."""

    exit_status = ExitStatus.ENGINE


class StorageError(AppError):
    """Our own files on the laptop (`storage-*`)."""

    exit_status = ExitStatus.STORAGE
