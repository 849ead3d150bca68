"""What the window asks for: the seam between what is drawn and what works."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NewType, Protocol

from desktop.core.errors import AppError
from desktop.core.events import Event

# Names one host in the app: the name under which it is saved, or would be.
HostKey = NewType("HostKey", str)


@dataclass(frozen=True, slots=True)
class FromHost:
    """What the session of one host says."""

    host: HostKey
    event: Event


@dataclass(frozen=True, slots=True)
class Target:
    """Where it goes, in words.

    Attributes:
        host: as people see it, such as `root@connect.westb.seetacloud.com:12345`.
        model: `OWNER/NAME`.
        host_text: as it was typed; "" when no host was chosen yet.
        name: under which it is listed.
        notes: what the SSH config wishes for it and does not get.
        rate: what the rental costs an hour; 0 where that is not known.
        currency: of the rate.
    """

    host: str
    model: str
    host_text: str = ""
    name: str = ""
    notes: tuple[str, ...] = ()
    rate: float = 0.0
    currency: str = ""


class HostIntents(Protocol):
    """What is asked of one host. Returns at once; what comes of it is told by events."""

    def start(self, host: str, model: str) -> AppError | None:
        """Bring this host to ready; returns what is wrong with what was typed, or None."""
        ...

    def move(self, text: str) -> AppError | None:
        """Go on at the address in this text, which may bring a new password.

        Returns:
            What is wrong with what was pasted, or None.
        """
        ...

    def trust(self, fingerprint: str) -> None:
        """Start again with this host key, which a person has compared, and no other."""
        ...

    def retry(self) -> None:
        """Try again: after a failure, or instead of waiting for the next try."""
        ...

    def stop(self) -> None:
        """Stop the run on the host."""
        ...


class Intents(Protocol):
    """What is asked of the app. Every method returns at once."""

    def host(self, key: HostKey) -> HostIntents:
        """Return what can be asked of one host."""
        ...

    def add(self, host: str, model: str) -> HostKey | AppError:
        """Save a host and bring it to ready; returns its key, or what is wrong with the text."""
        ...

    def remove(self, key: HostKey) -> None:
        """Forget a host; what runs there goes on."""
        ...

    def quit(self) -> None:
        """Leave the app; the hosts work on."""
        ...
