"""The API key of each saved host's endpoint: mostly the same each day, as its local port is.

Other programs are told of both once. A key is a secret: it is kept in the system's keyring, and
where that keeps nothing, in memory for as long as the app runs.
"""

from __future__ import annotations

import re
import secrets
import threading
from typing import Protocol

_KEY = re.compile(r"pk-[\w-]{32}", re.ASCII)  # as `fresh_key` makes them


class Secrets(Protocol):
    """Where secrets are kept by name; each call may block for as long as a person needs."""

    def secret(self, name: str) -> str | None:
        """Return what is kept under a name, or None."""
        ...

    def keep(self, name: str, secret: str) -> bool:
        """Keep a secret; tells whether that worked."""
        ...

    def forget(self, name: str) -> None:
        """Drop what is kept under a name, if anything."""
        ...


class ApiKeys:
    """The keys that were given out; called from the threads of sessions."""

    def __init__(self, kept: Secrets) -> None:
        """Take where they are kept."""
        self._kept = kept
        self._known: dict[str, str] = {}  # by host
        self._turn = threading.Lock()

    def of(self, host: str) -> str:
        """Return the key of a saved host; a fresh one where it is none ("").

        May block for as long as the keyring does.
        """
        if not host:
            return fresh_key()
        with self._turn:
            if host not in self._known:
                self._known[host] = self._found(host)
            return self._known[host]

    def forget(self, host: str) -> None:
        """Drop the key of a host; may block, as `of` does."""
        with self._turn:
            self._known.pop(host, None)
            self._kept.forget(_name(host))

    def _found(self, host: str) -> str:
        kept = self._kept.secret(_name(host)) or ""
        if _KEY.fullmatch(kept):
            return kept
        made = fresh_key()
        self._kept.keep(_name(host), made)
        return made

    def __repr__(self) -> str:
        """Return a text without the secrets."""
        return f"ApiKeys({sorted(self._known)})"


def fresh_key() -> str:
    """Return a key that nobody can guess: 192 random bits."""
    return f"pk-{secrets.token_urlsafe(24)}"


def _name(host: str) -> str:
    return f"api-key {host}"
