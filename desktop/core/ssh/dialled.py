"""A second connection, dialled early beside one that has stalled, rather than after it is dead.

After an outage an old TCP connection stays silent for as long again, and one that a router forgot
for ever, while a new one needs a second (facts on resuming SSH). So: once the host is late with an
answer another connection is dialled. If the old one has said nothing by the time the new one
stands, it is given up, and whoever dials next finds the new one ready. If it has, it stays.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress

from desktop.core.errors import AppError
from desktop.core.ssh.connection import Connection


class Dialled:
    """The dial of one session, with the connection that it made last and the one beside it."""

    def __init__(self, dial: Callable[[], Connection]) -> None:
        """Take the call that connects."""
        self._dial = dial
        self._lock = threading.Lock()
        self._last: Connection | None = None
        self._beside: Future[Connection] | None = None
        self._closed = False

    def __call__(self) -> Connection:
        """Return a new connection: the one that was dialled beside the last, where there is one.

        Raises:
            AppError: what the dialling raises.
        """
        with self._lock:
            beside, self._beside = self._beside, None
        connection = self._dial() if beside is None else beside.result()
        with self._lock:
            self._last = connection
        connection.when_stalled(lambda: self._begin_beside(connection))
        return connection

    def poke(self) -> None:
        """Have the last connection find out now whether it stands; from any thread, at once.

        For who knows that the computer slept, or has another network.
        """
        connection = self._last
        if connection is not None:
            connection.poke()

    def close(self) -> None:
        """Keep nothing beside any more; what is being dialled is closed when it stands."""
        with self._lock:
            self._closed = True
            beside, self._beside = self._beside, None
        if beside is not None and not beside.cancel():
            with suppress(AppError):  # it has just failed
                beside.result().close()

    def _begin_beside(self, old: Connection) -> None:
        with self._lock:
            if self._closed or self._beside is not None or old is not self._last:
                return
            beside: Future[Connection] = Future()
            self._beside = beside
        threading.Thread(
            target=self._dial_beside, args=(old, beside), name="ssh-beside", daemon=True
        ).start()

    def _dial_beside(self, old: Connection, beside: Future[Connection]) -> None:
        began = time.monotonic()
        try:
            connection = self._dial()
        except Exception as error:  # noqa: BLE001 - it belongs to who waits for it, if anybody
            self._forget(beside)
            if beside.set_running_or_notify_cancel():
                beside.set_exception(error)
            return
        if old.alive and old.last_heard > began and self._forget(beside):
            connection.close()
        elif beside.set_running_or_notify_cancel():
            beside.set_result(connection)
            old.close()
        else:
            connection.close()

    def _forget(self, beside: Future[Connection]) -> bool:
        """Offer it to nobody any more; return False where somebody waits for it already."""
        with self._lock:
            is_offered = self._beside is beside
            if is_offered:
                self._beside = None
        return is_offered
