"""The key pairs of the loopback host: its own, and the one that it lets in."""

from __future__ import annotations

import os
from pathlib import Path

import paramiko
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


def kept_key(path: Path) -> paramiko.Ed25519Key:
    """Return the private key in a file, made there (0600, no passphrase) when there is none.

    Raises:
        OSError: the file can be neither read nor written.
    """
    try:
        return paramiko.Ed25519Key.from_private_key_file(str(path))
    except (FileNotFoundError, paramiko.SSHException):
        _write(path)
        return paramiko.Ed25519Key.from_private_key_file(str(path))


def _write(path: Path) -> None:
    text = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.OpenSSH,
        serialization.NoEncryption(),
    )
    part = path.with_suffix(".part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(text)
    part.replace(path)
