"""Everything that is said: the conversations in the store, and the replies that stream into them.

Called from one thread, and never waits for the network: a reply's events come back through
`apply`. Nothing is overwritten: asking again or editing makes a branch beside the old one; only a
reply that was cut, or hit its length, grows on where it stopped.

A reply streams on whatever is read meanwhile. It is stopped when it is deleted, and `close` keeps
what came of all of them.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from desktop.core.chat import titles, tree
from desktop.core.chat.ask import Ask
from desktop.core.chat.conversation import (
    Attachment,
    Conversation,
    Message,
    Outcome,
    Role,
    Setup,
)
from desktop.core.chat.cut import CutReplies
from desktop.core.chat.failures import may_go_on, outcome_of_failure
from desktop.core.chat.loaded import Loaded
from desktop.core.chat.turn import turns_of
from desktop.core.chat.under_way import UnderWay, outcome_of
from desktop.core.errors import AppError
from desktop.core.events import Delta, Endpoint, Event, Reasoning, ReplyBroken, ReplyDone

if TYPE_CHECKING:
    from desktop.core.chat.replies import Replies
    from desktop.core.chat.store.store import Store
    from desktop.core.chat.store.writer import Writer

_WHOLE = ("stop", "length")  # a reply that says what the conversation is about

# What so many seconds at an endpoint cost, where it is known.
Price = Callable[[Endpoint, float], tuple[float, str] | None]


class Conversations:
    """The conversations of this laptop."""

    def __init__(
        self,
        store: Store,
        writer: Writer,
        replies: Callable[[], Replies],
        price: Price = lambda _endpoint, _seconds: None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Take the parts.

        Args:
            store: what is kept.
            writer: keeps what streams, within a second.
            replies: gives what asks the model; called when it is first needed.
            price: of the host's time.
            clock: Unix seconds.
        """
        self._store, self._writer, self._replies = store, writer, replies
        self._price, self._clock = price, clock
        self._loaded = Loaded(store)
        self._under_way: dict[int, UnderWay] = {}
        self._titling = titles.Titling(replies)
        self._cut = CutReplies()

    # -- reading -----------------------------------------------------------------------------------

    def conversation(self, conversation: str) -> Conversation:
        """Return one as it stands now. Raises KeyError where there is none, or none any more."""
        found = self._store.conversation(conversation)
        if found is None:
            raise KeyError(conversation)
        return found

    def path(self, conversation: str) -> list[Message]:
        """Return the messages that are read, the first one first, with all that has come."""
        leaf = self.conversation(conversation).leaf
        return tree.path(self._loaded.of(conversation), leaf)

    def branch(self, message: Message) -> tuple[int, int]:
        """Return which of how many branches this message is, from 1."""
        return self.branches(message.conversation)[message.id]

    def branches(self, conversation: str) -> dict[str, tuple[int, int]]:
        """Return the same for every message of a conversation."""
        return tree.branches(self._loaded.of(conversation))

    def message_of(self, reply: int) -> Message | None:
        """Return the message that a reply streams into, with all that has come."""
        under_way = self._under_way.get(reply)
        return None if under_way is None else under_way.message

    def reply_in(self, conversation: str) -> int | None:
        """Return the reply that streams into this conversation, or None.

        Of several, on branches of their own, the one that is read.
        """
        numbers = self._numbers_in(conversation)
        if len(numbers) > 1 and (now := self._store.conversation(conversation)) is not None:
            numbers.sort(key=lambda number: self._under_way[number].message.id != now.leaf)
        return numbers[0] if numbers else None

    # -- talking -----------------------------------------------------------------------------------

    def begin(self, setup: Setup, title: str = "") -> Conversation:
        """Return a new conversation; it is kept from now on."""
        now = self._clock()
        made = Conversation(_new_id(), title, now, now, setup=setup)
        self._store.save(made)
        return made

    def send(
        self,
        conversation: str,
        text: str,
        endpoint: Endpoint,
        attachments: Sequence[Attachment] = (),
    ) -> int:
        """Say something, ask for the reply, and return the reply's number. Raises KeyError."""
        now = self.conversation(conversation)
        if not now.title:
            self._titling.want(conversation)
        now = replace(now, draft="", title=now.title or titles.first_line(text))
        said = self._add(now, now.leaf, "user", text, attachments=tuple(attachments))
        return self._ask(conversation, said.id, endpoint)

    def regenerate(self, reply: Message, endpoint: Endpoint) -> int:
        """Ask for another reply beside this one, and return its number."""
        return self._ask(reply.conversation, reply.parent, endpoint)

    def edit(self, said: Message, text: str, endpoint: Endpoint) -> int:
        """Say this instead of what was said, on a branch of its own."""
        now = self.conversation(said.conversation)
        instead = self._add(now, said.parent, said.role, text, attachments=said.attachments)
        return self._ask(said.conversation, instead.id, endpoint)

    def go_on(self, reply: Message, endpoint: Endpoint) -> int:
        """Continue a reply from where it stopped; one of which nothing came is asked for again.

        What it thought before it said something is thought again: no engine goes on with that.
        """
        for number in self._numbers_in(reply.conversation):
            if self._under_way[number].message.id == reply.id:
                return number
        self._cut.forget([reply.id])
        kind = self.conversation(reply.conversation).setup.kind
        # Many templates drop blanks at its end, and the model would say them twice.
        begun = reply.content if kind == "completion" else reply.content.rstrip()
        growing = replace(reply, content=begun, outcome=None)
        if not begun:
            growing = replace(growing, reasoning="", reasoning_s=None)
        self._keep(growing)
        return self._stream(growing, endpoint, reply.outcome if begun else None)

    def go_on_with_cut(self, endpoint: Endpoint) -> list[int]:
        """Continue what this host's connection cut, where nobody has gone another way since.

        To be called each time that a host is ready: a reply that breaks only now, because its
        connection was given up for a new one, goes on by itself then.

        Returns:
            The numbers of the replies.
        """
        self._cut.host_is_back(endpoint)
        return self._go_on_at(endpoint)

    def stop(self, conversation: str) -> None:
        """Stop what streams into this conversation."""
        for number in self._numbers_in(conversation):
            self._replies().cancel(number)

    def stop_at(self, endpoint: Endpoint) -> None:
        """Stop the replies that come from an endpoint."""
        for number, under_way in self._under_way.items():
            if under_way.endpoint == endpoint:
                self._replies().cancel(number)

    def step(self, message: Message, by: int) -> None:
        """Read the branch `by` places further, from this message on."""
        beside = tree.siblings(self._loaded.of(message.conversation), message)
        names = [each.id for each in beside]
        if message.id in names and 0 <= names.index(message.id) + by < len(names):
            self.read(message.conversation, names[names.index(message.id) + by])

    def read(self, conversation: str, top: str) -> None:
        """Read the branch on which a message stands, down to its end; "" reads nothing."""
        leaf = tree.leaf_below(self._loaded.of(conversation), top) if top else ""
        self._store.save(replace(self.conversation(conversation), leaf=leaf))

    def delete(self, message: Message) -> list[str]:
        """Take a message and all that hangs on it away; returns what `restore` takes back."""
        messages = self._loaded.of(message.conversation)
        gone = [each.id for each in tree.below(messages, message.id)]
        self._stop_at_once(gone)
        beside = [each for each in tree.siblings(messages, message) if each.id != message.id]
        self._store.delete_messages(gone)
        for name in gone:
            messages.pop(name, None)
        self._cut.forget(gone)
        self.read(message.conversation, beside[-1].id if beside else message.parent)
        return gone

    def restore(self, conversation: str, gone: Sequence[str]) -> None:
        """Take back what was deleted, and read it again."""
        self._store.restore_messages(gone)
        self._loaded.forget(conversation)
        if gone:
            self.read(conversation, gone[0])

    def close(self) -> None:
        """Keep what came of the replies that stream, as cut: the app ends."""
        for number in list(self._under_way):
            self._end(number, Outcome("cut"))

    # -- what comes of it --------------------------------------------------------------------------

    def apply(self, event: Event) -> None:
        """Keep up with a reply; events of numbers that are not known are passed over."""
        match event:
            case Delta(reply, text) if reply in self._under_way:
                self._grow(self._under_way[reply].grow(content=text))
            case Reasoning(reply, text) if reply in self._under_way:
                self._grow(self._under_way[reply].grow(reasoning=text))
            case ReplyDone(reply) if reply in self._under_way:
                endpoint = self._under_way[reply].endpoint
                whole = self._end(reply, outcome_of(event), event.reasoning_s)
                self._propose_title(whole, endpoint)
            case ReplyBroken(reply, error) if reply in self._under_way:
                self._break(reply, error)
            case _ if (titled := self._titling.hear(event)) is not None:
                self._entitle(*titled)

    def _grow(self, message: Message) -> None:
        self._loaded.put(message)
        self._writer.put(message)

    def _break(self, number: int, error: AppError) -> None:
        was = self._under_way[number]
        came = bool(was.message.content or was.message.reasoning)
        whole = self._end(number, outcome_of_failure(error, came=came))
        if not may_go_on(error):
            return
        back = self._cut.wait(whole, was.endpoint, was.began)
        if back is not None:
            self._go_on_at(back)

    def _end(self, number: int, outcome: Outcome, reasoning_s: float | None = None) -> Message:
        under_way = self._under_way.pop(number)
        price = self._price(under_way.endpoint, under_way.seconds)
        if price is not None:
            outcome = replace(outcome, cost=price[0], currency=price[1])
        whole = under_way.ended(outcome, reasoning_s)
        self._grow(whole)
        self._writer.flush()  # a full disk is told by the writer, which tries again
        return whole

    def _stop_at_once(self, names: Sequence[str]) -> None:
        """End the replies that stream into these messages; what still comes is passed over."""
        for number, under_way in list(self._under_way.items()):
            if under_way.message.id in names:
                self._replies().cancel(number)
                self._end(number, Outcome("cancelled"))

    # -- parts -------------------------------------------------------------------------------------

    def _go_on_at(self, endpoint: Endpoint) -> list[int]:
        cut = self._cut.take(endpoint)
        return [self.go_on(each, endpoint) for each in cut if self._is_open_end(each)]

    def _ask(self, conversation: str, question: str, endpoint: Endpoint) -> int:
        now = self.conversation(conversation)
        reply = self._add(now, question, "assistant", "", model=endpoint.model)
        return self._stream(reply, endpoint)

    def _stream(self, reply: Message, endpoint: Endpoint, before: Outcome | None = None) -> int:
        setup = self.conversation(reply.conversation).setup
        path = tree.path(self._loaded.of(reply.conversation), reply.id)
        turns = turns_of(path, setup.system if setup.kind == "chat" else "")
        ask = Ask(turns, setup, continued=bool(reply.content))
        number = self._replies().send(endpoint, ask)
        self._under_way[number] = UnderWay(reply, endpoint, before)
        return number

    def _numbers_in(self, conversation: str) -> list[int]:
        return [
            number
            for number, under_way in self._under_way.items()
            if under_way.message.conversation == conversation
        ]

    def _is_open_end(self, reply: Message) -> bool:
        """Tell whether a reply is still there, with nothing after it and nothing that streams."""
        now = self._store.conversation(reply.conversation)
        messages = self._loaded.of(reply.conversation)
        return (
            now is not None
            and reply.id in messages
            and all(each.parent != reply.id for each in messages.values())
            and not self._numbers_in(reply.conversation)
        )

    def _add(
        self,
        conversation: Conversation,
        parent: str,
        role: Role,
        content: str,
        *,
        attachments: tuple[Attachment, ...] = (),
        model: str = "",
    ) -> Message:
        now = self._clock()
        message = Message(
            _new_id(),
            conversation.id,
            parent,
            role,
            content,
            now,
            attachments=attachments,
            model=model,
        )
        self._store.add(message)
        self._loaded.put(message)
        self._store.save(replace(conversation, leaf=message.id, updated=now))
        return message

    def _keep(self, message: Message) -> None:
        self._grow(message)  # over what the writer may still hold of it
        self._store.update(message)

    def _propose_title(self, reply: Message, endpoint: Endpoint) -> None:
        name, outcome = reply.conversation, reply.outcome
        if not self._titling.wants(name) or not reply.content:
            return
        if outcome is None or outcome.finish_reason not in _WHOLE:
            return
        question = self._loaded.of(name).get(reply.parent)
        if question is not None and self._store.conversation(name) is not None:
            self._titling.ask(name, question.content, reply.content, endpoint)

    def _entitle(self, conversation: str, title: str) -> None:
        """Take a proposal where nobody has given another title since."""
        now = self._store.conversation(conversation)
        if now is None:
            return
        path = self.path(conversation)
        if path and now.title == titles.first_line(path[0].content):
            self._store.save(replace(now, title=title))


def _new_id() -> str:
    return uuid.uuid4().hex
