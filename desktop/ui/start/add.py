"""The page on which a host is added: the first thing that anybody sees, and later one of many."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent

from desktop.core.explain import Explanation
from desktop.core.texts import Texts
from desktop.ui.intents import Target
from desktop.ui.labels import button
from desktop.ui.start.column import Column
from desktop.ui.start.line_form import LineForm


class AddPage(Column):
    """One field and a button.

    Signals:
        checking: host text (with the password under it where one was pasted) and what was chosen.
        submitted: the same, to be started without a look.
        left: back to the hosts that there are.
    """

    checking = Signal(str, object)
    submitted = Signal(str, object)
    left = Signal()

    def __init__(self, texts: Texts, model: str) -> None:
        super().__init__("addPage", texts["setup.title"])
        self._model = model
        self._back = button(texts["setup.back"], "link", "leaveAddingButton")
        self._back.clicked.connect(self.left)
        self._line = LineForm(texts)
        self._line.checking.connect(self.checking)
        self._line.submitted.connect(self.submitted)
        self.inside.addStretch(2)
        self.inside.addWidget(self._back, 0, Qt.AlignmentFlag.AlignLeft)
        self.inside.addWidget(self._line)
        self.inside.addStretch(3)

    def begin(self, *, may_leave: bool) -> None:
        """Empty the fields and take the keyboard."""
        self._back.setVisible(may_leave)
        self._line.show_target(Target("", self._model), may_leave=False)
        self._line.take_keyboard()

    def resume(self, other: AddPage) -> None:
        """Go on with what was typed in another one, whose window goes."""
        self._line.resume(other._line)

    def complain(self, why: Explanation) -> None:
        """Say why what was typed cannot be used."""
        self._line.complain(why)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        """Leave by Escape, where there is somewhere to go."""
        if event.key() == Qt.Key.Key_Escape and not self._back.isHidden():
            self.left.emit()
        else:
            super().keyPressEvent(event)
