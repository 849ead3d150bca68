"""What is typed and not sent, kept with its conversation soon after the last key."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from desktop.core.errors import StorageError

if TYPE_CHECKING:
    from desktop.core.chat.store.store import Store

_SOON_MS = 400


class Drafts(QObject):
    """Keeps one draft at a time: the one that is typed.

    Signals:
        kept: a draft was kept.
    """

    kept = Signal()

    def __init__(self, store: Store, parent: QObject) -> None:
        super().__init__(parent)
        self._store = store
        self._typed: tuple[str, str] | None = None
        self._timer = QTimer(self, singleShot=True, interval=_SOON_MS)
        self._timer.timeout.connect(self.flush)

    def keep(self, conversation: str, text: str) -> None:
        """Keep this text with a conversation, soon."""
        if self._typed is not None and self._typed[0] != conversation:
            self.flush()
        self._typed = (conversation, text)
        self._timer.start()

    def forget(self) -> None:
        """Keep nothing: it was sent."""
        self._typed = None
        self._timer.stop()

    def flush(self) -> None:
        """Keep it now; where the disk is full it is kept in the field only."""
        typed, self._typed = self._typed, None
        self._timer.stop()
        if typed is None:
            return
        found = self._store.conversation(typed[0])
        if found is not None and found.draft != typed[1]:
            with suppress(StorageError):
                self._store.save(replace(found, draft=typed[1]))
                self.kept.emit()
