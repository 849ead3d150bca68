"""All keys on one calm page, from the table by which they work."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from desktop.core.texts import Texts
from desktop.ui import shortcuts
from desktop.ui.labels import button, label
from desktop.ui.shortcuts import Keys

_BETWEEN = 40  # pixels between the two columns
_GROUP, _LINE = 18, 6  # pixels above a group, and between its lines


class KeyboardDialog(QDialog):
    """The keys that work anywhere at the left, those of single parts at the right."""

    def __init__(self, parent: QWidget, texts: Texts) -> None:
        super().__init__(parent)
        self.setObjectName("keyboardDialog")
        self.setWindowTitle(texts["menu.keyboard"])
        self._texts = texts
        close = button(texts["logs.close"], "", "closeButton")
        close.setDefault(True)
        close.clicked.connect(self.close)
        columns = QHBoxLayout()
        columns.setSpacing(_BETWEEN)
        columns.addLayout(self._column({"keys.anywhere": shortcuts.ANYWHERE}), 1)
        columns.addLayout(self._column(shortcuts.IN_PARTS), 1)
        bottom = QHBoxLayout()
        bottom.addStretch(1)
        bottom.addWidget(close)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(26, 20, 26, 18)
        layout.setSpacing(16)
        layout.addLayout(columns)
        layout.addLayout(bottom)

    def _column(self, groups: dict[str, tuple[Keys, ...]]) -> QVBoxLayout:
        column = QVBoxLayout()
        column.setSpacing(_LINE)
        for number, (name, lines) in enumerate(groups.items()):
            if number:
                column.addSpacing(_GROUP)
            column.addWidget(label(self._texts[name], bold=True))
            column.addLayout(self._lines(lines))
        column.addStretch(1)
        return column

    def _lines(self, lines: Sequence[Keys]) -> QGridLayout:
        grid = QGridLayout()
        grid.setVerticalSpacing(_LINE)
        grid.setHorizontalSpacing(16)
        grid.setColumnStretch(0, 1)
        for row, line in enumerate(lines):
            said = self._texts[line.name].rstrip("…")
            keys = [shortcuts.shown(each) for each in line.keys]
            name, caps = label(said, tone="quiet"), QHBoxLayout()
            name.setAccessibleName(f"{said}: {', '.join(keys)}")
            caps.setSpacing(5)
            caps.addStretch(1)
            for each in keys:
                cap = label(each, size=0.92)
                cap.setProperty("cap", "true")
                cap.setAlignment(Qt.AlignmentFlag.AlignCenter)
                caps.addWidget(cap)
            grid.addWidget(name, row, 0)
            grid.addLayout(caps, row, 1)
        return grid
