"""The tree of a conversation's messages: the path that is read, and the branches beside it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from desktop.core.chat.conversation import Message

Messages = Mapping[str, Message]


def path(messages: Messages, leaf: str) -> list[Message]:
    """Return the messages from the first one down to `leaf`; a broken chain begins at its break."""
    found: list[Message] = []
    seen: set[str] = set()
    while (message := messages.get(leaf)) is not None and leaf not in seen:
        seen.add(leaf)
        found.append(message)
        leaf = message.parent
    return found[::-1]


def standing(messages: Messages, leaf: str) -> str:
    """Return the leaf, or the youngest message where it is lost: what is there can be read."""
    return leaf if leaf in messages or not messages else _ordered(messages.values())[-1].id


def siblings(messages: Messages, message: Message) -> list[Message]:
    """Return the branches at this place, itself among them, oldest first."""
    return _ordered(
        each
        for each in messages.values()
        if each.parent == message.parent and each.role == message.role
    )


def branches(messages: Messages) -> dict[str, tuple[int, int]]:
    """Return of every message which of how many branches it is at its place, from 1."""
    places: dict[tuple[str, str], list[str]] = {}
    for each in _ordered(messages.values()):
        places.setdefault((each.parent, each.role), []).append(each.id)
    return {
        name: (index, len(beside))
        for beside in places.values()
        for index, name in enumerate(beside, start=1)
    }


def leaf_below(messages: Messages, top: str) -> str:
    """Return where a branch ends if one always takes the youngest turning."""
    children = _children(messages)
    seen = {top}
    while (below := children.get(top)) and below[-1].id not in seen:
        top = below[-1].id
        seen.add(top)
    return top


def below(messages: Messages, top: str) -> list[Message]:
    """Return a message and all that hangs on it, parents before children."""
    children = _children(messages)
    found = [messages[top]] if top in messages else []
    seen = {top}
    for message in found:
        for child in children.get(message.id, ()):
            if child.id not in seen:
                seen.add(child.id)
                found.append(child)
    return found


def _children(messages: Messages) -> dict[str, list[Message]]:
    children: dict[str, list[Message]] = {}
    for message in _ordered(messages.values()):
        children.setdefault(message.parent, []).append(message)
    return children


def _ordered(messages: Iterable[Message]) -> list[Message]:
    return sorted(messages, key=lambda each: (each.created, each.id))
