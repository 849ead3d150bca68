"""A layout that goes on in a new line where one is full: for buttons of words, which differ."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QMargins, QPoint, QRect, QSize, Qt
from PySide6.QtWidgets import QLayout, QLayoutItem, QWidget


class WrappingRow(QLayout):
    """Lines of widgets from left to right, each as wide as it wishes; hidden ones take no room."""

    def __init__(self, parent: QWidget | None = None, *, gap: int = 16, line_gap: int = 4) -> None:
        super().__init__(parent)
        self._items: list[QLayoutItem] = []
        self._gap, self._line_gap = gap, line_gap
        self.setContentsMargins(QMargins())

    def fill(self, widgets: Sequence[QWidget]) -> None:
        """Hold these and no others, in this order."""
        self._items.clear()
        for widget in widgets:
            self.addWidget(widget)

    def addItem(self, item: QLayoutItem) -> None:  # noqa: N802 - Qt's name
        """Add an item at the end."""
        self._items.append(item)

    def count(self) -> int:
        """Return how many there are."""
        return len(self._items)

    def itemAt(self, index: int) -> QLayoutItem | None:  # noqa: N802
        """Return one of them, or None."""
        return self._items[index] if 0 <= index < len(self._items) else None

    def takeAt(self, index: int) -> QLayoutItem | None:  # noqa: N802
        """Take one out and return it, or None."""
        return self._items.pop(index) if 0 <= index < len(self._items) else None

    def expandingDirections(self) -> Qt.Orientation:  # noqa: N802 - Qt's name
        """Ask for no more room than is needed."""
        return Qt.Orientation(0)

    def hasHeightForWidth(self) -> bool:  # noqa: N802 - Qt's name
        """Tell that a narrow one is higher."""
        return True

    def heightForWidth(self, width: int) -> int:  # noqa: N802 - Qt's name
        """Return the height of all lines."""
        return self._place(QRect(0, 0, width, 0), moving=False)

    def setGeometry(self, area: QRect) -> None:  # noqa: N802 - Qt's name
        """Place the widgets."""
        super().setGeometry(area)
        self._place(area, moving=True)

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Return the least size."""
        return self.minimumSize()

    def minimumSize(self) -> QSize:  # noqa: N802 - Qt's name
        """Return the size of the widest item."""
        size = QSize()
        for item in self._items:
            if not item.isEmpty():
                size = size.expandedTo(item.minimumSize())
        return size

    def _place(self, area: QRect, *, moving: bool) -> int:
        """Return the height that the items take in this width, and perhaps put them there."""
        lines = self._lines(area.width())
        for line, top, height in lines if moving else ():
            x = area.x()
            for item in line:
                size = item.sizeHint()
                down = (height - size.height()) // 2
                item.setGeometry(QRect(QPoint(x, area.y() + top + down), size))
                x += size.width() + self._gap
        return sum(lines[-1][1:]) if lines else 0

    def _lines(self, width: int) -> list[tuple[list[QLayoutItem], int, int]]:
        """Return the lines: their items, where they begin, and how high they are."""
        lines: list[tuple[list[QLayoutItem], int, int]] = []
        line: list[QLayoutItem] = []
        used = top = 0
        for item in [each for each in self._items if not each.isEmpty()]:
            needed = item.sizeHint().width()
            if line and used + needed > width:
                height = _height(line)
                lines.append((line, top, height))
                top += height + self._line_gap
                line, used = [], 0
            line.append(item)
            used += needed + self._gap
        if line:
            lines.append((line, top, _height(line)))
        return lines


def _height(line: list[QLayoutItem]) -> int:
    return max(item.sizeHint().height() for item in line)
