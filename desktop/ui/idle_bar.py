"""Asks in one calm line whether a model that nobody asks anything is still needed."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtGui import QAccessible, QAccessibleEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout

from desktop.core.bill import cost, money
from desktop.core.texts import Texts
from desktop.ui.diary.wording import span
from desktop.ui.labels import button, label


def sentence(name: str, seconds: float, rate: float, currency: str, texts: Texts) -> str:
    """Return for how long nobody has asked a host anything, and what that has cost.

    Args:
        name: the host's.
        seconds: without a request.
        rate: of the rental, an hour; 0 where it is not known: nothing is said of money then.
        currency: of the rate.
        texts: the language.
    """
    said = texts("idle.text", name=name, time=span(seconds, texts))
    if not rate:
        return said
    spent = texts("idle.cost", money=money(cost(rate, seconds), currency))
    return said + (spent if texts.language == "zh" else f" {spent}")


class IdleBar(QFrame):
    """One line over the conversation, hidden until it is asked.

    Signals:
        stopped: the model is to be stopped.
        snoozed: ask again in half an hour (`idle.SNOOZE_S`).
        muted: ask no more in this session.
    """

    stopped = Signal()
    snoozed = Signal()
    muted = Signal()

    def __init__(self, texts: Texts) -> None:
        super().__init__()
        self.setObjectName("idleBar")
        self._text = label(wrap=True)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(18, 6, 18, 6)
        layout.setSpacing(12)
        layout.addWidget(self._text, 1)
        for key, kind, signal in (
            ("stop", "", self.stopped),
            ("snooze", "link", self.snoozed),
            ("mute", "link", self.muted),
        ):
            made = button(texts[f"idle.{key}"], kind, f"idle-{key}")
            made.clicked.connect(signal)
            made.clicked.connect(self.hide)
            layout.addWidget(made)
        self.hide()

    def ask(self, said: str) -> None:
        """Show the question (`sentence`), or what it says by now."""
        self._text.setText(said)
        self.setAccessibleName(said)
        if self.isHidden():
            self.show()
            QAccessible.updateAccessibility(QAccessibleEvent(self, QAccessible.Event.Alert))
