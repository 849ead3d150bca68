"""The window on a real sshd, driven by clicks and keys as a person would."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QLabel, QMenu
from pytestqt.qtbot import QtBot

from desktop.core.events import Endpoint
from desktop.core.paths import paths
from desktop.core.phases import Phase
from desktop.core.settings import Settings, load
from desktop.system.keyring import Keyring
from desktop.ui.app import App, application
from tests.e2e.conftest import MODEL, Box, MakeBox
from tests.helpers.window import SEND, STOP, ask, child, click

SECONDS = 60_000

OpenApp = Callable[[Box], App]


@pytest.fixture
def open_app(
    qtbot: QtBot, qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[OpenApp]:
    """Open the app as on the first day, for a person whose usual key the host knows."""
    home = tmp_path / "laptop-home"
    (home / ".ssh").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    apps: list[App] = []

    def make(box: Box) -> App:
        identity = box.sshd.credentials.identity
        assert identity is not None
        shutil.copy(identity, home / ".ssh" / "id_ed25519")
        settings = Settings(
            hub=box.hub.url, data_dir=str(box.data), engine_env=str(box.engine), language="en"
        )
        application()
        app = App(None, paths=paths(), settings=settings, language="en", keyring=Keyring(None))
        apps.append(app)
        with qtbot.waitExposed(app.window):
            app.show(lambda: None)
        return app

    yield make
    for app in apps:
        app.close()
        app.window.deleteLater()


def dialog(qtbot: QtBot, name: str) -> QDialog:
    """Return the dialog of this name once it is on screen."""

    def shown() -> list[QDialog]:
        widgets = QApplication.topLevelWidgets()
        return [
            each
            for each in widgets
            if isinstance(each, QDialog) and each.objectName() == name and each.isVisible()
        ]

    qtbot.waitUntil(lambda: bool(shown()), timeout=SECONDS)
    return shown()[0]


def until_phase(qtbot: QtBot, app: App, phase: Phase) -> None:
    qtbot.waitUntil(lambda: app.window.journey.phase is phase, timeout=SECONDS)


def endpoint_in_front(app: App) -> Endpoint:
    assert app.window.current is not None
    endpoint = app.controller.host(app.window.current).endpoint
    assert endpoint is not None
    return endpoint


def first_run(qtbot: QtBot, app: App, box: Box) -> None:
    """Paste the line, press Start, confirm the fingerprint."""
    where = box.sshd.destination
    QTest.keyClicks(child(app.window, "hostField"), f"ssh -p {where.port} root@{where.host}")
    model = child(app.window, "modelField")
    QTest.keyClick(model, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    QTest.keyClicks(model, MODEL)
    click(app.window, "startButton")
    question = dialog(qtbot, "hostKeyDialog")
    fingerprint = child(question, "fingerprint")
    assert isinstance(fingerprint, QLabel)
    assert box.sshd.host_fingerprint in fingerprint.text()
    click(question, "acceptButton")


def test_first_run_to_first_reply_then_stop_and_start_again(
    qtbot: QtBot, open_app: OpenApp, box: Box
) -> None:
    app = open_app(box)
    first_run(qtbot, app, box)
    until_phase(qtbot, app, Phase.READY)
    assert "Hello there" in ask(qtbot, app.window, "Hello there")

    click(app.window, "stopButton")
    until_phase(qtbot, app, Phase.OFF)
    qtbot.waitUntil(lambda: box.processes == [], timeout=1_000)  # the verbs' own, on their way out
    assert "Hello there" in app.window.transcript_text, "the conversation stays"

    click(app.window, "headerStartButton")
    until_phase(qtbot, app, Phase.READY)
    assert "Once more" in ask(qtbot, app.window, "Once more")
    assert load(paths().settings)[0].model == MODEL


def test_a_refused_fingerprint_connects_nowhere(qtbot: QtBot, open_app: OpenApp, box: Box) -> None:
    app = open_app(box)
    where = box.sshd.destination
    QTest.keyClicks(child(app.window, "hostField"), f"root@{where.host}:{where.port}")
    click(app.window, "startButton")
    click(dialog(qtbot, "hostKeyDialog"), "cancelButton")
    qtbot.waitUntil(lambda: app.window.journey.phase in (Phase.OFF, Phase.FAILED), timeout=SECONDS)
    assert not paths().known_hosts.exists()
    assert not (box.home / ".paperkite").exists()


def test_a_cut_connection_comes_back_while_the_window_is_open(
    qtbot: QtBot, open_app: OpenApp, box: Box
) -> None:
    app = open_app(box)
    first_run(qtbot, app, box)
    until_phase(qtbot, app, Phase.READY)
    endpoint = endpoint_in_front(app)
    box.sshd.cut()
    until_phase(qtbot, app, Phase.RECONNECTING)
    until_phase(qtbot, app, Phase.READY)
    assert endpoint_in_front(app) == endpoint, "the same local port and key"
    assert "Still there" in ask(qtbot, app.window, "Still there?")


def test_a_long_reply_is_stopped_by_the_button(
    qtbot: QtBot, open_app: OpenApp, make_box: MakeBox
) -> None:
    box = make_box("--scripted-reply-tokens", "5000", "--scripted-tokens-per-s", "50")
    app = open_app(box)
    first_run(qtbot, app, box)
    until_phase(qtbot, app, Phase.READY)
    button = child(app.window, "sendButton")
    QTest.keyClicks(child(app.window, "composer"), "Talk")
    click(app.window, "sendButton")
    qtbot.waitUntil(lambda: len(app.window.transcript_text) > 50, timeout=SECONDS)
    assert button.accessibleName() == STOP
    click(app.window, "sendButton")
    qtbot.waitUntil(lambda: button.accessibleName() == SEND, timeout=2_000)
    assert len(app.window.transcript_text) < 5000


def test_an_engine_that_exits_is_explained_and_can_be_tried_again(
    qtbot: QtBot, open_app: OpenApp, make_box: MakeBox
) -> None:
    box = make_box("--scripted-fail", "traceback")
    app = open_app(box)
    first_run(qtbot, app, box)
    until_phase(qtbot, app, Phase.FAILED)
    qtbot.waitUntil(lambda: child(app.window, "retryButton").isVisible(), timeout=5_000)
    click(app.window, "retryButton")
    qtbot.waitUntil(lambda: app.window.journey.phase is not Phase.FAILED, timeout=SECONDS)
    until_phase(qtbot, app, Phase.FAILED)


def choose(app: App, text: str) -> None:
    """Click the host's name, then an entry of the menu under it."""
    click(app.window, "hostButton")
    menu = child(app.window, "hostMenu")
    assert isinstance(menu, QMenu)
    entry = next(each for each in menu.actions() if each.text().startswith(text))
    QTest.mouseClick(menu, Qt.MouseButton.LeftButton, pos=menu.actionGeometry(entry).center())


