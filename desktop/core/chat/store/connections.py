"""The open file's two connections: one writes and one reads, each behind a lock of its own.

With a write-ahead log a reader never waits for a writer, so the window reads while a stream is
written; a write waits for another one for some milliseconds. What was written is read by the next
call, from whichever thread.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from desktop.core.chat.store.failures import converted
from desktop.core.chat.store.opening import connected, keep_little
from desktop.core.chat.store.schema import transaction
from desktop.core.errors import StorageError

_SOUND = "UPDATE state SET value = '1' WHERE name = 'closed'"
_INDEX_ANEW = "DELETE FROM state WHERE name = 'index'"  # a check does not read it


class Connections:
    """Both connections, until they are closed; any thread may use them."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        """Take the connection that writes, and open the one that reads."""
        self._path = path
        self._writing, self._reading = connection, connected(path)
        keep_little(self._reading)
        self._writes, self._reads = threading.Lock(), threading.Lock()
        self._damaged = self._closed = False

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """Give the connection for one transaction: all of it is done, or nothing.

        Raises:
            StorageError: as `failures.converted` says.
        """
        with self._watched(), self._writes, transaction(self._writing):
            yield self._writing

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """Give the connection for some reading.

        Raises:
            StorageError: as `failures.converted` says.
        """
        with self._watched(), self._reads:
            yield self._reading

    def close(self) -> None:
        """Close the file; where damage was met, the next start looks closely. Never raises."""
        if self._closed:
            return
        self._closed = True
        with suppress(StorageError), self.write() as connection:
            connection.execute(_INDEX_ANEW if self._damaged else _SOUND)
        with self._writes, self._reads:
            self._reading.close()
            self._writing.close()

    @contextmanager
    def _watched(self) -> Iterator[None]:
        try:
            with converted(self._path):
                yield
        except StorageError as error:
            self._damaged = self._damaged or error.code == "storage-damaged"
            raise
