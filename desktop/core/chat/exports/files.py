"""Exports on disk: written whole or not at all, read with bounds and without trust."""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

from desktop.core.atomic_file import not_writable, replace_file
from desktop.core.chat.exports import chatgpt, markdown, markdown_in, own_format, pieces
from desktop.core.chat.exports.whole import Whole
from desktop.core.errors import StorageError

MAX_BYTES = 256 << 20  # some years of talk; it is read into memory
_MAX_PARTS = 100
_THEIR_FILE = re.compile(r"(.*/)?conversations(-\d+)?\.json")  # in the archive that ChatGPT sends


def write_json(path: Path, wholes: Iterable[Whole]) -> None:
    """Write conversations into one file of our own format.

    Raises:
        StorageError: `storage-not-writable`; a file that was there is as it was.
    """
    _write(path, own_format.written(wholes))


def write_document(path: Path, whole: Whole) -> None:
    """Write one conversation into a Markdown file.

    Raises:
        StorageError: `storage-not-writable`; a file that was there is as it was.
    """
    _write(path, markdown.document(whole).encode())


def write_markdown(folder: Path, wholes: Iterable[Whole]) -> list[Path]:
    """Write each conversation into a file of its own and return the files; none is overwritten.

    Raises:
        StorageError: `storage-not-writable`; the files before it are there.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        taken = {each.name.lower() for each in folder.iterdir()}
    except OSError as error:
        raise not_writable(folder, error) from error
    written = []
    for whole in wholes:
        path = folder / markdown.file_name(whole.conversation, taken)
        write_document(path, whole)
        taken.add(path.name.lower())
        written.append(path)
    return written


def read(*paths: Path, most: int = MAX_BYTES) -> list[Whole]:
    """Return all conversations in these files: ours, ChatGPT's `conversations.json` or archive.

    Args:
        paths: of the files; where one of them cannot be read, nothing is returned.
        most: bytes that are read of all files together, after unpacking.

    Raises:
        StorageError: `import-not-readable`, `import-too-big`, `import-unknown` (no conversations
            of a known format in it), `import-newer`.
    """
    found: list[Whole] = []
    for path in paths:
        contents, when = _opened(path, most)
        most -= sum(map(len, contents))
        wholes = [whole for content in contents for whole in _read(path, content, when)]
        if not wholes:
            raise StorageError("import-unknown", path=str(path))
        found += wholes
    return found


def _opened(path: Path, most: int) -> tuple[list[bytes], float]:
    try:
        return list(_contents(path, most)), max(path.stat().st_mtime, 0.0)
    except OSError as error:
        reason = error.strerror or str(error)
        raise StorageError("import-not-readable", path=str(path), reason=reason) from error
    except (zipfile.BadZipFile, zlib.error, RuntimeError, EOFError) as error:
        # RuntimeError: it wants a password.
        raise StorageError("import-not-readable", path=str(path), reason=str(error)) from error


def _contents(path: Path, most: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        if not zipfile.is_zipfile(file):
            file.seek(0)
            yield _bounded(path, file, most)
            return
        with zipfile.ZipFile(file) as archive:
            for entry in _their_files(archive):
                with archive.open(entry) as part:
                    content = _bounded(path, part, most)
                most -= len(content)
                yield content


def _their_files(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    plain = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
    found = [
        entry
        for entry in archive.infolist()
        if entry.compress_type in plain and _THEIR_FILE.fullmatch(entry.filename)
    ]
    return sorted(found, key=lambda entry: entry.filename)[:_MAX_PARTS]


def _bounded(path: Path, file: IO[bytes], most: int) -> bytes:
    content = file.read(most + 1)
    if len(content) > most:
        raise StorageError("import-too-big", path=str(path), mb=MAX_BYTES >> 20)
    return content


def _read(path: Path, content: bytes, when: float) -> list[Whole]:
    try:
        if markdown_in.may_be_ours(content):
            whole = markdown_in.conversation_of(content, when)
            return [] if whole is None else [whole]
        value = pieces.loads(content)
    except (ValueError, RecursionError) as error:
        raise StorageError("import-unknown", path=str(path)) from error
    if own_format.is_ours(value):
        return own_format.conversations_of(value)
    return chatgpt.conversations_of(value) if chatgpt.is_theirs(value) else []


def _write(path: Path, content: bytes) -> None:
    try:
        replace_file(path, content)
    except OSError as error:
        raise not_writable(path, error) from error
