"""What is typed, said or chosen is never lost, and goes nowhere else, whatever happens between."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit, QPlainTextEdit
from pytestqt.qtbot import QtBot

from desktop.core.chat.conversation import Conversation, Setup
from desktop.core.errors import ConnectionLost, StorageError
from desktop.core.events import Counted, Delta, PhaseChanged, Ready, ReplyStarted, Trimmed
from desktop.core.phases import Phase
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
    titles,
)
from tests.helpers.chatting import tool as tool_button
from tests.helpers.screens import ENDPOINT, OTHER, Stage, key_of, preparing, ready
from tests.helpers.window import child, click

Make = Callable[..., Stage]


@pytest.fixture
def note(tmp_path: Path) -> Path:
    path = tmp_path / "note.txt"
    path.write_text("a kite", encoding="utf-8")
    return path


def refuse(monkeypatch: pytest.MonkeyPatch, play: Stage, *deeds: str) -> None:
    """Let the disk refuse these deeds of the store."""

    def full(*_: object) -> None:
        raise StorageError("storage-not-writable", path="chats", reason="No space left on device")

    for deed in deeds:
        monkeypatch.setattr(play.talk.store, deed, full)


def type_in(play: Stage, text: str) -> None:
    QTest.keyClicks(child(play.window, "composer"), text)


def delete(play: Stage, title: str) -> None:
    row = next(row for row in rows(play) if row.text == title)
    play.window._sidebar.wished.emit("delete", row.conversation)


# -- drafts --------------------------------------------------------------------------------------


def test_a_draft_that_the_disk_refused_is_there_when_one_comes_back(
    play: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    exchange(play, "question", "answer")
    refuse(monkeypatch, play, "save")
    type_in(play, "half a thought")
    press(play.window, "Ctrl+N")
    assert play.window.desk.composer.text == ""
    click_row(play, "question")
    assert play.window.desk.composer.text == "half a thought"
    monkeypatch.undo()
    play.window.end()
    assert [each.draft for each in play.talk.store.conversations()] == ["half a thought"]


def test_the_first_words_of_a_new_conversation_are_held_while_the_disk_is_full(
    play: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    exchange(play, "question", "answer")
    press(play.window, "Ctrl+N")
    refuse(monkeypatch, play, "save")
    type_in(play, "precious")
    click_row(play, "question")
    assert play.window.desk.composer.text == ""
    press(play.window, "Ctrl+N")
    assert play.window.desk.composer.text == "precious"


def test_words_that_the_disk_refused_go_with_the_conversation_that_begins_after_all(
    play: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse(monkeypatch, play, "save")
    type_in(play, "precious")
    monkeypatch.undo()
    play.window.desk.choose_setup(Setup(system="You are a kite."))
    press(play.window, "Ctrl+N")
    click_row(play, "precious")
    assert play.window.desk.composer.text == "precious"


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
    refuse(monkeypatch, play, "add")
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


def test_settings_of_a_new_conversation_are_there_when_one_comes_back(play: Stage) -> None:
    exchange(play, "question", "answer")
    press(play.window, "Ctrl+N")
    play.window.desk.choose_setup(Setup(system="You are a kite."))
    made = play.window.desk.current
    click_row(play, "question")
    play.window.desk.open(made)
    assert play.window.desk.setup == Setup(system="You are a kite.")


def test_a_reset_leaves_a_system_prompt_that_was_typed_just_now(play: Stage) -> None:
    tool_button(play, "tuneButton").click()
    QTest.keyClicks(child(play.window, "systemField"), "Be brief.")
    click(play.window, "resetSetupButton")
    assert play.window.desk.setup == Setup(system="Be brief.")


def test_a_system_prompt_that_the_library_replaced_comes_back(play: Stage) -> None:
    tool_button(play, "tuneButton").click()
    field = child(play.window, "systemField")
    assert isinstance(field, QPlainTextEdit)
    QTest.keyClicks(field, "Typed for an hour.")
    play.window._setup._system.take("From the library.")
    assert field.toPlainText() == "From the library."
    QTest.keyClick(field, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert field.toPlainText() == "Typed for an hour."


def test_a_second_system_prompt_of_one_name_stands_beside_the_first(play: Stage) -> None:
    library, field = play.window._setup._library, play.window._setup._system
    for text in ("Be brief.", "Be brief.", "Be long."):
        field.take(text)
        library.save("style")
    assert play.talk.store.prompts() == {"style": "Be brief.", "style (2)": "Be long."}


# -- files ---------------------------------------------------------------------------------------


def test_a_file_that_came_before_the_first_word_goes_with_that_message_only(
    play: Stage, note: Path
) -> None:
    play.window.desk.composer.attach([note])
    type_in(play, "look")
    QTest.keyClick(child(play.window, "composer"), Qt.Key.Key_Return)
    reply(play, 1, "seen")
    press(play.window, "Ctrl+N")
    assert play.window.desk.composer.attachments == ()


def test_a_file_without_words_stays_with_its_conversation(play: Stage, note: Path) -> None:
    exchange(play, "question", "answer")
    press(play.window, "Ctrl+N")
    type_in(play, "x")
    play.window.desk.composer.attach([note])
    QTest.keyClick(child(play.window, "composer"), Qt.Key.Key_Backspace)
    made = play.window.desk.current
    click_row(play, "question")
    play.window.desk.open(made)
    assert [each.name for each in play.window.desk.composer.attachments] == ["note.txt"]


def test_of_too_many_files_it_is_said_that_some_are_left_out(play: Stage, note: Path) -> None:
    play.window.desk.composer.attach([note] * 21)
    assert len(play.window.desk.composer.attachments) == 20
    assert "At most 20 files" in child(play.window, "toast").accessibleName()


# -- waiting for the host ------------------------------------------------------------------------


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
    refuse(monkeypatch, play, "save")
    type_in(play, " bird")
    QTest.keyClick(child(play.window, "composer"), Qt.Key.Key_Return)
    monkeypatch.undo()
    play.play(ready())
    assert play.talk.replies.said == ["early bird"]
    play.window.end()
    assert [each.draft for each in play.talk.store.conversations()] == [""]


def test_nothing_is_quoted_beside_a_message_that_waits(play: Stage) -> None:
    exchange(play, "question", "answer")
    play.play([(0.0, PhaseChanged(Phase.RECONNECTING, ConnectionLost("connection-lost")))])
    play.say("more")
    assert play.window.desk.transcript.flow.sections[1].shown.actions == {Action.COPY}
    play.play([(0.0, PhaseChanged(Phase.READY)), (0.0, Ready(ENDPOINT))])
    assert play.talk.replies.said[-1] == "more"


# -- another Paperkite -----------------------------------------------------------------------------


def test_what_is_sent_where_another_paperkite_deleted_the_conversation_begins_a_new_one(
    play: Stage,
) -> None:
    exchange(play, "question", "answer")
    name = play.window.desk.transcript.flow.sections[0].shown.id
    play.talk.store.delete(play.window.desk.current)
    play.window.desk.transcript._act(name, Action.EDIT)
    play.say("more")
    assert play.talk.replies.said[-1] == "more"
    assert messages(play)[0] == "more"


# -- what was said -------------------------------------------------------------------------------


def search(qtbot: QtBot, play: Stage, text: str) -> None:
    field = child(play.window, "searchField")
    assert isinstance(field, QLineEdit)
    field.setText(text)
    qtbot.waitUntil(lambda: play.window._shelf._sought == text, timeout=2_000)


def test_a_hit_that_was_deleted_meanwhile_hides_nothing_of_its_conversation(
    qtbot: QtBot, play: Stage
) -> None:
    exchange(play, "question", "answer")
    exchange(play, "more", "tail")
    search(qtbot, play, "tail")
    hit = rows(play)[0]
    act(play, 3, Action.DELETE)
    assert titles(play) == []
    play.window._shelf._open(hit)
    assert messages(play) == ["question", "answer", "more"]


def test_a_hit_in_a_conversation_that_is_gone_opens_an_empty_one(qtbot: QtBot, play: Stage) -> None:
    exchange(play, "question", "answer")
    search(qtbot, play, "answer")
    hit = rows(play)[0]
    delete(play, "question")
    play.window._shelf._open(hit)
    assert play.window.desk.current == ""


def test_a_deletion_is_taken_back_after_its_empty_conversation_was_left(
    play: Stage, note: Path
) -> None:
    play.window.desk.composer.attach([note])
    QTest.keyClick(child(play.window, "composer"), Qt.Key.Key_Return)
    reply(play, 1, "a kite")
    there = play.window.desk.current
    act(play, 0, Action.DELETE)
    press(play.window, "Ctrl+N")
    assert play.talk.store.conversation(there) is None
    play.window.desk.toast.undo()
    play.window.desk.open(there)
    assert messages(play)[1] == "a kite"


@pytest.mark.parametrize("what", ["message", "conversation", "archived"])
def test_an_undo_that_the_disk_refuses_is_said(
    play: Stage, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    exchange(play, "question", "answer")
    if what == "message":
        act(play, 0, Action.DELETE)
    else:
        wish = "delete" if what == "conversation" else "archive"
        play.window._sidebar.wished.emit(wish, play.window.desk.current)
    refuse(monkeypatch, play, "save", "restore", "restore_messages")
    play.window.desk.toast.undo()
    assert "No space left" in child(play.window, "toast").accessibleName()


def test_an_export_that_cannot_be_written_is_said(play: Stage, tmp_path: Path) -> None:
    exchange(play, "question", "answer")
    (tmp_path / "taken.md").mkdir()
    there = play.window.desk.conversation()
    play.window._shelf._transfer.write(tmp_path / "taken.md", there)
    assert "taken.md" in child(play.window, "toast").accessibleName()
    assert "Exported" not in child(play.window, "toast").accessibleName()


def test_which_version_streams_stays_told_when_turns_are_left_out(play: Stage) -> None:
    exchange(play, "question", "answer")
    act(play, 1, Action.REGENERATE)
    play.play([(0.0, ReplyStarted(2)), (0.0, Trimmed(2, 1)), (0.0, Delta(2, "x"))])
    assert play.window.desk.transcript.flow.sections[1].shown.branch == (2, 2)


def test_a_text_to_be_continued_is_sent_as_it_stands(play: Stage) -> None:
    play.window.desk.choose_setup(Setup(kind="completion"))
    play.say("  def kite():\n    ")
    assert play.talk.replies.asked[1].prompt == "  def kite():\n    "
    reply(play, 1, "fly()")
    play.say(" \n ")
    assert len(play.talk.replies.asked) == 1


def test_a_count_of_one_conversation_is_not_shown_in_another(qtbot: QtBot, play: Stage) -> None:
    type_in(play, "much")
    counted = play.talk.replies.counted
    qtbot.waitUntil(lambda: bool(counted), timeout=2_000)
    press(play.window, "Ctrl+N")
    play.play([(0.0, Counted(max(counted), 1234, 4096))])
    assert not child(play.window, "contextMeter").isVisible()


def test_a_click_on_a_day_opens_nothing(play: Stage) -> None:
    exchange(play, "question", "answer")
    there = play.window.desk.current
    click_row(play, "Today")
    assert play.window.desk.current == there


def test_a_reply_that_the_end_of_the_app_cut_says_so_in_ones_own_language(stage: Make) -> None:
    play = stage(language="zh")
    play.play(ready())
    play.say("question")
    play.play([(0.0, ReplyStarted(1)), (0.0, Delta(1, "half"))])
    play.talk.chats.kept.close()
    play.window.desk.show_messages()
    assert figures(play) == "回复中断"


def test_a_search_that_the_disk_refuses_is_said(
    qtbot: QtBot, play: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    exchange(play, "question", "answer")
    refuse(monkeypatch, play, "search")
    search(qtbot, play, "answer")
    assert "No space left" in child(play.window, "toast").accessibleName()


def test_where_a_conversation_cannot_be_read_no_other_one_is_shown_in_its_place(
    play: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    exchange(play, "question", "answer")
    now = play.talk.chats.clock()
    play.talk.store.save(Conversation("c", "damaged", now, now))
    play.window._shelf.refresh()
    refuse(monkeypatch, play, "messages")
    click_row(play, "damaged")
    assert not play.window.desk.page.begun
    assert "No space left" in child(play.window, "toast").accessibleName()
    play.window.desk._meter._ask()


# -- the list and the hosts ------------------------------------------------------------------------


def test_a_new_conversation_is_listed_after_the_archive_was_looked_at(play: Stage) -> None:
    exchange(play, "question", "answer")
    play.window._sidebar.wished.emit("archived", "")
    assert titles(play) == []
    press(play.window, "Ctrl+N")
    assert titles(play) == ["question"]


def test_after_the_last_host_went_the_next_one_is_read_on(stage: Make) -> None:
    play = stage()
    play.window.remove_host(next(iter(play.window.panes)))
    play.window.show_target(key_of(OTHER), OTHER)
    press(play.window, "Ctrl+N")
    assert play.window.current == key_of(OTHER)


def test_a_month_is_written_as_people_write_it(stage: Make) -> None:
    headings = {"zh": "2001 年 9 月", "en": "2001-09"}
    for language, heading in headings.items():
        play = stage(language=language)
        play.talk.store.save(Conversation("c", "old", 1_000_000_000.0, 1_000_000_000.0))
        play.window._shelf.refresh()
        assert rows(play)[0].text == heading
