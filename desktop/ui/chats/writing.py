"""What is written in the conversation in front: typed, kept, sent, taken back, worded anew.

Nothing of it is lost with the app: drafts, files and new wordings are in the store a moment after
the last key.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt

from desktop.core.chat.conversation import Conversation, Message, Unsent
from desktop.core.events import Endpoint
from desktop.core.phases import Phase
from desktop.core.texts import Texts
from desktop.ui.chats.chats import Chats
from desktop.ui.chats.drafts import Drafts
from desktop.ui.chats.message import quoted
from desktop.ui.chats.outbox import Outbox
from desktop.ui.composer import Composer
from desktop.ui.intents import HostKey

if TYPE_CHECKING:
    from desktop.ui.chats.desk import Desk


class Writing:
    """The composer, and what becomes of what is in it.

    Attributes:
        editing: the message that is worded anew in the composer, or None.
    """

    def __init__(self, desk: Desk, chats: Chats, composer: Composer, texts: Texts) -> None:
        self._desk, self._kept, self._composer, self._texts = desk, chats.kept, composer, texts
        self.editing: Message | None = None
        self._beside = Unsent()  # the draft in front
        self._drafts = Drafts(chats.store, desk)
        self._drafts.kept.connect(desk.listed)
        self._drafts.troubled.connect(desk.say_trouble)
        self._outbox = Outbox(chats, self._drafts)
        composer.typed.connect(self._typed)
        composer.taken_back.connect(self._take_back)
        composer.editing_left.connect(self._leave_editing)

    # -- which conversation ------------------------------------------------------------------------

    def fill(self) -> None:
        """Put what is typed in the conversation in front, and was not sent, into the composer."""
        current, self.editing, self._beside = self._desk.current, None, Unsent()
        with self._desk.guarded():
            self._beside = self._drafts.beside(current)
            if self._beside.edited:
                self.editing = self._kept.message(current, self._beside.edited)
        if self.editing is None:
            draft = self._drafts.of(self._desk.conversation())
            self._composer.fill(draft, self._beside.attachments)
        else:
            self._composer.fill(self._beside.wording, editing=True)

    def leave(self) -> None:
        """Keep what is typed: another conversation comes to the front, or the app ends."""
        self.editing = None
        self._drafts.flush()

    def holds(self, conversation: Conversation) -> bool:
        """Tell whether something is typed, or attached, in the conversation in front."""
        return bool(self._drafts.of(conversation)) or self._beside != Unsent()

    def move(self, before: str, now: str) -> None:
        """Keep what is typed with another conversation: the one in front begins, or begins anew."""
        self._drafts.move(before, now)
        if self._beside != Unsent():
            self._drafts.keep_beside(now, self._beside)

    # -- sending -----------------------------------------------------------------------------------

    @property
    def waits(self) -> bool:
        """Whether what is typed waits for its host."""
        return self._outbox.waiting_in(self._desk.current) is not None

    def send(self, text: str) -> bool:
        """Say this, now or when the host is ready; tells whether there was somebody to say it to.

        Raises:
            StorageError: it could not be kept, and is in the composer.
        """
        front = self._desk.front
        if self.editing is not None:
            return self._send_edited(self.editing, text)
        if not (front.is_ready or front.is_coming):
            return False
        files = tuple(self._composer.attachments)
        if self._outbox.send(self._desk.ensure(), text, files, front):
            self.fill()
        return True

    def _send_edited(self, message: Message, text: str) -> bool:
        endpoint = self._desk.front.endpoint
        if endpoint is None:
            return False
        self._kept.edit(message, text, endpoint)
        self._put_beside(replace(self._beside, edited="", wording=""))
        self.fill()
        return True

    def host_ready(self, host: HostKey, endpoint: Endpoint) -> None:
        """Say what waits for a host.

        Raises:
            StorageError: what could not be kept is a draft again.
        """
        self._clear(self._outbox.ready(host, endpoint))

    def reply_over(self, conversation: str) -> None:
        """Say what waited for a reply to be over.

        Raises:
            StorageError: as `host_ready`.
        """
        self._clear(self._outbox.reply_over(conversation))

    def _clear(self, said: Iterable[str]) -> None:
        for each in said:
            if each == self._desk.current:
                self.fill()

    def host_gone(self, host: HostKey, phase: Phase) -> bool:
        """Give back what waits for a host that will not be ready; tells whether there was any."""
        return self._outbox.gone(host, phase)

    def _take_back(self) -> None:
        self._outbox.take_back(self._desk.current)
        self._desk.show_messages()
        self._composer.editor.setFocus()

    # -- typing ------------------------------------------------------------------------------------

    def quote(self, text: str) -> None:
        """Begin an answer to a text."""
        self._composer.insert(quoted(text))

    def _typed(self) -> None:
        if not self.waits:
            if self.editing is None:
                self._keep_draft()
            else:
                self._keep_wording(self.editing)
        self._desk.measure()

    def _keep_draft(self) -> None:
        text, files = self._composer.editor.toPlainText(), tuple(self._composer.attachments)
        if (text.strip() or files) and not self._desk.current:
            with self._desk.guarded():
                self._desk.ensure()
            self._desk.listed.emit()
        self._drafts.keep(self._desk.current, text)
        self._put_beside(Unsent(files))

    def _keep_wording(self, message: Message) -> None:
        wording = self._composer.editor.toPlainText()
        edited = message.id if wording != message.content else ""  # else nothing is lost
        wording = wording if edited else ""
        self._put_beside(replace(self._beside, edited=edited, wording=wording))

    def _put_beside(self, beside: Unsent) -> None:
        if beside != self._beside:
            self._beside = beside
            self._drafts.keep_beside(self._desk.current, beside)

    # -- wording anew ------------------------------------------------------------------------------

    def edit(self, message: Message, wording: str | None = None) -> None:
        """Put a message that was said into the composer, as it is or as it was worded anew."""
        if self.editing is None or self.editing.id != message.id:
            self._leave_editing()
            self._drafts.flush()
            self.editing = message
            self._composer.fill(message.content if wording is None else wording, editing=True)
            self._keep_wording(message)
            self._desk.show_state()
        self._composer.editor.setFocus(Qt.FocusReason.OtherFocusReason)

    def drop_editing(self) -> Callable[[], None] | None:
        """Give up a message that is edited, and have the draft back.

        Returns:
            what takes the new wording up again; None where nothing was worded.
        """
        message, beside = self.editing, self._beside
        if message is None:
            return None
        self._put_beside(replace(beside, edited="", wording=""))
        self.fill()
        self._desk.show_state()

        def again() -> None:
            self._desk.open(message.conversation)
            if self._kept.message(message.conversation, message.id) is not None:
                self.edit(message, beside.wording)

        return again if beside.edited else None

    def _leave_editing(self) -> None:
        again = self.drop_editing()
        if again is not None:
            self._desk.toast.say(self._texts["chats.wording-left"], again)
