"""What a person without a mouse, or without a screen, meets: the controls of a scene, and Tab."""

from __future__ import annotations

from collections.abc import Iterator

from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractScrollArea,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QHeaderView,
    QLineEdit,
    QPlainTextEdit,
    QScrollArea,
    QWidget,
)

from tests.helpers.scenes import settle

_CONTROLS = (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSpinBox,
    QComboBox,
    QLineEdit,
    QPlainTextEdit,
)
_MOST_TABS = 120
_AROUND = 12  # pixels: a ring may lie outside


def controls(shown: QWidget) -> list[QWidget]:
    """Return what can be clicked or typed into just now."""
    return [
        each
        for each in shown.findChildren(QWidget)
        if isinstance(each, _CONTROLS)
        and each.isVisible()
        and each.isEnabled()
        and not _is_inner(each)
        and not _is_empty(each)
    ]


def unnamed(shown: QWidget) -> list[str]:
    """Return which of them a screen reader has no name for."""
    return [_called(each) for each in controls(shown) if not _name(each).strip()]


def unexplained(shown: QWidget) -> list[str]:
    """Return which buttons show only an icon, and no tooltip tells what they are."""
    buttons = [each for each in controls(shown) if isinstance(each, QAbstractButton)]
    icons = [each for each in buttons if not each.text() and not each.icon().isNull()]
    return [_called(each) for each in icons if not each.toolTip()]


def walk(shown: QWidget) -> list[QWidget]:
    """Press Tab until the keyboard is where it was before; return where it was."""
    shown.activateWindow()
    settle()
    seen: list[QWidget] = []
    if QApplication.focusWidget() is None:
        shown.setFocus()
    for _ in range(_MOST_TABS):
        here = QApplication.focusWidget() or shown
        if here in seen:
            break
        seen.append(here)
        QTest.keyClick(here, Qt.Key.Key_Tab)
    return seen


def unreached(shown: QWidget) -> list[str]:
    """Return which of them Tab does not lead to."""
    seen = {id(_outer(each)) for each in walk(shown)}
    return [_called(each) for each in controls(shown) if id(each) not in seen]


def unmarked(shown: QWidget) -> list[str]:
    """Return on which of them one does not see that the keyboard is there."""
    found = []
    for each in walk(shown):
        if _outer(each) in controls(shown):
            _bring_into_sight(each, shown)
            each.setFocus(Qt.FocusReason.TabFocusReason)
            with_it = _picture(each, shown)
            each.clearFocus()
            if with_it == _picture(each, shown):
                found.append(_called(each))
    return found


def _bring_into_sight(each: QWidget, shown: QWidget) -> None:
    for over in _parents(each, shown):
        if isinstance(over, QScrollArea):
            over.ensureWidgetVisible(each)
    settle()


def _picture(each: QWidget, shown: QWidget) -> QImage:
    place = each.rect().translated(each.mapTo(shown, each.rect().topLeft()))
    return shown.grab(place.adjusted(-_AROUND, -_AROUND, _AROUND, _AROUND)).toImage()


def _name(each: QWidget) -> str:
    found = QAccessible.queryAccessibleInterface(each)
    return found.text(QAccessible.Text.Name) if found is not None else ""


def _called(each: QWidget) -> str:
    text = each.text() if isinstance(each, QAbstractButton) else ""
    return f"{type(each).__name__} {each.objectName()} {text}".strip()


def _parents(each: QWidget, shown: QWidget) -> Iterator[QWidget]:
    over = each.parentWidget()
    while over is not None and over is not shown:
        yield over
        over = over.parentWidget()


def _outer(each: QWidget) -> QWidget:
    """Return the control of which this is the field."""
    over = each.parentWidget()
    return over if isinstance(over, QAbstractSpinBox | QComboBox) else each


def _is_empty(each: QWidget) -> bool:
    return isinstance(each, QAbstractItemView) and each.model().rowCount() == 0


def _is_inner(each: QWidget) -> bool:
    """Tell whether Qt made this as a part of another control."""
    over = each.parentWidget()
    return (
        isinstance(over, QAbstractSpinBox | QComboBox | QLineEdit)
        or (
            isinstance(each, QAbstractButton | QHeaderView)
            and isinstance(over, QAbstractScrollArea)
        )
        or each.isWindow()
    )
