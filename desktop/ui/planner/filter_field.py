"""The field above the models: words to look for, or the id of any other model at the hub."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QLineEdit

from desktop.core.planner import shelf
from desktop.core.texts import Texts

_STEPS = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}


class FilterField(QLineEdit):
    """A search field from which one walks in the list.

    Signals:
        walked: up (-1) or down (1).
    """

    walked = Signal(int)

    def __init__(self, texts: Texts) -> None:
        super().__init__()
        self.setObjectName("modelField")
        self.setProperty("dense", "true")
        self.setClearButtonEnabled(True)
        self.setMaxLength(200)
        self.setPlaceholderText(texts["plan.filter"])
        self.setAccessibleName(texts["plan.filter"])

    @property
    def hub_id(self) -> str:
        """The hub id that was typed, "" where it is none."""
        return shelf.hub_id(self.text())

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        """Walk in the list, or type."""
        step = _STEPS.get(Qt.Key(event.key()))
        if step is None:
            super().keyPressEvent(event)
        else:
            self.walked.emit(step)
