"""The first run once more from outside: the command as it is typed, and keys that a screen gets.

Nothing of the app runs in this process. The keys are xdotool's; what came of them is seen on the
screen, on the host, and in what the app has kept.
"""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from desktop.core import settings as settings_file
from desktop.core.catalogue import models
from desktop.core.paths import paths
from desktop.core.settings import Settings
from tests.e2e.conftest import Box, MakeBox
from tests.helpers.command import ROOT
from tests.helpers.rented import rent
from tests.helpers.waiting import until

QUESTION = "What does a kite need?"
SECONDS = 60.0

pytestmark = pytest.mark.skipif(
    not (os.environ.get("DISPLAY") and shutil.which("xdotool")), reason="needs a screen and xdotool"
)


class Screen:
    """The app as a process, and its windows as the screen knows them."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process

    def windows(self) -> list[str]:
        """Return the windows of the app that are there, the oldest first."""
        search = ["xdotool", "search", "--onlyvisible", "--pid", str(self.process.pid)]
        found = subprocess.run(search, capture_output=True, text=True, check=False)
        return sorted(found.stdout.split(), key=int)

    def until_windows(self, count: int) -> None:
        """Wait until there are so many, and the newest has the keyboard."""
        until(lambda: len(self.windows()) == count, SECONDS)
        newest = self.windows()[-1]
        subprocess.run(["xdotool", "windowactivate", "--sync", newest], check=True, timeout=20)

    def press(self, *keys: str) -> None:
        """Press keys, whoever has the keyboard."""
        subprocess.run(["xdotool", "key", "--delay", "60", *keys], check=True)

    def type(self, text: str) -> None:
        """Type a text."""
        subprocess.run(["xdotool", "type", "--delay", "8", text], check=True)

    def picture(self, path: Path) -> None:
        """Save what is on the screen."""
        subprocess.run(["import", "-silent", "-window", "root", str(path)], check=True)


@contextmanager
def app() -> Iterator[Screen]:
    """Run `paperkite` on this screen; Ctrl-C ends it, in order."""
    environment = {**os.environ, "QT_QPA_PLATFORM": "xcb"}
    command = [sys.executable, "-m", "desktop", "--lang", "en"]
    process = subprocess.Popen(command, cwd=ROOT, env=environment)
    try:
        yield Screen(process)
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def box(make_box: MakeBox, tiny_model: Path) -> Box:
    made = make_box(models=dict.fromkeys(models(), tiny_model))
    rent(made.home)
    return made


def has_begun(box: Box) -> bool:
    return any(box.home.glob(".paperkite/runs/*/journal.jsonl"))


def is_ready(box: Box) -> bool:
    return any(event["kind"] == "ready" for event in box.journal)


def replies() -> list[str]:
    """Return the replies that are kept, whole."""
    wanted = "SELECT content FROM messages WHERE role = 'assistant' AND outcome IS NOT NULL"
    with closing(sqlite3.connect(paths().database)) as store:
        return [str(row[0]) for row in store.execute(wanted)]


def test_the_first_run_by_the_keys_of_a_real_screen(
    box: Box, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    served = Settings(hub=box.hub.url, data_dir=str(box.data), engine_env=str(box.engine))
    settings_file.save(served, paths().settings)
    with app() as screen:
        screen.until_windows(1)
        screen.type(box.line().replace("ssh ", f"ssh -i {box.sshd.identity} ", 1))
        screen.press("Return")
        screen.until_windows(2)  # the fingerprint: Cancel has the keyboard, and then "Trust"
        screen.press("Tab", "Return")
        until(lambda: any(paths().last_checks.glob("*.json")), SECONDS)
        screen.until_windows(1)
        until(lambda: _starts(screen, box), SECONDS)
        until(lambda: is_ready(box), SECONDS)
        screen.type(QUESTION)
        screen.press("Return")
        until(lambda: bool(replies()), SECONDS)
        screen.picture(tmp_path / "screen.png")
    assert replies() == [box.written(QUESTION, 60)]


def _starts(screen: Screen, box: Box) -> bool:
    """Press Enter in the list of models; what is under it is there a moment later."""
    screen.press("Return")
    return has_begun(box)
