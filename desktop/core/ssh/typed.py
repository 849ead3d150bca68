"""What the text itself says: the only door from text to an address, pure and without this machine.

Understood are `host`, `user@host`, `user@host:port`, `[v6]:port`, an alias of the SSH config, and
the whole line that a provider shows (`ssh -p 12345 root@connect.example.com`, also its tunnel form
`ssh -CNg -L 6006:127.0.0.1:6006 …`), with the password's line under it.
"""

from __future__ import annotations

import ipaddress
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from desktop.core.errors import DestinationError
from desktop.core.ssh.paste import MAX_TEXT, names_a_command, split_paste

_MAX_LINE = 1000
# ssh expands host and user inside `Match exec` and ProxyCommand, which run in a shell: nothing that
# a shell would read as more than a word gets that far (CVE-2023-51385 was this).
_HOST = re.compile(r"[^\W_](?:[\w.-]*[\w.])?", re.UNICODE)
_V6 = re.compile(r"([0-9A-Fa-f:.]+)(?:%[A-Za-z0-9][\w.-]*)?", re.ASCII)
_USER = re.compile(r"[\w][\w.@+-]*", re.UNICODE)
# Of ssh(1)'s options, those that take a value: `-p 22`, `-p22` and `-CNgp 22` are all legal.
_WITH_VALUE = frozenset("BbcDEeFIiJLlmOoPpQRSWw")


@dataclass(frozen=True, slots=True)
class Typed:
    """What the text itself says; None and "" where it says nothing.

    Attributes:
        host: name, address or alias.
        port: TCP port.
        user: login name.
        identity: a private key file.
        proxy_jump: hosts to go through, as of `-J`.
        ignored: options that mean nothing here, such as `-L`.
        text: what names the destination to people: the line without the password.
        password: from the line under it; a secret.
    """

    host: str
    port: int | None = None
    user: str = ""
    identity: str = ""
    proxy_jump: str = ""
    ignored: tuple[str, ...] = ()
    text: str = field(default="", compare=False)
    password: str | None = field(default=None, repr=False)


def parse(text: str) -> Typed:
    """Return what the text says, without asking anything of this machine.

    Raises:
        DestinationError: `destination-empty`, `destination-unclear`, `destination-bad-port`,
            `destination-bad-host`, `destination-bad-user`.
    """
    if len(text) > MAX_TEXT:
        raise DestinationError("destination-unclear", text="…")
    pasted = split_paste(text)
    typed = _parse_line_or_address(pasted.line)
    return replace(typed, text=pasted.line, password=pasted.password)


def _parse_line_or_address(text: str) -> Typed:
    if not text:
        raise DestinationError("destination-empty")
    if len(text) > _MAX_LINE or not text.isprintable():
        raise DestinationError("destination-unclear", text=_told(text))
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise DestinationError("destination-unclear", text=_told(text)) from error
    if words[0] == "ssh" and len(words) > 1:
        return _parse_line(words[1:], text)
    if len(words) != 1:
        raise DestinationError("destination-unclear", text=_told(text))
    return parse_address(words[0])


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
        raise DestinationError("destination-unclear", text=_told(text))
    typed = parse_address(address)
    user = options.get("l", typed.user)
    return Typed(
        host=typed.host,
        port=port_number(options["p"]) if "p" in options else typed.port,
        user=user_name(user) if user else "",
        identity=options.get("i", ""),
        proxy_jump=_jumps(options["J"]) if "J" in options else "",
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


def parse_address(word: str) -> Typed:
    """Read `[user@]host[:port]`; an IPv6 address with a port stands in brackets.

    Raises:
        DestinationError: `destination-bad-port`, `destination-bad-host`, `destination-bad-user`.
    """
    word = word.removeprefix("ssh://").rstrip("/")
    user, at, host = word.rpartition("@")
    if at:
        user_name(user)
    port: int | None = None
    if host.startswith("["):
        host, bracket, after = host[1:].partition("]")
        if not bracket or (after and not after.startswith(":")):
            raise DestinationError("destination-bad-host", text=word[:80])
        port = port_number(after[1:]) if after else None
        if not _is_v6(host):
            raise DestinationError("destination-bad-host", text=word[:80])
        return Typed(host=host, port=port, user=user)
    if host.count(":") == 1:  # more is an IPv6 address
        host, _, digits = host.partition(":")
        port = port_number(digits)
    return Typed(host=host_name(host), port=port, user=user)


def port_number(digits: str) -> int:
    """Return a TCP port; raises DestinationError: `destination-bad-port`."""
    if not re.fullmatch(r"[0-9]{1,5}", digits) or not 1 <= int(digits) <= 65535:
        raise DestinationError("destination-bad-port", text=digits[:20])
    return int(digits)


def host_name(text: str) -> str:
    """Return the name or address; raises DestinationError: `destination-bad-host`."""
    if len(text) > 255 or not (_HOST.fullmatch(text) or _is_v6(text)):
        raise DestinationError("destination-bad-host", text=text[:80])
    return text


def user_name(text: str) -> str:
    """Return the login name; raises DestinationError: `destination-bad-user`."""
    if len(text) > 255 or not _USER.fullmatch(text):
        raise DestinationError("destination-bad-user", text=text[:80])
    return text


def _jumps(text: str) -> str:
    """Return the hosts of `-J`, each of them an address as any other: ssh is asked about them."""
    for hop in text.split(","):
        parse_address(hop.strip())
    return text


def _is_v6(text: str) -> bool:
    """Return whether it is an IPv6 address, perhaps with the name of an interface."""
    parts = _V6.fullmatch(text)
    if parts is None:
        return False
    try:
        ipaddress.IPv6Address(parts[1])
    except ValueError:
        return False
    return True


def _told(text: str) -> str:
    """Return what may be shown and logged of a text that is not understood.

    Of an ssh command its own line, else the first word: a password may stand behind or below it.
    In text of several lines without a command the first word may be one.
    """
    first, *below = text.splitlines()
    if names_a_command(first):
        return first[:80]
    return "…" if below else first.split()[0][:80]
