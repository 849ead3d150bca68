"""How long a click takes to become a first token, beside what the engine itself needs.

The host is prepared, as on the second day: engine and model are there, the key is trusted, nothing
runs. Each sample is a new process of the app, started by its command: Start is clicked at the first
paint, a message is sent as soon as it may wait, and the paint that has the first token in it is the
end. The same engine, started and asked by hand on the same machine, is taken off.
"""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from desktop.core.paths import paths
from desktop.core.saved import SavedHost
from desktop.core.settings import Settings, save
from desktop.rehearsal.engine import install_scripted_engine
from desktop.rehearsal.hub import Hub
from remote.engine.endpoint import free_port
from tests.bench import model
from tests.bench.figures import Figure, median, show, times
from tests.bench.installed import compiled_into
from tests.helpers.command import ROOT, paperkite
from tests.helpers.sshd import Sshd

ROUNDS = 5
BAR_S = 3.0
STARTUP_S = 2.0  # of the scripted engine, once its interpreter runs
WEIGHTS_BYTES = 8_000_000
PLATFORM = "xcb" if os.environ.get("DISPLAY") else "offscreen"
MESSAGE = "What does a kite need?"
_BETWEEN_TRIES_S = 0.01
SCRIPTED = "scripted stand-in"  # words with which every reply begins

# `paperkite` as it is typed, but that a hand clicks Start and writes as soon as there is something
# to click, and that it tells when what was on screen, and quits once the reply begins.
CLICKING = """
import json, sys, time
import desktop.cli.app as command
from desktop.__main__ import main

open_app = command.open_app
message, awaited = sys.argv[1:]
seen = {}

def note(what):
    seen.setdefault(what, time.monotonic())

def open_watched(*argv, **options):
    import desktop.ui.run as app
    run = app.run
    app.run = lambda *argv, **options: run(*argv, **options, on_first_paint=use)
    return open_app(*argv, **options)

def use():
    from PySide6.QtCore import QEvent, QObject, Qt
    from PySide6.QtGui import QKeyEvent
    from PySide6.QtWidgets import QApplication, QPushButton, QWidget
    note("painted")
    window = next(w for w in QApplication.topLevelWidgets() if w.objectName() == "window")
    editor = window.findChild(QWidget, "composer")

    def follow():
        phase = window.journey.phase.value
        if phase == "connecting" and phase not in seen:
            editor.insertPlainText(message)
            QApplication.postEvent(editor, QKeyEvent(
                QEvent.Type.KeyPress, Qt.Key.Key_Return, Qt.KeyboardModifier.NoModifier, "\\r"))
        note(phase)

    window.changed.connect(follow)
    buttons = window.findChildren(QPushButton, "startButton")
    next(each for each in buttons if each.isVisible()).click()

    before = len(window.transcript_text)  # of the day before

    def new_text():
        return window.transcript_text[before:]

    class Eye(QObject):
        def eventFilter(self, watched, event):
            if event.type() == QEvent.Type.Paint and awaited in new_text():
                watched.removeEventFilter(self)
                note("token")
                QApplication.postEvent(self, QEvent(QEvent.Type.User))
            return False

        def event(self, event):
            if event.type() == QEvent.Type.User:
                note("token painted")
                QApplication.exit(0)
            return super().event(event)

    global eye
    eye = Eye()
    window.findChild(QWidget, "transcript").viewport().installEventFilter(eye)

command.open_app = open_watched
sys.argv[1:] = ["--lang", "en"]
try:
    main()
finally:
    print(json.dumps(seen), flush=True)
"""


def seconds_of_engine(engine: Path, files: Path) -> float:
    """Return the time from the start of the engine to its first token, asked without anybody."""
    port = free_port(18_000)
    argv = [
        str(engine / "bin/vllm"),
        "serve",
        str(files),
        "--port",
        str(port),
        "--served-model-name",
        "m",
    ]
    began = time.monotonic()
    with subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            while True:
                with suppress(OSError):
                    return _first_token(port) - began
                time.sleep(_BETWEEN_TRIES_S)
        finally:
            process.terminate()


def _first_token(port: int) -> float:
    """Return when the first token came; raises OSError while nobody listens."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    turns = [{"role": "user", "content": MESSAGE}]
    body = json.dumps({"model": "m", "stream": True, "messages": turns})
    try:
        connection.request("POST", "/v1/chat/completions", body)
        with connection.getresponse() as response:
            while b'"content":' not in response.readline():
                pass
            return time.monotonic()
    finally:
        connection.close()


def click(home: Path) -> dict[str, float]:
    """Return what was on screen how many seconds after the command."""
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", CLICKING, MESSAGE, SCRIPTED],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=ROOT,
        env={**compiled_into(home), "QT_QPA_PLATFORM": PLATFORM},
        timeout=60,
        check=False,
    )
    seen: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    assert "token painted" in seen, seen
    return {what: at - began for what, at in seen.items()}


def prepare(place: Path, sshd: Sshd, hub: Hub, engine: Path) -> None:
    """Leave on the host what a first day leaves, and the host in the settings."""
    where = sshd.destination
    line = f"ssh -i {sshd.identity} -p {where.port} {where.user}@{where.host}"
    saved = SavedHost(line, model=model.NAME)
    settings = Settings(
        host="bench",
        hub=hub.url,
        data_dir=str(place / "data"),
        engine_env=str(engine),
        hosts={"bench": saved},
    )
    save(settings, paths().settings)
    done = paperkite("up", "bench", "--host-key", sshd.host_fingerprint, "--json", seconds=600)
    assert done.status == 0, done.stderr
    stop()


def stop() -> None:
    """Stop what runs on the host."""
    done = paperkite("down", "bench", "--json")
    assert done.status == 0, done.stderr


def bench() -> None:
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        os.environ["PAPERKITE_HOME"] = str(place / "paperkite")
        os.environ["LANG"] = "en_US.UTF-8"
        files = model.write_model(place / "model", WEIGHTS_BYTES)
        engine = install_scripted_engine(place / "engine", "--scripted-startup-s", str(STARTUP_S))
        alone = times(ROUNDS, lambda: seconds_of_engine(engine, files))
        with Sshd(place) as sshd, Hub({model.NAME: files}) as hub:
            prepare(place, sshd, hub, engine)

            def sample() -> dict[str, float]:
                try:
                    return click(place)
                finally:
                    stop()

            sample()  # the first one compiles
            seen = [sample() for _ in range(ROUNDS)]
    tell(seen, median("the engine by itself", alone, "s"))


def tell(seen: list[dict[str, float]], own: Figure) -> None:
    """Print the figures."""
    what = f"command to first token, less the engine, {PLATFORM}"
    tokens = [each["token painted"] for each in seen]
    figures = [median(what, tokens, "s", BAR_S, less=own.value), own]
    stages = ("painted", "checking", "preparing", "loading", "ready")
    figures += [
        median(f"  to {stage}", [each[stage] for each in seen if stage in each], "s")
        for stage in stages
        if any(stage in each for each in seen)
    ]
    show("From a click to a first token, on a prepared host", figures, f"medians of {ROUNDS}")


if __name__ == "__main__":
    bench()
