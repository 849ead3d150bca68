from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import combinations

import pytest
from PySide6.QtGui import QAction, QImage
from PySide6.QtWidgets import QMenu
from pytestqt.qtbot import QtBot

from desktop.core.phases import Phase
from desktop.core.texts import Texts
from desktop.ui import icons
from desktop.ui.intents import HostKey, Screen
from desktop.ui.switcher import Listed
from desktop.ui.theme import Theme
from desktop.ui.tray import Tray, TrayActions, foremost_phase

SHAPES = [Phase.OFF, Phase.LOADING, Phase.READY, Phase.RECONNECTING, Phase.STOPPING, Phase.FAILED]


SCREENS = ["Monitor", "Log"]
APP = ["Cost diary", "Settings…", "Quit"]


class Desktop:
    """A desktop whose panel may come up late."""

    has_tray = False

    def __call__(self) -> bool:
        return self.has_tray


@pytest.fixture
def desktop() -> Desktop:
    return Desktop()


@pytest.fixture
def calls() -> list[object]:
    return []


@pytest.fixture
def tray(qtbot: QtBot, desktop: Desktop, calls: list[object]) -> Iterator[Tray]:
    def call(name: str) -> Callable[..., None]:
        return lambda *key: calls.append((name, *key))

    names = ("open", "start", "stop", "power_off", "copy_endpoint", "show", "quit")
    made = Tray(TrayActions(*map(call, names)), Theme("light"), Texts("en"), desktop)
    yield made
    made.close()


def listed(name: str, phase: Phase, remark: str = "", bill: str = "") -> Listed:
    return Listed(HostKey(name), name, f"root@{name}:22", phase, remark, bill)


def shown(tray: Tray) -> list[str]:
    return [a.text() for a in tray.menu.actions() if a.isVisible() and not a.isSeparator()]


def action(tray: Tray, text: str) -> QAction:
    return next(each for each in tray.menu.actions() if each.text() == text)


def test_the_menu_says_how_it_stands_and_offers_what_can_be_done(tray: Tray) -> None:
    tray.show_hosts([listed("box", Phase.OFF)])
    assert shown(tray) == ["box ⋅ Off", "Open chat", "Start", *SCREENS, *APP]
    tray.show_hosts([listed("box", Phase.READY)])
    assert shown(tray) == ["box ⋅ Ready", "Open chat", "Stop", "Copy endpoint", *SCREENS, *APP]
    assert not action(tray, "box ⋅ Ready").isEnabled()


def test_several_hosts_have_a_menu_each(tray: Tray, calls: list[object]) -> None:
    tray.show_hosts([listed("box", Phase.READY), listed("lab", Phase.FAILED)])
    assert shown(tray) == ["box ⋅ Ready", "lab ⋅ Failed", "Open Paperkite", *APP]
    box, lab = (action(tray, text).menu() for text in ("box ⋅ Ready", "lab ⋅ Failed"))
    assert isinstance(box, QMenu)
    assert isinstance(lab, QMenu)
    assert [each.text() for each in box.actions()] == [
        "Open chat",
        "Stop",
        "Copy endpoint",
        *SCREENS,
    ]
    assert [each.text() for each in lab.actions()] == ["Open chat", "Start", *SCREENS]
    for each in (*box.actions(), *lab.actions()):
        each.trigger()
    assert calls == [
        *(("open", "box"), ("stop", "box"), ("copy_endpoint", "box")),
        *(("show", Screen.MONITOR, "box"), ("show", Screen.LOGS, "box")),
        *(("open", "lab"), ("start", "lab")),
        *(("show", Screen.MONITOR, "lab"), ("show", Screen.LOGS, "lab")),
    ]


@pytest.mark.parametrize(
    ("phases", "foremost"),
    [
        ([Phase.READY, Phase.FAILED], Phase.READY),
        ([Phase.READY, Phase.LOADING], Phase.LOADING),
        ([Phase.LOADING, Phase.RECONNECTING], Phase.RECONNECTING),
        ([Phase.OFF, Phase.FAILED], Phase.FAILED),
        ([], Phase.OFF),
    ],
)
def test_one_icon_tells_what_needs_a_look_first(phases: list[Phase], foremost: Phase) -> None:
    hosts = [listed(str(number), phase) for number, phase in enumerate(phases)]
    assert foremost_phase(hosts) is foremost


def test_the_tooltip_has_a_line_for_each_host_with_what_it_cost(
    tray: Tray, desktop: Desktop
) -> None:
    tray.show_hosts([listed("box", Phase.READY, bill="about ¥0.66 so far")])
    assert tray.tooltip() == "box ⋅ Ready ⋅ about ¥0.66 so far"
    tray.show_hosts([listed("box", Phase.READY, bill="¥0.67"), listed("lab", Phase.OFF)])
    assert tray.tooltip() == "box ⋅ Ready ⋅ ¥0.67\nlab ⋅ Off"
    tray.show_hosts([])
    assert tray.tooltip() == "No host yet ⋅ Off"
    busy = replace(listed("box", Phase.READY, bill="¥0.67"), model="Yi-34B", pace="41 tokens/s")
    tray.show_hosts([busy])
    assert tray.tooltip() == "box ⋅ Ready ⋅ Yi-34B ⋅ 41 tokens/s ⋅ ¥0.67"


def test_a_notification_needs_a_tray_and_its_click_opens_the_host(
    tray: Tray, desktop: Desktop, calls: list[object]
) -> None:
    assert not tray.notify("Ready", "box", HostKey("box"))
    desktop.has_tray = True
    tray.begin()
    assert tray.notify("Ready", "box", HostKey("box"))
    assert tray._icon is not None
    tray._icon.messageClicked.emit()
    assert calls == [("open", "box")]


def test_the_menu_does_what_it_says(tray: Tray, calls: list[object]) -> None:
    tray.show_hosts([listed("box", Phase.READY)])
    for text in ("Open chat", "Stop", "Copy endpoint", "Settings…", "Quit"):
        action(tray, text).trigger()
    assert calls == [
        *(("open", None), ("stop", "box"), ("copy_endpoint", "box")),
        *(("show", Screen.SETTINGS, None), ("quit",)),
    ]


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
    tray.show_hosts([listed("box", Phase.OFF, "The host stopped the model.")])
    assert shown(tray)[0].endswith("The host stopped the model.")
    tray.show_hosts([listed("box", Phase.CONNECTING)])
    assert "stopped the model" not in shown(tray)[0]


def test_a_host_that_is_on_can_be_powered_off_also_when_nothing_runs(
    tray: Tray, calls: list[object]
) -> None:
    tray.show_hosts([replace(listed("box", Phase.OFF), may_power_off=True)])
    action(tray, "Stop and power off…").trigger()
    assert calls == [("power_off", "box")]
