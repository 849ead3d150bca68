"""A saved host while nothing runs there: where it goes, what runs, and one button."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from desktop.core.texts import Texts
from desktop.ui import icons
from desktop.ui.intents import Target
from desktop.ui.labels import Elided, button, label
from desktop.ui.start.line_form import KITE


class SavedCard(QWidget):
    """A summary with a button.

    Signals:
        started: with what is shown.
        changing: another model, context or line is wanted.
    """

    started = Signal()
    changing = Signal()

    def __init__(self, texts: Texts) -> None:
        super().__init__()
        self._texts = texts
        self._subtitle = label(tone="quiet", size=1.05, wrap=True)
        self._host, self._model = Elided(), Elided()
        self._model.setProperty("tone", "quiet")
        self._start = button(texts["action.start"], "big", "startButton")
        self._start.clicked.connect(self.started)
        self._arrange()
        self.show_remark("")

    def _arrange(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        kite = QLabel()
        kite.setPixmap(icons.pixmap("paperkite", "#000000", KITE, self.devicePixelRatioF()))
        layout.addWidget(kite)
        layout.addSpacing(4)
        layout.addWidget(label(self._texts["saved.title"], size=1.7, bold=True, wrap=True))
        layout.addWidget(self._subtitle)
        layout.addSpacing(14)
        layout.addWidget(self._make_card())
        layout.addSpacing(8)
        line = QHBoxLayout()
        line.addWidget(self._start)
        line.addStretch(1)
        layout.addLayout(line)

    def take_keyboard(self) -> None:
        """Let Enter start."""
        self._start.setFocus()

    def _make_card(self) -> QFrame:
        card = QFrame()
        card.setProperty("card", "true")
        layout = QHBoxLayout(card)
        layout.setContentsMargins(18, 15, 14, 15)
        words = QVBoxLayout()
        words.setSpacing(5)
        words.addWidget(self._host)
        words.addWidget(self._model)
        layout.addLayout(words, 1)
        change = button(self._texts["setup.change"], "link", "changeButton")
        change.clicked.connect(self.changing)
        layout.addWidget(change)
        return card

    def show_target(self, target: Target) -> None:
        """Show where it goes and what runs there."""
        self._host.say(target.host)
        self._model.say(target.model)

    def show_remark(self, remark: str) -> None:
        """Say why nothing runs any more; "" to say nothing of it."""
        self._subtitle.setText(remark or self._texts["saved.subtitle"])
