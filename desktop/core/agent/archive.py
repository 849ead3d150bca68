"""The agent as one zipapp: same sources, same bytes, same digest.

The host keeps it under its digest, so an agent is sent once per version and never half. It travels
without docstrings and comments and packed as one file, which is half of its size: nobody reads it
there. Every line of code stays where it is, so that a traceback from the host names the lines of
the sources here.
"""

from __future__ import annotations

import hashlib
import io
import json
import threading
import zipfile
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from itertools import pairwise
from tokenize import COMMENT, DEDENT, INDENT, NEWLINE, NL, STRING, TokenInfo, generate_tokens

_EPOCH = (1980, 1, 1, 0, 0, 0)  # the oldest date a zip can hold: the same on every machine
_SHIPPED = (".py", ".json", ".txt")
_BUILDING = threading.Lock()
_BOOTSTRAP = "remote/bootstrap.py"
_BETWEEN = (NEWLINE, INDENT, DEDENT)  # what stands before a statement


@dataclass(frozen=True, slots=True)
class Archive:
    """The bytes of the zipapp and their SHA-256, in hex."""

    content: bytes
    digest: str


def build_archive() -> Archive:
    """Return the archive of the installed `remote` package; built once, whoever asks."""
    with _BUILDING:
        return _archive()


def build_ahead() -> None:
    """Begin to build it on a thread of its own: a fifth of a second while a connection is made."""
    threading.Thread(target=build_archive, name="archive", daemon=True).start()


@cache
def _archive() -> Archive:
    sources = dict(sorted(_sources(files("remote"), "remote")))
    main = sources.pop(_BOOTSTRAP)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        _add(archive, "__main__.py", main)
        _add(archive, "sources.json", json.dumps(sources, separators=(",", ":")))
    content = buffer.getvalue()
    return Archive(content, hashlib.sha256(content).hexdigest())


def _sources(folder: Traversable, prefix: str) -> list[tuple[str, str]]:
    found = []
    for entry in folder.iterdir():
        name = f"{prefix}/{entry.name}"
        if entry.is_dir():
            if entry.name != "__pycache__":
                found += _sources(entry, name)
        elif entry.name.endswith(_SHIPPED):
            text = entry.read_text(encoding="utf-8")  # with line ends as Unix has them
            found.append((name, stripped(text) if name.endswith(".py") else text))
    return found


def stripped(source: str) -> str:
    """Return a module's source without comments and with empty docstrings, on the same lines.

    A docstring is a string that is a statement of its own; any other such string does nothing.
    """
    lines = source.split("\n")
    for token in reversed(_idle(list(generate_tokens(io.StringIO(source).readline)))):
        (first, begin), (last, end) = token.start, token.end
        before, after = lines[first - 1][:begin], lines[last - 1][end:]
        kept = before.rstrip() if token.type == COMMENT else f'{before}""{after}'
        lines[first - 1 : last] = [kept] + [""] * (last - first)
    return "\n".join(lines)


def _idle(tokens: list[TokenInfo]) -> list[TokenInfo]:
    """Return the comments, and the strings that are statements."""
    found = []
    before = NEWLINE
    for token, following in pairwise(each for each in tokens if each.type != NL):
        if token.type == COMMENT:
            found.append(token)
            continue
        if token.type == STRING and before in _BETWEEN and following.type in (NEWLINE, COMMENT):
            found.append(token)
        before = token.type
    return found


def _add(archive: zipfile.ZipFile, name: str, content: str) -> None:
    info = zipfile.ZipInfo(name, _EPOCH)
    info.create_system = 3  # Unix, also when the laptop runs Windows
    info.external_attr = 0o644 << 16
    archive.writestr(info, content.encode("utf-8"), zipfile.ZIP_DEFLATED, compresslevel=9)
