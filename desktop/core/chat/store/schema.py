"""The tables, as numbered steps: the file's `user_version` says how many of them it has had.

A step that was released is never changed. The index of the search is no part of it: it is derived
from the tables, and `search.py` makes it anew where it is missing.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

Step = tuple[str, ...]

STEPS: tuple[Step, ...] = (
    (
        """CREATE TABLE conversations (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            id TEXT NOT NULL UNIQUE,
            title TEXT NOT NULL,
            created REAL NOT NULL,
            updated REAL NOT NULL,
            leaf TEXT NOT NULL,
            setup TEXT NOT NULL,
            draft TEXT NOT NULL,
            pinned INTEGER NOT NULL,
            archived INTEGER NOT NULL,
            deleted REAL
        )""",
        # A number is never used twice: the index of the search may still know an old one.
        """CREATE TABLE messages (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            id TEXT NOT NULL UNIQUE,
            conversation TEXT NOT NULL,
            parent TEXT NOT NULL,
            role TEXT NOT NULL,
            created REAL NOT NULL,
            model TEXT NOT NULL,
            reasoning_s REAL,
            outcome TEXT,
            deleted REAL,
            indexed INTEGER NOT NULL DEFAULT 0,
            attachments TEXT NOT NULL,
            content TEXT NOT NULL,
            reasoning TEXT NOT NULL
        )""",
        "CREATE INDEX messages_of ON messages (conversation)",
        # What a start looks for, without reading every message.
        """CREATE INDEX messages_streaming ON messages (number)
            WHERE outcome IS NULL AND role = 'assistant'""",
        "CREATE INDEX messages_deleted ON messages (deleted) WHERE deleted IS NOT NULL",
        "CREATE INDEX messages_not_indexed ON messages (number) WHERE indexed = 0",
        "CREATE TABLE prompts (name TEXT PRIMARY KEY, text TEXT NOT NULL)",
        "CREATE TABLE state (name TEXT PRIMARY KEY, value TEXT NOT NULL)",
    ),
    (
        "ALTER TABLE messages ADD COLUMN left_out INTEGER NOT NULL DEFAULT 0",
        # Beside the conversations, and not in them: files are large, and the list reads all rows.
        """CREATE TABLE unsent (
            conversation TEXT PRIMARY KEY,
            attachments TEXT NOT NULL,
            edited TEXT NOT NULL,
            wording TEXT NOT NULL
        )""",
    ),
)


def version(connection: sqlite3.Connection) -> int:
    """Return how many steps the file has had."""
    found: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return found


def migrate(connection: sqlite3.Connection, steps: Sequence[Step] = STEPS) -> None:
    """Bring the file to the last step, each in one transaction."""
    for number, step in enumerate(steps, start=1):
        with transaction(connection):
            if version(connection) >= number:  # another process may have been faster
                continue
            for statement in step:
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {number}")


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Do all of it or nothing; the connection commits by itself outside of this."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # SQLite itself rolls back where the disk is full
            connection.execute("ROLLBACK")
        raise
