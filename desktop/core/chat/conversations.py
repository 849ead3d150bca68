"""Everything that is said: the conversations in the store, and the replies that stream into them.

Called from one thread, and never waits for the network: a reply's events come back through
`apply`. Nothing is overwritten: asking again or editing makes a branch beside the old one; only a
reply that was cut, or hit its length, grows on where it stopped.

A reply streams on whatever is read meanwhile. It is stopped when it is deleted, and `close` keeps
what came of all of them.
"""

from __future__ import annotations

import time
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
    Unsent,
)
from desktop.core.chat.cut import CutReplies
from desktop.core.chat.failures import may_go_on, outcome_of_failure
from desktop.core.chat.ids import new_id
from desktop.core.chat.loaded import Loaded
from desktop.core.chat.streaming import Price, Streaming
from desktop.core.chat.titling import Titling
from desktop.core.chat.turn import turns_of
from desktop.core.chat.under_way import outcome_of
from desktop.core.errors import AppError
from desktop.core.events import Delta, Endpoint, Event, Reasoning, ReplyBroken, ReplyDone, Trimmed

if TYPE_CHECKING:
    from desktop.core.chat.replies import Replies
    from desktop.core.chat.store.store import Store
    from desktop.core.chat.store.writer import Writer


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
        self._store, self._clock = store, clock
        self._loaded = Loaded(store)
        self._streaming = Streaming(self._loaded, writer, replies, price)
        self._titling = Titling(store, self._loaded, replies)
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
        messages = self._loaded.of(conversation)
        return tree.path(messages, tree.standing(messages, self.conversation(conversation).leaf))

    def before(self, message: Message) -> list[Message]:
        """Return the messages before this one, the first one first."""
        return tree.path(self._loaded.of(message.conversation), message.parent)

    def message(self, conversation: str, name: str) -> Message | None:
        """Return a message by its id, or None where there is none, or none any more."""
        return self._loaded.of(conversation).get(name)

    def branch(self, message: Message) -> tuple[int, int]:
        """Return which of how many branches this message is, from 1."""
        return self.branches(message.conversation)[message.id]

    def branches(self, conversation: str) -> dict[str, tuple[int, int]]:
        """Return the same for every message of a conversation."""
        return tree.branches(self._loaded.of(conversation))

    def message_of(self, reply: int) -> Message | None:
        """Return the message that a reply streams into, with all that has come."""
        return self._streaming.message_of(reply)

    def reply_in(self, conversation: str) -> int | None:
        """Return the reply that streams into this conversation, or None.

        Of several, on branches of their own, the one that is read.
        """
        numbers = self._streaming.numbers_in(conversation)
        if len(numbers) > 1 and (now := self._store.conversation(conversation)) is not None:
            numbers.sort(key=lambda number: self._streaming[number].message.id != now.leaf)
        return numbers[0] if numbers else None

    # -- talking -----------------------------------------------------------------------------------

    def begin(self, setup: Setup, title: str = "") -> Conversation:
        """Return a new conversation; it is kept from now on."""
        now = self._clock()
        made = Conversation(new_id(), title, now, now, setup=setup)
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
        leaf = tree.standing(self._loaded.of(conversation), now.leaf)
        said = self._made(now, leaf, "user", text, attachments=tuple(attachments))
        titled = replace(now, draft="", title=now.title or titles.first_line(text))
        number = self._say(titled, [said], endpoint, Unsent())
        if not now.title:
            self._titling.want(conversation)
        return number

    def regenerate(self, reply: Message, endpoint: Endpoint) -> int:
        """Ask for another reply beside this one, and return its number."""
        now = self.conversation(reply.conversation)
        return self._say(now, [], endpoint, parent=reply.parent)

    def edit(self, said: Message, text: str, endpoint: Endpoint) -> int:
        """Say this instead of what was said, on a branch of its own."""
        now = self.conversation(said.conversation)
        made = self._made(now, said.parent, said.role, text, attachments=said.attachments)
        unsent = replace(self._store.unsent(now.id), edited="", wording="")
        return self._say(now, [made], endpoint, unsent)

    def go_on(self, reply: Message, endpoint: Endpoint) -> int:
        """Continue a reply from where it stopped; one of which nothing came is asked for again.

        What it thought before it said something is thought again: no engine goes on with that.
        """
        if (number := self._streaming.into(reply.id)) is not None:
            return number
        setup = self.conversation(reply.conversation).setup
        # Many templates drop blanks at its end, and the model would say them twice.
        begun = reply.content if setup.kind == "completion" else reply.content.rstrip()
        growing = replace(reply, content=begun, outcome=None)
        if not begun:
            growing = replace(growing, reasoning="", reasoning_s=None, left_out=0)
        self._store.update(growing)
        self._streaming.keep(growing)  # over what the writer may still hold of it
        self._cut.forget([reply.id])
        return self._stream(growing, setup, endpoint, reply.outcome if begun else None)

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
        self._streaming.stop(conversation)

    def streams_at(self, endpoint: Endpoint) -> bool:
        """Tell whether a reply comes from an endpoint."""
        return self._streaming.comes_from(endpoint)

    def stop_at(self, endpoint: Endpoint) -> None:
        """Stop the replies that come from an endpoint."""
        self._streaming.stop_at(endpoint)

    def step(self, message: Message, by: int) -> None:
        """Read the branch `by` places further, from this message on."""
        beside = tree.siblings(self._loaded.of(message.conversation), message)
        names = [each.id for each in beside]
        if message.id in names and 0 <= names.index(message.id) + by < len(names):
            self.read(message.conversation, names[names.index(message.id) + by])

    def read(self, conversation: str, top: str) -> None:
        """Read the branch on which a message stands, down to its end; "" reads nothing."""
        self._store.save(self._reading(conversation, self._loaded.of(conversation), top))

    def delete(self, message: Message) -> list[str]:
        """Take a message and all that hangs on it away; returns what `restore` takes back."""
        messages = self._loaded.of(message.conversation)
        gone = [each.id for each in tree.below(messages, message.id)]
        self._streaming.stop_at_once(gone)
        beside = [each for each in tree.siblings(messages, message) if each.id != message.id]
        top = beside[-1].id if beside else message.parent
        left = {name: each for name, each in messages.items() if name not in gone}
        self._store.delete_messages(gone, self._reading(message.conversation, left, top))
        for name in gone:
            messages.pop(name, None)
        self._cut.forget(gone)
        return gone

    def restore(self, conversation: str, gone: Sequence[str], leaf: str) -> None:
        """Take back what was deleted, and read down to `leaf` again."""
        now = self.conversation(conversation)
        self._store.restore_messages(gone, replace(now, leaf=leaf))
        self._loaded.forget(conversation)

    def close(self) -> None:
        """Keep what came of the replies that stream, as cut: the app ends."""
        self._streaming.close()

    # -- what comes of it --------------------------------------------------------------------------

    def apply(self, event: Event) -> None:
        """Keep up with a reply; events of numbers that are not known are passed over."""
        match event:
            case Delta() | Reasoning() | Trimmed() if event.reply in self._streaming:
                self._streaming.hear(event)
            case ReplyDone(reply) if reply in self._streaming:
                endpoint = self._streaming[reply].endpoint
                whole = self._streaming.end(reply, outcome_of(event), event.reasoning_s)
                self._titling.reply_over(whole, endpoint)
            case ReplyBroken(reply, error) if reply in self._streaming:
                self._break(reply, error)
            case _:
                self._titling.hear(event)

    def _break(self, number: int, error: AppError) -> None:
        was = self._streaming[number]
        came = bool(was.message.content or was.message.reasoning)
        whole = self._streaming.end(number, outcome_of_failure(error, came=came))
        if not may_go_on(error):
            return
        back = self._cut.wait(whole, was.endpoint, was.began)
        if back is not None:
            self._go_on_at(back)

    # -- parts -------------------------------------------------------------------------------------

    def _go_on_at(self, endpoint: Endpoint) -> list[int]:
        cut = self._cut.take(endpoint)
        return [self.go_on(each, endpoint) for each in cut if self._is_open_end(each)]

    def _say(
        self,
        now: Conversation,
        said: Sequence[Message],
        endpoint: Endpoint,
        unsent: Unsent | None = None,
        parent: str = "",
    ) -> int:
        """Keep what is said with the place of its reply, in one go, and ask for the reply.

        Args:
            now: the conversation as it is from now on, but for its leaf.
            said: what a person says; nothing where another reply is wanted.
            endpoint: where the reply comes from.
            unsent: what lies beside the draft from now on; None leaves it.
            parent: what the reply answers where nothing is said.
        """
        question = said[-1].id if said else parent
        reply = self._made(now, question, "assistant", "", model=endpoint.model)
        self._store.take(replace(now, leaf=reply.id, updated=reply.created), [*said, reply], unsent)
        for each in (*said, reply):
            self._loaded.put(each)
        return self._stream(reply, now.setup, endpoint)

    def _stream(
        self, reply: Message, setup: Setup, endpoint: Endpoint, before: Outcome | None = None
    ) -> int:
        turns = turns_of(tree.path(self._loaded.of(reply.conversation), reply.id), setup)
        ask = Ask(turns, setup, continued=bool(reply.content))
        return self._streaming.begin(reply, endpoint, ask, before)

    def _reading(self, conversation: str, messages: tree.Messages, top: str) -> Conversation:
        """Return the conversation as it is when a branch is read down to its end."""
        leaf = tree.leaf_below(messages, top) if top else ""
        return replace(self.conversation(conversation), leaf=leaf)

    def _is_open_end(self, reply: Message) -> bool:
        """Tell whether a reply is still there, with nothing after it and nothing that streams."""
        now = self._store.conversation(reply.conversation)
        messages = self._loaded.of(reply.conversation)
        return (
            now is not None
            and reply.id in messages
            and all(each.parent != reply.id for each in messages.values())
            and not self._streaming.numbers_in(reply.conversation)
        )

    def _made(
        self,
        conversation: Conversation,
        parent: str,
        role: Role,
        content: str,
        *,
        attachments: tuple[Attachment, ...] = (),
        model: str = "",
    ) -> Message:
        return Message(
            new_id(),
            conversation.id,
            parent,
            role,
            content,
            self._clock(),
            attachments=attachments,
            model=model,
        )
