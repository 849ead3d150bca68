"""Acts of a person in the conversation of a window that was set as a stage."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QPushButton, QToolButton, QWidget

from desktop.core.errors import StorageError
from desktop.core.events import Delta, ReplyDone, ReplyStarted, Usage
from desktop.ui.chats.listing import Row
from desktop.ui.chats.row_list import RowList
from desktop.ui.transcript.shown import Action
from tests.helpers.screens import Stage
from tests.helpers.window import child


def reply(play: Stage, number: int, text: str, finish: str = "stop") -> None:
    """Let a whole reply come."""
    play.play([(0.0, ReplyStarted(number)), (0.1, Delta(number, text))])
    play.play([(0.1, ReplyDone(number, finish, Usage(21, 26), 0.31, 41.7))])


def exchange(play: Stage, question: str, answer: str, finish: str = "stop") -> None:
    """Ask, and let the reply come."""
    play.say(question)
    reply(play, max(play.talk.replies.asked), answer, finish)


def act(play: Stage, nth: int, action: Action) -> None:
    """Choose an action on the nth message, as its button would."""
    shown = play.window.desk.transcript.flow.sections[nth].shown
    assert action in shown.actions, (action, shown)
    play.window.desk.transcript._act(shown.id, action)


def messages(play: Stage) -> list[str]:
    """Return what is on screen, message by message."""
    return [each.text for each in play.window.desk.transcript.flow.sections]


def figures(play: Stage, nth: int = -1) -> str:
    return play.window.desk.transcript.flow.sections[nth].shown.figures


def rows(play: Stage) -> list[Row]:
    return list(play.window._sidebar.rows.rows)


def titles(play: Stage) -> list[str]:
    return [row.text for row in rows(play) if not row.is_heading]


def click_row(play: Stage, text: str) -> None:
    """Click a conversation in the list."""
    found = child(play.window, "chatList")
    assert isinstance(found, RowList)
    number = next(at for at, row in enumerate(rows(play)) if row.text.startswith(text))
    where = found.visualRect(play.window._sidebar.rows.index(number)).center()
    QTest.mouseClick(found.viewport(), Qt.MouseButton.LeftButton, pos=where)


def tool(play: Stage, name: str) -> QToolButton:
    found = child(play.window, name)
    assert isinstance(found, QToolButton)
    return found


def press(widget: QWidget, keys: str) -> None:
    """Press keys wherever the keyboard is in a window; a shortcut needs the active one."""
    widget.window().activateWindow()
    QTest.qWait(0)
    assert widget.window().isActiveWindow()
    QTest.keySequence(widget, keys)


def shown_texts(play: Stage) -> str:
    labels = play.window.findChildren(QLabel)
    return "\n".join(label.text() for label in labels if label.isVisible())


def send_button(play: Stage) -> QPushButton:
    found = child(play.window, "sendButton")
    assert isinstance(found, QPushButton)
    return found


def refuse(monkeypatch: pytest.MonkeyPatch, play: Stage, *deeds: str) -> None:
    """Let the disk refuse these deeds of the store."""

    def full(*_: object, **__: object) -> None:
        raise StorageError("storage-not-writable", path="chats", reason="No space left on device")

    for deed in deeds:
        monkeypatch.setattr(play.talk.store, deed, full)


def type_in(play: Stage, text: str) -> None:
    """Type at the cursor of the composer."""
    QTest.keyClicks(child(play.window, "composer"), text)


def delete(play: Stage, title: str) -> None:
    """Delete a conversation of the list."""
    row = next(row for row in rows(play) if row.text == title)
    play.window._sidebar.wished.emit("delete", row.conversation)
