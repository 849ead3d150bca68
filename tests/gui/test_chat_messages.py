"""What a person does to a message: again, otherwise, on, away, and back."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QContextMenuEvent, QGuiApplication, QTextLine
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFrame, QMenu

from desktop.core.errors import ConnectionLost
from desktop.core.events import Delta, PhaseChanged, ReplyDone, ReplyStarted
from desktop.core.explain import Language
from desktop.core.phases import Phase
from desktop.ui.transcript.shown import Action
from tests.helpers.chatting import act, exchange, messages, press, reply, shown_texts
from tests.helpers.screens import Stage, ready
from tests.helpers.window import child, click


@pytest.fixture
def play(play: Stage) -> Stage:
    exchange(play, "question", "answer")
    return play


def branch(play: Stage, nth: int) -> tuple[int, int]:
    return play.window.desk.transcript.flow.sections[nth].shown.branch


def can(play: Stage, nth: int) -> frozenset[Action]:
    return play.window.desk.transcript.flow.sections[nth].shown.actions


def test_another_reply_stands_beside_the_first_one(play: Stage) -> None:
    act(play, 1, Action.REGENERATE)
    reply(play, 2, "another answer")
    assert messages(play) == ["question", "another answer"]
    assert branch(play, 1) == (2, 2)
    act(play, 1, Action.PREVIOUS)
    assert messages(play) == ["question", "answer"]
    assert Action.PREVIOUS not in can(play, 1)
    act(play, 1, Action.NEXT)
    assert messages(play) == ["question", "another answer"]


def test_what_was_said_is_worded_anew_on_a_branch_of_its_own(play: Stage) -> None:
    exchange(play, "more", "more of it")
    QTest.keyClicks(child(play.window, "composer"), "a draft")
    act(play, 0, Action.EDIT)
    assert "Editing a message" in shown_texts(play)
    editor = play.window.desk.composer.editor
    assert editor.toPlainText() == "question"
    editor.setPlainText("other question")
    QTest.keyClick(editor, Qt.Key.Key_Return)
    reply(play, 3, "other answer")
    assert messages(play) == ["other question", "other answer"]
    assert play.window.desk.composer.text == "a draft"
    act(play, 0, Action.PREVIOUS)
    assert messages(play) == ["question", "answer", "more", "more of it"]


def test_escape_leaves_editing_and_gives_the_draft_back(play: Stage) -> None:
    QTest.keyClicks(child(play.window, "composer"), "a draft")
    act(play, 0, Action.EDIT)
    QTest.keyClick(child(play.window, "composer"), Qt.Key.Key_Escape)
    assert play.window.desk.composer.text == "a draft"
    assert "Editing a message" not in shown_texts(play)
    assert play.talk.replies.said == ["question"]


def test_a_reply_that_hit_its_length_is_continued_in_place(play: Stage) -> None:
    exchange(play, "count", "one, two", "length")
    act(play, 3, Action.CONTINUE)
    assert play.talk.replies.asked[3].continued
    reply(play, 3, ", three")
    assert messages(play)[3] == "one, two, three"
    assert branch(play, 3) == (1, 1)


def test_a_whole_reply_cannot_be_continued(play: Stage) -> None:
    assert Action.CONTINUE not in can(play, 1)


def test_a_deleted_message_comes_back_with_all_that_hung_on_it(play: Stage) -> None:
    exchange(play, "more", "more of it")
    act(play, 1, Action.DELETE)
    assert messages(play) == ["question"]
    assert child(play.window, "toast").isVisible()
    click(play.window, "undoButton")
    assert messages(play) == ["question", "answer", "more", "more of it"]
    assert not child(play.window, "toast").isVisible()


def test_ctrl_z_takes_a_deletion_back(play: Stage) -> None:
    act(play, 0, Action.DELETE)
    assert messages(play) == []
    play.window.desk.transcript.setFocus()
    press(play.window, "Ctrl+Z")
    assert messages(play) == ["question", "answer"]


def test_ctrl_z_takes_it_back_from_an_empty_composer_too(play: Stage) -> None:
    act(play, 0, Action.DELETE)
    QTest.keyClick(
        child(play.window, "composer"), Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier
    )
    assert messages(play) == ["question", "answer"]


def test_ctrl_z_takes_back_what_was_typed_first(play: Stage) -> None:
    act(play, 0, Action.DELETE)
    QTest.keyClicks(child(play.window, "composer"), "typo")
    QTest.keyClick(
        child(play.window, "composer"), Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier
    )
    assert play.window.desk.composer.text == ""
    assert messages(play) == []


def test_a_deletion_that_nobody_took_back_stays(play: Stage) -> None:
    act(play, 1, Action.DELETE)
    toast = child(play.window, "toast")
    assert isinstance(toast, QFrame)
    play.window.desk.toast.done()
    press(play.window, "Ctrl+Z")
    assert messages(play) == ["question"]
    assert [each.content for each in play.talk.store.messages(play.window.desk.current)] == [
        "question"
    ]


def test_a_quote_begins_an_answer(play: Stage) -> None:
    act(play, 1, Action.QUOTE)
    assert play.window.desk.composer.editor.toPlainText() == "> answer\n\n"
    assert play.window.focusWidget() is play.window.desk.composer.editor


def drag(play: Stage, nth: int, start: int, end: int) -> None:
    """Drag with the mouse over some characters of a message's first line."""
    view = play.window.desk.transcript
    view._settle()
    seen = next(each for each in view._seen() if each.section == nth)
    block = seen.block
    line = block.built().firstBlock().layout().lineAt(0)
    width = view.width_of(block)
    left = view.column()[0] + block.inset + block._corner(width).x()
    y = seen.top - view.verticalScrollBar().value() + 8
    points = [QPointF(left + cursor_x(line, at), y).toPoint() for at in (start, end)]
    QTest.mousePress(view.viewport(), Qt.MouseButton.LeftButton, pos=points[0])
    QTest.mouseMove(view.viewport(), points[1])
    QTest.mouseRelease(view.viewport(), Qt.MouseButton.LeftButton, pos=points[1])


