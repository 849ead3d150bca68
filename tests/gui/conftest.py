"""A QApplication in our style on Qt's offscreen platform, and windows that are gone afterwards."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtWidgets import QApplication

from desktop.core.explain import Language
from desktop.core.texts import Texts
from desktop.ui.application import application
from desktop.ui.intents import Target
from desktop.ui.theme import Theme
from desktop.ui.transcript.view import Transcript
from tests.helpers import chat_screens
from tests.helpers.screens import TARGET, Stage, close, ready, set_stage


@pytest.fixture(autouse=True)
def our_style(qapp: QApplication) -> None:
    application()


@pytest.fixture
def stage(qapp: QApplication) -> Iterator[Callable[..., Stage]]:
    """Give a function that sets a stage and shows its window."""
    made: list[Stage] = []

    def make(
        *more: Target, language: Language = "en", theme: str = "light", target: Target = TARGET
    ) -> Stage:
        made.append(set_stage(language, theme, target, *more))
        made[-1].window.show()
        return made[-1]

    yield make
    for each in made:
        close(each)


@pytest.fixture
def play(stage: Callable[..., Stage]) -> Stage:
    """The window in front of a host whose model answers."""
    made = stage()
    made.play(ready())
    return made


@pytest.fixture
def view(qapp: QApplication) -> Iterator[Transcript]:
    """A transcript without a word in it."""
    made = Transcript(Theme("light"), Texts("en"))
    made.resize(900, 500)
    made.show()
    yield made
    chat_screens.close(made)


@pytest.fixture
def quits(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """What the app did to leave, in place of leaving."""
    seen: list[bool] = []
    monkeypatch.setattr(QApplication, "exit", lambda _status: seen.append(True))
    return seen


@pytest.fixture
def note(tmp_path: Path) -> Path:
    """A file to attach."""
    path = tmp_path / "note.txt"
    path.write_text("a kite", encoding="utf-8")
    return path
