"""What is typed and not sent, kept with its conversation soon after the last key.

What the disk refuses is held here and tried again: it is lost with the app at the earliest.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from desktop.core.chat.conversation import Conversation
from desktop.core.errors import StorageError

if TYPE_CHECKING:
    from desktop.core.chat.store.store import Store

_SOON_MS = 400


class Drafts(QObject):
    """Keeps the drafts; that of a conversation which does not exist yet is held under "".

    Signals:
        kept: a draft was kept.
    """

    kept = Signal()

    def __init__(self, store: Store, parent: QObject) -> None:
        super().__init__(parent)
        self._store = store
        self._held: dict[str, str] = {}  # by conversation: not on disk yet
        self._timer = QTimer(self, singleShot=True, interval=_SOON_MS)
        self._timer.timeout.connect(self.flush)

    def keep(self, conversation: str, text: str) -> None:
        """Keep this text with a conversation, soon."""
        self._held[conversation] = text
        self._timer.start()

    def of(self, conversation: Conversation | None) -> str:
        """Return what is typed in a conversation; None: in one that does not exist yet."""
        name, kept = ("", "") if conversation is None else (conversation.id, conversation.draft)
        return self._held.get(name, kept)

    def move(self, before: str, now: str) -> None:
        """Keep what is held of one conversation with another one."""
        if (text := self._held.pop(before, None)) is not None:
            self.keep(now, text)

    def forget(self, conversation: str) -> None:
        """Keep nothing of what is typed in a conversation: it was sent."""
        self._held.pop(conversation, None)

    def flush(self) -> None:
        """Keep it now; what the disk refuses is held until the next time."""
        self._timer.stop()
        for conversation, text in list(self._held.items()):
            if conversation:
                with suppress(StorageError):
                    self._write(conversation, text)

    def _write(self, conversation: str, text: str) -> None:
        found = self._store.conversation(conversation)
        if found is None or found.draft == text:
            self.forget(conversation)
        else:
            self._store.save(replace(found, draft=text))
            self.forget(conversation)
            self.kept.emit()
