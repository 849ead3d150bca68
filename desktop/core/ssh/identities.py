"""Private keys in files, and the certificates beside them; those of an agent are in `agents.py`.

A key's public half is known without its passphrase, so the host is asked first whether the key
would do, and a person is asked for a passphrase only when it would.
"""

from __future__ import annotations

import base64
import binascii
import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import paramiko
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from paramiko.message import Message

_MAX_BYTES = 64 << 10  # of a key file
_MAGIC = b"openssh-key-v1\0"  # OpenSSH's PROTOCOL.key
_ARMOUR = re.compile(rb"-----BEGIN OPENSSH PRIVATE KEY-----(.*?)-----END", re.DOTALL)
_DEFAULTS = ("id_ed25519", "id_ecdsa", "id_rsa")
_CERTIFICATE = "-cert-v01@openssh.com"
# How many strings of a certificate are the public key (OpenSSH's PROTOCOL.certkeys).
_PARTS = {
    "ssh-ed25519": 1,
    "ssh-rsa": 2,
    "ecdsa-sha2-nistp256": 2,
    "ecdsa-sha2-nistp384": 2,
    "ecdsa-sha2-nistp521": 2,
    "sk-ssh-ed25519@openssh.com": 2,
    "sk-ecdsa-sha2-nistp256@openssh.com": 3,
}

Sign = Callable[[bytes, str], bytes]
PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey


class KeyUnusable(Exception):
    """This file holds no private key that can be used; the message says why."""


class WrongPassphrase(Exception):
    """The passphrase does not open the key."""


@dataclass(frozen=True, slots=True)
class FileIdentity:
    """A private key file. `blob` is b"" where the public half cannot be seen without opening it."""

    path: Path
    content: bytes
    blob: bytes
    encrypted: bool

    @property
    def name(self) -> str:
        """The path."""
        return str(self.path)

    def unlock(self, passphrase: str = "") -> paramiko.PKey:
        """Return the key.

        Raises:
            WrongPassphrase: it does not open it.
            KeyUnusable: not a private key, or of a kind that SSH hosts no longer take.
        """
        return _load(self.content, passphrase.encode() or None)


def read_file(path: Path) -> FileIdentity:
    """Return the identity in a file; raises KeyUnusable."""
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_BYTES)
    except OSError as error:
        raise KeyUnusable(error.strerror or str(error)) from error
    if b"PRIVATE KEY-----" not in content:
        raise KeyUnusable("not a private key")
    inner = _openssh_body(content)
    if inner is not None:
        return FileIdentity(path, content, inner.blob, inner.encrypted)
    if b"ENCRYPTED" in content:
        return FileIdentity(
            path, content, read_public(path.with_name(path.name + ".pub")), encrypted=True
        )
    return FileIdentity(path, content, _load(content, None).asbytes(), encrypted=False)


def default_files() -> list[FileIdentity]:
    """Return the usable ones of the user's usual key files."""
    found = []
    for name in _DEFAULTS:
        try:
            found.append(read_file(Path.home() / ".ssh" / name))
        except KeyUnusable:
            continue
    return found


def read_public(path: Path) -> bytes:
    """Return the public key or certificate in a `.pub` file; b"" where there is none."""
    try:
        with path.open("rb") as file:
            fields = file.read(_MAX_BYTES).split()
        blob = base64.b64decode(fields[1], validate=True)
    except (OSError, IndexError, binascii.Error):
        return b""
    return blob if kind_of(blob).encode() == fields[0] else b""


def certificate_beside(path: Path) -> bytes:
    """Return the certificate that ssh would find for a key file, `PATH-cert.pub`, or b""."""
    bare = path.with_suffix("") if path.suffix == ".pub" else path
    blob = read_public(bare.with_name(f"{bare.name}-cert.pub"))
    return blob if is_certificate(blob) else b""


def is_certificate(blob: bytes) -> bool:
    """Tell a certificate from a plain public key."""
    return kind_of(blob).endswith(_CERTIFICATE)


def certified(blob: bytes) -> bytes:
    """Return the plain public key that a certificate is about, b"" where it is of no known kind.

    A certificate is its type, a nonce, the parts of the key, and then what the authority says.
    """
    kind = kind_of(blob)
    # The types of security keys keep their own suffix: sk-ssh-ed25519-cert-v01@openssh.com.
    bare = kind.replace("-cert-v01", "") if kind.startswith("sk-") else kind[: -len(_CERTIFICATE)]
    if not kind.endswith(_CERTIFICATE) or bare not in _PARTS:
        return b""
    body = io.BytesIO(blob)
    _string(body), _string(body)
    parts = [bare.encode(), *(_string(body) for _ in range(_PARTS[bare]))]
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)


def kind_of(blob: bytes) -> str:
    """Return the type of a public key: the first string in it."""
    size = int.from_bytes(blob[:4], "big")
    return blob[4 : 4 + size].decode("ascii", "replace")


def signer(key: paramiko.PKey) -> Sign:
    """Return what signs with this key: (data, algorithm) → signature."""

    def sign(data: bytes, algorithm: str) -> bytes:
        signature: object = key.sign_ssh_data(data, algorithm)
        # Keys in files give a Message; those in an agent plain bytes, whatever the stubs say.
        return signature.asbytes() if isinstance(signature, Message) else cast("bytes", signature)

    return sign


@dataclass(frozen=True, slots=True)
class _Body:
    blob: bytes
    encrypted: bool


def _openssh_body(content: bytes) -> _Body | None:
    """Read the clear part of an OpenSSH private key: cipher, KDF, count, public key."""
    armour = _ARMOUR.search(content)
    if armour is None:
        return None
    try:
        raw = base64.b64decode(armour.group(1))
    except binascii.Error as error:
        raise KeyUnusable("damaged") from error
    if not raw.startswith(_MAGIC):
        raise KeyUnusable("damaged")
    body = io.BytesIO(raw[len(_MAGIC) :])
    cipher, _, _ = (_string(body) for _ in range(3))
    body.read(4)  # the number of keys, always 1
    return _Body(_string(body), encrypted=cipher != b"none")


def _string(body: io.BytesIO) -> bytes:
    return body.read(min(int.from_bytes(body.read(4), "big"), _MAX_BYTES))


def _load(content: bytes, passphrase: bytes | None) -> paramiko.PKey:
    """Read any form of private key (OpenSSH, PKCS#1, PKCS#8), which paramiko alone does not."""
    load = (
        serialization.load_ssh_private_key
        if b"BEGIN OPENSSH" in content
        else serialization.load_pem_private_key
    )
    try:
        key = load(content, passphrase)
    except TypeError as error:  # encrypted and no passphrase, or the other way round
        if passphrase is not None:
            return _load(content, None)
        raise WrongPassphrase from error
    except ValueError as error:
        if passphrase is not None:
            raise WrongPassphrase from error
        raise KeyUnusable("damaged") from error
    except UnsupportedAlgorithm as error:
        raise KeyUnusable(str(error)[:200]) from error
    return _as_paramiko(key)


def _as_paramiko(key: object) -> paramiko.PKey:
    if not isinstance(key, PrivateKey):
        raise KeyUnusable(f"{type(key).__name__.removeprefix('_')} is not supported")
    text = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.OpenSSH,
        serialization.NoEncryption(),
    ).decode()
    if isinstance(key, rsa.RSAPrivateKey):
        return paramiko.RSAKey.from_private_key(io.StringIO(text))
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return paramiko.ECDSAKey.from_private_key(io.StringIO(text))
    return paramiko.Ed25519Key.from_private_key(io.StringIO(text))
