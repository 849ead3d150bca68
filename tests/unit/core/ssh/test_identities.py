"""Private keys of every form that people have, opened and not opened."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa

from desktop.core.ssh.identities import (
    KeyUnusable,
    PrivateKey,
    WrongPassphrase,
    default_files,
    kind_of,
    read_file,
)

_FORMATS = {
    "openssh": serialization.PrivateFormat.OpenSSH,
    "pkcs8": serialization.PrivateFormat.PKCS8,
    "pem": serialization.PrivateFormat.TraditionalOpenSSL,
}


@pytest.fixture(scope="module")
def keys() -> dict[str, PrivateKey]:
    return {
        "ssh-ed25519": ed25519.Ed25519PrivateKey.generate(),
        "ecdsa-sha2-nistp256": ec.generate_private_key(ec.SECP256R1()),
        "ssh-rsa": rsa.generate_private_key(65537, 2048),
    }


def _write(path: Path, key: PrivateKey, form: str, passphrase: str = "") -> Path:
    encryption: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if passphrase:
        encryption = serialization.BestAvailableEncryption(passphrase.encode())
    path.write_bytes(key.private_bytes(serialization.Encoding.PEM, _FORMATS[form], encryption))
    path.chmod(0o600)
    return path


def _public(key: PrivateKey) -> bytes:
    import base64

    line = key.public_key().public_bytes(
        serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH
    )
    return base64.b64decode(line.split()[1])


_FORMS = [
    (kind, form)
    for kind in ("ssh-ed25519", "ecdsa-sha2-nistp256", "ssh-rsa")
    for form in _FORMATS
    if (kind, form) != ("ssh-ed25519", "pem")
]


@pytest.mark.parametrize(("kind", "form"), _FORMS)
def test_a_key_without_passphrase_is_read(
    tmp_path: Path, keys: dict[str, PrivateKey], kind: str, form: str
) -> None:
    identity = read_file(_write(tmp_path / "key", keys[kind], form))
    assert (identity.blob, identity.encrypted) == (_public(keys[kind]), False)
    assert kind_of(identity.blob) == kind
    assert identity.unlock().asbytes() == identity.blob


@pytest.mark.parametrize(("kind", "form"), _FORMS)
def test_an_encrypted_key_opens_with_its_passphrase_only(
    tmp_path: Path, keys: dict[str, PrivateKey], kind: str, form: str
) -> None:
    identity = read_file(_write(tmp_path / "key", keys[kind], form, "secret"))
    assert identity.encrypted
    for wrong in ("", "wrong"):
        with pytest.raises(WrongPassphrase):
            identity.unlock(wrong)
    assert identity.unlock("secret").asbytes() == _public(keys[kind])


def test_the_public_half_of_a_locked_openssh_key_is_known(
    tmp_path: Path, keys: dict[str, PrivateKey]
) -> None:
    identity = read_file(_write(tmp_path / "key", keys["ssh-ed25519"], "openssh", "secret"))
    assert identity.blob == _public(keys["ssh-ed25519"])


def test_the_public_half_of_a_locked_pem_key_is_read_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "key"
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "rsa", "-m", "PEM", "-N", "secret", "-f", str(path)], check=True
    )
    identity = read_file(path)
    assert identity.blob == identity.unlock("secret").asbytes()
    path.with_suffix(".pub").unlink()
    assert read_file(path).blob == b""


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"ssh-ed25519 AAAA me@here",
        b"-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n",
        b"-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----\n",
        b"-----BEGIN PRIVATE KEY-----\n",
    ],
)
def test_what_is_no_private_key_is_told(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "key"
    path.write_bytes(content)
    with pytest.raises(KeyUnusable):
        read_file(path).unlock()


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(KeyUnusable, match="No such file"):
        read_file(tmp_path / "absent")


def test_a_kind_of_key_that_ssh_gave_up_is_told(tmp_path: Path) -> None:
    path = tmp_path / "key"
    key = dsa.generate_private_key(1024)
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    with pytest.raises(KeyUnusable):
        read_file(path)


def test_only_the_usual_files_that_are_there_are_tried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, keys: dict[str, PrivateKey]
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".ssh").mkdir()
    _write(tmp_path / ".ssh" / "id_rsa", keys["ssh-rsa"], "openssh")
    (tmp_path / ".ssh" / "id_ecdsa").write_text("damaged")
    assert [identity.path.name for identity in default_files()] == ["id_rsa"]
