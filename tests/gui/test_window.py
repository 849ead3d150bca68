from collections.abc import Callable
from typing import TypeVar

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QLabel, QLineEdit, QPlainTextEdit, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from desktop.core.errors import AgentRefused, ConnectionLost, DestinationError
from desktop.core.events import Ended, PhaseChanged, Restarting, Retrying
from desktop.core.phases import Phase
from desktop.ui.intents import Chosen
from desktop.ui.start.sheet import StartSheet
from desktop.ui.transcript.view import Transcript
from tests.helpers.screens import (
    NOBODY,
    REPLY,
    Stage,
    broken,
    failed,
    preparing,
    ready,
    reconnecting,
    talk,
)

Make = Callable[..., Stage]
W = TypeVar("W", bound=QWidget)


def child(play: Stage, kind: type[W], name: str) -> W:
    found = play.window.findChildren(kind, name)
    assert found, name
    return next((each for each in found if each.isVisible()), found[0])


def shown_texts(play: Stage) -> str:
    labels = play.window.findChildren(QLabel)
    return "\n".join(label.text() for label in labels if label.isVisible())


def click(qtbot: QtBot, play: Stage, name: str) -> None:
    qtbot.mouseClick(child(play, QPushButton, name), Qt.MouseButton.LeftButton)


def test_a_first_run_asks_for_one_line_and_looks(qtbot: QtBot, stage: Make) -> None:
    play = stage(target=NOBODY)
    play.intents.problem = DestinationError("no-host")
    qtbot.keyClicks(child(play, QLineEdit, "hostField"), " ssh -p 22 root@host ")
    click(qtbot, play, "checkButton")
    chosen = Chosen("01ai/Yi-34B-Chat-4bits")
    assert play.intents.calls == [("survey", "ssh -p 22 root@host", chosen)]


def test_a_line_that_nobody_understands_is_explained_where_it_was_typed(
    qtbot: QtBot, stage: Make
) -> None:
    play = stage(target=NOBODY)
    play.intents.problem = DestinationError("no-host")
    click(qtbot, play, "checkButton")
    assert "Which host?" in shown_texts(play)


def test_a_saved_host_is_one_click(qtbot: QtBot, stage: Make) -> None:
    play = stage()
    assert not child(play, QLineEdit, "hostField").isVisible()
    click(qtbot, play, "startButton")
    assert play.intents.calls[0][0] == "start"


def test_the_two_branches_stand_side_by_side(stage: Make) -> None:
    play = stage()
    play.play(preparing())
    install, download = (child(play, QFrame, f"step-{name}") for name in ("install", "download"))
    assert install.y() == download.y()
    assert install.width() == download.width()
    assert install.geometry().right() < download.x()
    assert "62 MB/s" in shown_texts(play)


def test_stop_is_there_while_it_works_and_asks_to_stop(qtbot: QtBot, stage: Make) -> None:
    play = stage()
    assert not child(play, QPushButton, "stopButton").isVisible()
    play.play(preparing())
    click(qtbot, play, "stopButton")
    assert play.intents.calls == [("stop",)]
    play.play([(0.0, PhaseChanged(Phase.STOPPING))])
    assert not child(play, QPushButton, "stopButton").isEnabled()


def test_a_failure_says_what_to_do_and_shows_the_log_on_request(qtbot: QtBot, stage: Make) -> None:
    play = stage()
    play.play(failed())
    log = child(play, QPlainTextEdit, "logLines")
    assert not log.isVisible()
    click(qtbot, play, "logButton")
    assert log.isVisible()
    assert "404 Not Found" in log.toPlainText()
    click(qtbot, play, "retryButton")
    assert play.intents.calls == [("retry",)]


def test_after_a_failure_host_and_model_can_be_changed(qtbot: QtBot, stage: Make) -> None:
    play = stage()
    play.play(failed())
    click(qtbot, play, "changeAfterFailureButton")
    assert child(play, QLineEdit, "hostField").isVisible()
    click(qtbot, play, "chooseModelButton")
    qtbot.keyClicks(child(play, QLineEdit, "modelField"), "Qwen/Qwen2.5-7B-Instruct-AWQ")
    click(qtbot, play, "startButton")
    host = "ssh -p 12345 root@connect.westb.seetacloud.com"
    ((verb, where, chosen),) = play.intents.calls
    assert (verb, where) == ("start", host)
    assert isinstance(chosen, Chosen)
    assert chosen.model == "Qwen/Qwen2.5-7B-Instruct-AWQ"


def test_a_lost_connection_counts_down_and_can_be_tried_at_once(qtbot: QtBot, stage: Make) -> None:
    play = stage()
    play.play(reconnecting())
    play.window.pane._tick()
    assert "Next try in 6 s." in shown_texts(play)
    play.clock.now += 3
    play.window.pane._tick()
    assert "Next try in 3 s." in shown_texts(play)
    click(qtbot, play, "retryButton")
    assert play.intents.calls == [("retry",)]


def test_ready_opens_the_conversation_with_the_keyboard_in_the_composer(
    qtbot: QtBot, stage: Make
) -> None:
    play = stage()
    play.window.activateWindow()
    play.play(ready())
    assert not child(play, StartSheet, "startSheet").isVisible()
    assert play.window.focusWidget() is play.window.desk.composer.editor
    assert "4,096" in shown_texts(play)


def test_a_reply_streams_into_the_transcript(stage: Make) -> None:
    play = stage()
    talk(play)
    assert play.window.transcript_text.endswith(REPLY.rpartition("\n")[2])
    assert "**AWQ**" in play.window.transcript_text
    assert child(play, Transcript, "transcript").isVisible()


def test_a_lost_connection_leaves_the_conversation_readable(qtbot: QtBot, stage: Make) -> None:
    play = stage()
    play.play(ready())
    play.say("question")
    play.play(broken())
    lost = ConnectionLost("connection-lost", host="h")
    play.play([(0.0, PhaseChanged(Phase.RECONNECTING, lost)), (0.0, Retrying(1, 5.0))])
    assert child(play, Transcript, "transcript").isVisible()
    assert child(play, QFrame, "banner").isVisible()
    click(qtbot, play, "detailsButton")
    assert child(play, StartSheet, "startSheet").isVisible()
    click(qtbot, play, "backButton")
    assert child(play, Transcript, "transcript").isVisible()


def test_without_a_tray_closing_quits(stage: Make) -> None:
    play = stage()
    play.window.close()
    assert play.intents.calls == [("quit",)]


def test_with_a_tray_closing_hides(stage: Make) -> None:
    play = stage()
    play.window.hides = True
    play.window.close()
    assert not play.window.isVisible()
    assert play.intents.calls == []


def test_why_the_host_stopped_the_model_is_said_in_place_of_all_is_well(stage: Make) -> None:
    play = stage()
    play.play([*ready(), (1.0, Ended("stopped", "idle")), (0.0, PhaseChanged(Phase.OFF))])
    assert "nobody asked it anything" in shown_texts(play)


def test_why_the_engine_is_started_again_is_said_over_the_conversation(stage: Make) -> None:
    play = stage()
    crash = AgentRefused("engine.out-of-memory")
    play.play([*ready(), (1.0, PhaseChanged(Phase.LOADING)), (0.0, Restarting(crash))])
    assert "Out of GPU memory. The host is starting the engine again." in shown_texts(play)
