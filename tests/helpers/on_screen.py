"""What a person can read on a screen: the words of the widgets that are visible."""

from __future__ import annotations

from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QDialog,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QWidget,
)

from desktop.ui.labels import Elided


def everything(window: QWidget) -> str:
    """Return everything that can be read in a window just now."""
    found = (said_by(each) for each in window.findChildren(QWidget) if each.isVisible())
    return "\n".join(filter(None, found))


def is_dark(window: QWidget) -> bool:
    """Tell whether a window looks dark."""
    picture = window.grab().toImage().scaled(1, 1)
    return picture.pixelColor(0, 0).lightness() < 100


def is_there(window: QWidget, name: str) -> bool:
    return any(each.isVisible() for each in window.findChildren(QWidget, name))


def dialogs(name: str) -> list[QDialog]:
    widgets = QApplication.topLevelWidgets()
    return [
        each
        for each in widgets
        if isinstance(each, QDialog) and each.objectName() == name and each.isVisible()
    ]


def shown_text(widget: QWidget) -> str:
    assert isinstance(widget, QLabel)
    return widget.text() if widget.isVisible() else ""


def said_by(widget: QWidget) -> str:
    """Return what a widget says; of a line that is cut short, what its tooltip says."""
    if isinstance(widget, QLabel):
        cut = isinstance(widget, Elided) and widget.toolTip()
        return cut or widget.text()
    if isinstance(widget, QAbstractButton):
        return widget.text()
    if isinstance(widget, QLineEdit):
        return widget.displayText()
    return widget.toPlainText() if isinstance(widget, QPlainTextEdit) else ""
