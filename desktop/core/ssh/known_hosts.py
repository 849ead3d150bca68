"""Which host keys are trusted: OpenSSH's files are only read, our own file is also written.

Read line by line, so that an odd line never hides the others; the format is sshd(8)'s
"SSH_KNOWN_HOSTS FILE FORMAT". Lines end at line feeds and fields at blanks, as there, and at no
other sign that Python takes for one: what is a comment to OpenSSH must not be a line here.
Certificate authorities are skipped: paramiko checks no host certificates, so such a line says
nothing about a plain key.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from desktop.core.errors import StorageError
from desktop.core.ssh.own_file import MAX_BYTES, rewrite
from desktop.core.ssh.patterns import any_matches

_SSH_PORT = 22
_WITH_PORT = re.compile(r"\[(.+)\]:\d+")
# A name that stands for itself in a pattern list; any other (an alias may be `*`) is hashed.
_PLAIN_NAME = re.compile(r"[\w\[][\w.:%\[\]-]{0,300}")


class Trust(Enum):
    """What the files say about one key of one host."""

    KNOWN = "known"
    UNKNOWN = "unknown"
    CHANGED = "changed"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class HostKey:
    """A public key as SSH sends it. `kind` is its type, such as `ssh-ed25519`."""

    kind: str
    blob: bytes

    @property
    def fingerprint(self) -> str:
        """`SHA256:…`, as ssh shows it."""
        digest = base64.b64encode(hashlib.sha256(self.blob).digest())
        return "SHA256:" + digest.decode().rstrip("=")


@dataclass(frozen=True, slots=True)
class Entry:
    """One line: patterns (or one hash), a key, and `FILE:LINE` for people."""

    hosts: str
    key: HostKey
    source: str
    revoked: bool = False

    def matches(self, name: str) -> bool:
        """Return whether this line is about the host called `name` (see `lookup_name`)."""
        if self.hosts.startswith("|"):
            return _hash_matches(self.hosts, name)
        return any_matches(self.hosts.lower().split(","), name.lower())

    def revokes(self, name: str) -> bool:
        """Return whether it is revoked for this host: on this port, or on whichever."""
        with_port = _WITH_PORT.fullmatch(name)
        return self.revoked and (
            self.matches(name) or (with_port is not None and self.matches(with_port[1]))
        )


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is known; `expected` (a fingerprint) and `source` are set when changed or revoked."""

    trust: Trust
    expected: str = ""
    source: str = ""


def lookup_name(host: str, port: int, alias: str = "") -> str:
    """Return the name under which OpenSSH files a host: an alias as it is, else with its port."""
    if alias:
        return alias
    return host.lower() if port == _SSH_PORT else f"[{host.lower()}]:{port}"


def parse(text: str, path: str) -> Iterator[Entry]:
    """Yield the usable lines of a known_hosts file; everything else is skipped."""
    for number, line in enumerate(text.split("\n"), 1):
        entry = _parse_line(line, f"{path}:{number}")
        if entry is not None:
            yield entry


def judge(entries: Iterable[Entry], name: str, key: HostKey) -> Verdict:
    """Return what the entries say about the key that the host `name` showed."""
    known: list[Entry] = []
    for entry in entries:
        if entry.key.blob == key.blob and entry.revokes(name):
            return Verdict(Trust.REVOKED, entry.key.fingerprint, entry.source)
        if not entry.revoked and entry.matches(name):
            known.append(entry)
    if any(entry.key.blob == key.blob for entry in known):
        return Verdict(Trust.KNOWN)
    if not known:
        return Verdict(Trust.UNKNOWN)
    # A host that was pinned with another type of key only has changed as well: an impostor would
    # just not offer the type that is pinned.
    other = next((entry for entry in known if entry.key.kind == key.kind), known[0])
    return Verdict(Trust.CHANGED, other.key.fingerprint, other.source)


def user_files() -> tuple[Path, ...]:
    """Return the files that OpenSSH itself reads for this user."""
    return (Path.home() / ".ssh" / "known_hosts", Path("/etc/ssh/ssh_known_hosts"))


