"""What a person does to a message: again, otherwise, on, away, and back."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFrame

from desktop.core.errors import ConnectionLost
from desktop.core.events import Delta, PhaseChanged, ReplyDone, ReplyStarted
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
