"""Finding, enlarging, and following links in the conversation in front; what a restart finds."""

from __future__ import annotations

import tempfile
from dataclasses import replace

import pytest
from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QLineEdit

from desktop.core.events import Delta, ReplyDone, ReplyStarted
from desktop.core.texts import Texts
from desktop.ui.chats.remembered import Memory, Remembered
from desktop.ui.theme import Theme
from desktop.ui.transcript.block import Tint
from desktop.ui.transcript.flow import Seen
from desktop.ui.transcript.shown import Action
from desktop.ui.window import Window
from tests.helpers.chatting import act, exchange, messages, press, reply, shown_texts, tool
from tests.helpers.screens import MODEL, RecordingIntents, Stage
from tests.helpers.talk import Talk
from tests.helpers.window import child, click


@pytest.fixture
def play(play: Stage) -> Stage:
    exchange(play, "kites", "A kite, two kites, and a [link](https://example.org/a?b=c).")
    return play


# -- finding -------------------------------------------------------------------------------------


def tints(play: Stage, seen: Seen) -> list[Tint]:
    return play.window.desk.transcript._tints(seen)


def find(play: Stage, text: str) -> QLineEdit:
    press(play.window, "Ctrl+F")
    field = child(play.window, "findField")
    assert isinstance(field, QLineEdit)
    QTest.keyClicks(field, text)
    while play.window.desk.transcript.searching:
        QTest.qWait(1)
    return field


