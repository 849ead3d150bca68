"""A saved host while nothing runs there: where it goes, what runs, and one button."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
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
        said_off: the host, which was left running, is off, as a person knows.
    """

    started = Signal()
    changing = Signal()
    said_off = Signal()

    def __init__(self, texts: Texts) -> None:
        super().__init__()
        self._texts = texts
        self._remark, self._was_left = "", False
        self._subtitle = label(tone="quiet", size=1.05, wrap=True)
        self._host, self._model = Elided(), Elided()
        self._model.setProperty("tone", "quiet")
        self._start = button(texts["action.start"], "big", "startButton")
        self._start.clicked.connect(self.started)
        self._off = button(texts["saved.said-off"], "link", "saidOffButton")
        self._off.clicked.connect(self._say_off)
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
        layout.addWidget(self._off, alignment=Qt.AlignmentFlag.AlignLeft)
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
        self._was_left = target.was_left
        self._show_subtitle()

    def show_remark(self, remark: str) -> None:
        """Say why nothing runs any more; "" to say nothing of it."""
        self._remark = remark
        self._show_subtitle()

    def _show_subtitle(self) -> None:
        known = "saved.was-left" if self._was_left else "saved.subtitle"
        self._subtitle.setText(self._remark or self._texts[known])
        self._off.setVisible(self._was_left and not self._remark)

    def _say_off(self) -> None:
        self.take_keyboard()  # before the link is gone
        self.said_off.emit()
