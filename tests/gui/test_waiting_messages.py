"""What is sent before its host is ready, or while a reply goes on: said in time, or a draft."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from desktop.core.errors import ConnectionLost, ReplyFailed, StorageError
from desktop.core.events import Delta, PhaseChanged, Ready, ReplyBroken, ReplyStarted
from desktop.core.phases import Phase
from desktop.ui.transcript.shown import Action
from tests.helpers.chatting import (
    click_row,
    delete,
    exchange,
    messages,
    press,
    refuse,
    reply,
    type_in,
)
from tests.helpers.screens import ENDPOINT, Stage, preparing, ready
from tests.helpers.window import child

Make = Callable[..., Stage]


def test_what_waits_in_a_deleted_conversation_is_not_sent_and_the_rest_is(stage: Make) -> None:
    play = stage()
    play.play(preparing())
    play.say("first")
    press(play.window, "Ctrl+N")
    play.say("second")
    delete(play, "first")
    play.play(ready())
    assert play.talk.replies.said == ["second"]


def test_what_one_message_meets_keeps_no_other_in_the_composer(
    stage: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    play = stage()
    play.play(preparing())
    play.say("first")
    first = play.window.desk.current
    press(play.window, "Ctrl+N")
    play.say("second")
    click_row(play, "first")
    send = play.talk.chats.kept.send

    def refuse_the_second(conversation: str, *more: object) -> int:
        if conversation != first:
            raise StorageError("storage-not-writable", path="chats", reason="full")
        return send(conversation, *more)  # type: ignore[arg-type]

    monkeypatch.setattr(type(play.talk.chats.kept), "send", staticmethod(refuse_the_second))
    play.play(ready())
    assert play.window.desk.composer.text == ""
    click_row(play, "second")
    assert play.window.desk.composer.text == "second"


def test_a_file_that_waits_alone_is_sent(stage: Make, note: Path) -> None:
    play = stage()
    play.play(preparing())
    play.window.desk.composer.attach([note])
    QTest.keyClick(child(play.window, "composer"), Qt.Key.Key_Return)
    press(play.window, "Ctrl+N")
    assert play.window.desk.composer.attachments == ()
    play.play(ready())
    assert len(play.talk.replies.said) == 1


def test_enter_twice_does_not_keep_a_message_back(stage: Make) -> None:
    play = stage()
    play.play(preparing())
    play.say("early bird")
    QTest.keyClick(child(play.window, "composer"), Qt.Key.Key_Return)
    play.play(ready())
    assert play.talk.replies.said == ["early bird"]


def test_what_waited_and_was_sent_is_no_draft_even_where_the_disk_had_refused_it(
    stage: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    play = stage()
    play.play(preparing())
    type_in(play, "early")
    refuse(monkeypatch, play, "save", "take")
    type_in(play, " bird")
    QTest.keyClick(child(play.window, "composer"), Qt.Key.Key_Return)
    monkeypatch.undo()
    play.play(ready())
    assert play.talk.replies.said == ["early bird"]
    play.window.end()
    assert [each.draft for each in play.talk.store.conversations()] == [""]


def go_on_after_a_cut(play: Stage) -> None:
    """Have a reply cut, say something more meanwhile, and have the host back."""
    play.say("count")
    play.play(
        [
            (0.0, ReplyStarted(1)),
            (0.0, Delta(1, "one")),
            (0.0, ReplyBroken(1, ReplyFailed("reply-cut"))),
            (0.0, PhaseChanged(Phase.RECONNECTING, ConnectionLost("connection-lost"))),
        ]
    )
    play.say("and on")
    play.play([(0.0, PhaseChanged(Phase.READY)), (0.0, Ready(ENDPOINT))])


def test_what_was_typed_after_a_reply_was_cut_is_said_when_that_is_whole(play: Stage) -> None:
    go_on_after_a_cut(play)
    assert play.talk.replies.said == ["count", "one"], "the reply goes on first"
    assert play.window.desk.composer.text == "and on"
    reply(play, 2, ", two")
    assert play.talk.replies.said[2:] == ["and on"]
    assert play.window.desk.composer.text == ""
    reply(play, 3, "three")
    assert messages(play) == ["count", "one, two", "and on", "three"]


def test_what_waits_for_a_reply_that_breaks_for_good_is_said_all_the_same(play: Stage) -> None:
    go_on_after_a_cut(play)
    failed = ReplyFailed("reply-failed", detail="no")
    play.play([(0.0, ReplyStarted(2)), (0.0, ReplyBroken(2, failed))])
    assert play.talk.replies.said[2:] == ["and on"]


def test_shift_and_enter_change_nothing_in_a_message_that_waits(stage: Make) -> None:
    play = stage()
    play.play(preparing())
    play.say("early bird")
    shift = Qt.KeyboardModifier.ShiftModifier
    QTest.keyClick(child(play.window, "composer"), Qt.Key.Key_Return, shift)
    assert play.window.desk.composer.editor.toPlainText() == "early bird"


def test_nothing_is_quoted_beside_a_message_that_waits(play: Stage) -> None:
    exchange(play, "question", "answer")
    play.play([(0.0, PhaseChanged(Phase.RECONNECTING, ConnectionLost("connection-lost")))])
    play.say("more")
    assert play.window.desk.transcript.flow.sections[1].shown.actions == {Action.COPY}
    play.play([(0.0, PhaseChanged(Phase.READY)), (0.0, Ready(ENDPOINT))])
    assert play.talk.replies.said[-1] == "more"
