"""A damaged file: what can be read of it moves into a new one, and the old one is kept.

The file itself stays as it is until the new one stands. An index or a page of SQLite's own can be
gone without a message being lost; where pages of messages are gone, those around them are kept.
"""

from __future__ import annotations

import shutil
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from desktop.core.chat.store.failures import converted
from desktop.core.chat.store.schema import Step, migrate, transaction
from desktop.core.errors import StorageError

_TABLES = ("conversations", "messages", "prompts", "unsent")
_ANEW = ("indexed",)  # columns that are not taken over
_LAST = 2**62  # beyond every number of a row
_BESIDE = ("-wal", "-shm")
_BROKEN = (sqlite3.DatabaseError, OverflowError)


def repair(path: Path, steps: Sequence[Step]) -> StorageError:
    """Put a new file with all that can be read in the place of a damaged one.

    Returns:
        what to tell: `storage-repaired` with `path`, `backup` and how many `messages` there are.

    Raises:
        StorageError: `storage-damaged`: nothing could be read, and the file is as it was; or
            `storage-not-writable`.
    """
    fresh = path.with_name(f"{path.name}.repaired")
    with converted(path):
        backup = aside(path, "damaged")
        _copy(path, backup)
        try:
            messages = _salvage(path, fresh, steps)
        except StorageError:
            _remove(fresh)
            _remove(backup)
            raise
        for ending in _BESIDE:
            path.with_name(path.name + ending).unlink(missing_ok=True)
        fresh.replace(path)
    return StorageError("storage-repaired", path=str(path), backup=str(backup), messages=messages)


def aside(path: Path, why: str) -> Path:
    """Return a free name beside the file, such as `conversations-damaged-20260131-120000.db`."""
    stamp = time.strftime("%Y%m%d-%H%M%S")
    names = (f"{path.stem}-{why}-{stamp}{more}{path.suffix}" for more in ("", *range(2, 100)))
    return next(each for name in names if not (each := path.with_name(name)).exists())


def _copy(path: Path, to: Path) -> None:
    for ending in ("", "-wal"):
        with suppress(FileNotFoundError):
            shutil.copy2(path.with_name(path.name + ending), to.with_name(to.name + ending))


def _remove(path: Path) -> None:
    for ending in ("", "-journal", *_BESIDE):
        path.with_name(path.name + ending).unlink(missing_ok=True)


def _salvage(path: Path, fresh: Path, steps: Sequence[Step]) -> int:
    """Make the new file and return how many messages are in it."""
    _remove(fresh)
    fresh.touch(mode=0o600)
    uri = f"{path.absolute().as_uri()}?mode=ro"
    old = sqlite3.connect(uri, uri=True, isolation_level=None)
    new = sqlite3.connect(fresh, isolation_level=None)
    with closing(old), closing(new):
        old.text_factory = lambda raw: raw.decode("utf-8", "replace")
        migrate(new, steps)
        with transaction(new):
            moved = {table: _move(old, new, table) for table in _TABLES}
            if None in (moved["conversations"], moved["messages"]):
                reason = "its tables cannot be read"
                raise StorageError("storage-damaged", path=str(path), reason=reason)
            _adopt_orphans(new)
        messages: int = new.execute("SELECT count(*) FROM messages").fetchone()[0]
    return messages


def _move(old: sqlite3.Connection, new: sqlite3.Connection, table: str) -> bool | None:
    """Move the rows of a table; return None where the old file does not even know it."""
    columns = [name for name in _columns(old, table) if name in _columns(new, table)]
    if not columns:
        return None
    names = ", ".join(name for name in columns if name not in _ANEW)
    marks = ", ".join("?" for name in columns if name not in _ANEW)
    insert = f"INSERT OR IGNORE INTO {table} ({names}) VALUES ({marks})"  # noqa: S608 - our names
    for row in _rows(old, table, names):
        new.execute(insert, row[1:])
    return True


def _columns(connection: sqlite3.Connection, table: str) -> list[str]:
    try:
        return [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
    except sqlite3.DatabaseError:
        return []


def _rows(old: sqlite3.Connection, table: str, names: str) -> Iterator[tuple[Any, ...]]:
    """Return the rows that can be read, in any order, each with its number before it.

    One by one: a cursor that reads ahead would lose the row before the hole with the hole.
    """
    select = f"SELECT rowid, {names} FROM {table} WHERE rowid > ? AND rowid <= ?"  # noqa: S608 - our names
    upwards, downwards = (f"{select} ORDER BY rowid {order} LIMIT 1" for order in ("ASC", "DESC"))
    at, step = -1, 1
    while at < _LAST:
        try:
            row = old.execute(upwards, (at, _LAST)).fetchone()
        except _BROKEN:
            at, step = at + step, step * 2
            continue
        if step > 1:  # the last step was longer than the hole: what is between, from above
            yield from _down(old, downwards, at - step // 2, at)
        if row is None:
            return
        yield row
        at, step = row[0], 1


def _down(
    old: sqlite3.Connection, downwards: str, after: int, last: int
) -> Iterator[tuple[Any, ...]]:
    with suppress(*_BROKEN):
        while (row := old.execute(downwards, (after, last)).fetchone()) is not None:
            yield row
            last = row[0] - 1


def _adopt_orphans(new: sqlite3.Connection) -> None:
    """Give messages whose conversation is gone one again: its settings are lost, not its words."""
    new.execute(
        "INSERT INTO conversations"
        " (id, title, created, updated, leaf, setup, draft, pinned, archived)"
        " SELECT conversation, '', min(created), max(created),"
        " (SELECT id FROM messages AS last WHERE last.conversation = messages.conversation"
        " ORDER BY number DESC LIMIT 1), '{}', '', 0, 0"
        " FROM messages WHERE conversation NOT IN (SELECT id FROM conversations)"
        " GROUP BY conversation"
    )
