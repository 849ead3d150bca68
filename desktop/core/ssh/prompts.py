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
    `wrong` is true when the last answer was refused, `paste_refused` when nobody was asked yet and
    the password that came with the line was.
    """

    kind: str
    user: str
    host: str
    port: int
    key_path: str = ""
    wrong: bool = False
    paste_refused: bool = False

    @property
    def opens(self) -> str:
        """What the secret opens: `user@host:port` or the key file. It is kept under this name."""
        return self.key_path or f"{self.user}@{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class ChallengePrompt:
    """One thing that a host asks for; `echo` is whether the answer may be seen while typed."""

    text: str
    echo: bool


@dataclass(frozen=True, slots=True)
class ChallengeQuestion:
    """A host asks for something in words of its own, such as a one-time code (RFC 4256).

    `name`, `instruction` and the prompts are what the host says: plain text of a bounded length,
    and not to be believed. `wrong` is true when the host refused the last answers.
    """

    user: str
    host: str
    port: int
    name: str
    instruction: str
    prompts: tuple[ChallengePrompt, ...]
    wrong: bool = False


class Prompts(Protocol):
    """The person, as the connection sees them."""

    def accept_host_key(self, question: HostKeyQuestion) -> bool:
        """Return whether this key may be trusted from now on."""
        ...

    def secret(self, question: SecretQuestion) -> str | None:
        """Return the secret, or None to give up."""
        ...

    def challenge(self, question: ChallengeQuestion) -> list[str] | None:
        """Return one answer for each prompt, or None to give up.

        The answers are good for once: nobody may keep or repeat them.
        """
        ...
