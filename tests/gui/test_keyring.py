import pytest
from keyring.backend import KeyringBackend
from keyring.backends.fail import Keyring as FailKeyring
from keyring.errors import KeyringLocked

from desktop.system.keyring import Keyring


class MemoryKeyring(KeyringBackend):
    """A keyring that forgets everything at the end."""

    priority = 1.0  # type: ignore[assignment]

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.kept[service, username]


class LockedKeyring(MemoryKeyring):
    def get_password(self, service: str, username: str) -> str | None:
        raise KeyringLocked

    def set_password(self, service: str, username: str, password: str) -> None:
        raise KeyringLocked


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


def test_a_secret_can_be_kept_only_where_there_is_a_keyring() -> None:
    assert Keyring(MemoryKeyring()).available()
    assert not Keyring(FailKeyring()).available()
