"""The app put together with the real core, as far as it goes without a host."""

import socket
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace

import pytest
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from desktop.core.errors import AgentRefused
from desktop.core.events import Ended, Event, PhaseChanged, Ready, Restarting, Surveyed, TaskChanged
from desktop.core.paths import paths
from desktop.core.phases import Phase
from desktop.core.settings import Settings, load
from desktop.system.keyring import Keyring
from desktop.ui.app import App
from desktop.ui.application import application, the_application
from desktop.ui.intents import FromHost, HostKey, Screen
from desktop.ui.settings.dialog import SettingsDialog
from tests.helpers.memory_keyring import MemoryKeyring
from tests.helpers.screens import ENDPOINT
from tests.helpers.window import child, click

Make = Callable[[Settings], App]


@pytest.fixture
def app(qtbot: QtBot) -> Iterator[Make]:
    made: list[App] = []

    def make(settings: Settings) -> App:
        keyring = Keyring(MemoryKeyring())
        made.append(App(None, paths=paths(), settings=settings, language="en", keyring=keyring))
        return made[-1]

    yield make
    for each in made:
        each.close()
        each.window.deleteLater()


@pytest.fixture
def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


HOST = HostKey("host")


def hear(made: App, *events: Event) -> None:
    made._deliver([FromHost(HOST, event) for event in events])


def start_at(qtbot: QtBot, made: App, host: str) -> None:
    qtbot.keyClicks(child(made.window, "hostField"), host)
    click(made.window, "skipButton")


def test_the_first_paint_comes_before_anything_slow(qtbot: QtBot, app: Make) -> None:
    made = app(Settings())
    painted = threading.Event()
    made.show(painted.set)
    assert not painted.is_set()
    qtbot.waitUntil(painted.is_set)
    made.warm_up()


def test_a_host_that_is_not_there_is_tried_again_explained_and_remembered(
    qtbot: QtBot, app: Make, closed_port: int
) -> None:
    made = app(Settings())
    made.show(lambda: None)
    host = f"root@127.0.0.1:{closed_port}"
    start_at(qtbot, made, host)
    qtbot.waitUntil(lambda: made.window.journey.error is not None, timeout=20_000)
    assert made.window.journey.error is not None
    assert made.window.journey.error.code == "host-refused"
    assert made.window.journey.phase is Phase.CONNECTING  # it may just have been switched on
    click(made.window, "stopButton")
    qtbot.waitUntil(lambda: made.window.journey.phase is Phase.OFF, timeout=5_000)
    saved = load(paths().settings)[0]
    assert saved.hosts[saved.host].line == host


def test_what_cannot_be_understood_starts_nothing(qtbot: QtBot, app: Make) -> None:
    made = app(Settings())
    made.show(lambda: None)
    start_at(qtbot, made, "root@host:99999999")
    assert made.window.journey.phase is Phase.OFF
    assert made.controller.hosts == {}


def test_the_endpoint_is_copied_while_there_is_one(qtbot: QtBot, app: Make) -> None:
    made = app(Settings(host="root@host"))
    hear(made, PhaseChanged(Phase.READY), Ready(ENDPOINT))
    made._deeds._copy_endpoint(HOST)
    assert ENDPOINT.shared_url in QGuiApplication.clipboard().text()
    hear(made, PhaseChanged(Phase.LOADING))
    assert made.controller.host(HOST).endpoint is None


def test_with_a_tray_the_window_hides_and_comes_back(qtbot: QtBot, app: Make) -> None:
    made = app(Settings())
    made.show(lambda: None)
    made.tray.appeared.emit()
    made.window.close()
    assert not made.window.isVisible()
    made._deeds.open()
    assert made.window.isVisible()


RUN = """
import os, signal, sys
from desktop.core.paths import paths
from desktop.core.settings import Settings
from desktop.ui.run import run

SLOW = {"paramiko", "openai", "markdown_it", "pygments", "keyring", "asyncio"}

def painted():
    print("loaded", sorted(SLOW & sys.modules.keys()), flush=True)
    os.kill(os.getpid(), signal.SIGINT)

sys.exit(run(None, start_now=False, paths=paths().ensure(), settings=Settings(),
             language="en", on_first_paint=painted))
"""


