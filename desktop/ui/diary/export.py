"""The diary as a file of its own, written whole or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from desktop.core.atomic_file import write_atomically
from desktop.core.diary.entry import Entry
from desktop.core.diary.spreadsheet import COLUMNS, as_csv
from desktop.core.errors import StorageError
from desktop.core.texts import Texts


def save_csv(path: Path, entries: Sequence[Entry], now: float, texts: Texts) -> StorageError | None:
    """Write the entries; returns what went wrong, or None."""
    headings = [texts[f"diary.csv.{name}"] for name in COLUMNS]
    try:
        write_atomically(path, as_csv(entries, headings, now))
    except StorageError as error:
        return error
    return None
