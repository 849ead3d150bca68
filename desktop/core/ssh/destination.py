"""What was typed as a host, understood: where to connect, as whom, through what.

The text is read by `typed.py`; this adds what the user's SSH config says. No paramiko here:
`paperkite --help` imports this file.
"""

from __future__ import annotations

import getpass
import os
from dataclasses import dataclass, field, replace
from pathlib import Path

from desktop.core.errors import DestinationError
from desktop.core.ssh.typed import Typed, host_name, parse, parse_address, port_number, user_name

__all__ = ["Destination", "Typed", "parse", "resolve"]

SSH_PORT = 22
_MOST_HOPS = 8
_USUAL_FILES = frozenset({"known_hosts", "known_hosts2", "ssh_known_hosts", "ssh_known_hosts2"})


@dataclass(frozen=True, slots=True)
class Destination:
    """A host to connect to.

    Attributes:
        host: name or address to dial.
        port: TCP port.
        user: login name.
        text: what was typed, without the password; names the destination to people.
        identity_files: private keys named on the line or in the SSH config.
        identities_only: offer no other keys (`IdentitiesOnly yes`).
        certificate_files: user certificates named in the SSH config.
        agent: the agent's socket (`IdentityAgent`), "none", or "" for the usual one.
        host_key_alias: the name under which the host key is filed, or "".
        known_hosts_files: read beside the usual ones (`UserKnownHostsFile`).
        via: the host to go through (`ProxyJump`), itself perhaps behind another.
        proxy_command: a program to connect through, or "".
        proxy: `socks5://` or `http://` address to connect through, or "": the user's wish only.
        ignored: options of the typed line that mean nothing here, such as `-L`.
        unsupported: settings of the SSH config that are not followed, for people.
        password: pasted under the line; a secret, tried before anybody is asked.
    """

    host: str
    port: int = SSH_PORT
    user: str = ""
    text: str = ""
    identity_files: tuple[Path, ...] = ()
    identities_only: bool = False
    certificate_files: tuple[Path, ...] = ()
    agent: str = ""
    host_key_alias: str = ""
    known_hosts_files: tuple[Path, ...] = ()
    via: Destination | None = None
    proxy_command: str = field(default="", repr=False)  # some hold a password
    proxy: str = field(default="", repr=False)
    ignored: tuple[str, ...] = ()
    unsupported: tuple[str, ...] = ()
    password: str | None = field(default=None, repr=False)

    def __str__(self) -> str:
        """Return `user@host:port`, with brackets around an IPv6 address."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.user}@{host}:{self.port}" if self.user else f"{host}:{self.port}"


def resolve(text: str, config: Path | None = None) -> Destination:
    """Return the destination, with what the user's SSH config says about it.

    Args:
        text: what was typed.
        config: an SSH config file instead of the user's own.

    Raises:
        DestinationError: see `parse`; also `destination-config` when ssh rejects its config, and
            `destination-jumps` when a chain of jump hosts has no end.
    """
    return _resolve(parse(text), config, _MOST_HOPS)


def _resolve(typed: Typed, config: Path | None, hops: int) -> Destination:
    # Late, because it may run a program; and the pure half above stays importable without it.
    from desktop.core.ssh.config import look_up  # noqa: PLC0415

    found = look_up(typed, config)
    where = Destination(
        host=host_name(found.get("hostname", typed.host).strip("[]")),
        port=port_number(found.get("port", str(SSH_PORT))),
        user=user_name(found.get("user", "") or getpass.getuser()),
        text=typed.text or typed.host,
        identities_only=found.get("identitiesonly", "") == "yes",
        host_key_alias=_alias(found.get("hostkeyalias", "")),
        ignored=typed.ignored,
        unsupported=tuple(found.get("unsupported", "").splitlines()),
        password=typed.password,
    )
    tokens = _tokens(where, typed)
    return replace(
        where,
        identity_files=_paths(typed.identity, found.get("identityfile", ""), tokens),
        certificate_files=_paths("", found.get("certificatefile", ""), tokens),
        agent=_expand(found.get("identityagent", ""), tokens),
        known_hosts_files=_known_hosts_files(found, tokens),
        via=_via(_unless_none(found.get("proxyjump", "")), where, config, hops),
        proxy_command=_expand(_unless_none(found.get("proxycommand", "")), tokens),
    )


def _via(jumps: str, where: Destination, config: Path | None, hops: int) -> Destination | None:
    """Return the last of a comma-separated list of hosts, reached through those before it."""
    if not jumps:
        return None
    if hops == 0:
        raise DestinationError("destination-jumps", text=where.text)
    earlier, _, last = jumps.strip().rpartition(",")
    return _resolve(replace(parse_address(last), proxy_jump=earlier), config, hops - 1)


def _tokens(where: Destination, typed: Typed) -> dict[str, str]:
    """Return what ssh_config(5), TOKENS, stands for here."""
    return {
        "%": "%",
        "d": str(Path.home()),
        "h": where.host,
        "n": typed.host,
        "p": str(where.port),
        "r": where.user,
        "u": getpass.getuser(),
    }


def _expand(text: str, tokens: dict[str, str]) -> str:
    """Replace each `%x` that is known; the rest stays as it is."""
    head, *parts = text.split("%")
    expanded = [head]
    rest = iter(parts)
    for part in rest:
        if part:
            expanded.append(tokens.get(part[0], f"%{part[0]}") + part[1:])
        else:  # `%%`: the second sign split an empty part off
            expanded.append("%" + next(rest, ""))
    return "".join(expanded)


def _paths(typed: str, found: str, tokens: dict[str, str]) -> tuple[Path, ...]:
    """Return the file named on the line first, then those of the SSH config."""
    names = [typed] if typed else []
    names += [_expand(name, tokens) for name in found.splitlines() if name and name != "none"]
    # Not Path.expanduser: it raises where `~name` is nobody here, and then the name is just wrong.
    expanded = (os.path.expanduser(name) for name in names if "\0" not in name)  # noqa: PTH111
    return tuple(dict.fromkeys(map(Path, expanded)))


def _alias(text: str) -> str:
    """Return the name to file the host key under; raises DestinationError."""
    if len(text) > 255 or not text.isprintable():
        raise DestinationError("destination-bad-host", text=text[:80])
    return text


def _known_hosts_files(found: dict[str, str], tokens: dict[str, str]) -> tuple[Path, ...]:
    """Return the named files but OpenSSH's usual ones, which are read anyway."""
    both = [found.get(f"{whose}knownhostsfile", "") for whose in ("user", "global")]
    paths = _paths("", "\n".join(both), tokens)
    return tuple(
        path
        for path in paths
        if not (path.name in _USUAL_FILES and path.parent.name in (".ssh", "ssh"))
    )


def _unless_none(value: str) -> str:
    return "" if value.lower() == "none" else value
