"""The keyboard stays where one types or walks, whatever happens elsewhere."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit
from pytestqt.qtbot import QtBot

from desktop.core.errors import ConnectionLost
from desktop.core.events import PhaseChanged, Ready
from desktop.core.phases import Phase
from desktop.ui.transcript.shown import Action
from tests.helpers.chatting import (
    act,
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
