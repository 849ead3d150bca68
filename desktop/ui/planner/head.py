"""The head of the planner: the card as it was found, where, when, and what has to be known."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from desktop.core.amounts import joined
from desktop.core.errors import AppError
from desktop.core.explain import explain
from desktop.core.planner.machine import Machine
from desktop.core.texts import Texts
from desktop.ui.labels import Elided, button, label
from desktop.ui.planner import wording

# What the rows say already, of each model.
_SAID_BY_ROWS = ("preflight.model-does-not-fit", "preflight.length-does-not-fit")


class Head(QWidget):
    """A title, a line, and notes.

    Signals:
        checking: look at the host (again).
        relining: the line is another one.
        left: not after all.
    """

    checking = Signal()
    relining = Signal()
    left = Signal()

    def __init__(self, texts: Texts) -> None:
        super().__init__()
        self._texts = texts
        self._title = label(size=1.35, bold=True, wrap=True)
        self._host = Elided()
        self._host.setProperty("tone", "quiet")
        self._check = button("", "link", "checkAgainButton")
        self._check.clicked.connect(self.checking)
        self._note = label(tone="busy", wrap=True)
        self._arrange()

    def _arrange(self) -> None:
        back = button(self._texts["plan.back"], "link", "leavePlanButton")
        back.clicked.connect(self.left)
        reline = button(self._texts["plan.other-line"], "link", "otherLineButton")
        reline.clicked.connect(self.relining)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addWidget(back, 0, Qt.AlignmentFlag.AlignLeft)
        layout.addWidget(self._title)
        line = QHBoxLayout()
        line.setSpacing(14)
        line.addWidget(self._host, 1)
        line.addWidget(self._check)
        line.addWidget(reline)
        layout.addLayout(line)
        layout.addWidget(self._note)

    def show_host(self, host: str, when: str, *, known: bool) -> None:
        """Show which host it is, and when it was looked at.

        Args:
            host: as people see it.
            when: in words, "" where it never was.
            known: whether anything is known of it.
        """
        self._host.say(joined(host, when))
        self._check.setText(self._texts["plan.check-again" if known else "plan.check"])
        self._check.setAccessibleName(self._check.text())

    def show_machine(self, machine: Machine | None) -> None:
        """Show the cards; without any, what is asked."""
        asked = self._texts["plan.title"]
        self._title.setText(asked if machine is None else wording.card_line(machine, self._texts))

    def show_notes(self, running: str, machine: Machine | None, error: AppError | None) -> None:
        """Say what has to be known before a model is chosen.

        Args:
            running: the model that runs there already, or "".
            machine: as it was found.
            error: what stood against the model that the host was asked about.
        """
        said = [self._texts("plan.runs", model=running)] if running else []
        if machine is not None and machine.is_without_gpu:
            said.append(self._texts["plan.without-gpu"])
        if error is not None and error.code not in _SAID_BY_ROWS:
            why = explain(error, self._texts.language)
            said.append(" ".join(part for part in (why.title, why.detail, why.hint) if part))
        self._note.setText("\n".join(said))
        self._note.setVisible(bool(said))
