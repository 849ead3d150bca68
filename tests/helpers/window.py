"""A window driven as a person drives it: find what is on screen, click it, type into it."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QWidget
from pytestqt.qtbot import QtBot

from desktop.core.texts import Texts
from desktop.ui.window import Window

SEND, STOP = Texts("en")["composer.send"], Texts("en")["composer.stop"]


def child(window: QWidget, name: str) -> QWidget:
    """Return the widget of this name that is on screen, or else any."""
    found = window.findChildren(QWidget, name)
    assert found, name
    return next((each for each in found if each.isVisible()), found[0])


def click(window: QWidget, name: str) -> None:
    button = child(window, name)
    assert isinstance(button, QAbstractButton)
    assert button.isVisible()
    assert button.isEnabled()
    QTest.qWait(0)  # a layout that changed just now makes room in the next turn
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def ask(qtbot: QtBot, window: Window, text: str, *, milliseconds: int = 60_000) -> str:
    """Type a question, send it with Enter, and return the conversation when the reply is over."""
    button, editor = child(window, "sendButton"), child(window, "composer")
    QTest.keyClicks(editor, text)
    QTest.keyClick(editor, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: button.accessibleName() == STOP, timeout=milliseconds)
    qtbot.waitUntil(lambda: button.accessibleName() == SEND, timeout=milliseconds)
    return window.transcript_text
