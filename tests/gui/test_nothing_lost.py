"""What is typed, said or chosen is never lost, and goes nowhere else, whatever happens between."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit, QPlainTextEdit
from pytestqt.qtbot import QtBot

from desktop.core.chat.conversation import Conversation, Message, Setup
from desktop.core.errors import ReplyFailed
from desktop.core.events import (
    Counted,
    Delta,
    ReplyBroken,
    ReplyStarted,
    Trimmed,
)
from desktop.ui.transcript.shown import Action
from tests.helpers.chatting import (
    act,
    click_row,
    delete,
    exchange,
    figures,
    messages,
    press,
    refuse,
    reply,
    rows,
    titles,
    type_in,
)
from tests.helpers.chatting import tool as tool_button
from tests.helpers.screens import OTHER, Stage, key_of, ready
from tests.helpers.window import child, click

Make = Callable[..., Stage]


# -- drafts --------------------------------------------------------------------------------------


def test_a_draft_that_the_disk_refused_is_there_when_one_comes_back(
    play: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    exchange(play, "question", "answer")
    refuse(monkeypatch, play, "save", "take")
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
    refuse(monkeypatch, play, "save", "take")
    type_in(play, "precious")
    click_row(play, "question")
    assert play.window.desk.composer.text == ""
    press(play.window, "Ctrl+N")
    assert play.window.desk.composer.text == "precious"


def test_words_that_the_disk_refused_go_with_the_conversation_that_begins_after_all(
    play: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse(monkeypatch, play, "save", "take")
    type_in(play, "precious")
    monkeypatch.undo()
    play.window.desk.choose_setup(Setup(system="You are a kite."))
    press(play.window, "Ctrl+N")
    click_row(play, "precious")
    assert play.window.desk.composer.text == "precious"


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
    panel = play.window._setup.panel
    assert panel is not None
    panel._system.take("From the library.")
    assert field.toPlainText() == "From the library."
    QTest.keyClick(field, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert field.toPlainText() == "Typed for an hour."


def test_a_second_system_prompt_of_one_name_stands_beside_the_first(play: Stage) -> None:
    tool_button(play, "tuneButton").click()
    panel = play.window._setup.panel
    assert panel is not None
    library, field = panel._library, panel._system
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


def test_files_are_counted_over_all_that_are_attached(play: Stage, note: Path) -> None:
    composer = play.window.desk.composer
    composer.attach([note] * 12)
    composer.attach([note] * 12)
    assert len(composer.attachments) == 20
    assert "At most 20 files" in child(play.window, "toast").accessibleName()


def test_files_that_together_are_too_large_are_left_out_by_name(
    play: Stage, tmp_path: Path
) -> None:
    large = [tmp_path / f"{number}.txt" for number in range(5)]
    for path in large:
        path.write_bytes(b"x" * 999_999)
    play.window.desk.composer.attach(large)
    assert len(play.window.desk.composer.attachments) == 4
    assert "4.txt is left out" in child(play.window, "toast").accessibleName()


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


def test_an_export_that_cannot_be_written_is_said(
    qtbot: QtBot, play: Stage, tmp_path: Path
) -> None:
    exchange(play, "question", "answer")
    (tmp_path / "taken.md").mkdir()
    there = play.window.desk.conversation()
    assert there is not None
    play.window._shelf._transfer.write_one(tmp_path / "taken.md", there)
    qtbot.waitUntil(lambda: not play.window.desk.errand.is_under_way, timeout=5_000)
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


def test_a_day_that_no_calendar_has_hides_no_list(play: Stage) -> None:
    exchange(play, "question", "answer")
    for number, updated in enumerate((1e300, -1e300)):
        play.talk.store.save(Conversation(f"c{number}", "odd", updated, updated))
    play.window._shelf.refresh()
    assert sorted(titles(play)) == ["odd", "odd", "question"]
    assert "Undated" in [row.text for row in rows(play)]


def test_a_conversation_whose_end_is_lost_is_not_taken_for_an_empty_one(play: Stage) -> None:
    exchange(play, "question", "answer")
    play.talk.store.save(Conversation("c", "", 1.0, 1.0))
    play.talk.store.add(Message("m", "c", "", "user", "precious", 1.0))
    play.window.desk.open("c")
    assert messages(play) == ["precious"]
    press(play.window, "Ctrl+N")
    assert play.talk.store.conversation("c") is not None


def test_that_the_disk_keeps_no_draft_is_said_once(
    play: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    exchange(play, "question", "answer")
    refuse(monkeypatch, play, "take")
    type_in(play, "half")
    play.window.desk._writing._drafts.flush()
    assert "No space left" in child(play.window, "toast").accessibleName()
    play.window.desk.toast.done()
    type_in(play, " a thought")
    play.window.desk._writing._drafts.flush()
    assert not child(play.window, "toast").isVisible()
    monkeypatch.undo()
    play.window.desk._writing._drafts.flush()
    assert play.talk.store.conversations()[0].draft == "half a thought"


def test_a_reply_that_the_disk_lets_not_go_on_can_go_on_later(
    play: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    exchange(play, "count", "one", "length")
    refuse(monkeypatch, play, "update")
    act(play, 1, Action.CONTINUE)
    assert "No space left" in child(play.window, "toast").accessibleName()
    monkeypatch.undo()
    play.window.desk.show_messages()
    act(play, 1, Action.CONTINUE)
    reply(play, 2, ", two")
    assert messages(play) == ["count", "one, two"]


def test_a_text_goes_on_without_a_gap_where_no_reply_came(play: Stage) -> None:
    play.window.desk.choose_setup(Setup(kind="completion"))
    play.say("San Francisco is")
    failed = ReplyFailed("reply-failed", detail="no")
    play.play([(0.0, ReplyStarted(1)), (0.0, ReplyBroken(1, failed))])
    play.say(" a nice")
    assert play.talk.replies.asked[2].prompt == "San Francisco is a nice"


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
