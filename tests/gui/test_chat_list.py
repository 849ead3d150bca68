"""The list of conversations: found, renamed, pinned, put away, exported and brought in."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog, QLineEdit, QMenu
from pytestqt.qtbot import QtBot

from desktop.core.chat.conversation import Conversation
from desktop.core.chat.exports import files
from desktop.core.errors import StorageError
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


def test_the_list_is_not_read_again_for_each_pause_in_a_draft(
    play: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    drafts, store = play.window.desk._writing._drafts, play.talk.store
    QTest.keyClicks(child(play.window, "composer"), "half")
    drafts.flush()
    assert any(row.draft for row in rows(play))
    monkeypatch.setattr(store, "conversations", lambda **_: pytest.fail("read again"))
    QTest.keyClicks(child(play.window, "composer"), " a thought")
    drafts.flush()
    there = play.window.desk.conversation()
    assert there is not None
    assert there.draft == "half a thought"
    monkeypatch.undo()
    play.window.desk.composer.editor.clear()
    drafts.flush()
    assert not any(row.draft for row in rows(play))


# -- files ---------------------------------------------------------------------------------------


def choose(play: Stage, *paths: Path) -> None:
    """Choose files in the dialog that is open."""
    found = play.window.findChildren(QFileDialog)
    dialog = next(each for each in found if each.isVisible())
    if len(paths) == 1:
        dialog.fileSelected.emit(str(paths[0]))
    dialog.filesSelected.emit([str(path) for path in paths])
    dialog.reject()


def answer(qtbot: QtBot, play: Stage, *paths: Path) -> None:
    """Choose files in the dialog that is open, and wait until all is done with them."""
    choose(play, *paths)
    qtbot.waitUntil(lambda: not play.window.desk.errand.is_under_way, timeout=5_000)


def toast(play: Stage) -> str:
    return child(play.window, "toast").accessibleName()


@dataclass
class Slow:
    """A step of the work that waits until it is let go on."""

    begun: threading.Event = field(default_factory=threading.Event)
    may_go_on: threading.Event = field(default_factory=threading.Event)

    def before(self, act: Callable[..., Any]) -> Callable[..., Any]:
        def slowly(*given: Any, **more: Any) -> Any:
            self.begun.set()
            assert self.may_go_on.wait(5)
            return act(*given, **more)

        return slowly


@pytest.fixture
def all_json(qtbot: QtBot, play: Stage, tmp_path: Path) -> Path:
    of_all(play, "Export all as JSON…")
    answer(qtbot, play, tmp_path / "all.json")
    return tmp_path / "all.json"


@pytest.fixture
def slow_import(
    play: Stage, all_json: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Slow, Path]]:
    """An import that was begun, and waits before its second conversation."""
    slow, store = Slow(), play.talk.store
    take, taken = store.take, []

    def second_slowly(*given: Any, **more: Any) -> None:
        taken.append(given)
        (slow.before(take) if len(taken) == 2 else take)(*given, **more)

    monkeypatch.setattr(store, "take", second_slowly)
    of_all(play, "Import (JSON, Markdown or ChatGPT)…")
    choose(play, all_json)
    assert slow.begun.wait(5)
    yield slow, all_json
    slow.may_go_on.set()


def test_one_is_exported_as_markdown_and_as_json(qtbot: QtBot, play: Stage, tmp_path: Path) -> None:
    wish(play, "风筝怎么飞", "Export as Markdown…")
    answer(qtbot, play, tmp_path / "kite.md")
    assert "靠**风**和线。" in (tmp_path / "kite.md").read_text(encoding="utf-8")
    wish(play, "风筝怎么飞", "Export as JSON…")
    answer(qtbot, play, tmp_path / "kite.json")
    assert (tmp_path / "kite.json").stat().st_size > 100
    assert "Exported: kite.json" in shown_texts(play)


def test_markdown_is_markdown_whatever_the_file_is_called(
    qtbot: QtBot, play: Stage, tmp_path: Path
) -> None:
    wish(play, "风筝怎么飞", "Export as Markdown…")
    answer(qtbot, play, tmp_path / "kite.txt")
    assert (tmp_path / "kite.txt").read_text(encoding="utf-8").startswith("# ")


def test_all_are_exported_and_brought_in_beside_those_that_are_there(
    qtbot: QtBot, play: Stage, all_json: Path, tmp_path: Path
) -> None:
    of_all(play, "Export all as Markdown…")
    answer(qtbot, play, tmp_path)
    assert len(list(tmp_path.glob("*.md"))) == 2
    of_all(play, "Import (JSON, Markdown or ChatGPT)…")
    answer(qtbot, play, all_json)
    assert len(titles(play)) == 4
    assert "Imported: 2" in shown_texts(play)


def test_what_was_exported_as_markdown_is_brought_in_again(
    qtbot: QtBot, play: Stage, tmp_path: Path
) -> None:
    of_all(play, "Export all as Markdown…")
    answer(qtbot, play, tmp_path)
    of_all(play, "Import (JSON, Markdown or ChatGPT)…")
    answer(qtbot, play, *tmp_path.glob("*.md"))
    assert toast(play) == "Imported: 2"
    assert sorted(titles(play)) == ["What is AWQ?"] * 2 + ["风筝怎么飞"] * 2
    for row in [each for each in rows(play) if each.text == "风筝怎么飞"]:
        play.window._shelf._open(row)
        assert messages(play) == ["风筝怎么飞", "靠**风**和线。"]


def test_one_file_that_is_something_else_is_said_and_none_is_brought_in(
    qtbot: QtBot, play: Stage, tmp_path: Path
) -> None:
    of_all(play, "Export all as Markdown…")
    answer(qtbot, play, tmp_path)
    (tmp_path / "readme.md").write_text("# A page\n\nof words\n", encoding="utf-8")
    of_all(play, "Import (JSON, Markdown or ChatGPT)…")
    answer(qtbot, play, *sorted(tmp_path.glob("*.md")))
    assert "readme.md" in toast(play)
    assert len(titles(play)) == 2


def test_while_an_import_is_under_way_it_is_said_and_the_window_goes_on(
    qtbot: QtBot, play: Stage, slow_import: tuple[Slow, Path]
) -> None:
    assert toast(play) == "Importing all.json…"
    play.window.desk.toast.say("something else")
    play.window.desk.toast.done()
    assert toast(play) == "Importing all.json…"
    assert child(play.window, "toast").isVisible()
    QTest.keyClicks(child(play.window, "composer"), "typed meanwhile")
    assert play.window.desk.composer.text == "typed meanwhile"
    slow_import[0].may_go_on.set()
    qtbot.waitUntil(lambda: toast(play) == "Imported: 2", timeout=5_000)
    assert len(titles(play)) == 4


def test_what_is_imported_already_is_not_begun_again(
    qtbot: QtBot, play: Stage, slow_import: tuple[Slow, Path]
) -> None:
    slow, path = slow_import
    of_all(play, "Import (JSON, Markdown or ChatGPT)…")
    assert not [each for each in play.window.findChildren(QFileDialog) if each.isVisible()]
    play.window._shelf._transfer.bring_in(path)  # from a dialog that was open before
    slow.may_go_on.set()
    qtbot.waitUntil(lambda: toast(play) == "Imported: 2", timeout=5_000)
    assert len(titles(play)) == 4


def test_an_import_that_is_stopped_leaves_nothing_behind(
    qtbot: QtBot, play: Stage, all_json: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow, store = Slow(), play.talk.store
    taken = threading.Event()
    take, known = store.take, store.known

    def told(*given: Any, **more: Any) -> None:
        take(*given, **more)
        taken.set()

    def slowly_after_one(*given: Any) -> set[str]:
        found = known(*given)
        return slow.before(lambda: found)() if not taken.is_set() else found

    monkeypatch.setattr(store, "take", told)
    monkeypatch.setattr(store, "known", slowly_after_one)
    of_all(play, "Import (JSON, Markdown or ChatGPT)…")
    choose(play, all_json)
    assert slow.begun.wait(5)
    click(play.window, "undoButton")
    slow.may_go_on.set()
    qtbot.waitUntil(lambda: toast(play).startswith("Stopped"), timeout=5_000)
    assert taken.is_set()
    assert len(titles(play)) == 2
    assert len(store.conversations()) == 2


def test_an_import_that_the_disk_refuses_is_said(
    qtbot: QtBot, play: Stage, all_json: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise StorageError("storage-not-writable", path="chats", reason="No space left on device")

    monkeypatch.setattr(play.talk.store, "take", full)
    of_all(play, "Import (JSON, Markdown or ChatGPT)…")
    answer(qtbot, play, all_json)
    assert "No space left" in toast(play)


def test_an_export_is_finished_before_the_app_ends(play: Stage, tmp_path: Path) -> None:
    of_all(play, "Export all as JSON…")
    choose(play, tmp_path / "all.json")
    play.window.end()
    assert len(files.read(tmp_path / "all.json")) == 2


def test_a_file_that_holds_no_conversations_is_explained(
    qtbot: QtBot, play: Stage, tmp_path: Path
) -> None:
    (tmp_path / "no.json").write_text("[1, 2]", encoding="utf-8")
    of_all(play, "Import (JSON, Markdown or ChatGPT)…")
    answer(qtbot, play, tmp_path / "no.json")
    assert len(titles(play)) == 2
    assert child(play.window, "toast").isVisible()


def test_the_store_lists_what_a_restart_finds(play: Stage) -> None:
    play.talk.store.save(Conversation("new", "from elsewhere", 2e9, 2e9))
    play.window._shelf.refresh()
    assert titles(play)[0] == "from elsewhere"
