"""The messages of the conversations that were read last, so that the store is not read for each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from desktop.core.chat.conversation import Message

if TYPE_CHECKING:
    from desktop.core.chat.store.store import Store

_MOST = 16  # conversations; one that streams is used all the time, and so never the oldest


class Loaded:
    """What the store has, and what of it has changed since."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._found: dict[str, dict[str, Message]] = {}  # the one that was used last is last

    def of(self, conversation: str) -> dict[str, Message]:
        """Return all messages of a conversation, by id."""
        messages = self._found.pop(conversation, None)
        if messages is None:
            messages = {each.id: each for each in self._store.messages(conversation)}
        self._found[conversation] = messages
        if len(self._found) > _MOST:
            del self._found[next(iter(self._found))]
        return messages

    def put(self, message: Message) -> None:
        """Remember what has become of a message."""
        self.of(message.conversation)[message.id] = message

    def forget(self, conversation: str) -> None:
        """Read it again when it is needed next."""
        self._found.pop(conversation, None)
