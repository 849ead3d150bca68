"""Which local port each saved host has: the first one it got, so that other tools find it again.

One small file a host, so that two commands that run side by side lose nothing of each other's.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection
from pathlib import Path
from urllib.parse import urlsplit

from desktop.core.atomic_file import write_atomically
from desktop.core.errors import StorageError
from desktop.core.events import Emit, Event, Ready
from desktop.core.settings import Settings

USUAL_PORT = 8000  # vLLM's own: the snippets of every tutorial then work unchanged
_TO_TRY = 20
LAST_PORT = 65535
_LONGEST = len("65535 65535")


class LocalPorts:
    """The ports that were given out, in a folder of ours."""

    def __init__(self, folder: Path, first: int = 0) -> None:
        """Take where they are kept.

        Args:
            folder: of ours.
            first: where the user wants them to begin (`Settings.local_port`); 0 for the usual one.
                With another beginning all of them are given out anew.
        """
        self._folder, self._first = folder, first

    def of(self, name: str) -> int:
        """Return the port of a saved host, 0 where it has had none yet."""
        try:
            kept = (self._folder / name).read_text(encoding="ascii")[:_LONGEST] if name else ""
        except (OSError, UnicodeDecodeError):
            return 0
        digits, _, first = kept.partition(" ")
        if not digits.isdigit() or first != (str(self._first) if self._first else ""):
            return 0
        return int(digits) if 0 < int(digits) <= LAST_PORT else 0

    def keep(self, name: str, port: int) -> None:
        """Remember the first port of a host, 0 is none; that it cannot be saved stops nobody."""
        if port and not self.of(name):
            with contextlib.suppress(StorageError):
                kept = f"{port} {self._first}" if self._first else str(port)
                write_atomically(self._folder / name, kept.encode())

    def keeping(self, name: str, emit: Emit) -> Emit:
        """Return `emit` for a host's session: its first shared port is remembered on the way."""

        def heard(event: Event) -> None:
            emit(event)  # first: whoever waits for it does not wait for a disk
            if isinstance(event, Ready):
                self.keep(name, urlsplit(event.endpoint.shared_url).port or 0)

        return heard if name else emit

    def forget(self, name: str) -> None:
        """Let the port be given to another host."""
        with contextlib.suppress(OSError):
            (self._folder / name).unlink()

    def to_try(self, name: str, settings: Settings) -> tuple[int, ...]:
        """Return the ports for a host in the order in which they are tried: its own one first.

        Args:
            name: of the saved host, "" where it is none.
            settings: whose other saved hosts keep theirs.
        """
        others = {
            port
            for other, saved in settings.hosts.items()
            if other != name
            for port in (saved.local_port, self.of(other))
        }
        return first_free(self.of(name), others, self._first or USUAL_PORT)


def first_free(own: int, others: Collection[int], first: int = USUAL_PORT) -> tuple[int, ...]:
    """Return ports to try: its own one if it has one, then those from `first` on.

    Those that somebody else has are left out.
    """
    free = (port for port in range(first, LAST_PORT + 1) if port not in others and port != own)
    usual = tuple(port for port, _ in zip(free, range(_TO_TRY), strict=False))
    return (own, *usual) if own else usual
