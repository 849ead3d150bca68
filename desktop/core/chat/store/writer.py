"""The thread that keeps what streams: on disk within a second of the screen, twice a second.

It also takes what is over into the index of the search, and lets go of what was deleted long ago:
nobody should wait for either.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from desktop.core.chat.conversation import Message
from desktop.core.chat.store.store import Store
from desktop.core.errors import StorageError

_INTERVAL_S = 0.4  # leaves more than half of the second for a slow disk
_BREATH_S = 0.03  # between two batches of a long index: the window's thread wants Python too

Tell = Callable[[StorageError | None], None]


class Writer:
    """Keeps the latest state of each message that is put to it."""

    def __init__(self, store: Store, tell: Tell = lambda _: None) -> None:
        """Start the thread.

        Args:
            store: where to.
            tell: hears once that nothing can be written any more (all is held and tried again), and
                None once it can. Called from the writer's thread, or from that of `flush`.
        """
        self._store, self._tell = store, tell
        self._waiting: dict[str, Message] = {}
        self._guard = threading.Lock()  # of _waiting
        self._writing = threading.Lock()  # one batch at a time, so that none overtakes another
        self._wake = threading.Event()
        self._closing = threading.Event()
        self._in_trouble = False
        store.on_unindexed = self._wake.set
        self._wake.set()  # an index that a former run left behind
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
        self._thread.start()

    def put(self, message: Message) -> None:
        """Have this kept soon; returns at once. One with an outcome is kept whole."""
        with self._guard:
            self._waiting[message.id] = message
        self._wake.set()

    def flush(self) -> bool:
        """Write all that was put before; returns whether it is on disk now."""
        with self._writing:
            with self._guard:
                batch, self._waiting = self._waiting, {}
            try:
                self._store.keep(list(batch.values()))
            except StorageError as error:
                with self._guard:
                    self._waiting = {**batch, **self._waiting}
                self._say(error)
                return False
            if batch:
                self._say(None)
            return True

    def close(self) -> None:
        """Write all that was put and end the thread; the store stays open."""
        self._closing.set()
        self._wake.set()
        self._thread.join()
        self._store.on_unindexed = lambda: None
        self.flush()

    def _run(self) -> None:
        while not self._closing.is_set():
            self._wake.wait()
            self._wake.clear()
            written = self.flush()
            due = time.monotonic() + _INTERVAL_S
            if self._tidy_until(due) or not written:
                self._wake.set()
            self._closing.wait(max(due - time.monotonic(), 0))

    def _tidy_until(self, due: float) -> bool:
        """Purge and index until then, or all there is; returns whether something may be left."""
        try:
            while self._store.purge() or self._store.index():
                if time.monotonic() > due or self._closing.wait(_BREATH_S):
                    return True
        except StorageError:
            return True  # it can wait: what is not indexed is found too
        return False

    def _say(self, error: StorageError | None) -> None:
        if self._in_trouble != (error is not None):
            self._in_trouble = error is not None
            self._tell(error)
