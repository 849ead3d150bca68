"""The start sheet as one works with it: what a wait costs, cancelling, a button for a failure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QPushButton
from pytestqt.qtbot import QtBot

from desktop.core.errors import AgentRefused, AppError, AuthenticationFailed, HostUnreachable
from desktop.core.events import Event, PhaseChanged, Progress, Tidied, Tidying
from desktop.core.phases import Phase
from desktop.core.texts import Texts
from desktop.ui.chats.link import LinkDialog
from desktop.ui.intents import Chosen, Screen
from desktop.ui.start import wording
from desktop.ui.start.journey import Journey, Step, advance
from tests.helpers.screens import (
    RENTED,
    TARGET,
    Stage,
    failed,
    loading,
    preparing,
    ready,
)
from tests.helpers.start_screens import (
    DISK_FULL,
    NO_GPU,
    NOT_FITTING,
    TOO_LONG,
    cancelled,
    cancelling,
    failing,
)
from tests.helpers.window import child, click

EN = Texts("en")
Make = Callable[..., Stage]
Script = list[tuple[float, Event]]


def shown(stage: Stage) -> str:
    labels = stage.window.findChildren(QLabel)
    return "\n".join(label.text() for label in labels if label.isVisible())


def is_shown(stage: Stage, name: str) -> bool:
    return any(each.isVisible() for each in stage.window.findChildren(QPushButton, name))


def primary(stage: Stage) -> list[str]:
    """Return what the buttons say that stand out on the sheet."""
    return [
        each.text()
        for each in stage.window.pane.findChildren(QPushButton)
        if each.isVisible() and each.property("kind") == "primary"
    ]


def after(script: Script) -> tuple[Journey, float]:
    journey, now = Journey(), 0.0
    for wait, event in script:
        now += wait
        journey = advance(journey, event, now)
    return journey, now


# -- what a wait costs -----------------------------------------------------------------------------


def test_the_sheet_says_how_long_and_what_it_costs(stage: Make) -> None:
    play = stage(target=RENTED)
    play.play(preparing())
    assert "Ready in about 5 min, for about ¥0.18." in shown(play)
    assert "1 min 11 s ⋅ ¥0.04" in shown(play)


def test_without_a_price_there_are_no_sums_and_one_offer(qtbot: QtBot, stage: Make) -> None:
    play = stage()
    play.play(preparing())
    assert "Ready in about 5 min." in shown(play)
    assert "¥" not in shown(play)
    with qtbot.waitSignal(play.window.pane.rate_wanted):
        click(play.window, "enterRateButton")
    play.window.pane.show_target(RENTED)
    play.window.pane._tick()
    assert not is_shown(play, "enterRateButton")


def test_while_nobody_can_tell_nothing_is_said() -> None:
    for script in (preparing()[:5], preparing()[:16], preparing()[:18], failed(), ready()):
        journey, _ = after(script)
        assert wording.forecast(journey, RENTED, EN) == "", journey
    before_the_files = [
        *preparing(),
        (0.0, Progress("hub-environment", 1, 2, "steps", "", None, 9)),
    ]
    assert wording.forecast(after(before_the_files)[0], RENTED, EN) == ""


def test_while_it_loads_the_host_says_how_long() -> None:
    journey, _ = after(loading())
    assert wording.forecast(journey, RENTED, EN) == "Ready in about 40 s, for about ¥0.02."


def test_next_to_nothing_costs_nothing_that_is_worth_a_word() -> None:
    journey, now = after(preparing())
    assert wording.row_cost(journey.rows[Step.CONNECT], now, RENTED) == ""
    assert wording.row_cost(journey.rows[Step.LOAD], now, RENTED) == ""
    dear = replace(RENTED, rate=100.0)
    assert wording.row_cost(journey.rows[Step.CONNECT], now, dear) == "¥0.04"


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (3, "10 s"),
        (44, "40 s"),
        (55, "1 min"),
        (350, "6 min"),
        (3599, "1 h 0 min"),
        (4700, "1 h 20 min"),
    ],
)
def test_a_time_ahead_is_said_roughly(seconds: float, said: str) -> None:
    assert wording.roughly(seconds, EN) == said


# -- cancelling ------------------------------------------------------------------------------------


def test_cancel_stops_and_says_what_stays(stage: Make) -> None:
    play = stage()
    play.play(preparing())
    assert EN["wait.stays"] in shown(play)
    click(play.window, "cancelStartButton")
    assert play.intents.calls == [("stop",)]
    play.play(cancelling()[-1:])
    assert not child(play.window, "cancelStartButton").isEnabled()
    assert play.window.journey.running() == []


def test_after_a_cancel_the_sheet_offers_to_go_on(stage: Make) -> None:
    play = stage()
    play.play(cancelled())
    assert EN["wait.cancelled"] in shown(play)
    assert not is_shown(play, "cancelStartButton")
    click(play.window, "startButton")
    assert play.intents.calls[0][0] == "start"
    play.play(preparing()[:1])
    assert EN["wait.cancelled"] not in shown(play)


def test_a_stop_of_a_model_that_answered_is_no_cancel() -> None:
    script = [*ready(), (9.0, PhaseChanged(Phase.STOPPING)), (1.0, PhaseChanged(Phase.OFF))]
    assert not after(script)[0].was_cancelled
    assert after(script[:-2] + script[-1:])[0].was_cancelled is False
    early = [*preparing()[:3], (0.0, PhaseChanged(Phase.OFF))]  # nothing ran yet
    assert after(early)[0].was_cancelled


def test_the_log_is_one_click_away(qtbot: QtBot, stage: Make) -> None:
    play = stage()
    play.play(preparing())
    with qtbot.waitSignal(play.window.pane.wanted) as wanted:
        click(play.window, "showLogButton")
    assert wanted.args == [Screen.LOGS]


# -- a failure -------------------------------------------------------------------------------------


def test_a_context_that_fits_is_one_click(stage: Make) -> None:
    play = stage()
    play.play(failing(TOO_LONG, "serve"))
    assert primary(play) == ["Start with 4,096 tokens of context"]
    click(play.window, "shorterButton")
    ((verb, host, chosen),) = play.intents.calls
    assert (verb, host) == ("start", TARGET.host_text)
    assert isinstance(chosen, Chosen)
    assert (chosen.model, chosen.max_model_len) == (TARGET.model, "4096")


def test_a_model_that_does_not_fit_is_exchanged_where_models_are_chosen(stage: Make) -> None:
    play = stage()
    play.play(failing(NOT_FITTING))
    assert primary(play) == [EN["remedy.other-model"]]
    click(play.window, "other-modelButton")
    assert child(play.window, "modelField").isVisible()


def test_room_is_made_and_told_and_then_one_goes_on(stage: Make) -> None:
    play = stage()
    play.play(failing(DISK_FULL, "model-files"))
    click(play.window, "tidyButton")
    assert play.intents.calls == [("tidy",)]
    play.play([(0.0, Tidying())])
    assert not child(play.window, "tidyButton").isEnabled()
    assert EN["remedy.tidying"] in shown(play)
    play.play([(0.0, Tidied(12_300_000_000, 14))])
    assert "12.3 GB are free again." in shown(play)
    assert primary(play) == [EN["action.retry"]]
    assert not is_shown(play, "tidyButton")
    click(play.window, "retryButton")
    assert play.intents.calls[-1] == ("retry",)


def test_room_that_could_not_be_made_says_why(stage: Make) -> None:
    play = stage()
    play.play([*failing(DISK_FULL, "model-files"), (0.0, Tidied(0, 0))])
    assert EN["remedy.tidied-nothing"] in shown(play)
    silent = HostUnreachable("host-silent", host="h", port=22)
    play.play([(0.0, Tidying()), (0.0, Tidied(error=silent))])
    assert "Nothing was removed: The host does not answer" in shown(play)
    assert is_shown(play, "tidyButton")


def test_the_console_is_shown_before_the_browser_goes_there(qtbot: QtBot, stage: Make) -> None:
    play = stage(target=RENTED)
    play.play(failing(NO_GPU))
    assert primary(play) == ["Open the console of AutoDL…"]
    click(play.window, "consoleButton")
    qtbot.waitUntil(lambda: bool(play.window.findChildren(LinkDialog)))
    (dialog,) = play.window.findChildren(LinkDialog)
    assert "autodl.com" in "".join(label.text() for label in dialog.findChildren(QLabel))
    dialog.reject()


def test_without_a_known_provider_there_is_no_console(stage: Make) -> None:
    play = stage(target=replace(TARGET, host="root@lab:22"))
    play.play(failing(NO_GPU))
    assert not is_shown(play, "consoleButton")
    assert primary(play) == [EN["action.retry"]]


def test_a_wrong_password_is_asked_for_again(stage: Make) -> None:
    error = AuthenticationFailed("authentication-failed", host="h", port=22, user="root")
    play = stage()
    play.play([*preparing()[:2], (1.0, PhaseChanged(Phase.FAILED, error))])
    assert primary(play) == [EN["remedy.password"]]
    assert child(play.window, "addressField").isVisible()
    click(play.window, "passwordButton")
    assert play.intents.calls == [("retry",)]


def test_a_host_that_moved_is_asked_for_by_its_line_first(stage: Make) -> None:
    error = HostUnreachable("host-refused", host="h", port=22)
    play = stage()
    play.play([*preparing()[:2], (1.0, PhaseChanged(Phase.FAILED, error))])
    assert primary(play) == [EN["address.use"]]


def test_a_stop_that_failed_is_not_tried_again_as_a_start(stage: Make) -> None:
    play = stage()
    play.play([*ready(), (0.0, PhaseChanged(Phase.FAILED, AppError("power-off-failed", host="h")))])
    assert not is_shown(play, "retryButton")
    click(play.window, "stopAgainButton")
    assert play.intents.calls == [("stop",)]


def test_what_another_wish_has_started_can_be_stopped_here(stage: Make) -> None:
    play = stage()
    busy = AgentRefused("run.busy", model="a/other")
    play.play([*preparing()[:2], (1.0, PhaseChanged(Phase.FAILED, busy))])
    assert primary(play) == [EN["remedy.other-model"]], "the default costs nobody anything"
    assert "whoever uses it loses it" in shown(play)
    click(play.window, "stop-thereButton")
    assert play.intents.calls == [("stop",)]


@pytest.mark.parametrize("name", ["hubButton", "data-dirButton"])
def test_what_is_a_setting_opens_the_settings(qtbot: QtBot, stage: Make, name: str) -> None:
    denied = AgentRefused("model.access-denied", model="a/b", hub="h")
    play = stage()
    play.play(failing(denied if name == "hubButton" else DISK_FULL, "model-files"))
    pane = play.window.pane
    with qtbot.waitSignal(pane.wanted) as wanted, qtbot.waitSignal(pane.page_wanted) as page:
        click(play.window, name)
    assert wanted.args == [Screen.SETTINGS]
    assert page.args == ["network" if name == "hubButton" else "advanced"]


def test_a_report_is_copied_and_calmly_said(stage: Make) -> None:
    play = stage(target=RENTED)
    play.play(failing(TOO_LONG, "serve"))
    click(play.window, "reportButton")
    told = QGuiApplication.clipboard().text()
    for part in ("phase: failed", "error: engine.length-does-not-fit", "install: ", "RTX 4090"):
        assert part in told, part
    assert EN["remedy.copied"] in shown(play)
    play.play([(0.0, PhaseChanged(Phase.CONNECTING))])
    play.play(failing(NO_GPU)[1:])
    assert EN["remedy.copied"] not in shown(play)


def test_after_a_failure_the_keyboard_is_where_what_helps_best_is_done(stage: Make) -> None:
    play = stage(target=RENTED)
    play.window.activateWindow()
    play.play(failing(DISK_FULL, "model-files"))
    assert play.window.focusWidget() is child(play.window, "tidyButton")
    play.play([(0.0, PhaseChanged(Phase.CONNECTING))])
    refused = HostUnreachable("host-refused", host="westb", port=12345)
    play.play([(0.0, PhaseChanged(Phase.FAILED, refused))])
    assert play.window.focusWidget() is child(play.window, "addressField")


def test_who_writes_while_a_start_fails_keeps_the_keyboard(stage: Make) -> None:
    play = stage(target=RENTED)
    play.window.activateWindow()
    steps = failing(DISK_FULL, "model-files")
    play.play(steps[:-1])
    composer = child(play.window, "composer")
    assert play.window.focusWidget() is composer
    QTest.keyClicks(composer, "a thought")
    play.play(steps[-1:])
    assert child(play.window, "tidyButton").isVisible()
    assert play.window.focusWidget() is composer


def test_the_keyboard_goes_over_the_buttons_in_their_order(stage: Make) -> None:
    play = stage(target=RENTED)
    play.play(failing(DISK_FULL, "model-files"))
    first = child(play.window, "tidyButton")
    order = [first.objectName()]
    widget = first.nextInFocusChain()
    while len(order) < 7:
        if isinstance(widget, QPushButton) and widget.isVisible():
            order.append(widget.objectName())
        widget = widget.nextInFocusChain()
    assert order == [
        "tidyButton",
        "data-dirButton",
        "consoleButton",
        "retryButton",
        "logOfHostButton",
        "changeAfterFailureButton",
        "reportButton",
    ]
