"""What was typed as a host, understood: the only door from text to an address.

Understood are `host`, `user@host`, `user@host:port`, `[v6]:port`, an alias of the SSH config, and
the whole line that a provider shows (`ssh -p 12345 root@connect.example.com`, also its tunnel form
`ssh -CNg -L 6006:127.0.0.1:6006 …`). No paramiko here: `paperkite --help` imports this file.
"""

from __future__ import annotations

import getpass
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from desktop.core.errors import DestinationError

SSH_PORT = 22
_MAX_TEXT = 1000
# ssh expands host and user inside `Match exec` and ProxyCommand, which run in a shell: nothing that
# a shell would read as more than a word gets that far (CVE-2023-51385 was this).
_HOST = re.compile(r"[^\W_](?:[\w.:%-]*[\w.])?", re.UNICODE)
_USER = re.compile(r"[\w][\w.@+-]*", re.UNICODE)
# Of ssh(1)'s options, those that take a value: `-p 22`, `-p22` and `-CNgp 22` are all legal.
_WITH_VALUE = frozenset("BbcDEeFIiJLlmOoPpQRSWw")


@dataclass(frozen=True, slots=True)
class Destination:
    """A host to connect to.

    Attributes:
        host: name or address to dial.
        port: TCP port.
        user: login name.
        text: what was typed; names the destination to people.
        identity_files: private keys named on the line or in the SSH config.
        identities_only: offer no other keys (`IdentitiesOnly yes`).
        host_key_alias: the name under which the host key is filed, or "".
        proxy_jump: hosts to go through, or "".
        proxy_command: a program to connect through, or "".
        ignored: options of the typed line that mean nothing here, such as `-L`.
    """

    host: str
    port: int = SSH_PORT
    user: str = ""
    text: str = ""
    identity_files: tuple[Path, ...] = ()
    identities_only: bool = False
    host_key_alias: str = ""
    proxy_jump: str = ""
    proxy_command: str = ""
    ignored: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return `user@host:port`, with brackets around an IPv6 address."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.user}@{host}:{self.port}" if self.user else f"{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Typed:
    """What the text itself says; None and "" where it says nothing."""

    host: str
    port: int | None = None
    user: str = ""
    identity: str = ""
    proxy_jump: str = ""
    ignored: tuple[str, ...] = ()


def parse(text: str) -> Typed:
    """Return what the text says, without asking anything of this machine.

    Raises:
        DestinationError: `destination-empty`, `destination-unclear`, `destination-bad-port`,
            `destination-bad-host`, `destination-bad-user`.
    """
    text = text.strip()
    if not text:
        raise DestinationError("destination-empty")
    if len(text) > _MAX_TEXT or not text.isprintable():
        raise DestinationError("destination-unclear", text=text[:80])
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise DestinationError("destination-unclear", text=text[:80]) from error
    if words[0] == "ssh" and len(words) > 1:
        return _parse_line(words[1:], text)
    if len(words) != 1:
        raise DestinationError("destination-unclear", text=text[:80])
    return _parse_address(words[0])


def resolve(text: str, config: Path | None = None) -> Destination:
    """Return the destination, with what the user's SSH config says about it.

    Args:
        text: what was typed.
        config: an SSH config file instead of the user's own.

    Raises:
        DestinationError: see `parse`; also `destination-config` when ssh rejects its config.
    """
    # Late, because it may run a program; and the pure half above stays importable without it.
    from desktop.core.ssh.config import look_up  # noqa: PLC0415

    typed = parse(text)
    found = look_up(typed, config)
    return Destination(
        host=_checked(_HOST, found.get("hostname", typed.host).strip("[]"), "destination-bad-host"),
        port=_port(found.get("port", str(SSH_PORT))),
        user=_checked(_USER, found.get("user", "") or getpass.getuser(), "destination-bad-user"),
        text=text.strip(),
        identity_files=_identities(typed, found.get("identityfile", "")),
        identities_only=found.get("identitiesonly", "") == "yes",
        host_key_alias=found.get("hostkeyalias", ""),
        proxy_jump=_unless_none(found.get("proxyjump", "")),
        proxy_command=_unless_none(found.get("proxycommand", "")),
        ignored=typed.ignored,
    )


