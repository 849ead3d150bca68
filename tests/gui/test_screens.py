"""Every screen in both languages and themes: it is drawn, nothing is cut off, it all fits."""

import pkgutil
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
from PySide6.QtCore import QSize
from PySide6.QtGui import QFont
from PySide6.QtWidgets import QApplication, QDialog
from pytestqt.qtbot import QtBot

import desktop.ui
from desktop.core.explain import Language
from desktop.ui.application import application
from tests.helpers.drawn import clipped, colours_in
from tests.helpers.pictures import SMALL, pictures
from tests.helpers.pictures import main as draw_pictures
from tests.helpers.scenes import Look, grab, settle

PICTURES = pictures()
WINDOWS = [name for name, picture in PICTURES.items() if picture.is_window]
DIALOGS = [name for name in PICTURES if name not in WINDOWS]
SMALLEST = (640, 480)
_LARGE_PT = 14.0


@pytest.fixture
def large_font(qapp: QApplication) -> Iterator[None]:
    """Let everything be written in large letters."""
    font = QFont(qapp.font())
    font.setPointSizeF(_LARGE_PT)
    qapp.setFont(font)
    yield
    application()


@pytest.mark.parametrize(("language", "theme"), [("zh", "light"), ("en", "dark")])
@pytest.mark.parametrize("name", WINDOWS)
def test_a_scene_of_the_window_is_drawn_and_nothing_is_cut_off(
    qtbot: QtBot, name: str, language: Language, theme: str
) -> None:
    with PICTURES[name].show(Look(language, theme, SMALL)) as shown:
        missing, drawn = clipped(shown), colours_in(grab(shown).toImage())
        shown.resize(*SMALLEST)
        settle()
        missing += clipped(shown)
    assert missing == []
    assert drawn > 40


@pytest.mark.parametrize(("language", "theme"), [("zh", "light"), ("en", "dark")])
@pytest.mark.parametrize("name", DIALOGS)
def test_a_dialog_is_drawn_and_fits_and_nothing_is_cut_off(
    qtbot: QtBot, name: str, language: Language, theme: str
) -> None:
    with PICTURES[name].show(Look(language, theme)) as shown:
        missing, drawn, size = clipped(shown), colours_in(shown.grab().toImage()), shown.size()
    assert missing == []
    assert drawn > 40
    if not name.startswith("transcript"):  # a part of the window, in a size for looking at
        assert size == size.boundedTo(QSize(*SMALL))


@pytest.mark.parametrize("name", DIALOGS)
def test_nothing_is_cut_off_in_large_letters(qtbot: QtBot, large_font: None, name: str) -> None:
    with PICTURES[name].show(Look("en", "light")) as shown:
        missing = clipped(shown)
    assert missing == []


def dialogs_that_there_are() -> set[type[QDialog]]:
    """Return every kind of dialog in `desktop.ui` that is no other's base."""
    for module in pkgutil.walk_packages(desktop.ui.__path__, "desktop.ui."):
        import_module(module.name)
    found: set[type[QDialog]] = set()
    left = [QDialog]
    while left:
        kind = left.pop()
        below = [each for each in kind.__subclasses__() if each.__module__.startswith("desktop.ui")]
        left += below
        if not below and kind.__module__.startswith("desktop.ui"):
            found.add(kind)
    return found


def test_every_dialog_has_a_scene(qtbot: QtBot) -> None:
    seen = set()
    for name in DIALOGS:
        with PICTURES[name].show(Look("en", "light")) as shown:
            seen.add(type(shown))
    kinds = dialogs_that_there_are()
    assert len(kinds) > 10
    assert {kind.__name__ for kind in kinds - seen} == set()


def test_one_command_draws_every_look_of_a_scene(tmp_path: Path, qapp: QApplication) -> None:
    draw_pictures([str(tmp_path), "first-run-vast", "stop-off"])
    drawn = sorted(str(each.relative_to(tmp_path)) for each in tmp_path.rglob("*.png"))
    looks = [f"{language}-{theme}.png" for language in ("en", "zh") for theme in ("dark", "light")]
    folders = ("900x600/first-run-vast", "1440x900/first-run-vast", "dialogs/stop-off")
    once = [f"{folder}-{look}" for folder in folders for look in looks]
    dense = [f"200%/{each}" for each in once if not each.startswith("1440")]
    assert drawn == sorted([*once, *dense])
