"""The conversation in front as the transcript shows it, and the replies that grow in it."""

from __future__ import annotations

from collections.abc import Callable

from desktop.core.chat.conversation import Message, Setup
from desktop.core.chat.conversations import Conversations
from desktop.core.events import Delta, Event, Reasoning, Trimmed
from desktop.core.texts import Texts
from desktop.ui.chats.message import shown, system_shown
from desktop.ui.transcript.shown import Action
from desktop.ui.transcript.view import Transcript

May = Callable[[bool], frozenset[Action]]  # is it the last message? → what can be done to it


class Reader:
    """Puts messages into the transcript.

    Attributes:
        conversation: the id of the one that is shown, or "".
    """

    def __init__(self, kept: Conversations, transcript: Transcript, texts: Texts) -> None:
        self._kept, self._transcript, self._texts = kept, transcript, texts
        self.conversation = ""

    @property
    def growing(self) -> Message | None:
        """The reply that comes into this conversation, with all that has come."""
        number = self._kept.reply_in(self.conversation) if self.conversation else None
        return None if number is None else self._kept.message_of(number)

    def show(self, conversation: str, setup: Setup, may: May) -> bool:
        """Show the path that is read; tells whether anything was said in it.

        Args:
            conversation: its id, or "" for one that does not exist.
            setup: what it asks of the model; its system prompt stands over what was said.
            may: what can be done to a message just now.
        """
        self.conversation = conversation
        path = self._kept.path(conversation) if conversation else []
        branches = self._kept.branches(conversation) if path else {}
        growing = self.growing
        name = "" if growing is None else growing.id
        path = [growing if growing is not None and each.id == name else each for each in path]
        system = setup.system if setup.kind == "chat" else ""
        messages = [system_shown(system)] if system.strip() and path else []
        messages += [
            shown(
                each,
                self._texts,
                branch=branches[each.id],
                streaming=each.id == name,
                may=may(each is path[-1]),
            )
            for each in path
        ]
        self._transcript.present(messages)
        return bool(path)

    def go_to(self, message: str) -> None:
        """Bring a message to the upper edge."""
        flow = self._transcript.flow
        for index, section in enumerate(flow.sections):
            if section.shown.id == message:
                self._transcript.verticalScrollBar().setValue(round(flow.top(index)))

    def hear(self, event: Event, message: Message) -> None:
        """Show what an event adds to the message of its reply."""
        here = message.conversation == self.conversation
        match event:
            case Trimmed() if here:
                self._change(message)
            case Delta(text=text) if here:
                self._transcript.append(message.id, text)
                if message.reasoning_s is not None and message.content == text:
                    self._change(message)  # the answer begins: how long it thought is known
            case Reasoning(text=text) if here:
                self._transcript.reason(message.id, text)

    def _change(self, reply: Message) -> None:
        """Show what is known of a reply while it grows."""
        branch = self._kept.branch(reply)
        self._transcript.change(shown(reply, self._texts, branch=branch, streaming=True))
