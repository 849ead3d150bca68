"""The agent as one zipapp: same sources, same bytes, same digest.

The host keeps it under its digest, so an agent is sent once per version and never half.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

_MAIN = b"import sys\n\nfrom remote.__main__ import main\n\nsys.exit(main())\n"
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the oldest date a zip can hold: the same on every machine
_SHIPPED = (".py", ".json", ".txt")


@dataclass(frozen=True, slots=True)
class Archive:
    """The bytes of the zipapp and their SHA-256, in hex."""

    content: bytes
    digest: str


@cache
def build_archive() -> Archive:
    """Return the archive of the installed `remote` package."""
    root = files("remote")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        _add(archive, "__main__.py", _MAIN)
        for name, content in sorted(_sources(root, "remote")):
            _add(archive, name, content)
    content = buffer.getvalue()
    return Archive(content, hashlib.sha256(content).hexdigest())


def _sources(folder: Traversable, prefix: str) -> list[tuple[str, bytes]]:
    found = []
    for entry in folder.iterdir():
        name = f"{prefix}/{entry.name}"
        if entry.is_dir():
            if entry.name != "__pycache__":
                found += _sources(entry, name)
        elif entry.name.endswith(_SHIPPED):
            found.append((name, entry.read_bytes().replace(b"\r\n", b"\n")))
    return found


def _add(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    info = zipfile.ZipInfo(name, _EPOCH)
    info.create_system = 3  # Unix, also when the laptop runs Windows
    info.external_attr = 0o644 << 16
    archive.writestr(info, content, zipfile.ZIP_DEFLATED, compresslevel=9)
