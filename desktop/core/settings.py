"""The user's choices: one TOML file, read forgivingly and written whole.

A bad value never stops the app: it is reported and its default is used. A save loses
nothing that a person wrote: unknown keys (of a newer version), bad values, a file that is no TOML.
"""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
import tomllib
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from desktop.core.errors import StorageError


@dataclass(frozen=True, slots=True)
class Group:
    """Hosts on one private network that serve a model together.

    Attributes:
        hosts: in any form that `paperkite up HOST` takes; the first one is the head.
        head_address: the head's, as the others reach it.
    """

    hosts: tuple[str, ...]
    head_address: str


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
        kv_cache_dtype: "auto", "fp8" or "" (what fits).
        trust_remote_code: models whose own Python code may run on the host.
        local_port: of the endpoint; 0 = 8000 or the next free one.
        lease_minutes: the host stops the model after so long without a laptop and a request;
            0 = never.
        idle_minutes: the same without a request, laptop or not; 0 = never.
        limit_minutes: the host stops the model after so long in any case; 0 = never.
        power_off: where it stopped it for one of these, it powers itself off too.
        groups: hosts that serve together, by the name that `paperkite up NAME` takes.
        language: "zh", "en" or "" (the system's).
        theme: "light", "dark" or "" (the system's).
        unknown: keys of a newer version, kept as they were read.
        rejected: values of ours that were no good, written back until a better one is chosen.
    """

    host: str = ""
    model: str = ""
    revision: str = ""
    hub: str = ""
    data_dir: str = ""
    engine: str = ""
    engine_env: str = ""
    max_model_len: str = ""
    kv_cache_dtype: str = ""
    trust_remote_code: tuple[str, ...] = ()
    local_port: int = 0
    lease_minutes: int = 30
    idle_minutes: int = 0
    limit_minutes: int = 0
    power_off: bool = False
    groups: dict[str, Group] = field(default_factory=dict)
    language: str = ""
    theme: str = ""
    unknown: dict[str, Any] = field(default_factory=dict)
    rejected: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)


_CHOICES = {
    "language": ("", "zh", "en"),
    "theme": ("", "light", "dark"),
    "kv_cache_dtype": ("", "auto", "fp8"),
}
_MOST_MINUTES = 366 * 24 * 60  # as the host's spec has it
_MOST = {
    "local_port": 65535,
    "lease_minutes": _MOST_MINUTES,
    "idle_minutes": _MOST_MINUTES,
    "limit_minutes": _MOST_MINUTES,
}
_NAMES = {each.name for each in fields(Settings)} - {"unknown", "rejected"}
_UNREADABLE = (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError)


def load(path: Path) -> tuple[Settings, list[str]]:
    """Return the settings in `path` and what was wrong with it, one line each.

    A file that is missing is the defaults; one that is not TOML is the defaults and a problem, and
    the next `save` keeps it beside the new one.
    """
    try:
        table = _read(path)
    except FileNotFoundError:
        return Settings(), []
    except _UNREADABLE as error:
        kept = f"it is kept as {_aside(path).name} when settings are saved next"
        return Settings(), [f"{path.name}: {error}; {kept}"]
    problems = []
    chosen: dict[str, Any] = {}
    rejected: dict[str, Any] = {}
    for name in sorted(_NAMES & table.keys()):
        value = _natural(name, table[name])
        if _fits(name, value):
            chosen[name] = value
        else:
            rejected[name] = table[name]
            problems.append(f"{name}: {table[name]!r} is not a value it can have")
    unknown = {name: value for name, value in table.items() if name not in _NAMES}
    return replace(Settings(), **chosen, unknown=unknown, rejected=rejected), problems


def _read(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8-sig"))  # Windows' Notepad begins with a BOM


def _aside(path: Path) -> Path:
    return path.with_name(f"{path.name}.bad")


def _natural(name: str, value: object) -> object:
    """Return the value as it is kept: a length may be written as the number that it is."""
    if name == "max_model_len" and isinstance(value, int) and not isinstance(value, bool):
        return str(value) if value > 0 else value
    if name == "groups" and isinstance(value, dict):
        return _groups(value)
    return tuple(value) if isinstance(value, list) else value


def _groups(table: dict[str, Any]) -> dict[str, Any]:
    """Return the groups in a table; one that is none of ours stays as it was read."""
    return {
        name: Group(tuple(entry["hosts"]), entry["head_address"]) if _is_group(entry) else entry
        for name, entry in table.items()
    }


def _is_group(entry: object) -> bool:
    if not isinstance(entry, dict) or entry.keys() != {"hosts", "head_address"}:
        return False
    hosts, address = entry["hosts"], entry["head_address"]
    several = isinstance(hosts, list) and len(hosts) > 1
    return several and all(each and isinstance(each, str) for each in (*hosts, address))


def _fits(name: str, value: object) -> bool:
    default = getattr(Settings(), name)
    if type(value) is not type(default):
        return False
    if isinstance(value, dict):
        return all(isinstance(entry, Group) for entry in value.values())
    if isinstance(value, tuple):
        return all(isinstance(item, str) for item in value)
    if isinstance(value, int):
        return isinstance(value, bool) or 0 <= value <= _MOST[name]
    return value in _CHOICES.get(name, (value,))


def save(settings: Settings, path: Path) -> None:
    """Write the settings atomically, private to this user.

    What is there but cannot be read is moved to `NAME.bad` first: a person wrote it.

    Raises:
        StorageError: `storage-not-writable`; what was there is still there, perhaps as `NAME.bad`.
    """
    defaults = Settings()
    values = {name: getattr(settings, name) for name in sorted(_NAMES)} | settings.unknown
    for name, value in settings.rejected.items():
        if getattr(settings, name) == getattr(defaults, name):  # nothing better was chosen since
            values[name] = value
    lines = [f"{_key(name)} = {_toml(value)}\n" for name, value in values.items()]
    _keep_unreadable(path)
    # What came from a command line in another encoding may hold what UTF-8 cannot.
    write_atomically(path, "".join(lines).encode("utf-8", "replace"))


def _keep_unreadable(path: Path) -> None:
    try:
        _read(path)
    except (FileNotFoundError, NotADirectoryError):
        return
    except _UNREADABLE:
        try:
            path.replace(_aside(path))
        except OSError as error:
            raise _not_writable(path, error) from error


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
        raise _not_writable(path, error) from error


def _not_writable(path: Path, error: OSError) -> StorageError:
    reason = error.strerror or str(error)
    return StorageError("storage-not-writable", path=str(path), reason=reason)


def _key(name: str) -> str:
    plain = name.replace("_", "").replace("-", "").isalnum() and name.isascii()
    return name if plain else _string(name)


def _toml(value: object) -> str:
    """Return a value as TOML writes it; tables of a newer version become inline ones."""
    if isinstance(value, Group):
        value = asdict(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_key(k)} = {_toml(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _string(value)
    return str(value)  # numbers, inf, nan and dates print as TOML writes them


def _string(text: str) -> str:
    # JSON's escapes are TOML's too, but TOML also wants DEL escaped.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
