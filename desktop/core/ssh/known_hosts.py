"""Which host keys are trusted: OpenSSH's files are only read, our own file is also written.

Read line by line, so that an odd line never hides the others; the format is sshd(8)'s
"SSH_KNOWN_HOSTS FILE FORMAT". Certificate authorities are skipped: paramiko checks no host
certificates, so such a line says nothing about a plain key.
"""

from __future__ import annotations

import base64
import binascii
import fnmatch
import hashlib
import hmac
import os
import tempfile
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from desktop.core.errors import StorageError

_MAX_BYTES = 8 << 20  # of one file; more is not a list of hosts
_SSH_PORT = 22
_WRITING = threading.Lock()  # several hosts may be trusted at once, from one file that is rewritten


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
        patterns = self.hosts.lower().split(",")
        if any(_glob(name, pattern[1:]) for pattern in patterns if pattern.startswith("!")):
            return False
        return any(_glob(name, pattern) for pattern in patterns if not pattern.startswith("!"))


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is known; `expected` (a fingerprint) and `source` are set when changed or revoked."""

    trust: Trust
    expected: str = ""
    source: str = ""


def lookup_name(host: str, port: int, alias: str = "") -> str:
    """Return the name under which OpenSSH files a host: an alias as it is, else with its port."""
    if alias:
        return alias.lower()
    return host.lower() if port == _SSH_PORT else f"[{host.lower()}]:{port}"


def parse(text: str, path: str) -> Iterator[Entry]:
    """Yield the usable lines of a known_hosts file; everything else is skipped."""
    for number, line in enumerate(text.splitlines(), 1):
        entry = _parse_line(line, f"{path}:{number}")
        if entry is not None:
            yield entry


def judge(entries: Iterable[Entry], name: str, key: HostKey) -> Verdict:
    """Return what the entries say about the key that the host `name` showed."""
    ours = [entry for entry in entries if entry.matches(name)]
    for entry in ours:
        if entry.revoked and entry.key.blob == key.blob:
            return Verdict(Trust.REVOKED, entry.key.fingerprint, entry.source)
    known = [entry for entry in ours if not entry.revoked]
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
        line = f"{name} {key.kind} {base64.b64encode(key.blob).decode()}"
        with _WRITING:
            self._write([*self._lines_without(name), line])

    def forget(self, name: str) -> None:
        """Remove the host from our own file; raises StorageError."""
        with _WRITING:
            self._write(self._lines_without(name))

    def _entries(self) -> Iterator[Entry]:
        for path in (self.own_file, *self.system_files):
            yield from parse(_read(path), str(path))

    def _lines_without(self, name: str) -> list[str]:
        """Return our file's lines but those that name exactly this host: we write one per line."""
        lines = _read(self.own_file).splitlines()
        return [line for line in lines if line.split(maxsplit=1)[:1] != [name]]

    def _write(self, lines: list[str]) -> None:
        folder = self.own_file.parent
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle, temporary = tempfile.mkstemp(dir=folder, prefix=".known_hosts-")  # 0600
            try:
                with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
                    file.writelines(f"{line}\n" for line in lines)
                    file.flush()
                    os.fsync(file.fileno())
                Path(temporary).replace(self.own_file)
            except OSError:
                Path(temporary).unlink(missing_ok=True)
                raise
        except OSError as error:
            raise StorageError(
                "storage-not-writable", path=str(self.own_file), reason=error.strerror or str(error)
            ) from error


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(_MAX_BYTES).decode("utf-8", "replace")
    except OSError:
        return ""  # no file, no trust


def _parse_line(line: str, source: str) -> Entry | None:
    fields = line.split()
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
    """Match `|1|salt|hash`: HMAC-SHA1 of the name, keyed with the salt (sshd(8))."""
    parts = hosts.split("|")
    if len(parts) != 4 or parts[1] != "1":
        return False
    try:
        salt, digest = base64.b64decode(parts[2]), base64.b64decode(parts[3])
    except (binascii.Error, ValueError):
        return False
    return hmac.compare_digest(hmac.digest(salt, name.encode(), "sha1"), digest)


def _glob(name: str, pattern: str) -> bool:
    """Match OpenSSH's `*` and `?`; brackets are part of `[host]:port` and stand for themselves."""
    return fnmatch.fnmatchcase(name, pattern.replace("[", "[[]"))
