"""How full the context is, and the files that go with a message."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QWidget
from pytestqt.qtbot import QtBot

from desktop.core.chat.conversation import Attachment
from desktop.core.events import Counted, PhaseChanged
from desktop.core.phases import Phase
from desktop.ui.chats.files import MOST_BYTES, Refused, decoded, read
from desktop.ui.transcript.shown import Action
from tests.helpers.chatting import (
    act,
    click_row,
    exchange,
    messages,
    reply,
    send_button,
    shown_texts,
    tool,
)
from tests.helpers.screens import Stage
from tests.helpers.window import child


@pytest.fixture
def note(tmp_path: Path) -> Path:
    path = tmp_path / "note.txt"
    path.write_text("纸鸢 and string", encoding="utf-8")
    return path


def count(qtbot: QtBot, play: Stage) -> int:
    """Wait until something is to be counted, and return the newest number."""
    counted = play.talk.replies.counted
    before = len(counted)
    qtbot.waitUntil(lambda: len(counted) > before, timeout=3_000)
    return max(counted)


# -- the meter -----------------------------------------------------------------------------------


def test_what_is_said_and_typed_is_counted_a_moment_after_the_last_key(
    qtbot: QtBot, play: Stage
) -> None:
    exchange(play, "question", "answer")
    QTest.keyClicks(child(play.window, "composer"), "and more")
    number = count(qtbot, play)
    assert [turn.content for turn in play.talk.replies.counted[number].turns] == [
        "question",
        "answer",
        "and more",
    ]
    play.play([(0.0, Counted(number, 1234, 4096))])
    meter = child(play.window, "contextMeter")
    assert "1,234 / 4,096" in shown_texts(play)
    assert "2,862 are left" in meter.toolTip()
    assert meter.accessibleName() == meter.toolTip()


def test_a_count_that_came_too_late_is_not_shown(qtbot: QtBot, play: Stage) -> None:
    QTest.keyClicks(child(play.window, "composer"), "one")
    first = count(qtbot, play)
    QTest.keyClicks(child(play.window, "composer"), " two")
    second = count(qtbot, play)
    play.play([(0.0, Counted(second, 20, 4096)), (0.0, Counted(first, 10, 4096))])
    assert "20 / 4,096" in shown_texts(play)


def test_what_is_worded_anew_is_counted_at_its_place_with_its_files(
    qtbot: QtBot, play: Stage, note: Path
) -> None:
    exchange(play, "question", "answer")
    play.window.desk.composer.attach([note])
    exchange(play, "more", "more of it")
    count(qtbot, play)
    act(play, 2, Action.EDIT)
    QTest.keyClicks(child(play.window, "composer"), "!")
    turns = play.talk.replies.counted[count(qtbot, play)].turns
    assert [turn.role for turn in turns] == ["user", "assistant", "user"]
    assert turns[0].content == "question"
    assert "纸鸢 and string" in turns[-1].content
    assert turns[-1].content.endswith("more!")


def test_what_will_not_fit_is_said_before_it_is_sent(qtbot: QtBot, play: Stage) -> None:
    QTest.keyClicks(child(play.window, "composer"), "much")
    play.play([(0.0, Counted(count(qtbot, play), 4000, 4096))])
    assert "the oldest messages will be left out" in child(play.window, "contextMeter").toolTip()


def test_without_a_model_nothing_is_counted(qtbot: QtBot, play: Stage) -> None:
    QTest.keyClicks(child(play.window, "composer"), "much")
    play.play([(0.0, Counted(count(qtbot, play), 40, 4096))])
    play.play([(0.0, PhaseChanged(Phase.OFF))])
    assert not child(play.window, "contextMeter").isVisible()


# -- files ---------------------------------------------------------------------------------------


def test_a_file_goes_with_the_message_as_quoted_content(play: Stage, note: Path) -> None:
    play.window.desk.composer.attach([note])
    assert "note.txt ⋅ 17 B" in shown_texts(play)
    play.say("What is it about?")
    assert play.talk.replies.said == ["note.txt\n````\n纸鸢 and string\n````\n\nWhat is it about?"]
    assert not child(play.window, "attachments").isVisible()
    reply(play, 1, "A kite.")
    kept = play.talk.store.messages(play.window.desk.current)[0]
    assert (kept.content, kept.attachments) == (
        "What is it about?",
        (Attachment("note.txt", "纸鸢 and string"),),
    )


def test_files_stay_with_what_is_typed(play: Stage, note: Path) -> None:
    exchange(play, "question", "answer")
    QTest.keyClicks(child(play.window, "composer"), "half a thought")
    play.window.desk.composer.attach([note])
    click_row(play, "question")  # where one is already
    act(play, 0, Action.EDIT)
    assert play.window.desk.composer.attachments == ()
    QTest.keyClick(child(play.window, "composer"), Qt.Key.Key_Escape)
    tool(play, "newChatButton").click()
    assert play.window.desk.composer.attachments == ()
    click_row(play, "question")
    composer = play.window.desk.composer
    assert composer.text == "half a thought"
    assert [each.name for each in composer.attachments] == ["note.txt"]


def test_a_file_may_go_alone(play: Stage, note: Path) -> None:
    assert not send_button(play).isEnabled()
    play.window.desk.composer.attach([note])
    assert send_button(play).isEnabled()
    QTest.keyClick(child(play.window, "composer"), Qt.Key.Key_Return)
    assert len(play.talk.replies.said) == 1
    assert messages(play)[0].startswith("note.txt")


def test_its_cost_in_tokens_is_shown(qtbot: QtBot, play: Stage, note: Path) -> None:
    play.window.desk.composer.attach([note])
    number = count(qtbot, play)
    play.play([(0.0, Counted(number, 12, 4096))])
    assert "note.txt ⋅ 12 tokens" in shown_texts(play)


def test_files_are_pasted_and_dropped(play: Stage, note: Path) -> None:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(note))])
    QGuiApplication.clipboard().setMimeData(mime)
    editor = child(play.window, "composer")
    QTest.keyClick(editor, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    QGuiApplication.clipboard().clear()
    assert len(play.window.desk.composer.attachments) == 1
    other = note.with_name("other.txt")
    other.write_text("x", encoding="utf-8")
    dragged = QMimeData()
    dragged.setUrls([QUrl.fromLocalFile(str(other))])
    drop(play.window.desk.composer.editor.viewport(), dragged)
    drop(play.window.desk.transcript.viewport(), dragged)
    names = [each.name for each in play.window.desk.composer.attachments]
    assert names == ["note.txt", "other.txt", "other.txt"]
    assert play.window.desk.composer.text == ""


def drop(onto: QWidget, mime: QMimeData) -> None:
    copy, left = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton
    none = Qt.KeyboardModifier.NoModifier
    entering = QDragEnterEvent(QPoint(5, 5), copy, mime, left, none)
    while onto is not None and not onto.acceptDrops():  # as Qt finds who takes it
        onto = onto.parentWidget()
    QApplication.sendEvent(onto, entering)
    assert entering.isAccepted()
    QApplication.sendEvent(onto, QDropEvent(QPoint(5, 5), copy, mime, left, none))


def test_a_file_is_chosen_in_the_dialog_and_taken_off_again(play: Stage, note: Path) -> None:
    tool(play, "attachButton").click()
    dialog = child(play.window, "attachDialog")
    assert isinstance(dialog, QFileDialog)
    dialog.filesSelected.emit([str(note)])
    dialog.reject()
    tool(play, "removeAttachment").click()
    assert play.window.desk.composer.attachments == ()


def test_what_is_no_text_file_is_refused_in_words(play: Stage, tmp_path: Path) -> None:
    picture = tmp_path / "kite.png"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR")
    play.window.desk.composer.attach([picture, tmp_path / "gone.txt", tmp_path])
    said = shown_texts(play) + child(play.window, "toast").accessibleName()
    assert "kite.png is not a text file." in said
    assert "gone.txt is not a file." in said
    assert play.window.desk.composer.attachments == ()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
def test_texts_are_read_in_the_encodings_that_people_have(encoding: str) -> None:
    assert decoded("纸鸢，线\n".encode(encoding)) == "纸鸢，线\n"


@pytest.mark.parametrize(
    "content", [b"\0\1\2", bytes(range(1, 32)) * 9, b"\xff\xfe\0", b"\xff" * 9]
)
def test_bytes_that_are_no_text_are_known(content: bytes) -> None:
    assert decoded(content) is None


def test_a_file_may_have_a_megabyte_and_no_more(tmp_path: Path) -> None:
    path = tmp_path / "long.txt"
    path.write_bytes(b"a" * MOST_BYTES)
    assert isinstance(read(path), Attachment)
    path.write_bytes(b"a" * (MOST_BYTES + 1))
    assert read(path) == Refused("long.txt", "too-large")
