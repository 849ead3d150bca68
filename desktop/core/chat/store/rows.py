"""Conversations and messages as rows of the tables, and back."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import fields
from functools import lru_cache
from typing import Any

from desktop.core.chat.conversation import (
    Attachment,
    Conversation,
    Message,
    Outcome,
    Setup,
    Unsent,
)
from desktop.core.chat.store.values import plain, read, well_formed

CONVERSATION = (
    "id", "title", "created", "updated", "leaf", "draft", "pinned", "archived", "setup",
)  # fmt: skip
MESSAGE = (
    "id", "conversation", "parent", "role", "content", "created", "reasoning", "reasoning_s",
    "model", "left_out", "attachments", "outcome",
)  # fmt: skip
UNSENT = ("conversation", "attachments", "edited", "wording")
assert set(CONVERSATION) == {each.name for each in fields(Conversation)}
assert set(MESSAGE) == {each.name for each in fields(Message)}
assert set(UNSENT[1:]) == {each.name for each in fields(Unsent)}
_MOST_TURNS = 2**31


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
    attachments = attachments_text(message.attachments)
    outcome = None if message.outcome is None else json.dumps(plain(message.outcome))
    left_out = min(max(message.left_out, 0), _MOST_TURNS)  # an imported file says any number
    return (*_bare(message, MESSAGE[:-3]), left_out, attachments, outcome)


def message_of(row: Sequence[Any]) -> Message:
    """Return the message that MESSAGE's columns hold."""
    *bare, left_out, attachments, outcome = row
    name, conversation, parent, role, content, created, reasoning, reasoning_s, model = bare
    return Message(
        name, conversation, parent, role, content, created, reasoning, reasoning_s,
        attachments_of(attachments), model, outcome_of(outcome), left_out,
    )  # fmt: skip


@lru_cache(maxsize=256)  # most conversations have one of a few
def setup_of(text: str) -> Setup:
    """Return the settings in a column; those that cannot be read are the defaults."""
    try:
        return read(Setup, json.loads(text))
    except (ValueError, RecursionError):
        return Setup()


def attachments_text(attachments: Iterable[Attachment]) -> str:
    """Return what a column holds of attachments."""
    # As UTF-8 and not as escapes: half the size and a fifth of the time, for megabytes of Chinese.
    return json.dumps([plain(each) for each in attachments], ensure_ascii=False)


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


def unsent_row(conversation: str, unsent: Unsent) -> tuple[str, str, str, str]:
    """Return the values of UNSENT's columns."""
    return (
        well_formed(conversation),
        attachments_text(unsent.attachments),
        unsent.edited,
        well_formed(unsent.wording),
    )


def unsent_of(row: Sequence[Any]) -> Unsent:
    """Return what UNSENT's columns hold, the first one aside."""
    _, attachments, edited, wording = row
    return Unsent(attachments_of(attachments), edited, wording)


def _bare(data: object, names: Iterable[str]) -> list[Any]:
    values = (getattr(data, name) for name in names)
    return [well_formed(value) if isinstance(value, str) else value for value in values]
