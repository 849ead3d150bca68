"""The index of what was said, and looking things up in it.

The index is one FTS5 table of terms (see `terms.py`), beside the messages: a message that was
finished or changed is not in it until `index` took it in, which the writer's thread does. Those few
are read one by one meanwhile, so a search is whole at any time, and a stream that grows costs the
index nothing. A Python whose SQLite has no FTS5 indexes nothing and reads all of them: slower, and
right.
"""

from __future__ import annotations

import sqlite3
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from desktop.core.chat.conversation import Conversation
from desktop.core.chat.store.failures import primary
from desktop.core.chat.store.rows import CONVERSATION, attachments_of, conversation_of
from desktop.core.chat.store.schema import transaction
from desktop.core.chat.store.terms import Query, Snippet, terms

# Of `terms`: with another one, or with a Python that knows other letters, the index is made anew.
_VERSION = f"1, Unicode {unicodedata.unidata_version}"
_BATCH_CHARS = 16_000  # indexed in one transaction: some 5 ms that another write may have to wait
_BATCH = 64
_MOST_CHARS = 200_000  # of one message that can be found
_UNINDEXED = 300  # messages, the newest ones, that a search reads one by one

_COLUMNS = ", ".join(f"conversations.{name}" for name in CONVERSATION)
_LISTED = (
    f"SELECT messages.number, messages.id, messages.content, messages.attachments, {_COLUMNS}"  # noqa: S608 - names of columns
    " FROM {source} CROSS JOIN conversations ON conversations.id = messages.conversation"
    " WHERE {condition} AND messages.deleted IS NULL AND conversations.deleted IS NULL"
    " ORDER BY {order} DESC LIMIT ?"
)
_INDEXED = _LISTED.format(
    source="found CROSS JOIN messages ON messages.number = found.rowid",
    condition="found MATCH ? AND messages.indexed = 1",
    order="found.rowid",
)
_NOT_INDEXED = _LISTED.format(
    source="messages", condition="messages.indexed = 0", order="messages.number"
)
_TABLE = (
    "CREATE VIRTUAL TABLE found USING"
    " fts5(terms, tokenize = 'ascii', prefix = '1 2', content = '', columnsize = 0)"
)
_OUT = """CREATE TEMP TRIGGER out_of_index_on_{name} AFTER {event} ON main.messages
    WHEN old.indexed {changed} BEGIN
        INSERT INTO found (found, rowid, terms)
        VALUES ('delete', old.number, terms_of(old.content, old.attachments));
    END"""


@dataclass(frozen=True, slots=True)
class Hit:
    """Something that was found.

    Attributes:
        conversation: where.
        message: the id of the message, or "" where it is in the title.
        snippet: the piece of it that matches.
    """

    conversation: Conversation
    message: str
    snippet: Snippet


def has_full_text(connection: sqlite3.Connection) -> bool:
    """Return whether this SQLite was built with FTS5."""
    try:
        connection.execute("CREATE VIRTUAL TABLE temp.tried USING fts5(terms)")
    except sqlite3.OperationalError as error:
        if primary(error) != sqlite3.SQLITE_ERROR:  # no such module
            raise
        return False
    connection.execute("DROP TABLE temp.tried")
    return True


def prepare(connection: sqlite3.Connection) -> None:
    """Make the index where it is missing or of another version, and have this connection mind it.

    `index` fills it. What changes or goes is taken out by triggers of this connection. The table
    keeps no text, so SQLite has to be told again what it had taken in, by the same `terms`.
    """
    if not has_full_text(connection):  # what changes now is missed: to be made anew later
        connection.execute("DELETE FROM state WHERE name = 'index'")
        return
    connection.create_function("terms_of", 2, _terms_of, deterministic=True)
    with transaction(connection):
        made = connection.execute("SELECT value FROM state WHERE name = 'index'").fetchone()
        if made != (_VERSION,):
            connection.execute("DROP TABLE IF EXISTS found")
            connection.execute(_TABLE)
            connection.execute("UPDATE messages SET indexed = 0 WHERE indexed = 1")
            connection.execute("INSERT OR REPLACE INTO state VALUES ('index', ?)", (_VERSION,))
        for event in ("UPDATE OF indexed", "DELETE"):
            changed = "AND NOT new.indexed" if event != "DELETE" else ""
            connection.execute(_OUT.format(name=event.split()[0], event=event, changed=changed))