def test_an_interrupted_app_ends_in_order_and_loaded_nothing_slow_before_its_first_paint() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", RUN], capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.stdout == "loaded []\n"
    assert ended.returncode == 0, ended.stderr


def test_the_chosen_font_is_there_from_the_start_and_in_other_colours(app: Make) -> None:
    application()  # as each start of the app begins
    made = app(Settings(font_size=17))
    assert the_application().font().pointSizeF() == 17
    made._theme.choose("dark")
    made._theme.choose("light")
    assert the_application().font().pointSizeF() == 17
    application()


def test_what_happens_to_a_model_by_itself_is_told_in_the_tray(app: Make) -> None:
    made = app(Settings(host="root@host"))

    def status() -> str:
        return made.tray.menu.actions()[0].text()

    hear(made, PhaseChanged(Phase.LOADING))
    hear(made, Restarting(AgentRefused("engine.out-of-memory")))
    assert "starting the engine again" in status()
    hear(made, Ended("stopped", "lease"), PhaseChanged(Phase.OFF))
    assert "laptop was away" in status()


def test_a_store_of_a_newer_paperkite_is_left_alone_and_said(app: Make) -> None:
    database = paths().ensure().database
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA user_version = 99")
    before = database.read_bytes()
    made = app(Settings())
    made.show(lambda: None)
    toast = child(made.window, "toast")
    assert toast.isVisible()
    assert toast.accessibleName()
    QTest.keyClicks(child(made.window, "composer"), "still here")
    assert made.window.desk.composer.text == "still here"
    made.close()
    assert database.read_bytes() == before


def test_language_and_theme_change_while_a_reply_streams_and_nothing_is_lost(
    qtbot: QtBot, app: Make
) -> None:
    made = app(Settings(host="root@host", language="en"))
    made.show(lambda: None)
    hear(made, PhaseChanged(Phase.READY), Ready(ENDPOINT))
    desk = made.window.desk
    conversation = desk.ensure()
    desk.composer.editor.setPlainText("half a thought")
    desk.composer.editor.textChanged.emit()
    before = made.window
    made._change(lambda settings: replace(settings, language="zh", theme="dark"))
    qtbot.waitUntil(lambda: made.window is not before)
    assert made.window.isVisible()
    assert made.window.desk.current == conversation
    assert made.window.desk.composer.editor.toPlainText() == "half a thought"
    assert made.window.journey.phase is Phase.READY
    assert made.window.desk.front.is_ready
    assert made.tray.menu.actions()[-1].text() == "退出"
    assert load(paths().settings)[0].language == "zh"
    assert made._theme.is_dark


def test_an_open_screen_stays_open_in_another_language(qtbot: QtBot, app: Make) -> None:
    made = app(Settings(language="en"))
    made.show(lambda: None)
    made._open_screen(Screen.SETTINGS)
    before = made.window
    made._change(lambda settings: replace(settings, language="zh"))
    qtbot.waitUntil(lambda: made.window is not before)
    dialog = made.window.findChild(SettingsDialog)
    assert dialog is not None
    assert dialog.windowTitle() == "设置"


def test_a_look_at_a_host_is_no_session_in_the_diary(qtbot: QtBot, app: Make) -> None:
    made = app(Settings(host="root@host"))
    reached = (PhaseChanged(Phase.CONNECTING), TaskChanged("connect", "done"))
    made.controller.host(HOST).surveys = True
    hear(made, *reached, Surveyed({}), PhaseChanged(Phase.OFF))
    made.controller.host(HOST).surveys = False
    hear(made, *reached)
    made._diary.begin()
    qtbot.waitUntil(lambda: made._diary.entry(HOST) is not None)
    qtbot.waitUntil(lambda: made._diary.entries() != [])
    assert len(made._diary.entries()) == 1
