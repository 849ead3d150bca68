"""The keyboard stays where one types or walks, whatever happens elsewhere."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import (
    QContextMenuEvent,
    QInputMethodEvent,
    QInputMethodQueryEvent,
    QKeyEvent,
)
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QMenu, QWidget
from pytestqt.qtbot import QtBot

from desktop.core.errors import ConnectionLost
from desktop.core.events import PhaseChanged, Ready
from desktop.core.phases import Phase
from desktop.ui.transcript.shown import Action
from tests.helpers.chatting import (
    act,
    click_row,
    exchange,
    messages,
    press,
    reply,
    rows,
    titles,
)
from tests.helpers.screens import ENDPOINT, Stage
from tests.helpers.window import child, click


def type_in(play: Stage, text: str) -> None:
    QTest.keyClicks(child(play.window, "composer"), text)


def search(qtbot: QtBot, play: Stage, text: str) -> None:
    field = child(play.window, "searchField")
    assert isinstance(field, QLineEdit)
    field.setText(text)
    qtbot.waitUntil(lambda: play.window._shelf._sought == text, timeout=2_000)


def test_a_host_that_comes_back_leaves_the_keyboard_where_one_types(play: Stage) -> None:
    exchange(play, "question", "answer")
    field = child(play.window, "searchField")
    field.setFocus()
    QTest.keyClicks(field, "ans")
    lost = ConnectionLost("connection-lost")
    play.play([(0.0, PhaseChanged(Phase.RECONNECTING, lost))])
    play.play([(0.0, PhaseChanged(Phase.READY)), (0.0, Ready(ENDPOINT))])
    assert play.window.focusWidget() is field


def test_a_click_on_send_leaves_the_keyboard_in_the_field(play: Stage) -> None:
    editor = child(play.window, "composer")
    editor.setFocus()
    type_in(play, "question")
    click(play.window, "sendButton")
    assert play.talk.replies.said == ["question"]
    assert play.window.focusWidget() is editor


def test_a_click_on_undo_leaves_the_keyboard_where_it_was(play: Stage) -> None:
    exchange(play, "question", "answer")
    act(play, 1, Action.DELETE)
    editor = child(play.window, "composer")
    editor.setFocus()
    click(play.window, "undoButton")
    assert play.window.focusWidget() is editor


def test_a_reply_elsewhere_leaves_the_row_to_which_the_keyboard_walked(play: Stage) -> None:
    exchange(play, "older", "answer")
    press(play.window, "Ctrl+N")
    play.say("newer")
    play.window._sidebar.list.setFocus()
    QTest.keyClick(child(play.window, "chatList"), Qt.Key.Key_Down)
    reply(play, 2, "the list is shown anew")
    QTest.keyClick(child(play.window, "chatList"), Qt.Key.Key_Delete)
    assert titles(play) == ["newer"]


def test_one_walks_on_from_the_hit_that_was_opened(qtbot: QtBot, play: Stage) -> None:
    exchange(play, "kite one", "kite two")
    exchange(play, "kite three", "kite four")
    search(qtbot, play, "kite")
    last = len(rows(play)) - 1
    play.window._sidebar.list.setFocus()
    play.window._sidebar.list.setCurrentIndex(play.window._sidebar.rows.index(last))
    QTest.keyClick(child(play.window, "chatList"), Qt.Key.Key_Return)
    assert play.window._sidebar.list.currentIndex().row() == last


def test_opening_another_conversation_from_the_list_leaves_the_keyboard_there(play: Stage) -> None:
    exchange(play, "older", "answer")
    press(play.window, "Ctrl+N")
    exchange(play, "newer", "answer")
    press(play.window, "Ctrl+F")
    found = child(play.window, "chatList")
    found.setFocus()
    QTest.keyClick(found, Qt.Key.Key_Down)
    QTest.keyClick(found, Qt.Key.Key_Return)
    assert messages(play)[0] == "older"
    assert play.window.focusWidget() is found


def test_from_a_list_that_hides_the_keyboard_goes_to_the_composer(play: Stage) -> None:
    exchange(play, "question", "answer")
    child(play.window, "searchField").setFocus()
    press(play.window, "Ctrl+B")
    assert not child(play.window, "sidebar").isVisible()
    assert play.window.focusWidget() is child(play.window, "composer")


# -- the row that is marked ----------------------------------------------------------------------


def ask_menu(play: Stage, text: str) -> QMenu:
    """Click a conversation with the right button, as the system does it."""
    found = play.window._sidebar.list
    row = next(row for row in rows(play) if row.text == text)
    inside = found.visualRect(play.window._sidebar.rows.find(row.conversation)).center()
    there, button = found.viewport(), Qt.MouseButton.RightButton
    QTest.mousePress(there, button, pos=inside)
    asking = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, inside, there.mapToGlobal(inside))
    QApplication.sendEvent(there, asking)
    QTest.mouseRelease(there, button, pos=inside)
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    return menu


def marked(play: Stage) -> str:
    (index,) = play.window._sidebar.list.selectedIndexes()
    assert index == play.window._sidebar.list.currentIndex()
    return str(index.data())


def two_talks(play: Stage) -> None:
    exchange(play, "older", "answer")
    press(play.window, "Ctrl+N")
    exchange(play, "newer", "answer")


def test_a_menu_that_is_left_leaves_the_mark_on_the_open_conversation(play: Stage) -> None:
    two_talks(play)
    menu = ask_menu(play, "older")
    assert marked(play) == "older"
    QTest.keyClick(menu, Qt.Key.Key_Escape)
    assert marked(play) == "newer"


def test_renaming_another_conversation_works_and_leaves_the_mark(qtbot: QtBot, play: Stage) -> None:
    two_talks(play)
    menu = ask_menu(play, "older")
    renaming = next(each for each in menu.actions() if each.text() == "Rename")
    QTest.mouseClick(menu, Qt.MouseButton.LeftButton, pos=menu.actionGeometry(renaming).center())
    field = child(play.window, "renameField")
    QTest.keyClicks(field, "oldest")
    QTest.keyClick(field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: titles(play) == ["newer", "oldest"], timeout=2_000)
    play.window.activateWindow()
    QTest.qWait(0)
    child(play.window, "composer").setFocus()
    assert marked(play) == "newer"


def test_a_list_that_keys_have_left_marks_the_open_conversation(play: Stage) -> None:
    two_talks(play)
    found = child(play.window, "chatList")
    found.setFocus()
    QTest.keyClick(found, Qt.Key.Key_Down)
    assert marked(play) == "older"
    QTest.mouseClick(child(play.window, "composer"), Qt.MouseButton.LeftButton)
    assert play.window.focusWidget() is child(play.window, "composer")
    assert marked(play) == "newer"


# -- what is typed elsewhere ---------------------------------------------------------------------


def type_anywhere(play: Stage, text: str) -> None:
    """Type wherever the keyboard is."""
    for letter in text:
        held = play.window.focusWidget()
        assert held is not None
        QTest.keyClicks(held, letter)


def test_after_a_click_in_the_list_one_types_at_once(play: Stage) -> None:
    two_talks(play)
    click_row(play, "older")
    type_anywhere(play, "new ideas")
    assert play.window.desk.composer.text == "new ideas"
    assert play.window.focusWidget() is child(play.window, "composer")
    assert messages(play)[0] == "older"


def test_after_finding_one_types_at_once(play: Stage) -> None:
    exchange(play, "question", "answer")
    press(play.window, "Ctrl+F")
    held = play.window.focusWidget()
    assert isinstance(held, QLineEdit)
    QTest.keyClick(held, Qt.Key.Key_Escape)
    assert play.window.focusWidget() is play.window.desk.transcript
    written = QKeyEvent(QEvent.Type.KeyPress, 0, Qt.KeyboardModifier.NoModifier, "为")
    QApplication.sendEvent(play.window.desk.transcript, written)
    type_anywhere(play, " so?")
    assert play.window.desk.composer.text == "为 so?"


@pytest.mark.parametrize("name", ["chatList", "transcript"])
def test_what_an_input_method_composes_goes_into_the_message(play: Stage, name: str) -> None:
    exchange(play, "question", "answer")
    held, editor = child(play.window, name), play.window.desk.composer.editor
    held.setFocus()
    QApplication.sendEvent(held, QInputMethodEvent("zhi yuan", []))
    assert editor.textCursor().block().layout().preeditAreaText() == "zhi yuan"
    assert play.window.focusWidget() is held  # another would end the composition
    asked = QInputMethodQueryEvent(Qt.InputMethodQuery.ImCursorRectangle)
    QApplication.sendEvent(held, asked)
    place = asked.value(Qt.InputMethodQuery.ImCursorRectangle).center().toPoint()
    assert editor.rect().contains(editor.mapFromGlobal(held.mapToGlobal(place)))
    commit = QInputMethodEvent()
    commit.setCommitString("纸鸢")
    QApplication.sendEvent(held, commit)
    assert play.window.desk.composer.text == "纸鸢"
    assert play.window.focusWidget() is editor
    assert not editor.textCursor().block().layout().preeditAreaText()


def keep_their_meaning(play: Stage, held: QWidget) -> None:
    held.setFocus()
    keys = Qt.Key
    for key in (keys.Key_Space, keys.Key_Down, keys.Key_Home, keys.Key_F5, keys.Key_Backspace):
        QTest.keyClick(held, key)
    for modifier in (Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.AltModifier):
        QTest.keyClick(held, Qt.Key.Key_J, modifier)
    assert play.window.desk.composer.text == ""
    assert play.window.focusWidget() is held


def test_keys_that_write_nothing_keep_their_meaning(play: Stage) -> None:
    two_talks(play)
    keep_their_meaning(play, child(play.window, "chatList"))
    keep_their_meaning(play, play.window.desk.transcript)
    found = child(play.window, "chatList")
    found.setFocus()
    QTest.keyClick(found, Qt.Key.Key_Home)
    QTest.keyClick(found, Qt.Key.Key_Down)
    QTest.keyClick(found, Qt.Key.Key_Return)
    assert messages(play)[0] == "older"


def test_nothing_is_typed_into_a_message_that_waits(play: Stage) -> None:
    exchange(play, "question", "answer")
    play.window.desk.composer.editor.setReadOnly(True)
    child(play.window, "chatList").setFocus()
    type_anywhere(play, "x")
    play.window.desk.transcript.setFocus()
    type_anywhere(play, "y")
    child(play.window, "composer").setFocus()
    type_anywhere(play, "z")
    assert play.window.desk.composer.text == ""
