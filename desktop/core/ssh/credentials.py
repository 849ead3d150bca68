"""What a caller brings along to be let in and to trust a host."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Credentials:
    """The options of one connection.

    Attributes:
        identity: a private key file to offer first, or None for the usual ones only.
        password: tried once, without asking; None to ask when the host wants one.
        accept_new_host_key: trust an unknown host key without asking.
        host_key: the only fingerprint (`SHA256:…`) to accept, or "".
    """

    identity: Path | None = None
    password: str | None = field(default=None, repr=False)
    accept_new_host_key: bool = False
    host_key: str = ""

    def for_jump_host(self) -> Credentials:
        """Return what holds for a host on the way: nothing that belongs to the one behind it."""
        return Credentials(accept_new_host_key=self.accept_new_host_key)
