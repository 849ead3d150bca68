"""A host that an earlier start of the app left running: said plainly, until somebody has looked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing

import pytest
from pytestqt.qtbot import QtBot

from desktop.core.diary.entry import CUT, LEFT, Entry
from desktop.core.diary.store import Store, read
from desktop.core.errors import ConnectionLost
from desktop.core.events import Event, Fact, PhaseChanged, Ready, Surveyed, Surveying, TaskChanged
from desktop.core.paths import paths
from desktop.core.phases import Phase
from desktop.ui.app import App
from tests.helpers.on_screen import dialogs, everything, shown_text
from tests.helpers.one_host import BOX, apps, hear
from tests.helpers.screens import ENDPOINT
from tests.helpers.window import child, click

WAS_LEFT = "It was left running when Paperkite was last open"
SILENT: list[Event] = [
    PhaseChanged(Phase.CONNECTING),
    PhaseChanged(Phase.FAILED, ConnectionLost("connection-lost")),
]
LOOK: list[Event] = [
    PhaseChanged(Phase.CONNECTING),
    Surveying(),
    TaskChanged("connect", "done"),
    PhaseChanged(Phase.CHECKING),
    Fact("gpu.0.name", "4090"),
]
Make = Callable[..., App]


@pytest.fixture
def returns(qtbot: QtBot, quits: list[bool]) -> Iterator[Make]:
    """Give what starts the app where an earlier start has ended like this."""
    with apps() as open_:

        def start(because: str = LEFT) -> App:
            now = 1_795_435_200.0
            ended = None if because == CUT else now  # a killed app closes nothing
            entry = Entry(
                "e", "box", "o/m", now - 3600, now, run="r1", rate=1.98, currency="CNY",
                reached=now - 3600, ready=now - 3000, ended=ended, because=because if ended else "",
            )  # fmt: skip
            with closing(Store(paths().diary)) as store:
                store.save([entry])
            line = "ssh -p 12345 root@connect.westb.seetacloud.com"
            return open_(line)

        yield start


def bill(app: App) -> str:
    return shown_text(child(app.window, "billLabel"))


def open_diary(app: App, qtbot: QtBot) -> None:
    app._diary.begin()
    qtbot.waitUntil(lambda: WAS_LEFT in everything(app.window))


@pytest.mark.parametrize("because", [LEFT, CUT])
def test_it_is_said_once_the_diary_is_open_and_nothing_is_claimed_before(
    returns: Make, qtbot: QtBot, quits: list[bool], because: str
) -> None:
    app = returns(because)
    assert "Not connected." in everything(app.window)
    assert "Nothing is running" not in everything(app.window)
    assert bill(app) == ""
    open_diary(app, qtbot)
    assert "may still be billing" in bill(app)
    assert "may still be billing" in app.tray.tooltip()
    assert app.window.listed()[0].may_power_off
    app.controller.quit()
    (question,) = dialogs("quitDialog")
    assert "It was left running when Paperkite was last open. Billed" in everything(question)
    click(question, "leaveButton")
    assert quits == [True]


def test_a_try_that_did_not_reach_it_changes_nothing(
    returns: Make, qtbot: QtBot, quits: list[bool]
) -> None:
    app = returns()
    open_diary(app, qtbot)
    hear(app, *SILENT)
    qtbot.waitUntil(app._diary._tasks.empty)
    app.window.show_bills()
    assert "may still be billing" in bill(app)
    app.controller.quit()
    assert dialogs("quitDialog")
    assert quits == []


def test_who_chooses_a_model_is_not_thrown_out_by_the_news(returns: Make, qtbot: QtBot) -> None:
    app = returns()
    click(app.window, "changeButton")
    app._diary.begin()
    qtbot.waitUntil(lambda: app.controller.host(BOX).target().was_left)
    assert app.window.pane.plans


def test_a_session_that_joins_it_puts_it_right(returns: Make, qtbot: QtBot) -> None:
    app = returns()
    open_diary(app, qtbot)
    hear(app, PhaseChanged(Phase.CONNECTING), TaskChanged("connect", "done"), Fact("run", "r1"))
    hear(app, PhaseChanged(Phase.READY), Ready(ENDPOINT))
    hear(app, PhaseChanged(Phase.OFF))
    assert WAS_LEFT not in everything(app.window)
    assert app.controller.host(BOX).standing().is_on


def test_who_knows_that_it_is_off_says_so_and_is_believed(
    returns: Make, qtbot: QtBot, quits: list[bool]
) -> None:
    app = returns()
    assert not child(app.window, "saidOffButton").isVisible()
    open_diary(app, qtbot)
    click(app.window, "saidOffButton")
    assert WAS_LEFT not in everything(app.window)
    assert not child(app.window, "saidOffButton").isVisible()
    qtbot.waitUntil(lambda: bill(app) == "")
    assert not app.window.listed()[0].may_power_off
    app.controller.quit()
    assert quits == [True]
    app.close()
    (entry,) = read(paths().diary)
    assert entry.because == "said-off"


@pytest.mark.parametrize("runs", [False, True])
def test_a_look_that_finds_nothing_running_settles_it(
    returns: Make, qtbot: QtBot, *, runs: bool
) -> None:
    app = returns()
    open_diary(app, qtbot)
    app.controller.host(BOX).surveys = True
    found = {"run.model": "o/m"} if runs else {}
    hear(app, *LOOK, Surveyed({"gpu.0.name": "4090", **found}), PhaseChanged(Phase.OFF))
    assert app.controller.host(BOX).target().was_left is runs
    app.close()
    (entry,) = read(paths().diary)
    assert entry.because == (LEFT if runs else "lost")
