"""Finding, enlarging, and following links in the conversation in front; what a restart finds."""

from __future__ import annotations

import tempfile

import pytest
from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QLineEdit

from desktop.core.texts import Texts
from desktop.ui.chats.remembered import Memory, Remembered
from desktop.ui.theme import Theme
from desktop.ui.window import Window
from tests.helpers.chatting import exchange, messages, press, shown_texts, tool
from tests.helpers.screens import MODEL, RecordingIntents, Stage
from tests.helpers.talk import Talk
from tests.helpers.window import child, click


@pytest.fixture
def play(play: Stage) -> Stage:
    exchange(play, "kites", "A kite, two kites, and a [link](https://example.org/a?b=c).")
    return play


# -- finding -------------------------------------------------------------------------------------


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
