"""The context, honest: how much of it this conversation and the message being typed take.

The engine counts, with its own tokenizer; a little after the last key, and never on the way of one.
"""

from __future__ import annotations

from contextlib import suppress

from PySide6.QtCore import QObject, QTimer

from desktop.core.chat.ask import Ask
from desktop.core.chat.context import most_tokens
from desktop.core.chat.conversation import Attachment, Message, Setup
from desktop.core.chat.turn import Turn, quoting, turns_of
from desktop.core.errors import StorageError
from desktop.core.events import Counted
from desktop.ui.chats.chats import Chats, Front
from desktop.ui.composer import Composer

_SOON_MS = 400


class Meter(QObject):
    """Asks for counts and shows the newest one; also what each attached file takes."""

    def __init__(self, chats: Chats, composer: Composer) -> None:
        super().__init__(composer)
        self._chats, self._composer = chats, composer
        self._front, self._conversation, self._setup = Front(), "", Setup()
        self._editing: Message | None = None
        self._whole = 0  # the number of the count that is awaited
        self._files: dict[int, tuple[str, Attachment]] = {}  # by count: the model, and the file
        self._known: dict[tuple[str, Attachment], int] = {}
        self._timer = QTimer(self, singleShot=True, interval=_SOON_MS)
        self._timer.timeout.connect(self._ask)

    def measure(
        self, front: Front, conversation: str, setup: Setup, editing: Message | None = None
    ) -> None:
        """Count this conversation with what is typed, soon.

        Args:
            front: the host whose model counts.
            conversation: its id, or "".
            setup: what it asks of the model.
            editing: the message in whose place it would be said, where that is not the end.
        """
        if conversation != self._conversation:
            self._whole = 0  # a count of the one before is of no use here
            self._composer.meter.hide()
        self._front, self._conversation, self._setup = front, conversation, setup
        self._editing = editing
        if front.is_ready:
            self._timer.start()
        else:
            self.stop()

    def stop(self) -> None:
        """Count nothing: there is nobody who could."""
        self._timer.stop()
        self._composer.meter.hide()

    def counted(self, event: Counted) -> None:
        """Show a count, if it is one that is still awaited."""
        file = self._files.pop(event.count, None)
        if file is not None:
            self._known[file] = event.tokens
            self._show_files()
        elif event.count == self._whole:
            most = most_tokens(event.limit, self._setup.sampling.max_tokens)
            self._composer.meter.show_count(event.tokens, event.limit, most)

    def _ask(self) -> None:
        endpoint = self._front.endpoint
        if endpoint is None:
            return
        turns: tuple[Turn, ...] = ()
        with suppress(StorageError):  # said where the conversation is shown
            turns = self._turns()
        if not turns:
            self._composer.meter.hide()
            return
        replies = self._chats.replies()
        self._whole = replies.count(endpoint, Ask(turns, self._setup))
        asked = set(self._files.values())
        for each in self._composer.attachments:
            file = (self._front.model, each)
            if file not in asked and file not in self._known:
                turn = Turn("user", quoting("", (each,)))
                self._files[replies.count(endpoint, Ask((turn,)))] = file
        self._show_files()

    def _turns(self) -> tuple[Turn, ...]:
        kept, composer, editing = self._chats.kept, self._composer, self._editing
        files = tuple(composer.attachments) if editing is None else editing.attachments
        typed = Message("", "", "", "user", composer.text, 0.0, attachments=files)
        if editing is not None:
            path = kept.before(editing)
        else:
            there = self._conversation and self._chats.store.conversation(self._conversation)
            path = kept.path(self._conversation) if there else []
        return turns_of([*path, typed], self._setup)

    def _show_files(self) -> None:
        model, there = self._front.model, set(self._composer.attachments)
        self._known = {file: cost for file, cost in self._known.items() if file[1] in there}
        self._composer.show_costs(
            {each: self._known.get((model, each)) for each in self._composer.attachments}
        )
