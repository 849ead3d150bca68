"""What the window asks for: the seam between what is drawn and what works."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from desktop.core.errors import AppError


@dataclass(frozen=True, slots=True)
class Target:
    """Where it goes, in words.

    Attributes:
        host: as people see it, such as `root@connect.westb.seetacloud.com:12345`.
        model: `OWNER/NAME`.
        host_text: as it was typed; "" when no host was chosen yet.
    """

    host: str
    model: str
    host_text: str = ""


class Intents(Protocol):
    """Every method returns at once; what comes of it is told by events."""

    def start(self, host: str, model: str) -> AppError | None:
        """Bring this host to ready; returns what is wrong with what was typed, or None."""
        ...

    def retry(self) -> None:
        """Try again: after a failure, or instead of waiting for the next try."""
        ...

    def stop(self) -> None:
        """Stop the run on the host."""
        ...

    def send(self, text: str) -> bool:
        """Ask the model; tells whether it could be sent."""
        ...

    def cancel(self) -> None:
        """Stop the reply that is streaming."""
        ...

    def quit(self) -> None:
        """Leave the app; the host works on."""
        ...
