"""A person in front of the app: looks at what is on screen, clicks and types, and waits for words.

Nothing is asked of the core. What counts is what can be read in a window that is there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QAccessible, QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QLineEdit, QMenu, QWidget
from pytestqt.qtbot import QtBot

from desktop.core.explain import Language
from desktop.core.texts import Texts
from desktop.ui.app import App
from desktop.ui.planner.model_list import ModelList
from desktop.ui.window import Window
from tests.e2e.conftest import Box
from tests.helpers.on_screen import dialogs, everything, is_there, shown_text
from tests.helpers.window import child, click

SECONDS = 60
_LOOP_SECONDS = 20


@dataclass
class User:
    """Who sits in front of an app.

    Attributes:
        app: it, of which only what is on screen is used.
        texts: in the language that it speaks now.
    """

    app: App
    qtbot: QtBot
    texts: Texts

    # -- what is seen ------------------------------------------------------------------------------

    @property
    def window(self) -> Window:
        """The one window; another one in another language."""
        return self.app.window

    def text(self, where: QWidget | None = None) -> str:
        """Return everything that can be read in a window just now."""
        return everything(where or self.window)

    def sees(self, words: str, where: QWidget | None = None) -> bool:
        """Tell whether these words can be read."""
        return words in self.text(where)

    @property
    def state(self) -> str:
        """The word for how the host in front stands, in the strip at the top."""
        return shown_text(child(self.window, "stateChip"))

    @property
    def bill(self) -> str:
        """What the strip at the top says of the bill, "" where that is nothing."""
        return shown_text(child(self.window, "billLabel"))

    @property
    def tray(self) -> str:
        """What the icon in the tray says under the mouse."""
        return self.app.tray.tooltip()

    @property
    def tray_menu(self) -> list[str]:
        """The entries of the tray's menu."""
        return [each.text() for each in self.app.tray.menu.actions() if each.text()]

    @property
    def conversation(self) -> str:
        """What is said in the conversation in front, as copying it would give it."""
        transcript = child(self.window, "transcript")
        return self.window.transcript_text if transcript.isVisible() else ""

    @property
    def figures(self) -> str:
        """What stands under the last message, as a screen reader says it."""
        transcript = QAccessible.queryAccessibleInterface(child(self.window, "transcript"))
        assert transcript is not None
        last = transcript.child(transcript.childCount() - 1)
        assert last is not None
        return last.text(QAccessible.Text.Description)

    def word(self, phase: str) -> str:
        """Return the word for a phase."""
        return self.texts[f"phase.{phase}"]

    def until(self, seen: Callable[[], bool], seconds: float = SECONDS) -> None:
        """Wait until something is seen; a failure tells what was on screen instead."""
        try:
            self.qtbot.waitUntil(seen, timeout=int(seconds * 1000))
        except BaseException as error:  # pytest-qt's own, and the test's timeout
            error.add_note(f"on screen:\n{self.text()}")
            raise

    def until_sees(self, words: str, seconds: float = SECONDS) -> None:
        """Wait until these words can be read in the window."""
        self.until(lambda: self.sees(words), seconds)

    def until_state(self, phase: str, seconds: float = SECONDS) -> None:
        """Wait until the host in front stands like this."""
        self.until(lambda: self.state == self.word(phase), seconds)

    def dialog(self, name: str, seconds: float = SECONDS) -> QDialog:
        """Return the dialog of this name once it is on screen, and has the keyboard."""
        self.until(lambda: bool(dialogs(name)), seconds)
        found = dialogs(name)[0]
        found.activateWindow()  # a window manager does it by itself, and not all tests have one
        self.until(found.isActiveWindow)
        return found

    def shows(self, dialog: str) -> bool:
        """Tell whether a dialog is on screen."""
        return bool(dialogs(dialog))

    def offer(self) -> str:
        """Return what the model in front of the planner is, and whether it fits, in words."""
        models = child(self.window, "modelList")
        assert isinstance(models, ModelList)
        assert models.isVisible()
        said: str = models.currentIndex().data(Qt.ItemDataRole.AccessibleTextRole)
        return said

    def reads(self, language: Language) -> None:
        """Wait until the app speaks another language, and go on in that."""
        self.texts = Texts(language)
        self.until(lambda: self.sees(self.texts["action.stop"]))

    # -- what is done ------------------------------------------------------------------------------

    def clicks(self, name: str, where: QWidget | None = None) -> None:
        """Click a button."""
        click(where or self.window, name)

    def types(self, name: str, text: str, where: QWidget | None = None) -> None:
        """Type into a field; what no key stands for, such as Chinese, is pasted."""
        if not text.isascii():
            self.pastes(name, text)
            return
        QTest.keyClicks(self._field(name, where), text)

    def pastes(self, name: str, text: str) -> None:
        """Paste into a field, by the keys."""
        field = self._field(name)
        QGuiApplication.clipboard().setText(text)
        QTest.keyClick(field, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
        QTest.keyClick(field, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)

    def _field(self, name: str, where: QWidget | None = None) -> QWidget:
        """Return a field, clicked."""
        field = child(where or self.window, name)
        assert field.isVisible(), name
        QTest.mouseClick(field, Qt.MouseButton.LeftButton)
        return field

    def presses(self, *keys: Qt.Key) -> None:
        """Press keys where the keyboard is."""
        if QApplication.focusWidget() is None:  # there is no window manager to give it back
            self.window.activateWindow()
            self.until(lambda: QApplication.focusWidget() is not None)
        for key in keys:
            here = QApplication.focusWidget()
            assert here is not None
            QTest.keyClick(here, key)
            QTest.qWait(0)

    def shortcut(self, keys: str) -> None:
        """Press the keys of a shortcut in the window."""
        self.window.activateWindow()
        self.until(self.window.isActiveWindow)
        QTest.keySequence(QApplication.focusWidget() or self.window, keys)

    def chooses(self, button: str, menu: str, words: str) -> None:
        """Click a button that opens a menu, then the entry that begins with these words."""
        opener = child(self.window, button)
        QTest.mouseClick(opener, Qt.MouseButton.LeftButton)
        opened = child(self.window, menu)
        assert isinstance(opened, QMenu)
        self.until(opened.isVisible)
        entry = next(each for each in opened.actions() if each.text().startswith(words))
        QTest.mouseClick(
            opened, Qt.MouseButton.LeftButton, pos=opened.actionGeometry(entry).center()
        )

    def says(self, text: str) -> None:
        """Type a message and send it with Enter; the reply begins, and may be over at once."""
        both = len(self.conversation) + len(text) + 4  # with the blank lines around it
        self.types("composer", text)
        QTest.keyClick(child(self.window, "composer"), Qt.Key.Key_Return)
        self.until(lambda: self.replying or len(self.conversation) > both)

    @property
    def replying(self) -> bool:
        """Whether a reply comes: the button beside the message stops it."""
        return child(self.window, "sendButton").accessibleName() == self.texts["composer.stop"]

    def asks(self, text: str, seconds: float = SECONDS) -> str:
        """Say something, and return what was said after it when the reply is over."""
        self.says(text)
        self.until(lambda: not self.replying, seconds)
        return self.conversation.rpartition(text + "\n")[2].strip()

    def trusts(self, box: Box) -> None:
        """Compare the fingerprint, and trust the host."""
        question = self.dialog("hostKeyDialog")
        assert box.sshd.host_fingerprint in self.text(question)
        self.clicks("acceptButton", question)

    def until_planner(self) -> None:
        """Wait until the look at the host is over, and a model can be chosen."""
        self.until(lambda: is_there(self.window, "planner"))

    def starts(self, model: str = "") -> None:
        """Choose a model by its id, or take what is proposed, and press Start."""
        if model:
            self.types("modelField", model)
        self.clicks("startButton")
        self.until(lambda: self.state not in (self.word("off"), self.word("failed")))

    def first_run(self, box: Box, model: str = "") -> None:
        """Paste the line, let the host be looked at, trust it, choose, and press Start."""
        self.pastes("hostField", box.line())
        self.clicks("checkButton")
        self.trusts(box)
        self.until_planner()
        self.starts(model or box.model)

    def shared(self) -> tuple[str, str]:
        """Read the address and the key for other programs where the app shows them."""
        self.shortcut("Ctrl+Shift+E")
        shown = self.dialog("endpointDialog")
        field = child(shown, "shared_urlField")
        assert isinstance(field, QLineEdit)
        self.until(lambda: bool(field.text()))
        self.clicks("api_keyCopyButton", shown)
        url, key = field.text(), QGuiApplication.clipboard().text()
        shown.close()
        return url, key

    def leaves_by(self, last: Callable[[], None]) -> int:
        """Let the app run in its own loop until this act ends it, and return its status."""
        QTimer.singleShot(0, last)
        rescue = QTimer(singleShot=True, interval=_LOOP_SECONDS * 1000)
        rescue.timeout.connect(lambda: QApplication.exit(-1))
        rescue.start()
        status = QApplication.exec()
        rescue.stop()
        self.app.close()
        return status
