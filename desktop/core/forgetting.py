"""What the keyring holds of a saved host goes with the host."""

from __future__ import annotations

from desktop.core.api_keys import ApiKeys, Secrets
from desktop.core.errors import DestinationError
from desktop.core.ssh.destination import resolve
from desktop.core.ssh.prompts import SecretQuestion


def forget_secrets(kept: Secrets, keys: ApiKeys, name: str, line: str) -> None:
    """Drop the key of a host's endpoint, and the password of the login that its line names.

    May block as long as the keyring does. A passphrase stays: it opens a key, and not this host.

    Args:
        kept: where secrets are.
        keys: those that were given out.
        name: of the host.
        line: that leads there; one that names nobody leaves a password alone.
    """
    keys.forget(name)
    try:
        where = resolve(line)
    except DestinationError:
        return
    kept.forget(SecretQuestion("password", where.user, where.host, where.port).opens)
