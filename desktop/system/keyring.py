"""Passwords in the system's keyring: Keychain, Credential Manager, Secret Service.

Many Linux machines have none, or one that is locked, or a D-Bus that never answers: then nothing is
kept and nothing breaks. May block for as long as `Patience` says (a keyring can ask its owner to
unlock it), so it is called from the session's thread.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

_SERVICE = "paperkite"
_log = logging.getLogger(__name__)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds to wait for a keyring; its own calls know no deadline.

    Attributes:
        found: until one is found; looking for it needs no person.
        answered: for an answer; its owner may have to type a password to unlock it.
    """

    found: float = 5.0
    answered: float = 30.0


class Keyring:
    """Secrets by name.

    A keyring that once failed or did not answer in time is left alone from then on: the next
    question would wait as long, and what it was told to keep would be lost.
    """

    def __init__(
        self, backend: KeyringBackend | None = None, patience: Patience = Patience()
    ) -> None:
        """Take a backend, or find the system's when it is first needed."""
        self._backend = backend
        self._patience = patience
        self._usable: bool | None = None  # not known yet

    def available(self) -> bool:
        """Tell whether a secret can be kept on this system."""
        if self._usable is None:
            # A backend says by its priority whether it can work here; the "fail" one is 0.
            priority = self._ask(
                "is not there", lambda: float(self._found().priority), self._patience.found
            )
            self._usable = priority is not None and priority > 0
        return self._usable

    def secret(self, name: str) -> str | None:
        """Return what is kept under a name, or None."""
        if not self.available():
            return None
        return self._ask("did not answer", lambda: self._found().get_password(_SERVICE, name))

    def keep(self, name: str, secret: str) -> bool:
        """Keep a secret; tells whether that worked."""

        def keep() -> bool:
            self._found().set_password(_SERVICE, name, secret)
            return True

        return self.available() and bool(self._ask("kept nothing", keep))

    def forget(self, name: str) -> None:
        """Drop what is kept under a name, if anything."""

        def forget() -> None:
            if self._found().get_password(_SERVICE, name) is not None:
                self._found().delete_password(_SERVICE, name)

        if self.available():
            self._ask("forgot nothing", forget)

    def _ask(self, failure: str, call: Callable[[], T], seconds: float | None = None) -> T | None:
        """Return what a call says; None, and no more calls, when it raises or takes too long."""
        answer: SimpleQueue[tuple[T | None, str]] = SimpleQueue()

        def ask() -> None:
            try:
                answer.put((call(), ""))
            except Exception as error:  # noqa: BLE001 - backends of others: anything means "no"
                answer.put((None, type(error).__name__))

        threading.Thread(target=ask, name="keyring", daemon=True).start()
        try:
            said, problem = answer.get(timeout=seconds or self._patience.answered)
        except Empty:
            said, problem = None, "no answer in time"
        if problem:
            self._usable = False
            _log.info("the keyring %s: %s", failure, problem)
        return said

    def _found(self) -> KeyringBackend:
        if self._backend is None:
            import keyring  # noqa: PLC0415 - looks through all installed packages

            self._backend = keyring.get_keyring()
        return self._backend
