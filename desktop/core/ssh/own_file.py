"""Our own list of host keys is rewritten whole: atomically, and by one writer at a time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from desktop.core.atomic_file import not_writable, replace_file
from desktop.core.errors import StorageError
from desktop.core.exclusive import exclusive

MAX_BYTES = 8 << 20  # more is not a list of hosts
_PATIENCE_S = 5.0  # for another writer, who needs milliseconds


def rewrite(
    path: Path, change: Callable[[list[str]], list[str]], patience: float = _PATIENCE_S
) -> None:
    """Replace the lines of a file by what `change` makes of them; it is private afterwards.

    Bytes that are no UTF-8 stay as they are. A file that cannot be read is not replaced: it may
    hold keys that nobody would confirm a second time.

    Args:
        path: the file; it and its folder need not be there.
        change: gets the lines as they are once nobody else writes.
        patience: seconds to wait for another writer.

    Raises:
        StorageError: `storage-busy` where another one held it all that time, else
            `storage-not-writable`. The file is as it was.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with exclusive(path.with_name(f".{path.name}.lock"), patience):
            replace_file(path, _content(change(_lines(path))))
    except TimeoutError as error:
        raise StorageError("storage-busy", path=str(path)) from error
    except OSError as error:
        raise not_writable(path, error) from error


def _lines(path: Path) -> list[str]:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        return []
    if len(content) > MAX_BYTES:
        raise OSError("too long for a list of hosts")
    text = content.decode("utf-8", "surrogateescape")
    return text.removesuffix("\n").split("\n") if text else []


def _content(lines: list[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode("utf-8", "surrogateescape")
