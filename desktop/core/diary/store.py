"""The diary's file: one small SQLite table, opened with the same care as the conversations.

A newer version's file is refused and stays as it is; a damaged one is put aside, and what can be
read of it begins a new one. One thread uses a `Store`; `read` may be called from any.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

from desktop.core.chat.store.failures import converted
from desktop.core.chat.store.opening import make_private
from desktop.core.chat.store.repair import aside
from desktop.core.chat.store.schema import Step, migrate, transaction, version
from desktop.core.diary.entry import CUT, UNTOLD, Entry
from desktop.core.diary.schema import STEPS
from desktop.core.diary.totals import Totals
from desktop.core.errors import StorageError

_BUSY_S = 2.0
_LARGEST = 1e11  # seconds since the epoch in the year 5138: no date of Python's is far from there
_MOST = 20_000  # sessions that are read: fifty a day for a year
_PLAIN = (
    "id", "host", "model", "card", "run", "rate", "currency", "began", "reached", "ready", "seen",
    "ended", "because", "code", "generated", "prompt", "requests", "idle_s", "quiet_at",
)  # fmt: skip
_COLUMNS = (*_PLAIN, "engine_generated", "engine_prompt", "engine_requests")
_NAMES = ", ".join(_COLUMNS)
_SAVE = f"INSERT OR REPLACE INTO sessions ({_NAMES}) VALUES ({', '.join('?' * len(_COLUMNS))})"  # noqa: S608 - our names
_ALL = f"SELECT {_NAMES} FROM sessions ORDER BY began DESC LIMIT ?"  # noqa: S608 - likewise
_OF_RUN = f"SELECT {_NAMES} FROM sessions WHERE run = ? ORDER BY began DESC LIMIT 1"  # noqa: S608 - likewise
_NEWEST = (  # beside MAX, SQLite takes the other columns from the row that has it
    f"SELECT {_NAMES} FROM (SELECT *, MAX(seen) FROM sessions"  # noqa: S608 - likewise
    f" WHERE run <> '' OR because NOT IN ({', '.join('?' * len(UNTOLD))}) GROUP BY host)"
)
_END_OPEN = (
    "UPDATE sessions SET ended = seen, because = CASE because WHEN '' THEN ? ELSE because END"
    " WHERE ended IS NULL"
)


class Store:
    """The open file.

    Attributes:
        remark: what was done to the file when it was opened, if anything.
    """

    def __init__(self, path: Path, steps: Sequence[Step] = STEPS) -> None:
        """Open the file or make it, and end the entries that a killed app left open.

        Raises:
            StorageError: `storage-newer`, `storage-busy`, `storage-not-writable` or
                `diary-damaged`.
        """
        self._path = path
        self.remark: StorageError | None = None
        try:
            self._connection = _opened(path, steps)
        except StorageError as error:
            if error.code != "diary-damaged":
                raise
            self._connection, self.remark = _begun_anew(path, steps)

    def save(self, entries: Iterable[Entry], gone: Iterable[str] = ()) -> None:
        """Write entries, and take away those of these ids, all or nothing.

        Raises:
            StorageError: as for opening.
        """
        with _converted(self._path), transaction(self._connection):
            self._connection.executemany("DELETE FROM sessions WHERE id = ?", [(x,) for x in gone])
            self._connection.executemany(_SAVE, [_row(entry) for entry in entries])

    def of_run(self, run: str) -> Entry | None:
        """Return the newest entry of a run, or None.

        Raises:
            StorageError: as for opening.
        """
        with _converted(self._path):
            row = self._connection.execute(_OF_RUN, (run,)).fetchone()
        return None if row is None else _entry(row)

    def left(self) -> dict[str, Entry]:
        """Return, by host, the runs that were left at work, as far as the newest sessions tell.

        Raises:
            StorageError: as for opening.
        """
        with _converted(self._path):
            rows = self._connection.execute(_NEWEST, UNTOLD).fetchall()
        found = (entry for row in rows if (entry := _entry(row)) is not None)
        return {entry.host: entry for entry in found if entry.is_left}

    def close(self) -> None:
        """Let go of the file."""
        with suppress(sqlite3.Error):
            self._connection.close()


def read(path: Path) -> list[Entry]:
    """Return the entries in the file, the newest first; none where there is no file.

    Raises:
        StorageError: `storage-newer`, `storage-busy`, `storage-not-writable` or `diary-damaged`.
    """
    if not path.exists():
        return []
    with _converted(path), closing(_connected(path)) as connection:
        found = version(connection)
        if found > len(STEPS):
            raise StorageError("storage-newer", path=str(path), version=found, known=len(STEPS))
        if found == 0:
            return []
        return _entries(connection)


@contextmanager
def _converted(path: Path) -> Iterator[None]:
    """Raise what goes wrong with the file as errors of ours, damage as the diary's own."""
    try:
        with converted(path):
            yield
    except StorageError as error:
        if error.code != "storage-damaged":
            raise
        raise StorageError("diary-damaged", **error.facts) from error


