"""Which keys are shown to a host, in which order, and who signs for each.

As ssh does it: named keys first, then the agent's, then the usual files; a certificate before the
key that it is about; and where the agent holds a key, the agent signs, so that nobody is asked for
a passphrase that the agent was told already.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from desktop.core.ssh import identities
from desktop.core.ssh.agents import AgentIdentity, from_agent
from desktop.core.ssh.destination import Destination
from desktop.core.ssh.identities import FileIdentity, KeyUnusable


@dataclass(frozen=True, slots=True)
class Offer:
    """A public key or a certificate, and who can sign for it."""

    blob: bytes
    holder: AgentIdentity | FileIdentity


@dataclass(frozen=True, slots=True)
class _Public:
    """A named file with the public half only: the agent has the other (sshd's `IdentityFile`)."""

    path: Path
    blob: bytes


def offers(where: Destination, named: Path | None, stack: ExitStack) -> Iterator[Offer]:
    """Yield what to offer; some perhaps twice.

    Args:
        where: whose SSH config counts.
        named: a key that was asked for by name, or None.
        stack: keeps the agent open.

    Raises:
        KeyUnusable: the key asked for by name is none.
    """
    held = stack.enter_context(from_agent(where.agent))
    certificates = [identities.read_public(path) for path in where.certificate_files]
    wanted = [_read(named)] if named else []
    wanted += [half for path in where.identity_files if (half := _read_if_there(path))]
    for half in wanted:
        yield from _of(half, held, certificates)
    if not where.identities_only:
        for key in held:
            yield Offer(key.blob, key)
        for file in identities.default_files():
            yield from _of(file, held, certificates)


def _of(
    half: FileIdentity | _Public, held: list[AgentIdentity], certificates: list[bytes]
) -> Iterator[Offer]:
    agents = next((key for key in held if half.blob and key.blob == half.blob), None)
    holder = agents or (half if isinstance(half, FileIdentity) else None)
    if holder is None:
        return
    for blob in (identities.certificate_beside(half.path), *certificates):
        if blob and half.blob and identities.certified(blob) == half.blob:
            yield Offer(blob, holder)
    yield Offer(half.blob, holder)


def _read(path: Path) -> FileIdentity | _Public:
    try:
        return identities.read_file(path)
    except KeyUnusable:
        beside = path if path.suffix == ".pub" else path.with_name(f"{path.name}.pub")
        blob = identities.read_public(path) or identities.read_public(beside)
        if not blob:
            raise
        return _Public(path, blob)


def _read_if_there(path: Path) -> FileIdentity | _Public | None:
    """Return the key in a file; ssh skips what its config names and is not there."""
    try:
        return _read(path)
    except KeyUnusable:
        return None
