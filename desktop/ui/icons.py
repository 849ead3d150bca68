"""Icons from `assets/icons`: SVG drawn in `currentColor`, coloured for the theme when loaded."""

from __future__ import annotations

import sys
from functools import cache

from PySide6.QtCore import QByteArray, QRectF, QSize, Qt
from PySide6.QtGui import QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from desktop.core.assets import asset
from desktop.core.phases import Phase

# One shape for each thing that can be told apart at 16 pixels; the four ways of working share one.
_TRAY = {
    Phase.OFF: "off",
    Phase.CONNECTING: "working",
    Phase.CHECKING: "working",
    Phase.PREPARING: "working",
    Phase.LOADING: "working",
    Phase.READY: "ready",
    Phase.RECONNECTING: "reconnecting",
    Phase.STOPPING: "stopping",
    Phase.FAILED: "failed",
}
_TRAY_SIZES = (16, 22, 24, 32, 48, 64)


@cache
def _drawing(name: str) -> str:
    return asset("icons", f"{name}.svg").read_text(encoding="utf-8")


def pixmap(name: str, colour: str, size: int, ratio: float = 1.0) -> QPixmap:
    """Return an icon at `size` logical pixels for a screen with this device pixel ratio."""
    drawing = _drawing(name).replace("currentColor", colour)
    renderer = QSvgRenderer(QByteArray(drawing.encode()))
    made = QPixmap(QSize(size, size) * ratio)
    made.setDevicePixelRatio(ratio)
    made.fill(Qt.GlobalColor.transparent)
    painter = QPainter(made)
    renderer.render(painter, QRectF(0, 0, size, size))
    painter.end()
    return made


def icon(name: str, colour: str, *sizes: int) -> QIcon:
    """Return an icon in one colour at the sizes that are needed, each also for dense screens."""
    made = QIcon()
    for size in sizes or (20,):
        made.addPixmap(pixmap(name, colour, size))
        made.addPixmap(pixmap(name, colour, size, 2.0))
    return made


def tray(phase: Phase, *, dark: bool) -> QIcon:
    """Return the tray's icon of a phase, for a dark or a light panel.

    On macOS it is a mask, which the system colours for its menu bar.
    """
    ink = "#f2f1ee" if dark else "#2b2f34"
    made = icon(f"tray-{_TRAY[phase]}", ink, *_TRAY_SIZES)
    made.setIsMask(sys.platform == "darwin")
    return made


def application() -> QIcon:
    """Return the kite, up to 128 pixels, as 64 on a dense screen: all above would take 2 MB."""
    return icon("paperkite", "#000000", 16, 24, 32, 48, 64)
