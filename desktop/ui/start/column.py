"""A page that is one centred column, and scrolls where it is too high."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

_WIDEST = 700


class Column(QScrollArea):
    """Holds widgets under each other, no wider than is good to read.

    Attributes:
        inside: the layout that they are added to.
    """

    def __init__(self, name: str, accessible_name: str) -> None:
        super().__init__()
        self.setObjectName(name)
        self.setAccessibleName(accessible_name)
        self.setProperty("page", "true")
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        column = QWidget()
        column.setMaximumWidth(_WIDEST)
        self.inside = QVBoxLayout(column)
        self.inside.setContentsMargins(28, 28, 28, 28)
        self.inside.setSpacing(8)
        around = QWidget()
        around.setObjectName("startColumn")
        line = QHBoxLayout(around)
        line.setContentsMargins(0, 0, 0, 0)
        line.addStretch(1)
        line.addWidget(column, 1000)
        line.addStretch(1)
        self.setWidget(around)
