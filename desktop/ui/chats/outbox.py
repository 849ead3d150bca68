"""What leaves the composer: said now, or kept until the host in front is ready."""

from __future__ import annotations

from collections.abc import Iterator

from desktop.core.chat.conversation import Attachment
from desktop.core.events import Endpoint
from desktop.core.phases import Phase
from desktop.ui.chats.chats import NOT_COMING, Chats, Front
from desktop.ui.chats.drafts import Drafts
from desktop.ui.chats.waiting import Waiting
from desktop.ui.intents import HostKey


class Outbox:
    """Sends messages, and lets them wait."""

    def __init__(self, chats: Chats, drafts: Drafts) -> None:
        self._kept, self._store, self._drafts = chats.kept, chats.store, drafts
        self._waiting = chats.waiting
        self._ready: dict[HostKey, Endpoint] = {}

    def waiting_in(self, conversation: str) -> Waiting | None:
        """Return what waits in a conversation."""
        return self._waiting.of(conversation)

    def send(
        self, conversation: str, text: str, files: tuple[Attachment, ...], front: Front
    ) -> bool:
        """Say this in a conversation; tells whether it was said, and does not wait.

        Raises:
            StorageError: it could not be kept, and was not said.
        """
        if front.is_ready and front.endpoint is not None:
            self._kept.send(conversation, text, front.endpoint, files)
            self._drafts.forget(conversation)
            return True
        if front.host is not None:
            self._drafts.keep(conversation, text)
            self._drafts.flush()
            self._waiting.add(Waiting(conversation, text, files, front.host))
        return False

    def ready(self, host: HostKey, endpoint: Endpoint) -> Iterator[str]:
        """Say what waits for a host, and yield each conversation in which it was said.

        Where a reply goes on that was cut, it is said when that is over.

        Raises:
            StorageError: as `send`; what could not be kept is a draft again.
        """
        self._ready[host] = endpoint
        for each in self._waiting.take(host):
            if self._kept.reply_in(each.conversation) is not None:
                self._waiting.add(each)
            elif self._store.conversation(each.conversation) is not None:  # not deleted meanwhile
                self._kept.send(each.conversation, each.text, endpoint, each.attachments)
                self._drafts.forget(each.conversation)
                yield each.conversation

    def reply_over(self, conversation: str) -> Iterator[str]:
        """Say what waited for a reply to be over; as `ready`."""
        waiting = self._waiting.of(conversation)
        if waiting is not None and (endpoint := self._ready.get(waiting.host)) is not None:
            yield from self.ready(waiting.host, endpoint)

    def gone(self, host: HostKey, phase: Phase) -> bool:
        """Give back what waits for a host that will not be ready; tells whether there was any."""
        if phase is not Phase.READY:
            self._ready.pop(host, None)
        return phase in NOT_COMING and bool(self._waiting.take(host))

    def take_back(self, conversation: str) -> None:
        """Send nothing of what waits in a conversation."""
        self._waiting.take_of(conversation)