def authorise(known: Box, other: Box) -> None:
    """Let the person's usual key, which one box knows, into another one too."""
    keys = other.sshd.identity.parent / "authorized_keys"
    with keys.open("a", encoding="utf-8") as file:
        file.write(known.sshd.identity.with_suffix(".pub").read_text(encoding="utf-8"))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def name_of(box: Box) -> str:
    where = box.sshd.destination
    return f"{where.host}-{where.port}"


def test_two_hosts_at_once_and_one_is_stopped(
    qtbot: QtBot, open_app: OpenApp, make_box: MakeBox
) -> None:
    east, west = make_box(name="east"), make_box(name="west")
    app = open_app(east)
    first_run(qtbot, app, east)
    until_phase(qtbot, app, Phase.READY)
    authorise(east, west)

    choose(app, "Add a host")
    first_run(qtbot, app, west)
    until_phase(qtbot, app, Phase.READY)
    assert "from the west" in ask(qtbot, app.window, "from the west")
    second = endpoint_in_front(app)

    choose(app, name_of(east))
    assert app.window.journey.phase is Phase.READY
    assert endpoint_in_front(app).base_url != second.base_url
    assert "from the east" in ask(qtbot, app.window, "from the east")
    assert "from the west" in app.window.transcript_text, "a conversation is no host's"
    click(app.window, "stopButton")
    until_phase(qtbot, app, Phase.OFF)

    choose(app, name_of(west))
    assert endpoint_in_front(app) == second
    assert "still there" in ask(qtbot, app.window, "still there")
    assert list(load(paths().settings)[0].hosts) == [name_of(east), name_of(west)]


def test_a_host_with_a_new_port_is_found_again_by_its_new_line(
    qtbot: QtBot, open_app: OpenApp, box: Box
) -> None:
    app = open_app(box)
    first_run(qtbot, app, box)
    until_phase(qtbot, app, Phase.READY)
    endpoint = endpoint_in_front(app)
    box.sshd.stop()
    box.sshd.port = free_port()
    box.sshd.start()
    qtbot.waitUntil(lambda: child(app.window, "addressField").isVisible(), timeout=SECONDS)
    where = box.sshd.destination
    QTest.keyClicks(child(app.window, "addressField"), f"ssh -p {where.port} root@{where.host}")
    click(app.window, "addressButton")
    click(dialog(qtbot, "hostKeyDialog"), "acceptButton")  # the port is a new one: asked once
    until_phase(qtbot, app, Phase.READY)
    assert endpoint_in_front(app) == endpoint, "the same run and local port"
    assert "Here again" in ask(qtbot, app.window, "Here again")


def test_what_is_said_while_it_starts_is_sent_when_it_is_ready_and_is_there_the_next_day(
    qtbot: QtBot, open_app: OpenApp, box: Box
) -> None:
    app = open_app(box)
    first_run(qtbot, app, box)
    editor = child(app.window, "composer")
    QTest.keyClicks(editor, "Good morning")
    QTest.keyClick(editor, Qt.Key.Key_Return)
    until_phase(qtbot, app, Phase.READY)
    button = child(app.window, "sendButton")
    qtbot.waitUntil(lambda: button.accessibleName() == STOP, timeout=SECONDS)
    qtbot.waitUntil(lambda: button.accessibleName() == SEND, timeout=SECONDS)
    said = app.window.transcript_text
    assert said.startswith("Good morning\n\n")
    app.close()

    again = open_app(box)
    assert again.window.transcript_text == said
