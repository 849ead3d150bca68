"""The user's choices: one TOML file, read forgivingly and written whole.

A bad value never stops the app: it is reported and its default is used. A save loses
nothing that a person wrote: unknown keys (of a newer version), bad values, a file that is no TOML.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from desktop.core.atomic_file import not_writable, write_atomically
from desktop.core.saved import Group, SavedHost, as_table, read_groups, read_hosts
from desktop.core.setting_values import sort_out
from desktop.core.toml_text import assignment


@dataclass(frozen=True, slots=True)
class Settings:
    """What `settings.toml` holds. Empty strings mean "decide for me".

    Attributes:
        host: the default host: a saved name, or any other form that `paperkite up HOST` takes.
        model: `OWNER/NAME` at the hub.
        revision: at the hub.
        hub: base URL of the hub.
        hub_token_kept: a token of the hub is in the keyring.
        data_dir: folder on the host.
        engine: a requirement, or an empty string.
        engine_env: an engine environment that is already on the host.
        max_model_len: a number, "auto" or "".
        kv_cache_dtype: "auto", "fp8" or "" (what fits).
        trust_remote_code: models whose own Python code may run on the host.
        local_port: where those of the endpoints begin: the first saved host gets it, the next one
            the next; 0 = 8000.
        proxy: to connect through, such as `socks5://127.0.0.1:1080`.
        lease_minutes: the host stops the model after so long without a laptop and a request;
            0 = never.
        idle_minutes: the same without a request, laptop or not; 0 = never.
        limit_minutes: the host stops the model after so long in any case; 0 = never.
        power_off: where it stopped it for one of these, it powers itself off too.
        idle_prompt_minutes: a person is asked whether to stop after so long without a request;
            0 = never.
        share_endpoint: other programs on this laptop may use the endpoint.
        notifications: the desktop is told what happens while the window is not in front.
        hosts: saved hosts, by the name that `paperkite up NAME` takes.
        groups: hosts that serve together, by the name that `paperkite up NAME` takes.
        language: "zh", "en" or "" (the system's).
        theme: "light", "dark" or "" (the system's).
        font: family of what is read and written; "" = the system's.
        font_size: in points; 0 = the system's.
        unknown: keys of a newer version, kept as they were read.
        rejected: values of ours that were no good, written back until a better one is chosen.
    """

    host: str = ""
    model: str = ""
    revision: str = ""
    hub: str = ""
    hub_token_kept: bool = False
    data_dir: str = ""
    engine: str = ""
    engine_env: str = ""
    max_model_len: str = ""
    kv_cache_dtype: str = ""
    trust_remote_code: tuple[str, ...] = ()
    local_port: int = 0
    proxy: str = ""
    lease_minutes: int = 30
    idle_minutes: int = 0
    limit_minutes: int = 0
    power_off: bool = False
    idle_prompt_minutes: int = 15
    share_endpoint: bool = True
    notifications: bool = True
    hosts: dict[str, SavedHost] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)
    language: str = ""
    theme: str = ""
    font: str = ""
    font_size: int = 0
    unknown: dict[str, Any] = field(default_factory=dict)
    rejected: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)


_TABLES = {"hosts": read_hosts, "groups": read_groups}
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
    plain = {name: getattr(Settings(), name) for name in _NAMES - _TABLES.keys()}
    found = sort_out(table, plain)
    problems = list(found.problems)
    for name, read in _TABLES.items():
        entries = found.unknown.pop(name, {})
        if isinstance(entries, dict):
            there = read(entries)
            found.chosen[name], left = there.good, there.bad
            problems += there.problems
        else:
            left = entries
            problems.append(f"{name}: {entries!r} is not a value it can have")
        if left:
            found.rejected[name] = left
    return replace(
        Settings(), **found.chosen, unknown=found.unknown, rejected=found.rejected
    ), problems


def _read(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8-sig"))  # Windows' Notepad begins with a BOM


def _aside(path: Path) -> Path:
    return path.with_name(f"{path.name}.bad")


def save(settings: Settings, path: Path) -> None:
    """Write the settings atomically, private to this user.

    What is there but cannot be read is moved to `NAME.bad` first: a person wrote it.

    Raises:
        StorageError: `storage-not-writable`; what was there is still there, perhaps as `NAME.bad`.
    """
    defaults = Settings()
    values = {name: getattr(settings, name) for name in sorted(_NAMES)} | settings.unknown
    for name in _TABLES:
        values[name] = {key: as_table(entry) for key, entry in values[name].items()}
    for name, value in settings.rejected.items():
        if name in _TABLES and isinstance(value, dict):
            values[name] = value | values[name]
        elif getattr(settings, name) == getattr(defaults, name):  # nothing better was chosen
            values[name] = value
    lines = [assignment(name, value) for name, value in values.items()]
    _keep_unreadable(path)
    # What came from a command line in another encoding may hold what UTF-8 cannot.
    write_atomically(path, "".join(lines).encode("utf-8", "replace"))


def change(path: Path, how: Callable[[Settings], Settings]) -> Settings:
    """Change what is saved, and nothing that another program of ours saved meanwhile.

    Raises:
        StorageError: `storage-not-writable`.
    """
    changed = how(load(path)[0])
    save(changed, path)
    return changed


def without_host(settings: Settings, name: str) -> Settings:
    """Return the settings without a saved host, which is no default any more either."""
    hosts = {other: saved for other, saved in settings.hosts.items() if other != name}
    return replace(settings, hosts=hosts, host="" if settings.host == name else settings.host)


def _keep_unreadable(path: Path) -> None:
    try:
        _read(path)
    except (FileNotFoundError, NotADirectoryError):
        return
    except _UNREADABLE:
        try:
            path.replace(_aside(path))
        except OSError as error:
            raise not_writable(path, error) from error
