"""The user's choices: one TOML file, read forgivingly and written whole.

A bad value never stops the app: it is reported and its default is used. Unknown keys (of a newer
version) are kept.
"""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
import tomllib
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from desktop.core.errors import StorageError


@dataclass(frozen=True, slots=True)
class Settings:
    """What `settings.toml` holds. Empty strings mean "decide for me".

    Attributes:
        host: the default host, in any form that `paperkite up HOST` takes.
        model: `OWNER/NAME` at the hub.
        revision: at the hub.
        hub: base URL of the hub.
        data_dir: folder on the host.
        engine: a requirement, or an empty string.
        engine_env: an engine environment that is already on the host.
        max_model_len: a number, "auto" or "".
        local_port: of the endpoint; 0 = 8000 or the next free one.
        language: "zh", "en" or "" (the system's).
        theme: "light", "dark" or "" (the system's).
        unknown: keys of a newer version, kept as they were read.
    """

    host: str = ""
    model: str = ""
    revision: str = ""
    hub: str = ""
    data_dir: str = ""
    engine: str = ""
    engine_env: str = ""
    max_model_len: str = ""
    local_port: int = 0
    language: str = ""
    theme: str = ""
    unknown: dict[str, Any] = field(default_factory=dict)


_CHOICES = {"language": ("", "zh", "en"), "theme": ("", "light", "dark")}
_NAMES = {each.name for each in fields(Settings)} - {"unknown"}


def load(path: Path) -> tuple[Settings, list[str]]:
    """Return the settings in `path` and what was wrong with it, one line each.

    A file that is missing is the defaults; one that is not TOML is the defaults and a problem.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Settings(), []
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        return Settings(), [f"{path.name}: {error}"]
    problems = []
    chosen: dict[str, Any] = {}
    for name in sorted(_NAMES & table.keys()):
        if _fits(name, table[name]):
            chosen[name] = table[name]
        else:
            problems.append(f"{name}: {table[name]!r} is not a value it can have")
    unknown = {name: value for name, value in table.items() if name not in _NAMES}
    return replace(Settings(), **chosen, unknown=unknown), problems


def _fits(name: str, value: object) -> bool:
    if name == "local_port":
        return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 65536
    return isinstance(value, str) and value in _CHOICES.get(name, (value,))


def save(settings: Settings, path: Path) -> None:
    """Write the settings atomically, private to this user; raises StorageError."""
    values = {name: getattr(settings, name) for name in sorted(_NAMES)} | settings.unknown
    # JSON's strings and numbers are TOML's too; nested tables of a newer version become inline.
    lines = [f"{_key(name)} = {_toml(value)}\n" for name, value in values.items()]
    write_atomically(path, "".join(lines).encode())


def write_atomically(path: Path, content: bytes) -> None:
    """Replace `path` with `content`, 0600, so that a reader sees the old or the new and no half.

    Raises:
        StorageError: `storage-not-writable`, with the path and the system's reason.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(path)
        except BaseException:
            with contextlib.suppress(OSError):
                Path(name).unlink()
            raise
    except OSError as error:
        reason = error.strerror or str(error)
        raise StorageError("storage-not-writable", path=str(path), reason=reason) from error


def _key(name: str) -> str:
    plain = name.replace("_", "").replace("-", "").isalnum() and name.isascii()
    return name if plain else json.dumps(name)


def _toml(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_key(k)} = {_toml(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    if isinstance(value, str | bool | int | float):
        return json.dumps(value, ensure_ascii=False)
    return str(value)  # TOML's dates print as they are written
