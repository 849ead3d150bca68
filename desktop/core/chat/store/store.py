"""Everything that was said, in one SQLite file: conversations, their messages, system prompts.

Threads: any thread may call anything, and a reader never waits for a writer (`connections.py`).

Processes: a second Paperkite may use the same file. Each write is one short transaction, tried for
two seconds and then `storage-busy`.

Texts are kept well-formed: half of a surrogate pair, which UTF-8 cannot hold, becomes U+FFFD.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from desktop.core.chat.conversation import Conversation, Message, Unsent
from desktop.core.chat.store import search, statements
from desktop.core.chat.store.connections import Connections
from desktop.core.chat.store.opening import prepared
from desktop.core.chat.store.rows import (
    conversation_of,
    conversation_row,
    message_of,
    message_row,
    unsent_of,
    unsent_row,
)
from desktop.core.chat.store.schema import STEPS, Step
from desktop.core.chat.store.search import Hit
from desktop.core.chat.store.terms import query
from desktop.core.chat.store.values import well_formed
from desktop.core.errors import StorageError

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
        self._file = Connections(path, connection)
        self._long_ago = clock() - _UNDO_S
        self._purged = False
        self._full_text = search.has_full_text(connection)

    # -- reading -----------------------------------------------------------------------------------

    def conversations(self, *, archived: bool = False) -> list[Conversation]:
        """Return those that are listed, or those in the archive; pinned, then newest, first."""
        with self._file.read() as connection:
            return [
                conversation_of(row)
                for row in connection.execute(statements.LIST, (int(archived),))
            ]

    def conversation(self, conversation: str) -> Conversation | None:
        """Return one by its id, or None where there is none, or none any more."""
        with self._file.read() as connection:
            row = connection.execute(statements.ONE, (well_formed(conversation),)).fetchone()
        return None if row is None else conversation_of(row)

    def messages(self, conversation: str) -> list[Message]:
        """Return all messages of a conversation, in the order in which they were made."""
        with self._file.read() as connection:
            rows = connection.execute(statements.MESSAGES, (well_formed(conversation),)).fetchall()
        return [message_of(row) for row in rows]

    def unsent(self, conversation: str) -> Unsent:
        """Return what lies beside the draft of a conversation."""
        with self._file.read() as connection:
            found = connection.execute(statements.UNSENT_OF, (well_formed(conversation),))
            row = found.fetchone()
        return Unsent() if row is None else unsent_of(row)

    def search(self, text: str, limit: int = 50) -> list[Hit]:
        """Return where all of these words are: titles, then messages, the newest first.

        The archive is searched too. Letters' case and punctuation do not matter, a word may go on
        where it ends, and Chinese may be as short as one character.
        """
        with self._file.read() as connection:
            return search.search(connection, query(text), limit, full_text=self._full_text)

    def known(self, conversations: Iterable[str], messages: Iterable[str]) -> set[str]:
        """Return those of these ids that are taken, also by what was deleted."""
        with self._file.read() as connection:
            wanted = [("conversations", each) for each in conversations]
            wanted += [("messages", each) for each in messages]
            return {
                name
                for table, name in wanted
                if connection.execute(f"SELECT 1 FROM {table} WHERE id = ?", (name,)).fetchone()  # noqa: S608 - our names
            }

    def prompts(self) -> dict[str, str]:
        """Return the saved system prompts, by name."""
        with self._file.read() as connection:
            return dict(connection.execute("SELECT name, text FROM prompts ORDER BY name"))

    # -- writing -----------------------------------------------------------------------------------

    def save(self, conversation: Conversation) -> None:
        """Keep a conversation as it is now, new or not."""
        self._execute(statements.SAVE, [conversation_row(conversation)])

    def add(self, message: Message) -> None:
        """Keep a new message."""
        self._execute(statements.ADD, [message_row(message)])
        self.on_unindexed()

    def update(self, message: Message) -> None:
        """Keep a message as it is now."""
        self._execute(statements.UPDATE, [message_row(message)])
        self.on_unindexed()

    def keep(self, messages: Sequence[Message]) -> None:
        """Keep what these have become: those that stream by their text, the others whole."""
        if not messages:
            return
        over = [each for each in messages if each.outcome is not None]
        with self._file.write() as connection:
            connection.executemany(
                statements.GROW, [_grown(each) for each in messages if each.outcome is None]
            )
            connection.executemany(statements.UPDATE, [message_row(each) for each in over])
        if over:
            self.on_unindexed()

    def take(
        self,
        conversation: Conversation,
        messages: Iterable[Message] = (),
        unsent: Unsent | None = None,
    ) -> None:
        """Keep a conversation with these new messages, all of it or nothing.

        Args:
            conversation: as it is from now on.
            messages: that are new in it.
            unsent: what lies beside its draft from now on; None leaves that as it is.
        """
        with self._file.write() as connection:
            connection.execute(statements.SAVE, conversation_row(conversation))
            connection.executemany(statements.ADD, map(message_row, messages))
            if unsent is not None:
                _keep_unsent(connection, conversation.id, unsent)
        self.on_unindexed()

    def delete(self, conversation: str) -> None:
        """Take a conversation away, with its messages; `restore` brings it back."""
        self._mark("conversations", [conversation], self._clock())

    def restore(self, conversation: str) -> None:
        """Bring a deleted conversation back."""
        self._mark("conversations", [conversation], None)

    def delete_messages(self, messages: Iterable[str], then: Conversation | None = None) -> None:
        """Take messages away; in the same go keep what their conversation is `then`."""
        self._mark("messages", messages, self._clock(), then)

    def restore_messages(self, messages: Iterable[str], then: Conversation | None = None) -> None:
        """Bring deleted messages back; in the same go keep what their conversation is `then`."""
        self._mark("messages", messages, None, then)

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
        with self._file.write() as connection:
            gone = connection.execute(statements.GONE, (self._long_ago,))
            if not gone.rowcount:
                connection.execute(statements.GONE_UNSENT, (self._long_ago,))
                connection.execute(statements.GONE_CONVERSATIONS, (self._long_ago,))
        self._purged = not gone.rowcount
        return bool(gone.rowcount)

    def index(self) -> bool:
        """Take some messages into the index of the search; returns whether there may be more."""
        if not self._full_text:
            return False
        with self._file.read() as connection:
            found = search.unindexed(connection)
        if found:
            with self._file.write() as connection:
                search.index(connection, found)
        return bool(found)

    def close(self) -> None:
        """Close the file. Never raises."""
        self._file.close()

    # -- parts -------------------------------------------------------------------------------------

    def _mark(
        self,
        table: str,
        ids: Iterable[str],
        deleted: float | None,
        then: Conversation | None = None,
    ) -> None:
        rows = [(deleted, well_formed(each)) for each in ids]
        with self._file.write() as connection:
            connection.executemany(f"UPDATE {table} SET deleted = ? WHERE id = ?", rows)  # noqa: S608 - our names
            if then is not None:
                connection.execute(statements.SAVE, conversation_row(then))

    def _execute(self, statement: str, rows: Sequence[Sequence[object]]) -> None:
        with self._file.write() as connection:
            connection.executemany(statement, rows)


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


def _keep_unsent(connection: sqlite3.Connection, conversation: str, unsent: Unsent) -> None:
    if unsent == Unsent():
        connection.execute(statements.FORGET_UNSENT, (well_formed(conversation),))
    else:
        connection.execute(statements.KEEP_UNSENT, unsent_row(conversation, unsent))


def _grown(message: Message) -> tuple[str, str, int, str]:
    content, reasoning = well_formed(message.content), well_formed(message.reasoning)
    return content, reasoning, message.left_out, well_formed(message.id)
