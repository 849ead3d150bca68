"""What only a person can decide while connecting. Called from the session's thread; may block."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class HostKeyQuestion:
    """A host key that nobody has confirmed yet. `fingerprint` is `SHA256:…`, as ssh shows it."""

    host: str
    port: int
    key_type: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class SecretQuestion:
    """A password or a passphrase is needed.

    `kind` is "password" (of `user@host:port`) or "passphrase" (of the key file `key_path`);
    `wrong` is true when the last answer was refused.
    """

    kind: str
    user: str
    host: str
    port: int
    key_path: str = ""
    wrong: bool = False


class Prompts(Protocol):
    """The person, as the connection sees them."""

    def accept_host_key(self, question: HostKeyQuestion) -> bool:
        """Return whether this key may be trusted from now on."""
        ...

    def secret(self, question: SecretQuestion) -> str | None:
        """Return the secret, or None to give up."""
        ...
