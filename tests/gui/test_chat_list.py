"""The list of conversations: found, renamed, pinned, put away, exported and brought in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog, QLineEdit, QMenu
from pytestqt.qtbot import QtBot

from desktop.core.chat.conversation import Conversation
from desktop.core.events import Delta, ReplyDone
from tests.helpers.chatting import (
    click_row,
    exchange,
    messages,
    press,
    rows,
    shown_texts,
    titles,
    tool,
)
from tests.helpers.screens import Stage
from tests.helpers.window import child, click

Make = Callable[..., Stage]


@pytest.fixture
def play(play: Stage) -> Stage:
    exchange(play, "风筝怎么飞", "靠**风**和线。")
    press(play.window, "Ctrl+N")
    exchange(play, "What is AWQ?", "A way to quantise weights.")
    return play


def wish(play: Stage, title: str, text: str) -> None:
    """Choose an entry of a conversation's context menu."""
    row = next(row for row in rows(play) if row.text == title)
    menu = play.window._sidebar.menu_of(row)
    next(each for each in menu.actions() if each.text() == text).trigger()
    menu.deleteLater()


def of_all(play: Stage, text: str) -> None:
    """Choose an entry of the menu beside the search field."""
    tool(play, "chatsMenuButton").click()
    menu = child(play.window, "chatsMenu")
    assert isinstance(menu, QMenu)
    next(each for each in menu.actions() if each.text() == text).trigger()
    menu.close()


# -- searching -----------------------------------------------------------------------------------


def search(qtbot: QtBot, play: Stage, text: str, *, found: int) -> None:
    press(play.window, "Ctrl+Shift+F")
    field = child(play.window, "searchField")
    assert play.window.focusWidget() is field
    assert isinstance(field, QLineEdit)
    field.setText(text)
    qtbot.waitUntil(lambda: play.window._shelf._sought == text, timeout=2_000)
    assert len(titles(play)) == found


def test_words_are_found_in_any_message_and_shown_where_they_stand(
    qtbot: QtBot, play: Stage
) -> None:
    search(qtbot, play, "风", found=3)  # once in the title too
    search(qtbot, play, "quantise", found=1)
    row = rows(play)[0]
    start, end = row.matches[0]
    assert (row.text, row.snippet[start:end]) == ("What is AWQ?", "quantise")


def test_a_hit_opens_its_conversation_at_the_words(qtbot: QtBot, play: Stage) -> None:
    search(qtbot, play, "线", found=1)
    QTest.keyClick(child(play.window, "searchField"), Qt.Key.Key_Down)
    QTest.keyClick(child(play.window, "chatList"), Qt.Key.Key_Return)
    assert messages(play)[0] == "风筝怎么飞"
    assert "1 of 1" in shown_texts(play)


def test_a_hit_far_up_is_gone_to_and_not_the_next_best(qtbot: QtBot, play: Stage) -> None:
    for number in range(12):
        exchange(play, f"question {number}", "word here, word there. " * 60)
    search(qtbot, play, "question 4", found=1)
    field = child(play.window, "searchField")
    field.clear()  # type: ignore[attr-defined]
    search(qtbot, play, "word", found=12)
    wanted = [row.message for row in rows(play)][7]
    play.window._shelf._open(rows(play)[7])
    transcript = play.window.desk.transcript
    page = transcript.viewport().height()
    seen = transcript.flow.find(transcript.verticalScrollBar().value() + page / 3)
    assert seen is not None
    assert transcript.flow.sections[seen.section].shown.id == wanted


def test_words_that_stand_apart_are_found_and_one_of_them_is_shown(
    qtbot: QtBot, play: Stage
) -> None:
    search(qtbot, play, "weights way", found=1)
    click_row(play, "What is AWQ?")
    assert "1 of 1" in shown_texts(play)


def test_a_hit_on_another_branch_is_brought_to_the_front(qtbot: QtBot, play: Stage) -> None:
    from desktop.ui.transcript.shown import Action
    from tests.helpers.chatting import act, reply

    act(play, 1, Action.REGENERATE)
    reply(play, 3, "Activation-aware.")
    search(qtbot, play, "quantise", found=1)
    click_row(play, "What is AWQ?")
    assert messages(play)[1] == "A way to quantise weights."


def test_escape_brings_the_list_back(qtbot: QtBot, play: Stage) -> None:
    search(qtbot, play, "nobody ever said this", found=0)
    assert "Nothing was found." in shown_texts(play)
    QTest.keyClick(child(play.window, "searchField"), Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: len(titles(play)) == 2, timeout=2_000)


# -- one conversation ----------------------------------------------------------------------------


def test_f2_renames(qtbot: QtBot, play: Stage) -> None:
    found = child(play.window, "chatList")
    found.setFocus()
    QTest.keyClick(found, Qt.Key.Key_F2)
    field = child(play.window, "renameField")
    assert isinstance(field, QLineEdit)
    field.setText("Quantisation")
    QTest.keyClick(field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: titles(play) == ["Quantisation", "风筝怎么飞"], timeout=2_000)