def cursor_x(line: QTextLine, at: int) -> float:
    x = line.cursorToX(at)
    return float(x[0] if isinstance(x, tuple) else cast("float", x))


def press_quote(play: Stage, nth: int) -> None:
    """Press the button under a message."""
    view = play.window.desk.transcript
    view.hover(nth)
    click(view, "message-quote")


def test_a_quote_takes_what_is_selected(play: Stage) -> None:
    exchange(play, "more", "First sentence. Second one. Third.")
    drag(play, 3, 16, 27)
    press_quote(play, 3)
    assert play.window.desk.composer.editor.toPlainText() == "> Second one.\n\n"


def test_a_quote_of_another_message_takes_all_of_it(play: Stage) -> None:
    exchange(play, "more", "First sentence. Second one. Third.")
    drag(play, 3, 16, 27)
    press_quote(play, 1)
    assert play.window.desk.composer.editor.toPlainText() == "> answer\n\n"


def test_a_message_that_keys_chose_is_quoted_whole(play: Stage) -> None:
    exchange(play, "more", "First **sentence**.\n\nSecond one.")
    play.window.desk.transcript.setFocus()
    QTest.keyClick(play.window.desk.transcript, Qt.Key.Key_Up, Qt.KeyboardModifier.AltModifier)
    act(play, 3, Action.QUOTE)
    quoted = "> First **sentence**.\n>\n> Second one.\n\n"
    assert play.window.desk.composer.editor.toPlainText() == quoted


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_menu_names_every_entry_apart(stage: Callable[..., Stage], language: Language) -> None:
    play = stage(language=language)
    play.play(ready())
    exchange(play, "question", "First sentence. Second one.")
    drag(play, 1, 0, 5)
    view = play.window.desk.transcript
    seen = next(each for each in view._seen() if each.section == 1)
    at = QPoint(round(view.column()[0]) + 20, round(seen.top) + 8)
    QApplication.sendEvent(
        view.viewport(),
        QContextMenuEvent(QContextMenuEvent.Reason.Mouse, at, view.viewport().mapToGlobal(at)),
    )
    menu = view.findChild(QMenu)
    assert menu is not None
    names = [each.text() for each in menu.actions() if each.text()]
    menu.close()
    assert len(names) > 4
    assert len(set(names)) == len(names)


def test_copying_takes_the_markdown(play: Stage) -> None:
    act(play, 1, Action.COPY)
    assert QGuiApplication.clipboard().text() == "answer"
    QGuiApplication.clipboard().clear()


def test_while_a_reply_comes_the_path_it_grows_on_stays(play: Stage) -> None:
    play.say("more")
    play.play([(0.0, ReplyStarted(2)), (0.0, Delta(2, "mo"))])
    assert can(play, 0) == {Action.COPY, Action.QUOTE}
    assert can(play, 3) == frozenset()
    play.play([(0.0, ReplyDone(2, "stop", None, None, None))])
    assert Action.DELETE in can(play, 0)


def test_without_a_model_nothing_is_offered_that_needs_one(play: Stage) -> None:
    lost = ConnectionLost("connection-lost")
    play.play([(0.0, PhaseChanged(Phase.RECONNECTING, lost))])
    assert can(play, 1) == {Action.COPY, Action.QUOTE, Action.DELETE}
    play.play(ready())
    assert Action.REGENERATE in can(play, 1)