def _connected(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(
        path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False
    )
    connection.text_factory = partial(str, encoding="utf-8", errors="replace")
    return connection


def _opened(path: Path, steps: Sequence[Step]) -> sqlite3.Connection:
    with _converted(path):
        make_private(path)
        connection = _connected(path)
        try:
            _check(connection, path, len(steps))
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            migrate(connection, steps)
            connection.execute(_END_OPEN, (CUT,))
        except BaseException:
            connection.close()
            raise
    return connection


def _check(connection: sqlite3.Connection, path: Path, newest: int) -> None:
    found = version(connection)
    if found > newest:
        raise StorageError("storage-newer", path=str(path), version=found, known=newest)
    rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    tables = {name for (name,) in rows}
    if (found == 0 and tables) or (found and "sessions" not in tables):
        reason = "the tables in it are not ours"
        raise StorageError("diary-damaged", path=str(path), reason=reason)
    if found and (verdict := connection.execute("PRAGMA quick_check(1)").fetchone()[0]) != "ok":
        raise StorageError("diary-damaged", path=str(path), reason=str(verdict))


def _begun_anew(path: Path, steps: Sequence[Step]) -> tuple[sqlite3.Connection, StorageError]:
    """Put a damaged file aside and begin a new one with what can be read; return what to tell."""
    kept = _salvaged(path)
    backup = aside(path, "damaged")
    with _converted(path):
        path.replace(backup)
        for ending in ("-wal", "-shm"):
            with suppress(FileNotFoundError):
                path.with_name(path.name + ending).replace(backup.with_name(backup.name + ending))
    connection = _opened(path, steps)
    with _converted(path), transaction(connection):
        connection.executemany(_SAVE, [_row(entry) for entry in kept])
    remark = StorageError("diary-repaired", backup=str(backup), sessions=len(kept))
    return connection, remark


def _salvaged(path: Path) -> list[Entry]:
    found: list[Entry] = []
    with suppress(sqlite3.Error), closing(_connected(path)) as connection:
        for row in connection.execute(_ALL, (_MOST,)):
            entry = _entry(row)
            if entry is not None:
                found.append(entry)
    return found


def _entries(connection: sqlite3.Connection) -> list[Entry]:
    rows = connection.execute(_ALL, (_MOST,)).fetchall()
    return [entry for row in rows if (entry := _entry(row)) is not None]


def _row(entry: Entry) -> tuple[Any, ...]:
    engine = entry.engine
    plain = (_well_formed(getattr(entry, name)) for name in _PLAIN)
    return (*plain, engine.generated, engine.prompt, engine.requests)


def _well_formed(value: Any) -> Any:
    """Return what SQLite takes: a host may send text that is none (lone surrogates)."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value


def _entry(row: Sequence[Any]) -> Entry | None:
    """Return the entry in a row, None for one that is none: the file may have been edited."""
    fields = dict(zip(_PLAIN, row, strict=False))
    engine = Totals(*row[len(_PLAIN) :])
    needed = (fields["began"], fields["seen"], fields["rate"], fields["idle_s"])
    texts = ("id", "host", "model", "card", "run", "currency", "because", "code")
    counts = ("generated", "prompt", "requests")
    moments = ("reached", "ready", "ended", "quiet_at")
    sound = (
        all(isinstance(fields[name], str) for name in texts)
        and all(isinstance(fields[name], int | None) for name in counts)
        and all(_is_figure(value) for value in needed)
        and all(fields[name] is None or _is_figure(fields[name]) for name in moments)
        and all(isinstance(count, int | None) for count in row[len(_PLAIN) :])
    )
    return Entry(**fields, engine=engine, heard=fields["seen"]) if sound else None


def _is_figure(value: Any) -> bool:
    """Tell whether it is a time, a price or a number of seconds that anybody can show."""
    return isinstance(value, int | float) and 0 <= value < _LARGEST
