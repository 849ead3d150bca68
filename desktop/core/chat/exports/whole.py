"""A conversation with all its messages: what is exported, and what an import takes in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Set
from dataclasses import dataclass, replace

from desktop.core.chat.conversation import Conversation, Message
from desktop.core.chat.ids import new_id
from desktop.core.chat.store.store import Store
from desktop.core.errors import Cancelled

Stopped = Callable[[], bool]  # whether nobody wants it any more


@dataclass(frozen=True, slots=True)
class Whole:
    """A conversation and its messages, all branches, parents and children in any order."""

    conversation: Conversation
    messages: tuple[Message, ...]


def gathered(store: Store, conversation: str) -> Whole | None:
    """Return one conversation from the store, or None where it is not there."""
    found = store.conversation(conversation)
    return None if found is None else Whole(found, tuple(store.messages(conversation)))


def all_of(store: Store, stopped: Stopped = lambda: False) -> list[Whole]:
    """Return every conversation, those in the archive last.

    Raises:
        Cancelled: it was stopped.
    """
    found = []
    for each in store.conversations() + store.conversations(archived=True):
        if stopped():
            raise Cancelled
        found.append(Whole(each, tuple(store.messages(each.id))))
    return found


def bring_in(
    store: Store, wholes: Iterable[Whole], stopped: Stopped = lambda: False
) -> list[Conversation]:
    """Keep what was read, each conversation whole or not at all, and return them as kept.

    Nothing is overwritten: where an id is taken, that conversation gets new ones.

    Raises:
        StorageError: as the store says; those before it are kept.
        Cancelled: it was stopped; what was kept is taken back.
    """
    kept: list[Conversation] = []
    for whole in wholes:
        if stopped():
            for each in kept:
                store.delete(each.id)
            raise Cancelled
        names = {each.id for each in whole.messages}
        free = apart(whole, store.known([whole.conversation.id], names))
        store.take(free.conversation, free.messages)
        kept.append(free.conversation)
    return kept


def apart(whole: Whole, taken: Set[str], new: Callable[[], str] = new_id) -> Whole:
    """Return the conversation with ids of its own: all of them new where any of them is taken."""
    conversation, messages = whole.conversation, whole.messages
    names = [each.id for each in messages]
    if taken.isdisjoint((conversation.id, *names)) and len(set(names)) == len(names):
        return whole
    name, ids = new(), {each: new() for each in names}
    renamed = {
        each.id: replace(each, id=ids[each.id], conversation=name, parent=ids.get(each.parent, ""))
        for each in messages
    }
    return Whole(
        replace(conversation, id=name, leaf=ids.get(conversation.leaf, "")), tuple(renamed.values())
    )
