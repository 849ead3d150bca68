"""Conversations in the window: kept, listed, opened, written on, sent when a host is ready."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from desktop.core.chat.conversation import Conversation
from desktop.core.errors import ConnectionLost, StorageError
from desktop.core.events import (
    Delta,
    PhaseChanged,
    Ready,
    Reasoning,
    ReplyBroken,
    ReplyDone,
    ReplyStarted,
    Trimmed,
    Usage,
)
from desktop.core.phases import Phase
from desktop.ui.transcript.plain import FoldBlock
from desktop.ui.transcript.shown import Action
from tests.helpers.chatting import (
    act,
    click_row,
    exchange,
    figures,
    messages,
    press,
    reply,
    rows,
    send_button,
    shown_texts,
    titles,
    tool,
)
from tests.helpers.screens import ENDPOINT, NOBODY, OTHER, Stage, preparing, ready
from tests.helpers.window import child, click

Make = Callable[..., Stage]


# -- kept and listed -----------------------------------------------------------------------------


def test_what_is_said_is_listed_under_today_and_kept(play: Stage) -> None:
    exchange(play, "What is a kite?", "A toy on a string.")
    assert [row.text for row in rows(play)] == ["Today", "What is a kite?"]
    kept = play.talk.store.messages(play.window.desk.current)
    assert [each.content for each in kept] == ["What is a kite?", "A toy on a string."]


def test_a_new_conversation_starts_empty_and_the_old_one_can_be_opened_again(play: Stage) -> None:
    exchange(play, "first question", "first answer")
    press(play.window, "Ctrl+N")
    assert messages(play) == []
    assert not play.window.desk.page.begun
    exchange(play, "second question", "second answer")
    assert titles(play) == ["second question", "first question"]
    click_row(play, "first")
    assert messages(play) == ["first question", "first answer"]


def test_a_conversation_in_which_nothing_was_typed_is_not_kept(play: Stage) -> None:
    tool(play, "newChatButton").click()
    press(play.window, "Ctrl+N")
    assert titles(play) == []
    assert play.talk.store.conversations() == []


def test_the_title_that_the_model_proposes_takes_the_place_of_the_first_line(play: Stage) -> None:
    exchange(play, "why do kites fly at all?", "Wind.")
    assert list(play.talk.replies.titles) == [1001]
    play.play([(0.0, Delta(1001, "Why Kites Fly")), (0.0, done(1001))])
    assert titles(play) == ["Why Kites Fly"]


def done(number: int, finish: str = "stop") -> ReplyDone:
    return ReplyDone(number, finish, None, None, None)


def test_older_ones_stand_under_their_day(play: Stage) -> None:
    day = 86_400.0
    now = play.talk.chats.clock()
    for number, age in enumerate((0.0, 1.0, 4.0, 20.0, 400.0)):
        at = now - age * day
        play.talk.store.save(Conversation(f"c{number}", f"t{number}", at, at))
    play.talk.store.save(Conversation("p", "pinned one", now - 9 * day, now - 9 * day, pinned=True))
    play.window._shelf.refresh()
    headings = [row.text for row in rows(play) if row.is_heading]
    assert headings[:5] == ["Pinned", "Today", "Yesterday", "Previous 7 days", "Previous 30 days"]
    assert len(headings) == 6


# -- drafts --------------------------------------------------------------------------------------


def test_a_draft_is_kept_with_its_conversation(qtbot: QtBot, play: Stage) -> None:
    exchange(play, "question", "answer")
    QTest.keyClicks(child(play.window, "composer"), "half a thought")
    first = play.window.desk.current
    press(play.window, "Ctrl+N")
    assert play.window.desk.composer.text == ""
    QTest.keyClicks(child(play.window, "composer"), "another")
    qtbot.waitUntil(lambda: titles(play) == ["another", "question"], timeout=2_000)
    click_row(play, "question")
    assert play.window.desk.composer.text == "half a thought"
    found = play.talk.store.conversation(first)
    assert found is not None
    assert found.draft == "half a thought"


def test_a_draft_is_on_disk_soon_after_the_last_key(qtbot: QtBot, play: Stage) -> None:
    QTest.keyClicks(child(play.window, "composer"), "before the power fails")

    def kept() -> list[str]:
        return [each.draft for each in play.talk.store.conversations()]

    qtbot.waitUntil(lambda: kept() == ["before the power fails"], timeout=2_000)


def test_what_was_sent_is_no_draft_any_more(play: Stage) -> None:
    exchange(play, "question", "answer")
    play.window.end()
    assert [each.draft for each in play.talk.store.conversations()] == [""]


# -- several at once -----------------------------------------------------------------------------


def test_two_conversations_stream_at_once(play: Stage) -> None:
    play.say("to the first")
    play.play([(0.0, ReplyStarted(1)), (0.0, Delta(1, "one"))])
    press(play.window, "Ctrl+N")
    play.say("to the second")
    play.play([(0.0, ReplyStarted(2)), (0.0, Delta(2, "zwei")), (0.0, Delta(1, " more"))])
    assert messages(play) == ["to the second", "zwei"]
    assert [row.streaming for row in rows(play) if not row.is_heading] == [True, True]
    click_row(play, "to the first")
    assert messages(play) == ["to the first", "one more"]
    play.play([(0.0, Delta(1, " and more")), (0.0, done(1)), (0.0, Delta(2, "!"))])
    assert messages(play) == ["to the first", "one more and more"]
    assert [row.streaming for row in rows(play) if not row.is_heading] == [True, False]


def test_stop_stops_only_what_is_in_front(play: Stage) -> None:
    play.say("one")
    press(play.window, "Ctrl+N")
    play.say("two")
    click(play.window, "sendButton")
    assert play.talk.replies.cancelled == [2]
    play.play([(0.0, done(2, "cancelled"))])
    assert "stopped by you" in figures(play)
    assert send_button(play).accessibleName() == "Send"


# -- waiting for the host ------------------------------------------------------------------------


def test_what_is_sent_while_the_host_starts_goes_when_it_is_ready(stage: Make) -> None:
    play = stage()
    play.play(preparing())
    play.say("early bird")
    assert play.talk.replies.said == []
    assert "Will be sent when the model is ready" in shown_texts(play)
    assert play.window.desk.composer.text == "early bird"
    play.play(ready())
    assert play.talk.replies.said == ["early bird"]
    assert play.window.desk.composer.text == ""
    reply(play, 1, "worm")
    assert messages(play) == ["early bird", "worm"]


@pytest.mark.parametrize("way", ["escape", "button", "link"])
def test_what_waits_can_be_taken_back(stage: Make, way: str) -> None:
    play = stage()
    play.play(preparing())
    play.say("not yet")
    editor = play.window.desk.composer.editor
    assert editor.isReadOnly()
    if way == "escape":
        QTest.keyClick(editor, Qt.Key.Key_Escape)
    else:
        click(play.window, "sendButton" if way == "button" else "leaveComposerButton")
    assert not editor.isReadOnly()
    play.play(ready())
    assert play.talk.replies.said == []
    assert play.window.desk.composer.text == "not yet"


def test_a_host_that_fails_gives_back_what_waited(stage: Make) -> None:
    play = stage()
    play.play(preparing())
    play.say("not yet")
    play.play([(0.0, PhaseChanged(Phase.FAILED, ConnectionLost("connection-lost")))])
    assert not play.window.desk.composer.editor.isReadOnly()
    assert play.window.desk.composer.text == "not yet"


def test_what_waits_for_one_host_is_not_sent_by_another(stage: Make) -> None:
    play = stage(OTHER)
    play.play(preparing())
    play.say("for the first")
    play.play(ready(), OTHER)
    assert play.talk.replies.said == []
    play.play(ready())
    assert play.talk.replies.said == ["for the first"]


# -- cut, and gone on with -----------------------------------------------------------------------


def test_a_reply_that_the_connection_cut_goes_on_by_itself(play: Stage) -> None:
    play.say("count")
    lost = ConnectionLost("reply-cut")
    play.play([(0.0, ReplyStarted(1)), (0.0, Delta(1, "one, two")), (0.0, ReplyBroken(1, lost))])
    play.play([(0.0, PhaseChanged(Phase.RECONNECTING, lost))])
    assert play.window.desk.transcript.flow.sections[-1].shown.note is not None
    play.play([(0.0, PhaseChanged(Phase.READY)), (0.0, Ready(ENDPOINT))])
    assert play.talk.replies.asked[2].continued
    play.play([(0.0, ReplyStarted(2)), (0.0, Delta(2, ", three")), (0.0, done(2))])
    assert messages(play) == ["count", "one, two, three"]


def test_turns_that_no_longer_fit_are_told(play: Stage) -> None:
    play.say("question")
    play.play([(0.0, ReplyStarted(1)), (0.0, Trimmed(1, 4)), (0.0, Delta(1, "answer"))])
    section = play.window.desk.transcript.flow.sections[-1]
    assert figures(play) == "4 oldest messages no longer fit and were not read"
    assert section.footer is not None, "while it streams too"
    play.play([(0.0, Delta(1, "\n\nand more")), (0.0, Reasoning(1, "hm"))])
    assert [type(block).__name__ for block in section.column.blocks] == [
        *("FoldBlock", "RichBlock", "RichBlock", "FooterBlock"),
    ]
    play.play([(0.0, done(1))])
    assert figures(play).startswith("4 oldest messages no longer fit")


def test_a_reply_that_waits_says_already_what_is_left_out(play: Stage) -> None:
    play.say("question")
    play.play([(0.0, ReplyStarted(1))])
    assert play.window.desk.transcript.flow.sections[-1].footer is None
    play.play([(0.0, Trimmed(1, 4))])
    assert play.window.desk.transcript.flow.sections[-1].footer == 1  # under "Waiting for …"
    assert not play.window.desk.transcript._row.isVisible()


def test_how_long_it_thought_is_said_as_soon_as_it_answers(play: Stage) -> None:
    def title() -> str:
        fold = play.window.desk.transcript.flow.sections[-1].column.blocks[0]
        assert isinstance(fold, FoldBlock)
        return fold.title

    play.say("question")
    play.play([(0.0, ReplyStarted(1)), (0.0, Reasoning(1, "hm"))])
    assert title() == "Thinking…"
    play.play([(0.0, Delta(1, "an"))])
    assert title() == "Thought for 1 s"
    play.play([(0.0, Delta(1, "swer"))])
    assert messages(play) == ["question", "answer"]
    play.play([(0.0, replace(done(1), reasoning_s=2.0))])
    assert title() == "Thought for 2 s", "as the engine's own clock has it"


def test_the_figures_of_a_reply_stand_under_it(play: Stage) -> None:
    play.talk.prices.append((0.0234, "CNY"))
    exchange(play, "question", "answer", "length")
    assert figures(play) == (
        "cut off: length limit reached ⋅ 26 tokens ⋅ 41.7 tokens/s ⋅ first token after 0.31 s"
        " ⋅ about ¥0.02"
    )


def test_a_reply_that_was_stopped_has_its_figures_and_keeps_them_when_it_goes_on(
    play: Stage,
) -> None:
    play.say("count")
    play.play([(0.0, ReplyStarted(1)), (0.0, Delta(1, "one, two"))])
    play.play([(0.0, ReplyDone(1, "cancelled", Usage(9, 3), 0.31, 41.7))])
    assert figures(play).startswith("stopped by you ⋅ 3 tokens ⋅ 41.7 tokens/s")
    act(play, 1, Action.CONTINUE)
    play.play([(0.0, ReplyStarted(2)), (0.0, Delta(2, ", three"))])
    play.play([(0.0, ReplyDone(2, "stop", Usage(12, 2), 0.2, 40.0))])
    assert figures(play).startswith("5 tokens ⋅ 40.0 tokens/s")


def test_a_reply_that_was_stopped_before_its_first_token_counts_none(play: Stage) -> None:
    play.say("count")
    play.play([(0.0, ReplyStarted(1)), (0.0, ReplyDone(1, "cancelled", Usage(9, 0), None, None))])
    assert figures(play) == "stopped by you"


# -- without a host ------------------------------------------------------------------------------


def test_without_any_host_one_reads_and_writes(stage: Make) -> None:
    play = stage(target=NOBODY)
    assert not child(play.window, "sidebar").isVisible()
    saved = Conversation("c", "from another day", 1.0, 1.0)
    play.talk.store.save(saved)
    play.talk.store.save(replace(saved, draft="still here"))
    play.window._shelf.refresh()
    play.window._follow()
    assert child(play.window, "sidebar").isVisible()
    click_row(play, "from another day")
    assert child(play.window, "composer").isVisible()
    assert play.window.desk.composer.text == "still here"
    assert not send_button(play).isEnabled()
    assert not child(play.window, "hostField").isVisible()
    assert "Add a host" in shown_texts(play)


def test_reading_an_old_conversation_leaves_a_host_that_starts_alone(stage: Make) -> None:
    play = stage()
    play.talk.store.save(Conversation("c", "from another day", 1.0, 1.0))
    play.play(preparing())
    play.window._shelf.refresh()
    click_row(play, "from another day")
    assert child(play.window, "banner").isVisible()
    assert not child(play.window, "startSheet").isVisible()
    click(play.window, "detailsButton")
    assert child(play.window, "startSheet").isVisible()
    assert play.window.journey.phase is Phase.PREPARING


# -- the columns ---------------------------------------------------------------------------------


def test_the_list_hides_by_itself_in_a_narrow_window_and_on_request(play: Stage) -> None:
    sidebar = child(play.window, "sidebar")
    assert sidebar.isVisible()
    press(play.window, "Ctrl+B")
    assert not sidebar.isVisible()
    assert not play.talk.remembered.memory.sidebar
    press(play.window, "Ctrl+B")
    play.window.resize(700, 600)
    QTest.qWait(0)
    assert not sidebar.isVisible()
    press(play.window, "Ctrl+B")
    assert sidebar.isVisible()
    exchange(play, "question", "answer")
    assert not sidebar.isVisible()


# -- a disk that refuses -------------------------------------------------------------------------


def test_what_the_disk_refuses_is_said_and_what_was_typed_stays(
    play: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise StorageError("storage-not-writable", path="chats", reason="No space left on device")

    monkeypatch.setattr(play.talk.store, "take", full)
    play.say("precious words")
    assert play.window.desk.composer.text == "precious words"
    assert "No space left" in child(play.window, "toast").accessibleName()
    assert play.talk.replies.said == []
    monkeypatch.undo()
    play.say("precious words")
    assert play.talk.replies.said == ["precious words"]


# -- stopping the host ---------------------------------------------------------------------------


def test_stopping_the_host_stops_what_its_model_says(stage: Make) -> None:
    play = stage(OTHER)
    play.play(ready())
    play.say("one")
    press(play.window, "Ctrl+N")
    play.say("two")
    click(play.window, "stopButton")
    assert play.talk.replies.cancelled == [1, 2]
