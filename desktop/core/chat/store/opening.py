"""Opening the store's file: refused if newer, checked if in doubt, saved before it is changed.

When is it checked? Reading every page costs a second per 10^5 messages, and SQLite loses nothing in
a crash of the app. So a file that was closed properly is not read through; one that was not (the
app was killed, the power went, damage was met) is, for at most a second. Damage that shows later
leaves the mark, and the next start repairs.
"""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from functools import partial
from pathlib import Path

from desktop.core.chat.conversation import Outcome
from desktop.core.chat.store import search
from desktop.core.chat.store.failures import converted, primary
from desktop.core.chat.store.repair import aside, repair
from desktop.core.chat.store.schema import Step, migrate, transaction, version
from desktop.core.chat.store.values import plain
from desktop.core.errors import StorageError

_CHECK_S = 1.0
_BUSY_S = 2.0  # another process's write; ours take milliseconds
_TABLES = {"conversations", "messages", "prompts", "state"}


def prepared(path: Path, steps: Sequence[Step]) -> tuple[sqlite3.Connection, StorageError | None]:
    """Return a connection to the file, sound and of our version, and what was done to it.

    Raises:
        StorageError: as `open_store` says.
    """
    try:
        return _prepared(path, steps)
    except StorageError as error:
        if error.code != "storage-damaged":
            raise
    remark = repair(path, steps)
    return _prepared(path, steps)[0], remark


def connected(path: Path) -> sqlite3.Connection:
    """Return a connection that may go from thread to thread; it commits by itself."""
    connection = sqlite3.connect(
        path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False
    )
    # A byte that the disk got wrong costs a character, not the conversation.
    connection.text_factory = partial(str, encoding="utf-8", errors="replace")
    return connection


def keep_little(connection: sqlite3.Connection) -> None:
    """Keep 256 KB of the file in memory, not SQLite's 2 MB: the system keeps it all anyway."""
    connection.execute("PRAGMA cache_size = -256")


def _prepared(path: Path, steps: Sequence[Step]) -> tuple[sqlite3.Connection, StorageError | None]:
    with converted(path):
        make_private(path)
        connection = connected(path)
        try:
            _check(connection, path, len(steps))
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            remark = _migrate(connection, path, steps)
            search.prepare(connection)
            _settle(connection)
            keep_little(connection)
        except BaseException:
            connection.close()
            raise
    return connection, remark


def make_private(path: Path) -> None:
    """Make a file that this user alone can read, where there is none, and its folder."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))  # SQLite's files beside it take its mode


def _check(connection: sqlite3.Connection, path: Path, newest: int) -> None:
    found = version(connection)
    if found > newest:
        raise StorageError("storage-newer", path=str(path), version=found, known=newest)
    rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    tables = {name for (name,) in rows}
    if found == 0 and not tables:
        return  # new
    if found == 0 or not tables >= _TABLES:
        reason = "the tables in it are not ours"
        raise StorageError("storage-damaged", path=str(path), reason=reason)
    closed = connection.execute("SELECT value FROM state WHERE name = 'closed'").fetchone()
    if closed != ("1",) and (reason := _flaw(connection)):
        raise StorageError("storage-damaged", path=str(path), reason=reason)


def _flaw(connection: sqlite3.Connection) -> str:
    """Return what is wrong with the file, or "" where nothing was found in the time there is."""
    deadline = time.monotonic() + _CHECK_S
    connection.set_progress_handler(lambda: time.monotonic() > deadline, 1000)
    try:
        verdict = str(connection.execute("PRAGMA quick_check(1)").fetchone()[0])
    except sqlite3.OperationalError as error:
        if primary(error) != sqlite3.SQLITE_INTERRUPT:
            raise
        return ""
    finally:
        connection.set_progress_handler(None, 0)
    return "" if verdict == "ok" else verdict


def _migrate(
    connection: sqlite3.Connection, path: Path, steps: Sequence[Step]
) -> StorageError | None:
    found = version(connection)
    remark = None
    if 0 < found < len(steps):
        backup = aside(path, f"version-{found}")
        backup.touch(mode=0o600)
        with closing(sqlite3.connect(backup)) as copy:
            connection.backup(copy)
        remark = StorageError("storage-upgraded", path=str(path), backup=str(backup))
    migrate(connection, steps)
    return remark


def _settle(connection: sqlite3.Connection) -> None:
    """Mark the file as open, and end what a killed app left open."""
    cut = json.dumps(plain(Outcome("cut")))
    with transaction(connection):
        connection.execute("INSERT OR REPLACE INTO state VALUES ('closed', '0')")
        connection.execute(
            "UPDATE messages SET outcome = ? WHERE outcome IS NULL AND role = 'assistant'", (cut,)
        )
