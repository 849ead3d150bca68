"""A message that is edited: what is typed for it is never lost, and goes nowhere else."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from desktop.ui.transcript.shown import Action
from tests.helpers.chatting import (
    act,
    click_row,
    exchange,
    messages,
    press,
    refuse,
    reply,
    type_in,
)
from tests.helpers.screens import Stage
from tests.helpers.window import child


def test_a_new_wording_is_there_again_when_its_conversation_is_opened(play: Stage) -> None:
    exchange(play, "question", "answer")
    act(play, 0, Action.EDIT)
    type_in(play, " worded anew")
    press(play.window, "Ctrl+N")
    assert play.window.desk.composer.text == ""
    assert not play.window.desk.composer.editing
    click_row(play, "question")
    assert play.window.desk.composer.text == "question worded anew"
    QTest.keyClick(child(play.window, "composer"), Qt.Key.Key_Return)
    reply(play, 2, "other answer")
    assert messages(play) == ["question worded anew", "other answer"]


def test_an_edit_of_which_nothing_was_typed_is_over_when_one_goes_elsewhere(play: Stage) -> None:
    exchange(play, "question", "answer")
    type_in(play, "a draft")
    act(play, 0, Action.EDIT)
    press(play.window, "Ctrl+N")
    click_row(play, "question")
    assert play.window.desk.composer.text == "a draft"


def test_a_new_wording_that_the_disk_refuses_is_edited_on(
    play: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    exchange(play, "question", "answer")
    act(play, 0, Action.EDIT)
    type_in(play, " worded anew")
    editor = child(play.window, "composer")
    refuse(monkeypatch, play, "take")
    QTest.keyClick(editor, Qt.Key.Key_Return)
    assert play.window.desk.composer.text == "question worded anew"
    monkeypatch.undo()
    QTest.keyClick(editor, Qt.Key.Key_Return)
    reply(play, 2, "other answer")
    assert messages(play) == ["question worded anew", "other answer"]


def test_a_message_that_is_deleted_is_edited_no_more(play: Stage) -> None:
    exchange(play, "question", "answer")
    exchange(play, "more", "more of it")
    type_in(play, "a draft")
    act(play, 2, Action.EDIT)
    act(play, 1, Action.DELETE)
    assert play.window.desk.composer.text == "a draft"
    assert not play.window.desk.composer.editing


def test_a_new_wording_that_escape_left_can_be_taken_up_again(play: Stage) -> None:
    exchange(play, "question", "answer")
    type_in(play, "a draft")
    act(play, 0, Action.EDIT)
    type_in(play, " worded anew")
    QTest.keyClick(child(play.window, "composer"), Qt.Key.Key_Escape)
    assert play.window.desk.composer.text == "a draft"
    press(play.window, "Ctrl+N")
    play.window.desk.toast.undo()
    assert play.window.desk.composer.text == "question worded anew"
    assert play.window.desk.composer.editing


def test_an_edit_of_another_message_can_be_taken_back(play: Stage) -> None:
    exchange(play, "question", "answer")
    exchange(play, "more", "more of it")
    act(play, 0, Action.EDIT)
    type_in(play, " worded anew")
    act(play, 2, Action.EDIT)
    assert play.window.desk.composer.text == "more"
    play.window.desk.toast.undo()
    assert play.window.desk.composer.text == "question worded anew"


def test_editing_a_message_that_is_edited_already_loses_nothing(play: Stage) -> None:
    exchange(play, "question", "answer")
    act(play, 0, Action.EDIT)
    type_in(play, " worded anew")
    act(play, 0, Action.EDIT)
    assert play.window.desk.composer.text == "question worded anew"


def test_a_deleted_message_comes_back_with_its_new_wording(play: Stage) -> None:
    exchange(play, "question", "answer")
    exchange(play, "more", "more of it")
    act(play, 2, Action.EDIT)
    type_in(play, " worded anew")
    act(play, 2, Action.DELETE)
    assert play.window.desk.composer.text == ""
    play.window.desk.toast.undo()
    assert messages(play)[2:] == ["more", "more of it"]
    assert play.window.desk.composer.text == "more worded anew"
