"""A better title than the first line that was typed: the model proposes one, once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from desktop.core.chat import tree
from desktop.core.chat.conversation import Message
from desktop.core.chat.loaded import Loaded
from desktop.core.chat.titles import first_line, proposal, proposed
from desktop.core.events import Delta, Endpoint, Event, ReplyBroken, ReplyDone

if TYPE_CHECKING:
    from desktop.core.chat.replies import Replies
    from desktop.core.chat.store.store import Store

_HEARD = 400  # characters that are listened to: an engine need not stop where it was asked to
_WHOLE = ("stop", "length")  # a reply that says what the conversation is about


class Titling:
    """Asks the model for titles; its answers are heard like any reply, and shown nowhere."""

    def __init__(self, store: Store, loaded: Loaded, replies: Callable[[], Replies]) -> None:
        self._store, self._loaded, self._replies = store, loaded, replies
        self._untitled: set[str] = set()
        self._asked: dict[int, tuple[str, str]] = {}  # number → conversation, what was said

    def want(self, conversation: str) -> None:
        """Ask for a title of this conversation once there is a reply to it."""
        self._untitled.add(conversation)

    def reply_over(self, reply: Message, endpoint: Endpoint) -> None:
        """Ask for a title, if this reply says what its conversation is about."""
        name, outcome = reply.conversation, reply.outcome
        if name not in self._untitled or not reply.content:
            return
        if outcome is None or outcome.finish_reason not in _WHOLE:
            return
        question = self._loaded.of(name).get(reply.parent)
        if question is not None and self._store.conversation(name) is not None:
            self._ask(name, question.content, reply.content, endpoint)

    def _ask(self, conversation: str, question: str, answer: str, endpoint: Endpoint) -> None:
        self._untitled.discard(conversation)
        ask = proposal(endpoint.model, question, answer)
        if ask is not None:
            self._asked[self._replies().send(endpoint, ask)] = (conversation, "")

    def hear(self, event: Event) -> None:
        """Keep up with what the model proposes."""
        match event:
            case Delta(number, text) if number in self._asked:
                conversation, said = self._asked[number]
                self._asked[number] = (conversation, (said + text)[:_HEARD])
            case ReplyBroken(number):
                self._asked.pop(number, None)
            case ReplyDone(number) if number in self._asked:
                conversation, said = self._asked.pop(number)
                if title := proposed(said):
                    self._entitle(conversation, title)

    def _entitle(self, conversation: str, title: str) -> None:
        """Take a proposal where nobody has given another title since."""
        now = self._store.conversation(conversation)
        if now is None:
            return
        messages = self._loaded.of(conversation)
        path = tree.path(messages, tree.standing(messages, now.leaf))
        if path and now.title == first_line(path[0].content):
            self._store.save(replace(now, title=title))
