"""The page on which a host is added: the first thing that anybody sees, and later one of many."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent

from desktop.core.explain import Explanation
from desktop.core.texts import Texts
from desktop.ui.intents import Target
from desktop.ui.labels import button
from desktop.ui.start.column import Column
from desktop.ui.start.setup import Setup


class AddPage(Column):
    """Two fields and a button.

    Signals:
        submitted: host text (with the password under it where one was pasted) and model.
        left: back to the hosts that there are.
    """

    submitted = Signal(str, str)
    left = Signal()

    def __init__(self, texts: Texts, model: str) -> None:
        super().__init__("addPage", texts["setup.title"])
        self._model = model
        self._back = button(texts["setup.back"], "link", "leaveAddingButton")
        self._back.clicked.connect(self.left)
        self._setup = Setup(texts, Target("", model))
        self._setup.submitted.connect(self.submitted)
        self.inside.addStretch(2)
        self.inside.addWidget(self._back, 0, Qt.AlignmentFlag.AlignLeft)
        self.inside.addWidget(self._setup)
        self.inside.addStretch(3)

    def begin(self, *, may_leave: bool) -> None:
        """Empty the fields and take the keyboard."""
        self._back.setVisible(may_leave)
        self._setup.show_target(Target("", self._model))
        self._setup.edit()

    def complain(self, why: Explanation) -> None:
        """Say why what was typed cannot be used."""
        self._setup.complain(why)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        """Leave by Escape, where there is somewhere to go."""
        if event.key() == Qt.Key.Key_Escape and not self._back.isHidden():
            self.left.emit()
        else:
            super().keyPressEvent(event)
