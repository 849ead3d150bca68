"""What is typed and not sent, kept with its conversation soon after the last key.

What the disk refuses is held here and tried again: it is lost with the app at the earliest.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from desktop.core.chat.conversation import Conversation, Unsent
from desktop.core.errors import StorageError

if TYPE_CHECKING:
    from desktop.core.chat.store.store import Store

_SOON_MS = 400


class Drafts(QObject):
    """Keeps the drafts; that of a conversation which does not exist yet is held under "".

    Signals:
        kept: a draft was kept, and the list may show its conversation otherwise.
        troubled: what is typed can be kept no more (a StorageError), said once until it can again.
    """

    kept = Signal()
    troubled = Signal(object)

    def __init__(self, store: Store, parent: QObject) -> None:
        super().__init__(parent)
        self._store = store
        self._texts: dict[str, str] = {}  # by conversation: not on disk yet
        self._beside: dict[str, Unsent] = {}
        self._in_trouble = False
        self._timer = QTimer(self, singleShot=True, interval=_SOON_MS)
        self._timer.timeout.connect(self.flush)

    def keep(self, conversation: str, text: str) -> None:
        """Keep this text with a conversation, soon."""
        self._texts[conversation] = text
        self._timer.start()

    def keep_beside(self, conversation: str, beside: Unsent) -> None:
        """Keep what lies beside the text, soon."""
        self._beside[conversation] = beside
        self._timer.start()

    def of(self, conversation: Conversation | None) -> str:
        """Return what is typed in a conversation; None: in one that does not exist yet."""
        name, kept = ("", "") if conversation is None else (conversation.id, conversation.draft)
        return self._texts.get(name, kept)

    def beside(self, conversation: str) -> Unsent:
        """Return what lies beside the text; "": in a conversation that does not exist yet.

        Raises:
            StorageError: it cannot be read.
        """
        held = self._beside.get(conversation)
        if held is None:
            return self._store.unsent(conversation) if conversation else Unsent()
        return held

    def move(self, before: str, now: str) -> None:
        """Keep what is held of one conversation with another one."""
        text, beside = self._texts.pop(before, None), self._beside.pop(before, None)
        if text is not None:
            self.keep(now, text)
        if beside is not None:
            self.keep_beside(now, beside)

    def forget(self, conversation: str) -> None:
        """Keep nothing of what is typed in a conversation: it was sent."""
        self._texts.pop(conversation, None)
        self._beside.pop(conversation, None)

    def flush(self) -> None:
        """Keep it now; what the disk refuses is held until the next time."""
        self._timer.stop()
        for conversation in {*self._texts, *self._beside} - {""}:
            try:
                self._write(conversation)
            except StorageError as error:
                if not self._in_trouble:
                    self._in_trouble = True
                    self.troubled.emit(error)
                return
        self._in_trouble = False

    def _write(self, conversation: str) -> None:
        found = self._store.conversation(conversation)
        beside = self._beside.get(conversation)
        if found is not None:
            text = self.of(found)
            if text != found.draft or beside is not None:
                self._store.take(replace(found, draft=text), unsent=beside)
                if not found.title or bool(text) != bool(found.draft):
                    self.kept.emit()
        self.forget(conversation)
