"""The store of the app opened, with what writes to it; what goes wrong is said, not raised."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from desktop.core.chat.conversations import Conversations
from desktop.core.chat.store.store import Store, open_store
from desktop.core.chat.store.writer import Writer
from desktop.core.chat.streaming import Price
from desktop.core.errors import StorageError
from desktop.ui.chats.chats import Chats

if TYPE_CHECKING:
    from desktop.core.chat.replies import Replies


class Keeping(QObject):
    """Holds the open file until the app ends.

    Attributes:
        chats: what the window uses.
        remark: why the file could not be opened, or what was repaired in it; or None. Where it
            could not be opened, conversations are kept in a file that ends with the app.

    Signals:
        troubled: nothing can be written any more (a StorageError), or again (None).
    """

    troubled = Signal(object)

    def __init__(self, path: Path, replies: Callable[[], Replies], price: Price) -> None:
        super().__init__()
        self._aside: tempfile.TemporaryDirectory[str] | None = None
        self.remark: StorageError | None = None
        self._store = self._open(path)
        self._writer = Writer(self._store, self.troubled.emit)
        kept = Conversations(self._store, self._writer, replies, price)
        self.chats = Chats(kept, self._store, replies)

    def _open(self, path: Path) -> Store:
        try:
            store = open_store(path)
        except StorageError as error:
            self.remark = error
            self._aside = tempfile.TemporaryDirectory(prefix="paperkite-")
            return open_store(Path(self._aside.name) / path.name)
        self.remark = store.remark
        return store

    def close(self) -> None:
        """Write what is not written yet, and close the file."""
        with suppress(StorageError):  # what came is as far on disk as the writer got
            self.chats.kept.close()
        self.chats.kept.close()
        self._writer.close()
        self._store.close()
        if self._aside is not None:
            self._aside.cleanup()
