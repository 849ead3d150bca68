"""Everything that was said, in one SQLite file: conversations, their messages, system prompts.

Threads: any thread may call anything. One connection writes and another one reads, each behind a
lock of its own. With a write-ahead log a reader never waits for a writer, so the window reads while
a stream is written; a write waits for another one for some milliseconds. What was written is read
by the next call, from whichever thread.

Processes: a second Paperkite may use the same file. Each write is one short transaction, tried for
two seconds and then `storage-busy`.

Texts are kept well-formed: half of a surrogate pair, which UTF-8 cannot hold, becomes U+FFFD.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from desktop.core.chat.conversation import Conversation, Message
from desktop.core.chat.store import search
from desktop.core.chat.store.failures import converted
from desktop.core.chat.store.opening import connected, prepared
from desktop.core.chat.store.rows import (
    CONVERSATION,
    MESSAGE,
    conversation_of,
    conversation_row,
    message_of,
    message_row,
)
from desktop.core.chat.store.schema import STEPS, Step, transaction
from desktop.core.chat.store.search import Hit
from desktop.core.chat.store.terms import query
from desktop.core.chat.store.values import well_formed
from desktop.core.errors import StorageError

# ruff: noqa: S608 - only names of columns are put into statements

_CONVERSATION = ", ".join(CONVERSATION)
_MESSAGE = ", ".join(MESSAGE)
_LIST = (
    f"SELECT {_CONVERSATION} FROM conversations WHERE deleted IS NULL AND archived = ?"
    " ORDER BY pinned DESC, updated DESC, number DESC"
)
_MESSAGES = (
    f"SELECT {_MESSAGE} FROM messages WHERE conversation = ? AND deleted IS NULL ORDER BY number"
)
_SAVE = (
    f"INSERT INTO conversations ({_CONVERSATION}) VALUES ({', '.join('?' * len(CONVERSATION))})"
    f" ON CONFLICT (id) DO UPDATE SET {', '.join(f'{n} = excluded.{n}' for n in CONVERSATION[1:])}"
)
_ADD = f"INSERT INTO messages ({_MESSAGE}) VALUES ({', '.join('?' * len(MESSAGE))})"
_AT = {name: f"?{place}" for place, name in enumerate(MESSAGE, start=1)}
# What is found by the same words stays in the index.
_UPDATE = (
    "UPDATE messages SET indexed = indexed AND"
    f" content = {_AT['content']} AND attachments = {_AT['attachments']},"
    f" {', '.join(f'{name} = {at}' for name, at in _AT.items())} WHERE id = {_AT['id']}"
)
_GROW = (
    "UPDATE messages SET indexed = indexed AND content = ?1, content = ?1, reasoning = ?2"
    " WHERE id = ?3"
)
_GONE = (
    "SELECT number FROM messages WHERE deleted < ?1 UNION ALL"
    " SELECT messages.number FROM conversations CROSS JOIN messages"
    " ON messages.conversation = conversations.id WHERE conversations.deleted < ?1 LIMIT 64"
)
_UNDO_S = 3600.0  # what was deleted so long before a start is let go of after it


class Store:
    """The open file.

    Attributes:
        path: of the file.
        remark: what opening did to save something (`storage-repaired`, `storage-upgraded`, with
            `backup`), to be told; or None.
        on_unindexed: called after a write that left something to `index`.
    """

    def __init__(
        self,
        path: Path,
        connection: sqlite3.Connection,
        remark: StorageError | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Take a connection that was prepared; `open_store` is the way to get one."""
        self.path, self.remark, self._clock = path, remark, clock
        self.on_unindexed: Callable[[], None] = lambda: None
        self._writing, self._reading = connection, connected(path)
        self._writes, self._reads = threading.Lock(), threading.Lock()
        self._damaged = self._closed = False
        self._long_ago = clock() - _UNDO_S
        self._purged = False
        self._full_text = search.has_full_text(connection)

    # -- reading -----------------------------------------------------------------------------------

    def conversations(self, *, archived: bool = False) -> list[Conversation]:
        """Return those that are listed, or those in the archive; pinned, then newest, first."""
        with self._read() as connection:
            return [conversation_of(row) for row in connection.execute(_LIST, (int(archived),))]

    def conversation(self, conversation: str) -> Conversation | None:
        """Return one by its id, or None where there is none, or none any more."""
        select = f"SELECT {_CONVERSATION} FROM conversations WHERE id = ? AND deleted IS NULL"
        with self._read() as connection:
            row = connection.execute(select, (well_formed(conversation),)).fetchone()
        return None if row is None else conversation_of(row)

    def messages(self, conversation: str) -> list[Message]:
        """Return all messages of a conversation, in the order in which they were made."""
        with self._read() as connection:
            rows = connection.execute(_MESSAGES, (well_formed(conversation),)).fetchall()
        return [message_of(row) for row in rows]

    def search(self, text: str, limit: int = 50) -> list[Hit]:
        """Return where all of these words are: titles, then messages, the newest first.

        The archive is searched too. Letters' case and punctuation do not matter, a word may go on
        where it ends, and Chinese may be as short as one character.
        """
        with self._read() as connection:
            return search.search(connection, query(text), limit, full_text=self._full_text)

    def known(self, conversations: Iterable[str], messages: Iterable[str]) -> set[str]:
        """Return those of these ids that are taken, also by what was deleted."""
        with self._read() as connection:
            wanted = [("conversations", each) for each in conversations]
            wanted += [("messages", each) for each in messages]
            return {
                name
                for table, name in wanted
                if connection.execute(f"SELECT 1 FROM {table} WHERE id = ?", (name,)).fetchone()
            }

    def prompts(self) -> dict[str, str]:
        """Return the saved system prompts, by name."""
        with self._read() as connection:
            return dict(connection.execute("SELECT name, text FROM prompts ORDER BY name"))

    # -- writing -----------------------------------------------------------------------------------

    def save(self, conversation: Conversation) -> None:
        """Keep a conversation as it is now, new or not."""
        self._execute(_SAVE, [conversation_row(conversation)])

    def add(self, message: Message) -> None:
        """Keep a new message."""
        self._execute(_ADD, [message_row(message)])
        self.on_unindexed()

    def update(self, message: Message) -> None:
        """Keep a message as it is now."""
        self._execute(_UPDATE, [message_row(message)])
        self.on_unindexed()

    def grow(self, message: str, content: str, reasoning: str) -> None:
        """Keep what has come of a reply that streams."""
        self._execute(_GROW, [_grown(message, content, reasoning)])

    def keep(self, messages: Sequence[Message]) -> None:
        """Keep what these have become: those that stream by their text, the others whole."""
        if not messages:
            return
        over = [each for each in messages if each.outcome is not None]
        with self._write() as connection:
            connection.executemany(
                _GROW,
                [_grown(m.id, m.content, m.reasoning) for m in messages if m.outcome is None],
            )
            connection.executemany(_UPDATE, [message_row(each) for each in over])
        if over:
            self.on_unindexed()

    def take(self, conversation: Conversation, messages: Iterable[Message]) -> None:
        """Keep a conversation that came from elsewhere, with its messages, or nothing of it."""
        with self._write() as connection:
            connection.execute(_SAVE, conversation_row(conversation))
            connection.executemany(_ADD, map(message_row, messages))
        self.on_unindexed()

    def delete(self, conversation: str) -> None:
        """Take a conversation away, with its messages; `restore` brings it back."""
        self._mark("conversations", [conversation], self._clock())

    def restore(self, conversation: str) -> None:
        """Bring a deleted conversation back."""
        self._mark("conversations", [conversation], None)

    def delete_messages(self, messages: Iterable[str]) -> None:
        """Take messages away; `restore_messages` brings them back."""
        self._mark("messages", messages, self._clock())

    def restore_messages(self, messages: Iterable[str]) -> None:
        """Bring deleted messages back."""
        self._mark("messages", messages, None)

    def save_prompt(self, name: str, text: str) -> None:
        """Keep a system prompt under a name, new or not."""
        row = (well_formed(name), well_formed(text))
        self._execute("INSERT OR REPLACE INTO prompts VALUES (?, ?)", [row])

    def delete_prompt(self, name: str) -> None:
        """Forget a saved system prompt."""
        self._execute("DELETE FROM prompts WHERE name = ?", [(well_formed(name),)])

    def purge(self) -> bool:
        """Let go of some of what was deleted an hour before this start; returns whether of any."""
        if self._purged:
            return False
        with self._write() as connection:
            gone = connection.execute(
                f"DELETE FROM messages WHERE number IN ({_GONE})", (self._long_ago,)
            )
            if not gone.rowcount:
                connection.execute("DELETE FROM conversations WHERE deleted < ?", (self._long_ago,))
        self._purged = not gone.rowcount
        return bool(gone.rowcount)

    def index(self) -> bool:
        """Take some messages into the index of the search; returns whether there may be more."""
        if not self._full_text:
            return False
        with self._read() as connection:
            found = search.unindexed(connection)
        if found:
            with self._write() as connection:
                search.index(connection, found)
        return bool(found)

    def close(self) -> None:
        """Close the file; where damage was met, the next start looks closely. Never raises."""
        if self._closed:
            return
        self._closed = True
        sound = "UPDATE state SET value = '1' WHERE name = 'closed'"
        index_anew = "DELETE FROM state WHERE name = 'index'"  # a check does not read it
        with suppress(StorageError):
            self._execute(index_anew if self._damaged else sound, [()])
        with self._writes, self._reads:
            self._reading.close()
            self._writing.close()

    # -- parts -------------------------------------------------------------------------------------

    def _mark(self, table: str, ids: Iterable[str], deleted: float | None) -> None:
        rows = [(deleted, well_formed(each)) for each in ids]
        self._execute(f"UPDATE {table} SET deleted = ? WHERE id = ?", rows)

    def _execute(self, statement: str, rows: Sequence[Sequence[object]]) -> None:
        with self._write() as connection:
            connection.executemany(statement, rows)

    @contextmanager
    def _write(self) -> Iterator[sqlite3.Connection]:
        with self._watched(), self._writes, transaction(self._writing):
            yield self._writing

    @contextmanager
    def _read(self) -> Iterator[sqlite3.Connection]:
        with self._watched(), self._reads:
            yield self._reading

    @contextmanager
    def _watched(self) -> Iterator[None]:
        try:
            with converted(self.path):
                yield
        except StorageError as error:
            self._damaged = self._damaged or error.code == "storage-damaged"
            raise


def open_store(
    path: Path, *, steps: Sequence[Step] = STEPS, clock: Callable[[], float] = time.time
) -> Store:
    """Open the file, or make it.

    A reply that was streaming when the app was killed becomes `Outcome("cut")`.

    Args:
        path: of the file; its folder need not be there.
        steps: of the schema.
        clock: Unix seconds.

    Raises:
        StorageError: `storage-not-writable`; `storage-newer`, made by a newer Paperkite: it is not
            touched; `storage-damaged`, and nothing of it can be read: it is not touched;
            `storage-busy`, another process is writing for too long.
    """
    connection, remark = prepared(path, steps)
    try:
        return Store(path, connection, remark, clock)
    except BaseException:
        connection.close()
        raise


def _grown(message: str, content: str, reasoning: str) -> tuple[str, str, str]:
    return well_formed(content), well_formed(reasoning), well_formed(message)