class KnownHosts:
    """The trusted keys of one user.

    Attributes:
        own_file: confirmed in Paperkite; the only file that is written.
        system_files: read as well; OpenSSH's own by default.
    """

    def __init__(self, own_file: Path, system_files: Iterable[Path] | None = None) -> None:
        self.own_file = own_file
        self.system_files = tuple(user_files() if system_files is None else system_files)

    def with_files(self, files: Iterable[Path]) -> KnownHosts:
        """Return the same with more files to read: those that a host's SSH config names."""
        return KnownHosts(self.own_file, (*self.system_files, *files))

    def judge(self, name: str, key: HostKey) -> Verdict:
        """Return the verdict over all files."""
        return judge(self._entries(), name, key)

    def kinds(self, name: str) -> tuple[str, ...]:
        """Return the types of key known for a host: to be asked for first."""
        ours = [entry for entry in self._entries() if entry.matches(name) and not entry.revoked]
        return tuple(dict.fromkeys(entry.key.kind for entry in ours))

    def remember(self, name: str, key: HostKey) -> None:
        """Pin this key, and no other, for the host; raises StorageError.

        Only our own file changes: a line of OpenSSH's about the same host stays as it is.
        """
        line = f"{_written(name)} {key.kind} {base64.b64encode(key.blob).decode()}"
        entry = _parse_line(line, "")
        if "\n" in line or entry is None or entry.key != key or not entry.matches(name):
            reason = "the key cannot be written as one line"
            raise StorageError("storage-not-writable", path=str(self.own_file), reason=reason)
        rewrite(self.own_file, lambda lines: [*_without(lines, name), line])

    def forget(self, name: str) -> None:
        """Remove the host from our own file; raises StorageError."""
        rewrite(self.own_file, lambda lines: _without(lines, name))

    def _entries(self) -> Iterator[Entry]:
        for path in (self.own_file, *self.system_files):
            yield from parse(_read(path), str(path))


def _read(path: Path) -> str:
    """Return the text of a file, its whole lines at least; a pipe would never end."""
    try:
        if not path.is_file():
            return ""  # no file, no trust
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except (OSError, ValueError):  # ValueError: a NUL in its name
        return ""
    if len(content) > MAX_BYTES:
        content = content[: content.rfind(b"\n") + 1]
    return content.decode("utf-8-sig", "replace")


def _written(name: str) -> str:
    """Return a name as the first field of a line that is about this host and no other."""
    if _PLAIN_NAME.fullmatch(name):
        return name
    salt = os.urandom(hashlib.sha1(usedforsecurity=False).digest_size)
    both = (base64.b64encode(part).decode() for part in (salt, _hash(salt, name)))
    return "|".join(("", "1", *both))


def _without(lines: Iterable[str], name: str) -> list[str]:
    """Return our file's lines but those that name exactly this host: we write one per line."""

    def is_meant(line: str) -> bool:
        entry = _parse_line(line, "")
        if entry is None or entry.revoked:
            return False
        return _hash_matches(entry.hosts, name) or entry.hosts.lower() == name.lower()

    return [line for line in lines if not is_meant(line)]


def _parse_line(line: str, source: str) -> Entry | None:
    fields = line.strip(" \t\r").replace("\t", " ").split(" ")
    fields = [field for field in fields if field]
    revoked = bool(fields) and fields[0] == "@revoked"
    if revoked:
        fields = fields[1:]
    if len(fields) < 3 or fields[0].startswith(("#", "@")):
        return None
    try:
        blob = base64.b64decode(fields[2], validate=True)
    except (binascii.Error, ValueError):
        return None
    # The type stands inside the blob too; a line where the two differ is damaged.
    kind = fields[1].encode("utf-8", "replace")
    if blob[: 4 + len(kind)] != len(kind).to_bytes(4, "big") + kind:
        return None
    return Entry(fields[0], HostKey(fields[1], blob), source, revoked)


def _hash_matches(hosts: str, name: str) -> bool:
    """Match `|1|salt|hash` (sshd(8)); ssh hashes an alias as it is written, and hosts lowered."""
    parts = hosts.split("|")
    if len(parts) != 4 or parts[:2] != ["", "1"]:
        return False
    try:
        salt, digest = base64.b64decode(parts[2]), base64.b64decode(parts[3])
    except (binascii.Error, ValueError):
        return False
    return any(
        hmac.compare_digest(_hash(salt, written), digest) for written in {name, name.lower()}
    )


def _hash(salt: bytes, name: str) -> bytes:
    return hmac.digest(salt, name.encode("utf-8", "surrogatepass"), "sha1")
