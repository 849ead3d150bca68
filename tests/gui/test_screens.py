"""Every screen in both languages and themes: something is there, and nothing is cut off."""

import pytest
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QApplication, QLabel, QPushButton
from pytestqt.qtbot import QtBot

from desktop.core.explain import Language
from desktop.ui.labels import Elided
from desktop.ui.theme import DARK, LIGHT, Colours
from tests.helpers.chats_screens import SCENES as CHATS
from tests.helpers.screens import DIALOGS, SCENES, close, picture, set_stage
from tests.helpers.screens import scene as set_scene

LOOKS = [("light", (980, 760)), ("dark", (980, 760)), ("light", (640, 480))]


def colours_in(image: QImage) -> int:
    points = ((x, y) for x in range(0, image.width(), 3) for y in range(0, image.height(), 3))
    return len({image.pixel(x, y) for x, y in points})


def cut_off(widget: QLabel | QPushButton) -> bool:
    if isinstance(widget, Elided) or not widget.isVisible():
        return False
    needed = widget.minimumSizeHint()
    if isinstance(widget, QLabel) and widget.wordWrap():
        return widget.height() < widget.heightForWidth(widget.width())
    return widget.width() < needed.width() or widget.height() < needed.height()


@pytest.mark.parametrize(("theme", "size"), LOOKS)
@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("scene", [*SCENES, *CHATS])
def test_a_scene_is_drawn_and_nothing_is_cut_off(
    qtbot: QtBot, scene: str, language: Language, theme: str, size: tuple[int, int]
) -> None:
    stage = set_scene(scene, language, theme, size)
    labels = stage.window.findChildren(QLabel)
    buttons = stage.window.findChildren(QPushButton)
    clipped = [w.text() for w in (*labels, *buttons) if w.text() and cut_off(w)]
    drawn = colours_in(picture(stage).toImage())
    close(stage)
    assert clipped == []
    assert drawn > 40


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("name", list(DIALOGS))
def test_a_dialog_is_drawn_and_nothing_is_cut_off(
    qtbot: QtBot, name: str, language: Language
) -> None:
    stage = set_stage(language, "light")
    dialog = DIALOGS[name](stage.window, stage.texts)
    dialog.show()
    QApplication.processEvents()
    clipped = [w.text() for w in dialog.findChildren(QLabel) if cut_off(w)]
    drawn = colours_in(dialog.grab().toImage())
    close(stage)
    assert clipped == []
    assert drawn > 40


def luminance(colour: str) -> float:
    def linear(part: float) -> float:
        return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4

    red, green, blue = (linear(part) for part in QColor(colour).getRgbF()[:3])
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Return the ratio of WCAG 2.2."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("name", ["text", "quiet", "accent", "good", "busy", "bad"])
@pytest.mark.parametrize("ground", ["window", "surface", "sunken"])
def test_text_can_be_read_on_every_ground(colours: Colours, name: str, ground: str) -> None:
    assert contrast(getattr(colours, name), getattr(colours, ground)) >= 4.5
