"""What a person does to a message that was said: another reply, another wording, on, away."""

from __future__ import annotations

from typing import TYPE_CHECKING

from desktop.core.chat.conversation import Message
from desktop.core.texts import Texts
from desktop.ui.chats.chats import Chats
from desktop.ui.transcript.shown import Action

if TYPE_CHECKING:
    from desktop.ui.chats.desk import Desk
    from desktop.ui.chats.writing import Writing

_WAITING = frozenset({Action.COPY})  # nothing is written beside a message that waits
_ALWAYS = frozenset({Action.COPY, Action.QUOTE})
_CHANGING = frozenset({Action.EDIT, Action.DELETE, Action.PREVIOUS, Action.NEXT})


class Deeds:
    """Acts on the messages of the conversation in front."""

    def __init__(self, desk: Desk, writing: Writing, chats: Chats, texts: Texts) -> None:
        self._desk, self._writing, self._chats, self._texts = desk, writing, chats, texts

    def possible(self, *, last: bool, busy: bool, waits: bool = False) -> frozenset[Action]:
        """Return what can be done now to a message; a path that a reply grows on stays as it is."""
        if waits:
            return _WAITING
        if busy:
            return _ALWAYS
        possible = _ALWAYS | _CHANGING
        if self._desk.front.is_ready:
            possible |= {Action.REGENERATE}
            if last:
                possible |= {Action.CONTINUE}
        return possible

    def act(self, name: str, action: object) -> None:
        """Do what was chosen on the message of this id."""
        message = self._message(name)
        if message is None:
            return
        match action:
            case Action.QUOTE:
                self._writing.quote(self._quotable(message))
            case Action.EDIT:
                self._writing.edit(message)
            case Action.REGENERATE | Action.CONTINUE:
                self._ask(message, go_on=action is Action.CONTINUE)
            case Action.PREVIOUS | Action.NEXT:
                self._chats.kept.step(message, -1 if action is Action.PREVIOUS else 1)
                self._desk.show_messages()
            case Action.DELETE:
                self._delete(message)

    def bring_to(self, name: str) -> None:
        """Read the branch on which a message stands."""
        kept, conversation = self._chats.kept, self._desk.current
        if name not in kept.branches(conversation):
            return  # it was deleted since it was found
        if all(each.id != name for each in kept.path(conversation)):
            kept.read(conversation, name)

    # -- parts -------------------------------------------------------------------------------------

    def _message(self, name: str) -> Message | None:
        if self._desk.conversation() is None:
            return None
        path = self._chats.kept.path(self._desk.current)
        return next((each for each in path if each.id == name), None)

    def _quotable(self, message: Message) -> str:
        """Return what is selected of a message, else all of it, else the names of its files."""
        selected = self._desk.transcript.selected_in(message.id)
        if selected.strip():
            return selected
        return message.content or "\n".join(each.name for each in message.attachments)

    def _ask(self, reply: Message, *, go_on: bool) -> None:
        endpoint = self._desk.front.endpoint
        if endpoint is None:
            return
        kept = self._chats.kept
        (kept.go_on if go_on else kept.regenerate)(reply, endpoint)
        self._desk.show_messages()
        self._desk.transcript.to_end()
        self._desk.listed.emit()

    def _delete(self, message: Message) -> None:
        kept, conversation = self._chats.kept, message.conversation
        leaf = kept.conversation(conversation).leaf
        gone = kept.delete(message)
        edited = self._writing.editing
        edit_again = self._writing.drop_editing() if edited and edited.id in gone else None

        def restore() -> None:
            with self._desk.guarded():
                self._chats.store.restore(conversation)  # one in which nothing was left may be gone
                kept.restore(conversation, gone, leaf)
                if edit_again is not None:
                    edit_again()
            self._desk.show_messages()
            self._desk.listed.emit()

        self._desk.show_messages()
        self._desk.listed.emit()
        self._desk.toast.say(self._texts("chats.deleted-messages", count=len(gone)), restore)
