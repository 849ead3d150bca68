"""Stopping and quitting in the app: at once where there is nothing to choose, else asked first."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QDialog
from pytestqt.qtbot import QtBot

from desktop.core.events import Ended, Event, Fact, PhaseChanged, PoweringOff, Ready, TaskChanged
from desktop.core.phases import Phase
from desktop.ui.app import App
from tests.helpers.one_host import BOX, apps, hear
from tests.helpers.screens import ENDPOINT
from tests.helpers.window import child, click

AUTODL = "ssh -p 12345 root@connect.westb.seetacloud.com"
VAST = "ssh -p 31022 root@ssh5.vast.ai"
REACHED: list[Event] = [
    PhaseChanged(Phase.CONNECTING),
    TaskChanged("connect", "done"),
    PhaseChanged(Phase.CHECKING),
]
ON: list[Event] = [*REACHED, PhaseChanged(Phase.READY), Ready(ENDPOINT)]
Make = Callable[[str], App]


@pytest.fixture
def make(qtbot: QtBot, quits: list[bool]) -> Iterator[Make]:
    with apps() as start:
        yield start


def asked(app: App, name: str) -> QDialog | None:
    found = app.window.findChildren(QDialog, name)
    return next((each for each in found if each.isVisible()), None)


def test_a_host_that_can_be_powered_off_is_asked_about(make: Make) -> None:
    app = make(AUTODL)
    hear(app, *ON)
    click(app.window, "stopButton")
    assert asked(app, "stopDialog") is not None


def test_a_host_without_a_safe_power_off_is_stopped_at_once_and_told_that_it_is_billed(
    make: Make,
) -> None:
    app = make(VAST)
    hear(app, *ON, Fact("provider", "vast"))
    click(app.window, "stopButton")
    assert asked(app, "stopDialog") is None
    assert "¥1.98" not in app.window.desk.toast._text._whole  # nothing was seen yet
    hear(app, PhaseChanged(Phase.STOPPING), Ended("stopped", "asked"), PhaseChanged(Phase.OFF))
    assert "¥1.98" in app.window.desk.toast._text._whole


def test_giving_up_a_connect_needs_no_question(make: Make) -> None:
    app = make(AUTODL)
    hear(app, PhaseChanged(Phase.CONNECTING))
    click(app.window, "stopButton")
    assert asked(app, "stopDialog") is None


def test_escape_leaves_everything_as_it_is(make: Make) -> None:
    app = make(AUTODL)
    hear(app, *ON)
    click(app.window, "stopButton")
    dialog = asked(app, "stopDialog")
    assert dialog is not None
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    assert app.window.journey.phase is Phase.READY
    assert asked(app, "stopDialog") is None


def test_off_is_said_only_once_it_was_seen(make: Make) -> None:
    app = make(AUTODL)
    hear(app, *ON)
    app.stops.stop(BOX)
    dialog = asked(app, "stopDialog")
    assert dialog is not None
    click(dialog, "power-offRung")
    hear(app, PhaseChanged(Phase.STOPPING), PoweringOff(1, 3))
    assert child(dialog, "giveUpButton").isVisible() or child(dialog, "closeButton").isVisible()
    hear(app, Ended("stopped", "asked", powered_off=True), PhaseChanged(Phase.OFF))
    assert not app.stops.may_power_off(BOX)
    assert not app.window.listed()[0].may_power_off


def test_quitting_asks_nothing_while_nothing_costs_money(make: Make, quits: list[bool]) -> None:
    app = make(AUTODL)
    app.controller.quit()
    assert quits == [True]


def test_quitting_asks_while_a_host_costs_money_and_escape_stays(
    make: Make, quits: list[bool]
) -> None:
    app = make(AUTODL)
    hear(app, *ON)
    app.controller.quit()
    dialog = asked(app, "quitDialog")
    assert dialog is not None
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    assert quits == []
    app.controller.quit()
    again = asked(app, "quitDialog")
    assert again is not None
    click(again, "leaveButton")
    assert quits == [True]


def test_what_is_stopped_before_quitting_is_seen_to_stop(make: Make, quits: list[bool]) -> None:
    app = make(VAST)
    hear(app, *ON)
    app.controller.quit()
    dialog = asked(app, "quitDialog")
    assert dialog is not None
    click(dialog, "stopButton")
    assert quits == []
    hear(app, PhaseChanged(Phase.STOPPING), Ended("stopped", "asked"))
    assert quits == []
    hear(app, PhaseChanged(Phase.OFF))
    assert quits == [True]
