"""Conversations and messages as rows of the tables, and back."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import fields
from functools import lru_cache
from typing import Any

from desktop.core.chat.conversation import Attachment, Conversation, Message, Outcome, Setup
from desktop.core.chat.store.values import plain, read, well_formed

CONVERSATION = (
    "id", "title", "created", "updated", "leaf", "draft", "pinned", "archived", "setup",
)  # fmt: skip
MESSAGE = (
    "id", "conversation", "parent", "role", "content", "created", "reasoning", "reasoning_s",
    "model", "attachments", "outcome",
)  # fmt: skip
assert set(CONVERSATION) == {each.name for each in fields(Conversation)}
assert set(MESSAGE) == {each.name for each in fields(Message)}


def conversation_row(conversation: Conversation) -> tuple[Any, ...]:
    """Return the values of CONVERSATION's columns."""
    setup = json.dumps(plain(conversation.setup))
    return (*_bare(conversation, CONVERSATION[:-1]), setup)


def conversation_of(row: Sequence[Any]) -> Conversation:
    """Return the conversation that CONVERSATION's columns hold."""
    *bare, pinned, archived, setup = row
    name, title, created, updated, leaf, draft = bare
    return Conversation(
        name, title, created, updated, leaf, setup_of(setup), draft, bool(pinned), bool(archived)
    )


def message_row(message: Message) -> tuple[Any, ...]:
    """Return the values of MESSAGE's columns."""
    attachments = json.dumps([plain(each) for each in message.attachments])
    outcome = None if message.outcome is None else json.dumps(plain(message.outcome))
    return (*_bare(message, MESSAGE[:-2]), attachments, outcome)


def message_of(row: Sequence[Any]) -> Message:
    """Return the message that MESSAGE's columns hold."""
    *bare, attachments, outcome = row
    name, conversation, parent, role, content, created, reasoning, reasoning_s, model = bare
    return Message(
        name, conversation, parent, role, content, created, reasoning, reasoning_s,
        attachments_of(attachments), model, outcome_of(outcome),
    )  # fmt: skip


@lru_cache(maxsize=256)  # most conversations have one of a few
def setup_of(text: str) -> Setup:
    """Return the settings in a column; those that cannot be read are the defaults."""
    try:
        return read(Setup, json.loads(text))
    except (ValueError, RecursionError):
        return Setup()


def attachments_of(text: str) -> tuple[Attachment, ...]:
    """Return the attachments in a column, or none where it cannot be read."""
    if text == "[]":
        return ()
    try:
        return tuple(read(Attachment, each) for each in json.loads(text))
    except (ValueError, TypeError, RecursionError):
        return ()


def outcome_of(text: str | None) -> Outcome | None:
    """Return the outcome in a column; one that cannot be read was over, and no more is known."""
    if text is None:
        return None
    try:
        return read(Outcome, json.loads(text))
    except (ValueError, RecursionError):
        return Outcome("cut")


def _bare(data: object, names: Iterable[str]) -> list[Any]:
    values = (getattr(data, name) for name in names)
    return [well_formed(value) if isinstance(value, str) else value for value in values]
