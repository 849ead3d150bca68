"""Conversations as JSON: Paperkite's own format, which comes back exactly as it went out.

    {"format": "paperkite-conversations", "version": 1,
     "conversations": [{…the fields of Conversation…, "messages": [{…the fields of Message…}]}]}

Readers ignore keys that they do not know. A version is raised when an older reader would
misunderstand, and then it refuses. The file is ASCII, so every program reads it; texts are
well-formed (see `values.py`), which is the one way in which something may come back different.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from desktop.core.chat.conversation import Conversation, Message, Outcome
from desktop.core.chat.exports.whole import Whole
from desktop.core.chat.store.values import Unreadable, plain, read
from desktop.core.errors import StorageError

FORMAT = "paperkite-conversations"
VERSION = 1


def written(wholes: Iterable[Whole]) -> bytes:
    """Return the file."""
    conversations = [
        {**plain(each.conversation), "messages": [plain(message) for message in each.messages]}
        for each in wholes
    ]
    value = {"format": FORMAT, "version": VERSION, "conversations": conversations}
    return json.dumps(value, indent=1).encode("ascii")


def is_ours(value: object) -> bool:
    """Return whether a JSON value says that it is of this format."""
    return isinstance(value, Mapping) and value.get("format") == FORMAT


def conversations_of(value: Mapping[str, Any]) -> list[Whole]:
    """Return the conversations in a file's value; what is none is left out.

    Raises:
        StorageError: `import-newer`, with `version`.
    """
    version = value.get("version")
    if not isinstance(version, int) or version > VERSION:
        raise StorageError("import-newer", version=str(version)[:40])
    entries = value.get("conversations")
    found = (_whole(entry) for entry in (entries if isinstance(entries, list) else ()))
    return [each for each in found if each is not None]


def _whole(entry: object) -> Whole | None:
    try:
        conversation = read(Conversation, entry)
    except Unreadable:
        return None
    messages = entry.get("messages") if isinstance(entry, Mapping) else None
    found = [
        message
        for value in (messages if isinstance(messages, list) else ())
        if (message := _message(value, conversation.id)) is not None
    ]
    return Whole(conversation, tuple(found))


def _message(value: object, conversation: str) -> Message | None:
    try:
        message = read(Message, value)
    except Unreadable:
        return None
    if message.role == "assistant" and message.outcome is None:
        message = replace(message, outcome=Outcome("cut"))  # nothing streams into it here
    return replace(message, conversation=conversation)
