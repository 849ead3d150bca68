"""What `settings.toml` keeps under a name: hosts, and groups of hosts that serve together."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from desktop.core.errors import DestinationError
from desktop.core.setting_values import sort_out

# Letters of any script, digits, and what does not look like an option, a user@host or a path.
_NAME = re.compile(r"[^\W_][\w.-]{0,39}")
_MEANT_OTHERWISE = frozenset({"ssh", "none"})


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
class SavedHost:
    """A host and what is wished of it; "" and 0 mean "as for all hosts". No secrets.

    Attributes:
        line: the provider's line, or any other form that names a host.
        model: `OWNER/NAME` at the hub.
        revision: at the hub.
        max_model_len: a number, "auto" or "".
        kv_cache_dtype: "auto", "fp8" or "".
        data_dir: folder on the host.
        engine: a requirement.
        local_port: of its endpoint, where one was chosen.
        proxy: to connect through; "none" for directly.
        identity: a private key file.
        rate: what the rental costs an hour; 0 where that is not known.
        currency: of the rate, such as CNY.
        spending_limit: the host stops the model once a session has cost so much; 0 = never.
        unknown: keys of a newer version, kept as they were read.
        rejected: values of ours that were no good, kept until a better one is chosen.
    """

    line: str
    model: str = ""
    revision: str = ""
    max_model_len: str = ""
    kv_cache_dtype: str = ""
    data_dir: str = ""
    engine: str = ""
    local_port: int = 0
    proxy: str = ""
    identity: str = ""
    rate: float = 0.0
    currency: str = ""
    spending_limit: float = 0.0
    unknown: dict[str, Any] = field(default_factory=dict)
    rejected: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)


_BARE = SavedHost("")
_DEFAULTS = {
    each.name: getattr(_BARE, each.name)
    for each in fields(SavedHost)
    if each.name not in ("unknown", "rejected")
}


@dataclass(frozen=True, slots=True)
class Read:
    """Named entries, taken apart.

    Attributes:
        good: those that can be used.
        bad: those that cannot, as they were read.
        problems: what is wrong, one line each.
    """

    good: dict[str, Any]
    bad: dict[str, Any]
    problems: tuple[str, ...]


def read_hosts(table: Mapping[str, Any]) -> Read:
    """Return the hosts in a table; one bad value costs that value, and no host beside it."""
    good: dict[str, SavedHost] = {}
    bad: dict[str, Any] = {}
    problems: list[str] = []
    for name, entry in table.items():
        found = sort_out(entry, _DEFAULTS) if isinstance(entry, dict) else None
        if found is None or not _NAME.fullmatch(name) or not found.chosen.get("line", "").strip():
            bad[name] = entry
            problems.append(f"hosts.{name}: it needs a name without odd characters, and a line")
            continue
        good[name] = SavedHost(**found.chosen, unknown=found.unknown, rejected=found.rejected)
        problems += [f"hosts.{name}.{problem}" for problem in found.problems]
    return Read(good, bad, tuple(problems))


def read_groups(table: Mapping[str, Any]) -> Read:
    """Return the groups in a table."""
    good = {
        name: Group(tuple(entry["hosts"]), entry["head_address"])
        for name, entry in table.items()
        if _is_group(entry)
    }
    bad = {name: entry for name, entry in table.items() if name not in good}
    return Read(good, bad, tuple(f"groups.{name}: {bad[name]!r} is no group" for name in bad))


def _is_group(entry: object) -> bool:
    if not isinstance(entry, dict) or entry.keys() != {"hosts", "head_address"}:
        return False
    hosts, address = entry["hosts"], entry["head_address"]
    several = isinstance(hosts, list) and len(hosts) > 1
    return several and all(each and isinstance(each, str) for each in (*hosts, address))


def as_table(entry: Group | SavedHost) -> dict[str, Any]:
    """Return an entry as it is written: only what was chosen, and what is not ours to drop."""
    if isinstance(entry, Group):
        return asdict(entry)
    chosen = {name: getattr(entry, name) for name in _DEFAULTS}
    said = {name: value for name, value in chosen.items() if value != _DEFAULTS[name]}
    return {**entry.rejected, **said, **entry.unknown}


def check_name(name: str, groups: Collection[str] = ()) -> str:
    """Return the name if a host can be saved under it.

    Raises:
        DestinationError: `host-name-bad`, or `host-name-of-group`.
    """
    if not _NAME.fullmatch(name) or name.lower() in _MEANT_OTHERWISE:
        raise DestinationError("host-name-bad", name=name[:80])
    if name in groups:
        raise DestinationError("host-name-of-group", name=name)
    return name


def propose_name(host: str, port: int, taken: Collection[str]) -> str:
    """Return a short name for a host that nobody has named: `westb-12345`.

    It is what tells the provider's hosts apart: not "connect", not the domain.
    """
    labels = [label for label in host.split(".") if label not in ("connect", "ssh", "www")]
    named = bool(labels) and not host.replace(".", "").isdigit() and ":" not in host
    name = labels[0] if named else host.replace(":", "-").strip("-")
    name = name if port == 22 else f"{name}-{port}"  # IANA's port of SSH
    name = name[:34] if _NAME.fullmatch(name[:34]) else f"host-{port}"
    others = (f"{name}-{number}" for number in range(2, len(taken) + 3))
    return next(each for each in (name, *others) if each not in taken)