def test_words_are_counted_and_stepped_through(play: Stage) -> None:
    field = find(play, "kite")
    assert "1 of 3" in shown_texts(play)
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert "2 of 3" in shown_texts(play)
    QTest.keyClick(field, Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    tool(play, "findPrevious").click()
    assert "3 of 3" in shown_texts(play)
    tool(play, "findNext").click()
    assert "1 of 3" in shown_texts(play)


def test_what_is_not_there_is_said(play: Stage) -> None:
    find(play, "submarine")
    assert "not found" in shown_texts(play)


def test_escape_closes_the_bar_and_tints_nothing_more(play: Stage) -> None:
    field = find(play, "kite")
    QTest.keyClick(field, Qt.Key.Key_Escape)
    assert not child(play.window, "findBar").isVisible()
    assert play.window.desk.transcript.find_next() == 0


def test_each_key_looks_from_where_one_read(play: Stage) -> None:
    for number in range(12):
        exchange(play, f"question {number}", "word here, word there. " * 60)
    transcript = play.window.desk.transcript
    bar = transcript.verticalScrollBar()
    bar.setValue(bar.maximum() // 2)
    field = find(play, "w")
    first = bar.value()
    QTest.keyClicks(field, "ord")
    assert bar.value() == first


def counted(play: Stage) -> str:
    """Return what the bar says once the search is over."""
    QTest.qWait(20)
    while play.window.desk.transcript.searching:
        QTest.qWait(1)
    return shown_texts(play)


def test_a_new_reply_is_looked_through_while_the_bar_is_open(play: Stage) -> None:
    field = find(play, "kite")
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert "2 of 3" in shown_texts(play)
    act(play, 1, Action.REGENERATE)
    reply(play, 2, "No kite at all.")
    assert "2 of 2" in counted(play)
    tinted = [seen for seen in play.window.desk.transcript._seen() if tints(play, seen)]
    assert len(tinted) == 2
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert "2 of 2" in counted(play)  # it is another one, to which nobody had gone
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert "1 of 2" in counted(play)


def test_what_only_a_new_reply_brings_is_found(play: Stage) -> None:
    field = find(play, "submarine")
    assert "not found" in shown_texts(play)
    play.say("more")
    play.play([(0.0, ReplyStarted(2)), (0.0, Delta(2, "A subma"))])
    play.play([(0.0, Delta(2, "rine.")), (0.0, ReplyDone(2, "stop", None, None, None))])
    assert "1 of 1" in counted(play)
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert "1 of 1" in counted(play)


def test_stepping_versions_and_deleting_count_anew(play: Stage) -> None:
    act(play, 1, Action.REGENERATE)
    reply(play, 2, "No kite at all.")
    field = find(play, "kite")
    assert "1 of 2" in shown_texts(play)
    act(play, 1, Action.PREVIOUS)
    assert "1 of 3" in counted(play)
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert "2 of 3" in counted(play)
    act(play, 1, Action.DELETE)  # the other version stands there now
    assert "2 of 2" in counted(play)


def test_a_search_made_again_moves_nothing(play: Stage) -> None:
    for number in range(8):
        exchange(play, f"question {number}", "word here, word there. " * 60)
    transcript = play.window.desk.transcript
    bar = transcript.verticalScrollBar()
    find(play, "word")
    bar.setValue(0)
    QTest.qWait(20)
    play.say("more")
    reply(play, max(play.talk.replies.asked), "another word")
    bar.setValue(0)
    before = bar.value()
    play.window.desk.show_messages()
    play.window.desk.transcript.present(
        [replace(each.now(), text=f"{each.text} word") for each in transcript.flow.sections]
    )
    assert "of" in counted(play)
    assert bar.value() == before


def test_a_closed_bar_looks_for_nothing_in_a_new_reply(play: Stage) -> None:
    field = find(play, "kite")
    QTest.keyClick(field, Qt.Key.Key_Escape)
    act(play, 1, Action.REGENERATE)
    reply(play, 2, "No kite at all.")
    counted(play)
    transcript = play.window.desk.transcript
    assert (transcript.matches, transcript.searching) == (0, False)


# -- zoom ----------------------------------------------------------------------------------------


def test_the_text_is_enlarged_and_remembered(play: Stage) -> None:
    press(play.window, "Ctrl++")
    press(play.window, "Ctrl+=")
    assert play.window.desk.transcript._zoom == play.talk.remembered.memory.zoom == 2
    press(play.window, "Ctrl+-")
    assert play.talk.remembered.memory.zoom == 1
    press(play.window, "Ctrl+0")
    assert play.window.desk.transcript._zoom == play.talk.remembered.memory.zoom == 0


# -- links ---------------------------------------------------------------------------------------


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[QUrl]:
    urls: list[QUrl] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", urls.append)
    return urls


def test_a_link_is_shown_before_it_is_followed(play: Stage, opened: list[QUrl]) -> None:
    play.window.desk.transcript.linked.emit("https://example.org/a?b=c")
    dialog = child(play.window, "linkDialog")
    address = child(dialog, "linkAddress")
    assert isinstance(address, QLabel)
    assert address.text() == "https://example.org/a?b=c"
    assert opened == []
    click(dialog, "acceptButton")
    assert opened == [QUrl("https://example.org/a?b=c")]


def test_a_link_can_be_left_or_copied(play: Stage, opened: list[QUrl]) -> None:
    play.window.desk.transcript.linked.emit("http://example.org/")
    dialog = child(play.window, "linkDialog")
    assert "not encrypted" in "".join(each.text() for each in dialog.findChildren(QLabel))
    click(dialog, "copyLinkButton")
    assert QGuiApplication.clipboard().text() == "http://example.org/"
    QGuiApplication.clipboard().clear()
    assert opened == []


# -- a restart -----------------------------------------------------------------------------------


def test_a_restart_finds_conversation_draft_zoom_and_columns(qapp: object) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = tempfile.TemporaryDirectory(dir=name)
        first = begin(folder)
        first.window.desk.open("")
        QTest.keyClicks(child(first.window, "composer"), "half a thou")
        first.window.desk.zoom(1)
        first.window._toggle_sidebar()
        end(first)
        second = begin(folder)
        assert second.window.desk.composer.text == "half a thou"
        assert messages(second) == []
        assert second.talk.remembered.memory == Memory(
            zoom=1, sidebar=False, conversation=second.window.desk.current
        )
        assert second.window.desk.transcript._zoom == 1
        end(second)
        folder.cleanup()


def begin(folder: tempfile.TemporaryDirectory[str]) -> Stage:
    from tests.helpers.screens import Clock

    texts, theme, talk, clock = Texts("en"), Theme("light"), Talk.begin(folder), Clock()
    intents = RecordingIntents()
    window = Window(
        intents, theme, texts, talk.chats, talk.remembered, MODEL, clock=clock, wall=clock
    )
    return Stage(window, intents, clock, theme, texts, talk)


def end(play: Stage) -> None:
    play.window.end()
    play.window.deleteLater()
    play.talk.end(keep=True)


@pytest.mark.parametrize("content", ["", "[1]", '{"zoom": 99, "sidebar": 3}', "\udcff"])
def test_a_memory_that_cannot_be_read_is_forgotten(tmp_path: object, content: str) -> None:
    from pathlib import Path

    path = Path(str(tmp_path)) / "window.json"
    path.write_bytes(content.encode("utf-8", "surrogateescape"))
    assert Remembered(path).memory == Memory()
