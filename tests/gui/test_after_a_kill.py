"""What was typed, attached or worded anew is there after the app was killed."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from desktop.core.chat.conversation import Attachment, Unsent
from desktop.core.events import Delta, ReplyStarted, Trimmed
from desktop.core.texts import Texts
from desktop.ui.theme import Theme
from desktop.ui.transcript.shown import Action
from desktop.ui.window import Window
from tests.helpers.chatting import act, click_row, exchange, figures, messages, press, reply
from tests.helpers.screens import (
    MODEL,
    TARGET,
    Clock,
    RecordingIntents,
    Stage,
    close,
    key_of,
    ready,
)
from tests.helpers.talk import Talk
from tests.helpers.window import child

NOTE = Attachment("note.txt", "a kite\n" * 9)


@pytest.fixture
def note(tmp_path: Path) -> Path:
    path = tmp_path / NOTE.name
    path.write_text(NOTE.text, encoding="utf-8")
    return path


@pytest.fixture
def killed(play: Stage) -> Iterator[Callable[[], Stage]]:
    """Give a function that starts the app on the disk as a kill would leave it just now."""
    made: list[Stage] = []

    def start() -> Stage:
        folder = tempfile.TemporaryDirectory(prefix="talk-")
        shutil.copytree(play.talk.folder.name, folder.name, dirs_exist_ok=True)
        talk, clock, theme, texts = Talk.begin(folder), Clock(), Theme("light"), Texts("en")
        talk.remembered.keep(conversation=play.window.desk.current)
        intents = RecordingIntents()
        window = Window(
            intents, theme, texts, talk.chats, talk.remembered, MODEL, clock=clock, wall=clock
        )
        window.show_target(key_of(TARGET), TARGET)
        window.show_host(key_of(TARGET))
        window.show()
        made.append(Stage(window, intents, clock, theme, texts, talk))
        made[-1].play(ready())
        return made[-1]

    yield start
    for each in made:
        close(each)


def kept(qtbot: QtBot, play: Stage) -> Unsent:
    """Return what lies beside the draft on disk once it is there."""
    there, store = play.window.desk.current, play.talk.store
    qtbot.waitUntil(lambda: store.unsent(there) != Unsent(), timeout=3_000)
    return store.unsent(there)


def test_an_attached_file_is_there_with_its_text_though_the_file_is_gone(
    qtbot: QtBot, play: Stage, note: Path, killed: Callable[[], Stage]
) -> None:
    exchange(play, "question", "answer")
    play.window.desk.composer.attach([note])
    assert kept(qtbot, play).attachments == (NOTE,)
    note.unlink()
    again = killed()
    assert again.window.desk.composer.attachments == (NOTE,)
    again.say("look")
    assert again.talk.store.messages(again.window.desk.current)[-2].attachments == (NOTE,)
    assert again.window.desk.composer.attachments == ()
    assert again.talk.store.unsent(again.window.desk.current) == Unsent()


def test_a_file_that_begins_a_conversation_is_there_without_a_word(
    qtbot: QtBot, play: Stage, note: Path, killed: Callable[[], Stage]
) -> None:
    play.window.desk.composer.attach([note])
    kept(qtbot, play)
    assert killed().window.desk.composer.attachments == (NOTE,)


def test_a_file_that_was_taken_off_again_stays_away(
    qtbot: QtBot, play: Stage, note: Path, killed: Callable[[], Stage]
) -> None:
    exchange(play, "question", "answer")
    play.window.desk.composer.attach([note])
    kept(qtbot, play)
    play.window.desk.composer._files._remove(0)
    store, there = play.talk.store, play.window.desk.current
    qtbot.waitUntil(lambda: store.unsent(there) == Unsent(), timeout=3_000)
    assert killed().window.desk.composer.attachments == ()


def test_a_new_wording_is_there_beside_the_draft_and_its_file(
    qtbot: QtBot, play: Stage, note: Path, killed: Callable[[], Stage]
) -> None:
    exchange(play, "question", "answer")
    QTest.keyClicks(child(play.window, "composer"), "a draft")
    play.window.desk.composer.attach([note])
    act(play, 0, Action.EDIT)
    QTest.keyClicks(child(play.window, "composer"), " worded anew")
    store, there = play.talk.store, play.window.desk.current
    qtbot.waitUntil(lambda: bool(store.unsent(there).edited), timeout=3_000)
    again = killed()
    assert again.window.desk.composer.editing
    assert again.window.desk.composer.text == "question worded anew"
    QTest.keyClick(child(again.window, "composer"), Qt.Key.Key_Return)
    reply(again, 1, "other answer")
    assert messages(again) == ["question worded anew", "other answer"]
    assert again.window.desk.composer.text == "a draft"
    assert again.window.desk.composer.attachments == (NOTE,)
    again.window.desk._leave()
    assert again.talk.store.unsent(there) == Unsent((NOTE,))


def test_what_is_edited_elsewhere_waits_for_its_conversation(
    qtbot: QtBot, play: Stage, killed: Callable[[], Stage]
) -> None:
    exchange(play, "question", "answer")
    act(play, 0, Action.EDIT)
    QTest.keyClicks(child(play.window, "composer"), " worded anew")
    press(play.window, "Ctrl+N")
    again = killed()
    assert again.window.desk.composer.text == ""
    click_row(again, "question")
    assert again.window.desk.composer.text == "question worded anew"
    assert again.window.desk.composer.editing


def test_an_edit_that_was_left_is_over_after_a_kill_too(
    qtbot: QtBot, play: Stage, killed: Callable[[], Stage]
) -> None:
    exchange(play, "question", "answer")
    act(play, 0, Action.EDIT)
    QTest.keyClicks(child(play.window, "composer"), " worded anew")
    kept(qtbot, play)
    QTest.keyClick(child(play.window, "composer"), Qt.Key.Key_Escape)
    store, there = play.talk.store, play.window.desk.current
    qtbot.waitUntil(lambda: store.unsent(there) == Unsent(), timeout=3_000)
    assert not killed().window.desk.composer.editing


def test_that_turns_were_left_out_stands_under_the_reply_after_a_kill_in_the_stream(
    play: Stage, killed: Callable[[], Stage]
) -> None:
    play.say("question")
    play.play([(0.0, ReplyStarted(1)), (0.0, Trimmed(1, 4)), (0.0, Delta(1, "answer"))])
    play.talk.writer.flush()
    again = killed()
    assert messages(again) == ["question", "answer"]
    assert figures(again).startswith("4 oldest messages no longer fit")