def _parse_line(words: Sequence[str], text: str) -> Typed:
    """Read the arguments of an `ssh` command line the way ssh(1) does."""
    options: dict[str, str] = {}
    ignored: list[str] = []
    address = ""
    rest = list(words)
    options_end = False
    while rest:
        word = rest.pop(0)
        if word == "--" and not options_end:
            options_end = True
        elif word.startswith("-") and not options_end:
            _read_options(word, rest, options, ignored)
        elif address:  # the rest is a remote command
            ignored.append(word)
        else:
            address = word
    if not address:
        raise DestinationError("destination-unclear", text=text[:80])
    typed = _parse_address(address)
    user = options.get("l", typed.user)
    return Typed(
        host=typed.host,
        port=_port(options["p"]) if "p" in options else typed.port,
        user=_checked(_USER, user, "destination-bad-user") if user else "",
        identity=options.get("i", ""),
        proxy_jump=options.get("J", ""),
        ignored=tuple(ignored),
    )


def _read_options(word: str, rest: list[str], options: dict[str, str], ignored: list[str]) -> None:
    """Read one word of flags, such as `-p22`, `-CNg` or `-CNgp` with its value in `rest`."""
    letters = word[1:]
    for index, letter in enumerate(letters):
        if letter not in _WITH_VALUE:
            ignored.append(f"-{letter}")
            continue
        value = letters[index + 1 :] or (rest.pop(0) if rest else "")
        if not value:
            raise DestinationError("destination-unclear", text=word[:80])
        if letter == "o":
            _read_setting(value, options, ignored)
        elif letter in "pliJ":
            options.setdefault(letter, value)  # ssh takes the first one
        else:
            ignored.append(f"-{letter} {value}")
        return


def _read_setting(value: str, options: dict[str, str], ignored: list[str]) -> None:
    """Read the value of `-o`, `Key=value` or `Key value`."""
    key, _, setting = value.replace("=", " ", 1).partition(" ")
    letter = {"port": "p", "user": "l", "identityfile": "i", "proxyjump": "J"}.get(key.lower())
    if letter:
        options.setdefault(letter, setting.strip())
    else:
        ignored.append(f"-o {value}")


def _parse_address(word: str) -> Typed:
    """Read `[user@]host[:port]`; an IPv6 address with a port stands in brackets."""
    word = word.removeprefix("ssh://").rstrip("/")
    user, at, host = word.rpartition("@")
    if at:
        _checked(_USER, user, "destination-bad-user")
    port: int | None = None
    if host.startswith("["):
        host, bracket, after = host[1:].partition("]")
        if not bracket or (after and not after.startswith(":")):
            raise DestinationError("destination-bad-host", text=word[:80])
        port = _port(after[1:]) if after else None
        if not re.fullmatch(r"[0-9A-Fa-f:.]+(%\w+)?", host):
            raise DestinationError("destination-bad-host", text=word[:80])
        return Typed(host=host, port=port, user=user)
    if host.count(":") == 1:  # more is an IPv6 address
        host, _, digits = host.partition(":")
        port = _port(digits)
    return Typed(host=_checked(_HOST, host, "destination-bad-host"), port=port, user=user)


def _port(digits: str) -> int:
    if not re.fullmatch(r"[0-9]{1,5}", digits) or not 1 <= int(digits) <= 65535:
        raise DestinationError("destination-bad-port", text=digits[:20])
    return int(digits)


def _checked(pattern: re.Pattern[str], text: str, code: str) -> str:
    is_v6 = code == "destination-bad-host" and re.fullmatch(r"[0-9A-Fa-f:.]+(%\w+)?", text)
    if len(text) > 255 or not (pattern.fullmatch(text) or is_v6):
        raise DestinationError(code, text=text[:80])
    return text


def _identities(typed: Typed, found: str) -> tuple[Path, ...]:
    """Return the keys named on the line first, then those of the SSH config."""
    names = [typed.identity] if typed.identity else []
    names += [name for name in found.splitlines() if name and name != "none"]
    return tuple(dict.fromkeys(Path(name).expanduser() for name in names))


def _unless_none(value: str) -> str:
    return "" if value == "none" else value
