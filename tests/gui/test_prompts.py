from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QDialog, QLabel, QLineEdit, QPushButton
from pytestqt.qtbot import QtBot

from desktop.core.ssh.prompts import HostKeyQuestion, SecretQuestion
from desktop.core.texts import Texts
from desktop.system.keyring import Keyring
from desktop.ui.bridge import Bridge
from desktop.ui.prompts import WindowPrompts
from tests.gui.test_keyring import MemoryKeyring
from tests.helpers.screens import FINGERPRINT, Stage

HOST_KEY = HostKeyQuestion("host", 22, "ssh-ed25519", FINGERPRINT)
PASSWORD = SecretQuestion("password", "root", "host", 22)
WRONG = SecretQuestion("password", "root", "host", 22, wrong=True)


class Person:
    """Asks in a thread as a session does, and answers in the window as a person does."""

    def __init__(self, qtbot: QtBot, stage: Stage) -> None:
        self.qtbot, self.stage = qtbot, stage
        self.memory = MemoryKeyring()
        self.bridge = Bridge(lambda _: None)
        self.prompts = WindowPrompts(
            self.bridge, lambda: stage.window, Texts("en"), Keyring(self.memory)
        )
        self.threads = ThreadPoolExecutor(1)

    def ask_host_key(self) -> Future[bool]:
        return self.threads.submit(self.prompts.accept_host_key, HOST_KEY)

    def ask_secret(self, question: SecretQuestion) -> Future[str | None]:
        return self.threads.submit(self.prompts.secret, question)

    def dialog(self) -> QDialog:
        def visible() -> list[QDialog]:
            return [d for d in self.stage.window.findChildren(QDialog) if d.isVisible()]

        self.qtbot.waitUntil(lambda: bool(visible()))
        return visible()[0]

    def wait(self, asked: Future[object] | Future[bool] | Future[str | None]) -> object:
        self.qtbot.waitUntil(asked.done)
        return asked.result()

    def leave(self) -> None:
        self.prompts.dismiss()
        self.bridge.close()
        self.threads.shutdown()


@pytest.fixture
def person(qtbot: QtBot, stage: Callable[..., Stage]) -> Iterator[Person]:
    made = Person(qtbot, stage())
    yield made
    made.leave()


def press(person: Person, name: str) -> None:
    button = person.dialog().findChild(QPushButton, name)
    assert button is not None
    person.qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def test_the_fingerprint_is_shown_and_can_be_trusted(person: Person) -> None:
    asked = person.ask_host_key()
    fingerprint = person.dialog().findChild(QLabel, "fingerprint")
    assert fingerprint is not None
    assert fingerprint.text() == FINGERPRINT
    press(person, "acceptButton")
    assert person.wait(asked) is True


def test_enter_declines_an_unknown_host(person: Person) -> None:
    asked = person.ask_host_key()
    person.qtbot.keyClick(person.dialog(), Qt.Key.Key_Return)
    assert person.wait(asked) is False


def test_escape_declines(person: Person) -> None:
    asked = person.ask_host_key()
    person.qtbot.keyClick(person.dialog(), Qt.Key.Key_Escape)
    assert person.wait(asked) is False


def test_a_password_is_hidden_and_returned(person: Person) -> None:
    asked = person.ask_secret(PASSWORD)
    field = person.dialog().findChild(QLineEdit, "secretField")
    assert field is not None
    assert field.echoMode() is QLineEdit.EchoMode.Password
    person.qtbot.keyClicks(field, "hunter2")
    person.qtbot.keyClick(field, Qt.Key.Key_Return)
    assert person.wait(asked) == "hunter2"
    assert person.memory.kept == {}


def test_giving_up_returns_nothing(person: Person) -> None:
    asked = person.ask_secret(PASSWORD)
    press(person, "cancelButton")
    assert person.wait(asked) is None


def test_a_password_is_kept_only_when_asked_to(person: Person) -> None:
    asked = person.ask_secret(PASSWORD)
    field = person.dialog().findChild(QLineEdit, "secretField")
    box = person.dialog().findChild(QCheckBox, "rememberBox")
    assert field is not None
    assert box is not None
    person.qtbot.keyClicks(field, "hunter2")
    box.setChecked(True)
    press(person, "acceptButton")
    assert person.wait(asked) == "hunter2"
    assert person.wait(person.ask_secret(PASSWORD)) == "hunter2"


def test_a_kept_password_that_was_wrong_is_forgotten_and_asked_for(person: Person) -> None:
    person.memory.kept[("paperkite", "root@host:22")] = "old"
    asked = person.ask_secret(WRONG)
    texts = [label.text() for label in person.dialog().findChildren(QLabel)]
    assert Texts("en")["secret.wrong"] in texts
    press(person, "cancelButton")
    assert person.wait(asked) is None
    assert person.memory.kept == {}


def test_dismissing_declines_what_is_open(person: Person) -> None:
    asked = person.ask_host_key()
    person.dialog()
    person.prompts.dismiss()
    assert person.wait(asked) is False


def test_nobody_is_asked_once_the_app_closes(person: Person) -> None:
    person.bridge.close()
    assert person.ask_host_key().result(5) is False
    assert person.ask_secret(PASSWORD).result(5) is None
