from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace

import pytest
from keyring.backends.fail import Keyring as FailKeyring
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QCheckBox, QDialog, QLabel, QLineEdit, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from desktop.core.ssh.prompts import (
    ChallengePrompt,
    ChallengeQuestion,
    HostKeyQuestion,
    SecretQuestion,
)
from desktop.core.texts import Texts
from desktop.system.keyring import Keyring
from desktop.ui.bridge import Bridge
from desktop.ui.dialogs import HostKeyDialog
from desktop.ui.prompts import WindowPrompts
from tests.helpers.memory_keyring import MemoryKeyring
from tests.helpers.screens import FINGERPRINT, Stage

HOST_KEY = HostKeyQuestion("host", 22, "ssh-ed25519", FINGERPRINT)
PASSWORD = SecretQuestion("password", "root", "host", 22)
WRONG = SecretQuestion("password", "root", "host", 22, wrong=True)
CODE = ChallengeQuestion(
    *("root", "host", 22, "Bastion", "<b>Two</b>\nlines"),
    (ChallengePrompt("User:", echo=True), ChallengePrompt("<i>Token</i>:", echo=False)),
)


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

    def ask_challenge(self, question: ChallengeQuestion = CODE) -> Future[list[str] | None]:
        return self.threads.submit(self.prompts.challenge, question)

    def texts(self) -> list[str]:
        return [label.text() for label in self.dialog().findChildren(QLabel)]

    def dialog(self) -> QDialog:
        def visible() -> list[QDialog]:
            return [d for d in self.stage.window.findChildren(QDialog) if d.isVisible()]

        self.qtbot.waitUntil(lambda: bool(visible()))
        return visible()[0]

    def wait(self, asked: Future[bool] | Future[str | None] | Future[list[str] | None]) -> object:
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


def type_password(person: Person, password: str) -> None:
    field = person.dialog().findChild(QLineEdit, "secretField")
    assert field is not None
    person.qtbot.keyClicks(field, password)
    person.qtbot.keyClick(field, Qt.Key.Key_Return)


def test_a_password_is_asked_for_once_until_it_is_refused(person: Person) -> None:
    asked = person.ask_secret(PASSWORD)
    type_password(person, "hunter2")
    assert person.wait(asked) == "hunter2"
    assert person.wait(person.ask_secret(PASSWORD)) == "hunter2", "the look, and then the start"
    assert person.memory.kept == {}

    asked = person.ask_secret(WRONG)
    assert "That was not accepted. Please try again." in person.texts()
    type_password(person, "hunter3")
    assert person.wait(asked) == "hunter3"
    assert person.wait(person.ask_secret(PASSWORD)) == "hunter3"


def test_that_a_pasted_password_was_refused_is_said(person: Person) -> None:
    asked = person.ask_secret(replace(PASSWORD, paste_refused=True))
    assert any("pasted with the line was not accepted" in text for text in person.texts())
    press(person, "cancelButton")
    assert person.wait(asked) is None


def test_a_kept_password_that_was_wrong_is_forgotten_and_asked_for(person: Person) -> None:
    person.memory.kept[("paperkite", "root@host:22")] = "old"
    asked = person.ask_secret(WRONG)
    texts = [label.text() for label in person.dialog().findChildren(QLabel)]
    assert Texts("en")["secret.wrong"] in texts
    press(person, "cancelButton")
    assert person.wait(asked) is None
    assert person.memory.kept == {}


def test_the_hosts_words_are_shown_as_they_are(person: Person) -> None:
    asked = person.ask_challenge()
    assert {"Bastion", "<b>Two</b>\nlines", "User:", "<i>Token</i>:"} <= set(person.texts())
    formats = {label.textFormat() for label in person.dialog().findChildren(QLabel)}
    assert formats == {Qt.TextFormat.PlainText}
    user, token = person.dialog().findChildren(QLineEdit)
    assert user.echoMode() is QLineEdit.EchoMode.Normal
    assert token.echoMode() is QLineEdit.EchoMode.Password
    press(person, "cancelButton")
    assert person.wait(asked) is None


def test_a_code_is_typed_tabbed_and_sent_with_the_keyboard_and_kept_nowhere(
    person: Person,
) -> None:
    asked = person.ask_challenge()
    user, token = person.dialog().findChildren(QLineEdit)
    person.qtbot.waitUntil(user.hasFocus)
    person.qtbot.keyClicks(user, "me")
    person.qtbot.keyClick(user, Qt.Key.Key_Tab)
    assert token.hasFocus()
    person.qtbot.keyClicks(token, "123456")
    person.qtbot.keyClick(token, Qt.Key.Key_Return)
    assert person.wait(asked) == ["me", "123456"]
    assert person.memory.kept == {}


def test_nothing_is_an_answer_too(person: Person) -> None:
    asked = person.ask_challenge(replace(CODE, prompts=CODE.prompts[:1]))
    press(person, "acceptButton")
    assert person.wait(asked) == [""]


def test_escape_declines_a_code(person: Person) -> None:
    asked = person.ask_challenge()
    person.qtbot.keyClick(person.dialog(), Qt.Key.Key_Escape)
    assert person.wait(asked) is None


def test_a_refused_code_is_told(person: Person) -> None:
    asked = person.ask_challenge(replace(CODE, wrong=True))
    assert Texts("en")["challenge.wrong"] in person.texts()
    person.prompts.dismiss()
    assert person.wait(asked) is None


def test_words_without_end_leave_the_buttons_on_the_screen(person: Person) -> None:
    prompt = ChallengePrompt("A" * 600, echo=True)
    asked = person.ask_challenge(
        replace(CODE, instruction="line\n" * 12, name="B" * 600, prompts=(prompt,) * 8)
    )
    size = person.dialog().sizeHint()
    assert size.width() < 700
    assert size.height() < 700
    press(person, "cancelButton")
    assert person.wait(asked) is None


def test_where_there_is_no_keyring_it_is_said_and_nothing_is_offered(person: Person) -> None:
    person.prompts = WindowPrompts(
        person.bridge, lambda: person.stage.window, Texts("en"), Keyring(FailKeyring())
    )
    asked = person.ask_secret(PASSWORD)
    assert Texts("en")["secret.no-keyring"] in person.texts()
    box = person.dialog().findChild(QCheckBox, "rememberBox")
    assert box is not None
    assert not box.isVisible()
    field = person.dialog().findChild(QLineEdit, "secretField")
    assert field is not None
    person.qtbot.keyClicks(field, "hunter2")
    person.qtbot.keyClick(field, Qt.Key.Key_Return)
    assert person.wait(asked) == "hunter2"
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
    assert person.ask_challenge().result(5) is None


def test_enter_presses_the_button_that_has_the_keyboard_and_not_the_default_one(
    qtbot: QtBot,
) -> None:
    parent = QWidget()
    qtbot.addWidget(parent)
    dialog = HostKeyDialog(parent, Texts("en"), HOST_KEY)
    dialog.open()
    assert dialog.cancel.isDefault()
    dialog.confirm.setFocus()
    QTest.keyClick(dialog.confirm, Qt.Key.Key_Return)
    assert dialog.result() == QDialog.DialogCode.Accepted
