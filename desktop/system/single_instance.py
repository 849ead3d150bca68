"""One app for each home: a second start brings the first one's window to the front and ends.

The first one holds a lock of the kernel's, which dies with it, and listens on a loopback port of
its own; the port and a token that only this user can read stand beside the lock. That is the same
on all systems, unlike Unix sockets, named pipes and D-Bus names.

    second start → token, activation token → first: its window comes, "raised" → second: ends
"""

from __future__ import annotations

import hmac
import json
import os
import secrets
import socket
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, closing, suppress
from pathlib import Path

from desktop.core.atomic_file import write_atomically
from desktop.core.errors import StorageError
from desktop.core.exclusive import exclusive

_LONGEST = 2000  # characters of a call
_CALL_SECONDS = 2.0
_PATIENCE_SECONDS = 5.0  # for a first one that is just starting
_BETWEEN_TRIES_S = 0.05
_RAISED = b"raised\n"
# Wayland lets a window come to the front only with the token of the click that asked for it.
ACTIVATION_TOKEN = "XDG_ACTIVATION_TOKEN"  # noqa: S105 - a variable's name


class SingleInstance:
    """The claim to be the only app of one home."""

    def __init__(self, folder: Path) -> None:
        """Take where the lock stands; nothing is claimed yet."""
        self._on_raised: Callable[[str], bool] | None = None
        self._early: str | None = None  # the activation token of a call that nobody could hear
        self._turn = threading.Lock()
        self._lock, self._call = folder / "app.lock", folder / "app.json"
        self._held = ExitStack()
        self._token = secrets.token_urlsafe(16)
        self._listener: socket.socket | None = None
        self._thread: threading.Thread | None = None

    def claim(self) -> bool:
        """Be the one app from now on; False where another one is, which was raised instead.

        A folder that cannot be written stops nobody: there is no lock then, and no other app
        that could be told. Nor does an app that does not answer for five seconds.
        """
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while time.monotonic() < deadline:
            try:
                self._lock.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                self._held.enter_context(exclusive(self._lock, 0))
                self._listen()
            except TimeoutError:
                if self._raise_other(deadline - time.monotonic()):
                    return False
                time.sleep(_BETWEEN_TRIES_S)  # it is starting, or ending
            except (OSError, StorageError):
                return True
            else:
                return True
        return True

    def when_raised(self, call: Callable[[str], bool]) -> None:
        """Have this called when another start wants our window, and for one that came before.

        Args:
            call: gets the activation token of that start or "", on a thread of its own; tells
                whether the window comes. Where it does not, the other start waits for our end.
        """
        with self._turn:
            self._on_raised, early, self._early = call, self._early, None
        if early is not None:
            threading.Thread(target=call, args=(early,), name="raised-early", daemon=True).start()

    def close(self) -> None:
        """Give the claim back and end the thread; safe without a claim and more than once."""
        listener, self._listener = self._listener, None
        if listener is not None and self._thread is not None:
            with suppress(OSError):
                self._connect(listener.getsockname()[1]).close()  # ends the wait for a call
            self._thread.join()
            listener.close()
            with suppress(OSError):
                self._call.unlink()
        self._held.close()

    # -- the first one -----------------------------------------------------------------------------

    def _listen(self) -> None:
        listener = socket.create_server(("127.0.0.1", 0))
        call = {"port": listener.getsockname()[1], "token": self._token}
        write_atomically(self._call, json.dumps(call).encode())
        self._listener = listener
        self._thread = threading.Thread(
            target=self._answer, args=(listener,), name="single-instance", daemon=True
        )
        self._thread.start()

    def _answer(self, listener: socket.socket) -> None:
        while self._listener is not None:
            try:
                connection, _address = listener.accept()
            except OSError:  # out of descriptors, most likely
                time.sleep(_BETWEEN_TRIES_S)
                continue
            with suppress(OSError, ValueError), closing(connection):
                self._hear(connection)

    def _hear(self, connection: socket.socket) -> None:
        if self._listener is None:
            return
        connection.settimeout(_CALL_SECONDS)
        with connection.makefile("r", encoding="utf-8", errors="replace") as said:
            token, _, activation = said.readline(_LONGEST).strip().partition(" ")
        is_ours = hmac.compare_digest(token.encode(), self._token.encode())
        if is_ours and self._raise(activation):
            connection.sendall(_RAISED)

    def _raise(self, activation: str) -> bool:
        """Have the window come, now or as soon as there is one; tells whether it does."""
        with self._turn:
            call = self._on_raised
            if call is None:
                self._early = activation
        return call is None or call(activation)

    # -- the second one ----------------------------------------------------------------------------

    def _raise_other(self, seconds: float) -> bool:
        """Ask the app that is there to show its window; tells whether it said that it did.

        One that is just starting answers at once, one that is busy may take a while.
        """
        with suppress(OSError, ValueError, KeyError, TypeError):
            call = json.loads(self._call.read_text(encoding="utf-8"))
            with closing(self._connect(int(call["port"]))) as connection:
                activation = os.environ.get(ACTIVATION_TOKEN, "")
                connection.sendall(f"{call['token']} {activation}\n".encode())
                connection.settimeout(max(seconds, _BETWEEN_TRIES_S))
                return connection.recv(len(_RAISED)) == _RAISED
        return False

    def _connect(self, port: int) -> socket.socket:
        return socket.create_connection(("127.0.0.1", port), timeout=_CALL_SECONDS)
