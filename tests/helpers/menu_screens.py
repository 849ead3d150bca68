"""The menus of the window and of the tray, and the tray's six icons on both kinds of panel."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QPainter, QPixmap
from PySide6.QtWidgets import QLabel, QWidget

from desktop.core.phases import Phase
from desktop.core.texts import Texts
from desktop.ui import icons
from desktop.ui.intents import HostKey
from desktop.ui.switcher import Listed
from desktop.ui.theme import Theme
from desktop.ui.tray import Tray, TrayActions
from tests.helpers.scenes import Look, Picture, alone, dress, ground, settle
from tests.helpers.screens import RENTED, Stage, ready, windows

_PANELS = ((True, "#2e3236"), (False, "#e9e9ea"))
_PHASES = (
    Phase.OFF,
    Phase.LOADING,
    Phase.READY,
    Phase.RECONNECTING,
    Phase.STOPPING,
    Phase.FAILED,
)
_CELL = 40
ONE = (
    Listed(
        HostKey("westb-12345"),
        "westb-12345",
        "root@connect.westb.seetacloud.com:12345",
        Phase.READY,
        bill="¥3.31",
        model="Yi-34B-Chat-4bits",
        pace="48 tokens/s",
        may_power_off=True,
    ),
)
TWO = (*ONE, Listed(HostKey("lab"), "lab", "lab", Phase.RECONNECTING))


def _more(stage: Stage) -> None:
    stage.play(ready())
    stage.window._header.more.open()


def _tray(hosts: Sequence[Listed]) -> Picture:
    @contextmanager
    def show(look: Look) -> Iterator[QWidget]:
        nothing = [lambda *_: None] * len(TrayActions.__dataclass_fields__)
        tray = Tray(TrayActions(*nothing), dress(look.theme), Texts(look.language), lambda: False)
        tray.show_hosts(hosts)
        tray.menu.adjustSize()
        tray.menu.setAttribute(Qt.WidgetAttribute.WA_DontShowOnScreen)
        tray.menu.show()
        settle()
        try:
            yield tray.menu
        finally:
            tray.menu.hide()
            tray.close()

    return Picture(show)


def _icons(_theme: Theme, _texts: Texts) -> QWidget:
    """Return every icon at 16, 24 and 32 pixels, on a dark panel and on a light one."""
    drawn = QPixmap(_CELL * len(_PHASES), _CELL * 3 * len(_PANELS))
    painter = QPainter(drawn)
    for row, (dark, panel) in enumerate(_PANELS):
        painter.fillRect(0, row * 3 * _CELL, drawn.width(), 3 * _CELL, QColor(panel))
        for column, phase in enumerate(_PHASES):
            for line, size in enumerate((16, 24, 32)):
                inset = (_CELL - size) // 2
                at = (column * _CELL + inset, (row * 3 + line) * _CELL + inset)
                painter.drawPixmap(*at, icons.tray(phase, dark=dark).pixmap(size, size))
    painter.end()
    made = QLabel(ground())
    made.setPixmap(drawn)
    made.setWindowFlag(Qt.WindowType.Window)
    return made


PICTURES = windows({"menu-more": (RENTED, _more)}) | {
    "menu-tray": _tray(ONE),
    "menu-tray-two": _tray(TWO),
    "tray-icons": alone(_icons),
}
