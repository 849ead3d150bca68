"""What one can do about a failure without leaving the conversation, by clicks and keys."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QPushButton

from desktop.core.errors import AgentRefused, AppError, ConnectionLost, HostUnreachable
from desktop.core.events import PhaseChanged, Retrying
from desktop.core.explain import Language
from desktop.core.phases import Phase
from desktop.ui.changed_key import ChangedKeyDialog
from desktop.ui.chats.link import LinkDialog
from tests.helpers.scenes import settle
from tests.helpers.screens import CHANGED, RENTED, Stage, talked_and_failed
from tests.helpers.start_screens import DISK_FULL, NOT_FITTING, TOO_LONG
from tests.helpers.window import child, click

Make = Callable[..., Stage]
BUTTON = "bannerRemedyButton"
LOST = ConnectionLost("connection-lost", host="h")
REFUSED = HostUnreachable("host-refused", host="h", port=22)


def failed(stage: Make, error: AppError, language: Language = "en") -> Stage:
    play = stage(target=RENTED, language=language)
    play.window.activateWindow()
    talked_and_failed(play, error)
    settle()
    return play


def focused() -> str:
    here = QApplication.focusWidget()
    return here.objectName() if here is not None else ""


def press(play: Stage, name: str, key: Qt.Key = Qt.Key.Key_Space) -> None:
    """Go to a button of the banner with Tab, and press it."""
    for _ in range(40):
        if focused() == name:
            break
        QTest.keyClick(QApplication.focusWidget() or play.window, Qt.Key.Key_Tab)
    assert focused() == name
    QTest.keyClick(child(play.window, name), key)
    settle()


# -- what helps best is on it ----------------------------------------------------------------------


def test_a_changed_key_is_compared_from_the_conversation(stage: Make) -> None:
    play = failed(stage, CHANGED)
    assert not child(play.window, "startSheet").isVisible()
    press(play, BUTTON)
    dialog = play.window.findChild(ChangedKeyDialog)
    assert dialog is not None
    assert dialog.isVisible()


def test_a_click_does_the_same(stage: Make) -> None:
    play = failed(stage, CHANGED)
    button = child(play.window, BUTTON)
    assert isinstance(button, QPushButton)
    assert button.text() == button.accessibleName() == play.texts["notice.compare"]
    click(play.window, BUTTON)
    assert play.window.findChild(ChangedKeyDialog) is not None


@pytest.mark.parametrize(
    ("error", "called"),
    [(LOST, ("retry",)), (AgentRefused("run.not-ended"), ("retry",))],
)
def test_what_asks_the_host_is_asked_of_it(
    stage: Make, error: AppError, called: tuple[object, ...]
) -> None:
    play = failed(stage, error)
    click(play.window, BUTTON)
    assert play.intents.calls[-1] == called


def test_the_console_is_shown_before_the_browser_goes_there(stage: Make) -> None:
    play = failed(stage, AppError("stop-unseen", host="h"))
    click(play.window, BUTTON)
    dialog = play.window.findChild(LinkDialog)
    assert dialog is not None
    dialog.reject()


def test_what_becomes_of_making_room_is_told_where_it_is_seen(stage: Make) -> None:
    play = failed(stage, DISK_FULL)
    press(play, BUTTON)
    assert play.intents.calls[-1] == ("tidy",)
    assert child(play.window, "startSheet").isVisible()


@pytest.mark.parametrize("error", [NOT_FITTING, REFUSED])
def test_what_is_chosen_or_pasted_needs_no_button(stage: Make, error: AppError) -> None:
    play = failed(stage, error)
    assert not child(play.window, BUTTON).isVisible()
    assert child(play.window, "detailsButton").isVisible()
    assert child(play.window, "addressBox").isVisible() == (error is REFUSED)


def test_while_nothing_failed_there_is_no_such_button(stage: Make) -> None:
    play = failed(stage, CHANGED)
    play.play([(0.0, PhaseChanged(Phase.RECONNECTING, LOST)), (0.0, Retrying(1, 5.0))])
    assert child(play.window, "banner").isVisible()
    assert not child(play.window, BUTTON).isVisible()


# -- its details -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "goes_to"),
    [
        (CHANGED, "compareKeysButton"),
        (REFUSED, "addressField"),
        (TOO_LONG, "shorterButton"),
        (LOST, "retryButton"),
    ],
)
@pytest.mark.parametrize("key", [Qt.Key.Key_Space, Qt.Key.Key_Return])
def test_the_details_of_a_failure_give_the_keyboard_to_what_helps_best(
    stage: Make, error: AppError, goes_to: str, key: Qt.Key
) -> None:
    play = failed(stage, error)
    press(play, "detailsButton", key)
    assert focused() == goes_to


def test_from_the_details_one_key_compares(stage: Make) -> None:
    play = failed(stage, CHANGED)
    press(play, "detailsButton")
    QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_Return)
    assert play.window.findChild(ChangedKeyDialog) is not None


def test_while_the_host_is_tried_the_keyboard_goes_to_trying_now(stage: Make) -> None:
    play = failed(stage, CHANGED)
    play.play([(0.0, PhaseChanged(Phase.RECONNECTING, LOST)), (0.0, Retrying(1, 5.0))])
    press(play, "detailsButton")
    assert focused() == "retryButton"


# -- what is said below ----------------------------------------------------------------------------


@pytest.mark.parametrize(("language", "never"), [("en", "start failed"), ("zh", "启动失败")])
def test_a_served_model_that_was_lost_is_no_start_that_failed(
    stage: Make, language: Language, never: str
) -> None:
    play = failed(stage, CHANGED, language)
    said = [each.text() for each in play.window.findChildren(QLabel) if each.isVisible()]
    assert play.texts["composer.not-failed"] in said
    assert not [each for each in said if never in each]
