"""Passwords in the system's keyring: Keychain, Credential Manager, Secret Service.

Many Linux machines have none, or one that is locked: then nothing is kept and nothing breaks.
May block (a keyring can ask its owner), so it is called from the session's thread.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

_SERVICE = "paperkite"
_log = logging.getLogger(__name__)


class Keyring:
    """Secrets by name."""

    def __init__(self, backend: KeyringBackend | None = None) -> None:
        """Take a backend, or find the system's when it is first needed."""
        self._backend = backend

    def available(self) -> bool:
        """Tell whether a secret can be kept on this system."""
        try:
            # A backend says by its priority whether it can work here; the "fail" one is 0.
            return float(self._found().priority) > 0
        except Exception:  # noqa: BLE001 - backends of others: whatever they raise means "no"
            return False

    def secret(self, name: str) -> str | None:
        """Return what is kept under a name, or None."""
        if not self.available():
            return None
        try:
            return self._found().get_password(_SERVICE, name)
        except Exception as error:  # noqa: BLE001 - as above
            _log.info("the keyring did not answer: %s", type(error).__name__)
            return None

    def keep(self, name: str, secret: str) -> bool:
        """Keep a secret; tells whether that worked."""
        try:
            self._found().set_password(_SERVICE, name, secret)
        except Exception as error:  # noqa: BLE001 - as above
            _log.info("the keyring kept nothing: %s", type(error).__name__)
            return False
        return True

    def forget(self, name: str) -> None:
        """Drop what is kept under a name, if anything."""
        try:
            if self._found().get_password(_SERVICE, name) is not None:
                self._found().delete_password(_SERVICE, name)
        except Exception as error:  # noqa: BLE001 - as above
            _log.info("the keyring forgot nothing: %s", type(error).__name__)

    def _found(self) -> KeyringBackend:
        if self._backend is None:
            import keyring  # noqa: PLC0415 - looks through all installed packages

            self._backend = keyring.get_keyring()
        return self._backend