def unindexed(connection: sqlite3.Connection) -> list[tuple[int, str, str]]:
    """Return some messages that are over and not indexed: number, content, terms."""
    rows = connection.execute(
        "SELECT number, content, attachments FROM messages WHERE indexed = 0"
        " AND (outcome IS NOT NULL OR role <> 'assistant') ORDER BY number LIMIT ?",
        (_BATCH,),
    )
    found: list[tuple[int, str, str]] = []
    chars = 0
    for number, content, attachments in rows:
        text = _readable(content, attachments)
        found.append((number, content, terms(text)))
        chars += len(text)
        if chars > _BATCH_CHARS:
            break
    return found


def index(connection: sqlite3.Connection, found: Sequence[tuple[int, str, str]]) -> None:
    """Take messages into the index, in the caller's transaction; not one that changed since."""
    for number, content, its_terms in found:
        taken = connection.execute(
            "UPDATE messages SET indexed = 1 WHERE number = ? AND indexed = 0 AND content = ?",
            (number, content),
        )
        if taken.rowcount:
            connection.execute(
                "INSERT INTO found (rowid, terms) VALUES (?, ?)", (number, its_terms)
            )


def search(
    connection: sqlite3.Connection, wanted: Query, limit: int, *, full_text: bool
) -> list[Hit]:
    """Return what is found: titles first, then messages, the newest first."""
    if not wanted.words:
        return []
    titles = list(islice(_in_titles(connection, wanted), limit))
    fresh = islice(_in_fresh(connection, wanted, full_text=full_text), limit)
    known = _in_index(connection, wanted, limit) if full_text else ()
    newest_first = sorted((*fresh, *known), key=lambda row: -row[0])
    return (titles + [_hit(row, wanted) for row in newest_first[:limit]])[:limit]


def _in_titles(connection: sqlite3.Connection, wanted: Query) -> Iterator[Hit]:
    titles = connection.execute(
        "SELECT number, title FROM conversations WHERE deleted IS NULL ORDER BY updated DESC"
    )
    whole = f"SELECT {_COLUMNS} FROM conversations WHERE number = ?"  # noqa: S608 - names of columns
    for number, title in titles:
        if wanted.fits(title):
            row = connection.execute(whole, (number,)).fetchone()
            yield Hit(conversation_of(row), "", wanted.snippet(title))


def _in_index(connection: sqlite3.Connection, wanted: Query, limit: int) -> list[Any]:
    return connection.execute(_INDEXED, (wanted.match, limit)).fetchall()


def _in_fresh(
    connection: sqlite3.Connection, wanted: Query, *, full_text: bool
) -> Iterator[Sequence[Any]]:
    rows = connection.execute(_NOT_INDEXED, (_UNINDEXED if full_text else -1,))
    return (row for row in rows if wanted.fits(_readable(*row[2:4])))


def _hit(row: Sequence[Any], wanted: Query) -> Hit:
    _, message, content, attachments, *conversation = row
    snippet = wanted.snippet(_readable(content, attachments))
    return Hit(conversation_of(conversation), message, snippet)


def _terms_of(content: str, attachments: str) -> str:
    return terms(_readable(content, attachments))


def _readable(content: str, attachments: str) -> str:
    files = [f"\n{each.name}\n{each.text}" for each in attachments_of(attachments)]
    return "".join((content, *files))[:_MOST_CHARS]
