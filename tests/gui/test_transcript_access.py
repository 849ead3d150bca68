"""What screen readers are told."""

import pytest
from PySide6.QtCore import QObject, QPoint, Qt
from PySide6.QtGui import QAccessible, QAccessibleEvent, QAccessibleInterface
from pytestqt.qtbot import QtBot

from desktop.core.texts import Texts
from desktop.ui.theme import Theme
from desktop.ui.transcript import access
from desktop.ui.transcript.shown import Shown
from desktop.ui.transcript.view import Transcript
from tests.helpers.chat_screens import close

MESSAGES = [
    Shown("a", "user", "hello"),
    Shown("b", "assistant", "a **bold**\n\nword", figures="9 tokens"),
]


def told(view: QObject) -> QAccessibleInterface:
    found = QAccessible.queryAccessibleInterface(view)
    assert found is not None
    return found


def test_messages_are_items_of_a_list(view: Transcript) -> None:
    view.present(MESSAGES)
    conversation = told(view)
    assert (conversation.role(), conversation.childCount()) == (QAccessible.Role.List, 2)
    reply = conversation.child(1)
    assert reply is not None
    assert reply.role() is QAccessible.Role.ListItem
    assert reply.text(QAccessible.Text.Name) == "The model: a bold\nword"
    assert reply.text(QAccessible.Text.Description) == "9 tokens"
    assert conversation.indexOfChild(reply) == 1
    assert conversation.child(2) is None


def test_a_message_is_where_it_is_on_the_screen(view: Transcript) -> None:
    view.present([*MESSAGES, *(Shown(str(n), "assistant", "text\n\n" * 30) for n in range(3))])
    view.verticalScrollBar().setValue(0)
    conversation = told(view)
    first, last = conversation.child(0), conversation.child(4)
    assert first is not None
    assert last is not None
    middle = first.rect().center()
    assert conversation.childAt(middle.x(), middle.y()) is first
    assert conversation.childAt(*view.mapToGlobal(QPoint(-50, -50)).toTuple()) is None
    assert (first.state().offscreen, last.state().offscreen) == (0, 1)


def test_the_message_that_keys_choose_has_the_focus(qtbot: QtBot, view: Transcript) -> None:
    view.present(MESSAGES)
    qtbot.keyClick(view, Qt.Key.Key_Up, Qt.KeyboardModifier.AltModifier)
    conversation = told(view)
    chosen = conversation.focusChild()
    assert chosen is not None
    assert conversation.indexOfChild(chosen) == view.current
    assert chosen.state().focused


def test_a_message_that_is_gone_is_not_valid(view: Transcript) -> None:
    view.present(MESSAGES)
    reply = told(view).child(1)
    assert reply is not None
    view.present(MESSAGES[:1])
    assert not reply.isValid()
    assert reply.text(QAccessible.Text.Name) == ""


def test_the_end_of_a_reply_is_announced(view: Transcript, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(access, "announce", lambda _, text: said.append(text))
    view.present([Shown("a", "assistant", streaming=True)])
    view.append("a", "yes")
    assert said == []
    view.change(Shown("a", "assistant", "yes"))
    view.change(Shown("a", "assistant", "yes", figures="1 token"))
    assert said == ["Reply finished"]


def test_views_come_and_go_under_a_screen_reader(qtbot: QtBot) -> None:
    QAccessible.setActive(True)
    for _ in range(5):
        view = Transcript(Theme("light"), Texts("en"))
        view.show()
        view.present([MESSAGES[0], Shown("b", "assistant", streaming=True)])
        event = QAccessibleEvent(view, QAccessible.Event.Focus)
        event.setChild(1)
        assert event.accessibleInterface().role() is QAccessible.Role.ListItem
        view.step(-1)
        view.change(MESSAGES[1])
        close(view)
    QAccessible.setActive(False)
