"""How soon the command line answers and the window is on screen, and that only the app pays for Qt.

Every sample is a new process, timed from outside: from before it is started to the end of
`--help`, or to the line that it prints when the window has been painted.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.bench.figures import Figure, median, show, times
from tests.bench.installed import compiled_into
from tests.helpers.command import ROOT

ROUNDS = 5
COMMAND = (sys.executable, "-m", "desktop")

# `paperkite` as it is typed, but that it says when its window was painted, and then quits.
PAINTED = """
import desktop.cli.app as command
from desktop.__main__ import main

open_app = command.open_app

def open_watched(*argv, **options):
    import desktop.ui.run as app
    from PySide6.QtCore import QCoreApplication
    run = app.run

    def painted():
        print("painted", flush=True)
        QCoreApplication.quit()

    app.run = lambda *argv, **options: run(*argv, **options, on_first_paint=painted)
    return open_app(*argv, **options)

command.open_app = open_watched
main()
"""


def home() -> Path:
    """Return the folder of this run."""
    return Path(os.environ["PAPERKITE_HOME"])


def seconds_of_help() -> float:
    """Return how long `paperkite --help` takes."""
    began = time.monotonic()
    env = compiled_into(home())
    subprocess.run([*COMMAND, "--help"], stdout=subprocess.DEVNULL, cwd=ROOT, env=env, check=True)
    return time.monotonic() - began


def seconds_to_window(platform: str) -> float:
    """Return the time from the command's start to the first paint on this platform of Qt's."""
    began = time.monotonic()
    with subprocess.Popen(
        [sys.executable, "-c", PAINTED],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=ROOT,
        env={**compiled_into(home()), "QT_QPA_PLATFORM": platform},
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"painted\n"
        took = time.monotonic() - began
    assert process.returncode == 0
    return took


def qt_modules(*argv: str) -> int:
    """Return how many of Qt's modules a command imports on its way to a port that is closed."""
    command = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "desktop", *argv],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    imported = command.stderr.splitlines()
    assert any("paramiko" in line for line in imported), command.stderr[-500:]
    return sum("PySide6" in line or "shiboken6" in line for line in imported)


def bench() -> None:
    nobody = ("nobody@127.0.0.1:9", "--accept-new-host-key", "--json")
    with tempfile.TemporaryDirectory() as home:
        os.environ["PAPERKITE_HOME"] = home
        seconds_of_help()  # compiles
        figures = [median("paperkite --help", times(ROUNDS, seconds_of_help), "s", 0.3)]
        for platform in ("offscreen", *(["xcb"] if os.environ.get("DISPLAY") else [])):
            seconds_to_window(platform)  # the first one after an update compiles and reads the disk
            windows = times(ROUNDS, partial(seconds_to_window, platform))
            figures.append(median(f"first window, {platform}", windows, "s", 0.5))
        figures += [
            Figure("modules of Qt in `up`", qt_modules("up", *nobody), "", 0),
            Figure("modules of Qt in `chat`", qt_modules("chat", *nobody, "Hello?"), "", 0),
        ]
    show("Start", figures, f"medians of {ROUNDS}; lowest and highest beside them")


if __name__ == "__main__":
    bench()