def test_a_title_that_a_person_gave_is_left_alone(play: Stage) -> None:
    play.window._shelf._do("rename Weights", play.window.desk.current)
    play.play(
        [(0.0, Delta(1002, "Quantisation")), (0.0, ReplyDone(1002, "stop", None, None, None))]
    )
    assert titles(play)[0] == "Weights"


def test_a_pinned_one_stands_first(play: Stage) -> None:
    wish(play, "风筝怎么飞", "Pin")
    assert [row.text for row in rows(play)][:2] == ["Pinned", "风筝怎么飞"]
    wish(play, "风筝怎么飞", "Unpin")
    assert titles(play) == ["What is AWQ?", "风筝怎么飞"]


def test_an_archived_one_is_not_listed_but_found_and_comes_back(qtbot: QtBot, play: Stage) -> None:
    wish(play, "风筝怎么飞", "Archive")
    assert titles(play) == ["What is AWQ?"]
    search(qtbot, play, "线", found=1)
    child(play.window, "searchField").clear()  # type: ignore[attr-defined]
    qtbot.waitUntil(lambda: titles(play) == ["What is AWQ?"], timeout=2_000)
    of_all(play, "Archived")
    assert [row.text for row in rows(play)] == ["Archived", "风筝怎么飞"]
    wish(play, "风筝怎么飞", "Bring back")
    of_all(play, "Back to all conversations")
    assert len(titles(play)) == 2


def test_a_deleted_one_comes_back_as_it_was(play: Stage) -> None:
    wish(play, "What is AWQ?", "Delete")
    assert titles(play) == ["风筝怎么飞"]
    assert messages(play) == []
    click(play.window, "undoButton")
    assert titles(play) == ["What is AWQ?", "风筝怎么飞"]
    assert messages(play) == ["What is AWQ?", "A way to quantise weights."]


def test_the_way_back_is_shown_over_the_start_sheet_too(stage: Make) -> None:
    play = stage()
    play.talk.store.save(Conversation("c", "from another day", 1.0, 1.0))
    play.window._shelf.refresh()
    wish(play, "from another day", "Delete")
    assert child(play.window, "startSheet").isVisible()
    click(play.window, "undoButton")
    assert titles(play) == ["from another day"]


def test_the_delete_key_deletes_what_is_chosen_in_the_list(play: Stage) -> None:
    found = child(play.window, "chatList")
    found.setFocus()
    QTest.keyClick(found, Qt.Key.Key_Delete)
    assert titles(play) == ["风筝怎么飞"]


def test_deleting_stops_the_reply_that_comes_into_it(play: Stage) -> None:
    play.say("more")
    wish(play, "What is AWQ?", "Delete")
    assert play.talk.replies.cancelled == [3]


def test_rows_are_spoken_with_their_marks(play: Stage) -> None:
    wish(play, "风筝怎么飞", "Pin")
    index = play.window._sidebar.rows.find(rows(play)[1].conversation)
    assert index.data(Qt.ItemDataRole.AccessibleTextRole) == "风筝怎么飞, pinned"


# -- files ---------------------------------------------------------------------------------------


def answer(play: Stage, path: Path) -> None:
    """Choose a file in the dialog that is open."""
    found = play.window.findChildren(QFileDialog)
    dialog = next(each for each in found if each.isVisible())
    dialog.fileSelected.emit(str(path))
    dialog.reject()


def test_one_is_exported_as_markdown_and_as_json(play: Stage, tmp_path: Path) -> None:
    wish(play, "风筝怎么飞", "Export as Markdown…")
    answer(play, tmp_path / "kite.md")
    assert "靠**风**和线。" in (tmp_path / "kite.md").read_text(encoding="utf-8")
    wish(play, "风筝怎么飞", "Export as JSON…")
    answer(play, tmp_path / "kite.json")
    assert (tmp_path / "kite.json").stat().st_size > 100
    assert "Exported: kite.json" in shown_texts(play)


def test_all_are_exported_and_brought_in_beside_those_that_are_there(
    play: Stage, tmp_path: Path
) -> None:
    of_all(play, "Export all as JSON…")
    answer(play, tmp_path / "all.json")
    of_all(play, "Export all as Markdown…")
    answer(play, tmp_path)
    assert len(list(tmp_path.glob("*.md"))) == 2
    of_all(play, "Import (JSON or ChatGPT)…")
    answer(play, tmp_path / "all.json")
    assert len(titles(play)) == 4
    assert "Imported: 2" in shown_texts(play)


def test_a_file_that_holds_no_conversations_is_explained(play: Stage, tmp_path: Path) -> None:
    (tmp_path / "no.json").write_text("[1, 2]", encoding="utf-8")
    of_all(play, "Import (JSON or ChatGPT)…")
    answer(play, tmp_path / "no.json")
    assert len(titles(play)) == 2
    assert child(play.window, "toast").isVisible()


def test_the_store_lists_what_a_restart_finds(play: Stage) -> None:
    play.talk.store.save(Conversation("new", "from elsewhere", 2e9, 2e9))
    play.window._shelf.refresh()
    assert titles(play)[0] == "from elsewhere"
