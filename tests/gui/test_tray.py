from collections.abc import Iterator
from itertools import combinations

import pytest
from PySide6.QtGui import QAction, QImage
from pytestqt.qtbot import QtBot

from desktop.core.phases import Phase
from desktop.core.texts import Texts
from desktop.ui import icons
from desktop.ui.theme import Theme
from desktop.ui.tray import Tray, TrayActions

SHAPES = [Phase.OFF, Phase.LOADING, Phase.READY, Phase.RECONNECTING, Phase.STOPPING, Phase.FAILED]


class Desktop:
    """A desktop whose panel may come up late."""

    has_tray = False

    def __call__(self) -> bool:
        return self.has_tray


@pytest.fixture
def desktop() -> Desktop:
    return Desktop()


@pytest.fixture
def calls() -> list[str]:
    return []


@pytest.fixture
def tray(qtbot: QtBot, desktop: Desktop, calls: list[str]) -> Iterator[Tray]:
    names = ("open", "start", "stop", "copy_endpoint", "quit")
    actions = TrayActions(*(lambda name=name: calls.append(name) for name in names))
    made = Tray(actions, Theme("light"), Texts("en"), desktop)
    yield made
    made.close()


def shown(tray: Tray) -> list[str]:
    return [a.text() for a in tray.menu.actions() if a.isVisible() and not a.isSeparator()]


def action(tray: Tray, text: str) -> QAction:
    return next(each for each in tray.menu.actions() if each.text() == text)


def test_the_menu_says_how_it_stands_and_offers_what_can_be_done(tray: Tray) -> None:
    tray.show_state("root@host:22", Phase.OFF)
    assert shown(tray) == ["root@host:22 ⋅ Off", "Open chat", "Start", "Quit"]
    tray.show_state("root@host:22", Phase.READY)
    offered = ["Open chat", "Stop", "Copy endpoint", "Quit"]
    assert shown(tray) == ["root@host:22 ⋅ Ready", *offered]
    assert not action(tray, "root@host:22 ⋅ Ready").isEnabled()


def test_the_menu_does_what_it_says(tray: Tray, calls: list[str]) -> None:
    tray.show_state("host", Phase.READY)
    for text in ("Open chat", "Stop", "Copy endpoint", "Quit"):
        action(tray, text).trigger()
    assert calls == ["open", "stop", "copy_endpoint", "quit"]


def test_without_a_tray_there_is_no_icon(tray: Tray) -> None:
    tray.begin()
    assert not tray.there
    assert tray._timer.isActive()


def test_a_tray_that_turns_up_late_gets_a_new_icon(
    qtbot: QtBot, tray: Tray, desktop: Desktop
) -> None:
    tray.begin()
    desktop.has_tray = True
    with qtbot.waitSignal(tray.appeared):
        tray.look()
    assert tray.there
    assert not tray._timer.isActive()


def test_it_stops_looking_after_a_minute(tray: Tray) -> None:
    tray.begin()
    for _ in range(31):
        tray.look()
    assert not tray._timer.isActive()


def silhouette(phase: Phase, *, dark: bool) -> QImage:
    image = icons.tray(phase, dark=dark).pixmap(32, 32).toImage()
    return image.convertToFormat(QImage.Format.Format_Alpha8)


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize(("one", "other"), list(combinations(SHAPES, 2)))
def test_icons_differ_in_shape_and_not_only_in_colour(
    qapp: object, one: Phase, other: Phase, dark: bool
) -> None:
    first, second = silhouette(one, dark=dark), silhouette(other, dark=dark)
    pixels = [(x, y) for x in range(32) for y in range(32)]
    differing = sum(
        abs(first.pixelColor(x, y).alpha() - second.pixelColor(x, y).alpha()) > 128
        for x, y in pixels
    )
    assert differing >= 20


@pytest.mark.parametrize("phase", list(Phase))
def test_every_phase_has_an_icon(qapp: object, phase: Phase) -> None:
    assert not icons.tray(phase, dark=False).isNull()


def test_a_model_that_the_host_stopped_says_so_in_the_tray(tray: Tray) -> None:
    tray.show_state("box", Phase.OFF, "The host stopped the model.")
    assert shown(tray)[0].endswith("The host stopped the model.")
    tray.show_state("box", Phase.CONNECTING)
    assert "stopped the model" not in shown(tray)[0]
