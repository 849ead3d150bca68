"""What can be told of a picture without eyes: is it empty, cut off, or too faint to be read."""

from __future__ import annotations

from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QLabel, QPushButton, QWidget

from desktop.ui.labels import Elided


def colours_in(image: QImage) -> int:
    """Return how many colours there are, of those at every third pixel."""
    points = ((x, y) for x in range(0, image.width(), 3) for y in range(0, image.height(), 3))
    return len({image.pixel(x, y) for x, y in points})


def cut_off(widget: QLabel | QPushButton) -> bool:
    """Tell whether a text has less room than it needs; one that ends in an ellipsis may."""
    if isinstance(widget, Elided) or not widget.isVisible():
        return False
    needed = widget.minimumSizeHint()
    if isinstance(widget, QLabel) and widget.wordWrap():
        return widget.height() < widget.heightForWidth(widget.width())
    return widget.width() < needed.width() or widget.height() < needed.height()


def clipped(shown: QWidget) -> list[str]:
    """Return the texts that are cut off."""
    texts: list[QLabel | QPushButton] = shown.findChildren(QLabel)
    texts += shown.findChildren(QPushButton)
    return [each.text() for each in texts if each.text() and cut_off(each)]


def contrast(one: str, other: str) -> float:
    """Return the ratio of two colours by WCAG 2.2, from 1 to 21."""
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    seen = QColor(colour)
    red, green, blue = (_linear(part) for part in (seen.redF(), seen.greenF(), seen.blueF()))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
