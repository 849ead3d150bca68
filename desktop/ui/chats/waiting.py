"""Messages that wait until a host is ready: one for each conversation at most. Data only."""

from __future__ import annotations

from dataclasses import dataclass

from desktop.core.chat.conversation import Attachment
from desktop.ui.intents import HostKey


@dataclass(frozen=True, slots=True)
class Waiting:
    """One message.

    Attributes:
        conversation: the id of the one in which it is to be said.
        text: what is to be said.
        attachments: what goes with it.
        host: the host that was in front when it was sent.
    """

    conversation: str
    text: str
    attachments: tuple[Attachment, ...]
    host: HostKey


class WaitingRoom:
    """Who waits, in the order in which they came."""

    def __init__(self) -> None:
        self._waiting: dict[str, Waiting] = {}

    def add(self, waiting: Waiting) -> None:
        """Let one wait, in place of what waited in its conversation."""
        self._waiting[waiting.conversation] = waiting

    def of(self, conversation: str) -> Waiting | None:
        """Return what waits in a conversation."""
        return self._waiting.get(conversation)

    def take_of(self, conversation: str) -> Waiting | None:
        """Take back what waits in a conversation."""
        return self._waiting.pop(conversation, None)

    def take(self, host: HostKey) -> list[Waiting]:
        """Take out all that waits for a host."""
        taken = [each for each in self._waiting.values() if each.host == host]
        for each in taken:
            del self._waiting[each.conversation]
        return taken
