"""What is asked of SQLite, made from the names of the columns."""

from __future__ import annotations

from desktop.core.chat.store.rows import CONVERSATION, MESSAGE, UNSENT

# ruff: noqa: S608 - only names of columns are put into statements

_CONVERSATION = ", ".join(CONVERSATION)
_MESSAGE = ", ".join(MESSAGE)
_AT = {name: f"?{place}" for place, name in enumerate(MESSAGE, start=1)}
LIST = (
    f"SELECT {_CONVERSATION} FROM conversations WHERE deleted IS NULL AND archived = ?"
    " ORDER BY pinned DESC, updated DESC, number DESC"
)
ONE = f"SELECT {_CONVERSATION} FROM conversations WHERE id = ? AND deleted IS NULL"
MESSAGES = (
    f"SELECT {_MESSAGE} FROM messages WHERE conversation = ? AND deleted IS NULL ORDER BY number"
)
SAVE = (
    f"INSERT INTO conversations ({_CONVERSATION}) VALUES ({', '.join('?' * len(CONVERSATION))})"
    f" ON CONFLICT (id) DO UPDATE SET {', '.join(f'{n} = excluded.{n}' for n in CONVERSATION[1:])}"
)
ADD = f"INSERT INTO messages ({_MESSAGE}) VALUES ({', '.join('?' * len(MESSAGE))})"
# What is found by the same words stays in the index.
UPDATE = (
    "UPDATE messages SET indexed = indexed AND"
    f" content = {_AT['content']} AND attachments = {_AT['attachments']},"
    f" {', '.join(f'{name} = {at}' for name, at in _AT.items())} WHERE id = {_AT['id']}"
)
GROW = (
    "UPDATE messages SET indexed = indexed AND content = ?1, content = ?1, reasoning = ?2,"
    " left_out = ?3 WHERE id = ?4"
)
UNSENT_OF = f"SELECT {', '.join(UNSENT)} FROM unsent WHERE conversation = ?"
KEEP_UNSENT = f"INSERT OR REPLACE INTO unsent ({', '.join(UNSENT)}) VALUES (?, ?, ?, ?)"
FORGET_UNSENT = "DELETE FROM unsent WHERE conversation = ?"
# Some of what was deleted before a time, and then what it belonged to.
GONE = (
    "DELETE FROM messages WHERE number IN ("
    "SELECT number FROM messages WHERE deleted < ?1 UNION ALL"
    " SELECT messages.number FROM conversations CROSS JOIN messages"
    " ON messages.conversation = conversations.id WHERE conversations.deleted < ?1 LIMIT 64)"
)
GONE_UNSENT = (
    "DELETE FROM unsent WHERE conversation IN (SELECT id FROM conversations WHERE deleted < ?)"
)
GONE_CONVERSATIONS = "DELETE FROM conversations WHERE deleted < ?"
