"""The system's keyring, whatever it is: one that works, none, a locked one, one that hangs."""

import threading
from collections.abc import Iterator

import pytest
from keyring.backend import KeyringBackend
from keyring.backends.fail import Keyring as FailKeyring
from keyring.errors import KeyringLocked

from desktop.system.keyring import Keyring, Patience
from tests.helpers.memory_keyring import MemoryKeyring


class LockedKeyring(MemoryKeyring):
    def get_password(self, service: str, username: str) -> str | None:
        raise KeyringLocked

    def set_password(self, service: str, username: str, password: str) -> None:
        raise KeyringLocked


class HangingKeyring(MemoryKeyring):
    """Never answers, as one behind a D-Bus that takes calls and has nobody to unlock it."""

    def __init__(self) -> None:
        super().__init__()
        self.released = threading.Event()
        self.calls = 0

    def get_password(self, service: str, username: str) -> str | None:
        self.calls += 1
        self.released.wait(20)
        return "late"


@pytest.fixture
def hanging() -> Iterator[HangingKeyring]:
    backend = HangingKeyring()
    yield backend
    backend.released.set()


def test_a_secret_comes_back_until_it_is_forgotten() -> None:
    keyring = Keyring(MemoryKeyring())
    assert keyring.keep("root@host:22", "hunter2")
    assert keyring.secret("root@host:22") == "hunter2"
    keyring.forget("root@host:22")
    assert keyring.secret("root@host:22") is None


def test_forgetting_what_was_never_kept_is_fine() -> None:
    Keyring(MemoryKeyring()).forget("nobody")


@pytest.mark.parametrize("backend", [LockedKeyring(), FailKeyring()])
def test_a_keyring_that_does_not_work_keeps_nothing_and_breaks_nothing(
    backend: KeyringBackend,
) -> None:
    keyring = Keyring(backend)
    assert not keyring.keep("name", "secret")
    assert keyring.secret("name") is None
    keyring.forget("name")


def test_a_keyring_that_hangs_is_waited_for_once_and_not_again(hanging: HangingKeyring) -> None:
    keyring = Keyring(hanging, Patience(answered=0.05))
    assert keyring.available()
    assert keyring.secret("name") is None
    assert not keyring.available()
    assert keyring.secret("name") is None
    assert not keyring.keep("name", "secret")
    keyring.forget("name")
    assert hanging.calls == 1
    assert hanging.kept == {}


def test_looking_for_a_keyring_ends_too(monkeypatch: pytest.MonkeyPatch) -> None:
    released = threading.Event()
    monkeypatch.setattr("keyring.get_keyring", lambda: released.wait(20))
    keyring = Keyring(patience=Patience(found=0.05))
    assert not keyring.available()
    assert keyring.secret("name") is None
    released.set()


def test_a_locked_keyring_counts_as_none_once_it_has_said_so() -> None:
    keyring = Keyring(LockedKeyring())
    assert keyring.secret("name") is None
    assert not keyring.available()


def test_a_secret_can_be_kept_only_where_there_is_a_keyring() -> None:
    assert Keyring(MemoryKeyring()).available()
    assert not Keyring(FailKeyring()).available()
