"""The hub's token: in the system's keyring, and in memory while the app runs."""

from __future__ import annotations

import threading

from desktop.system.keyring import Keyring

_NAME = "hub-token"


class HubToken:
    """The token that private models need, or none.

    A keyring can ask its owner to unlock it, so that it is read and written on a thread, and read
    only where something was ever kept (`Settings.hub_token_kept`).

    Attributes:
        value: the token as far as it is known by now; "" for none. A secret.
    """

    def __init__(self, keyring: Keyring) -> None:
        self.value = ""
        self._keyring = keyring
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._is_given = False  # by its owner, since the start: what was kept before is old

    def read(self) -> None:
        """Find out what is kept; blocks as long as the keyring does."""
        kept = self._keyring.secret(_NAME) or ""
        with self._lock:
            if not self._is_given:
                self.value = kept

    def change(self, token: str) -> None:
        """Use this token from now on and keep it; "" forgets it. Returns at once."""
        with self._lock:
            self.value, self._is_given = token, True
            before = self._thread
            self._thread = threading.Thread(
                target=self._keep, args=(token, before), name="hub-token"
            )
            self._thread.start()

    def join(self) -> None:
        """Wait until what was changed is kept."""
        if self._thread is not None:
            self._thread.join()

    def _keep(self, token: str, before: threading.Thread | None) -> None:
        if before is not None:
            before.join()  # what was given last is kept last
        if token:
            self._keyring.keep(_NAME, token)
        else:
            self._keyring.forget(_NAME)

    def __repr__(self) -> str:
        """Return a text without the secret."""
        return f"HubToken(known={bool(self.value)})"
