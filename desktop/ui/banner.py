"""One line over the conversation while its host is not ready: the conversation stays readable."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout

from desktop.core.amounts import joined
from desktop.core.explain import explain
from desktop.core.phases import Phase
from desktop.core.texts import Texts
from desktop.ui.labels import Elided, button, set_property
from desktop.ui.start import wording
from desktop.ui.start.address import AddressBox
from desktop.ui.start.journey import Journey


class Banner(QFrame):
    """Says how things stand; its button opens the start sheet.

    Attributes:
        address: asks for the host's new address, where that may be what is wrong.

    Signals:
        opened: show the details.
    """

    opened = Signal()

    def __init__(self, texts: Texts) -> None:
        super().__init__()
        self.setObjectName("banner")
        self._texts = texts
        self._text = Elided()
        details = button(texts["banner.details"], "link", "detailsButton")
        details.clicked.connect(self.opened)
        self.address = AddressBox(texts)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(18, 4, 18, 4)
        layout.setSpacing(2)
        line = QHBoxLayout()
        line.addWidget(self._text, 1)
        line.addWidget(details)
        layout.addLayout(line)
        layout.addWidget(self.address)

    def show_journey(self, journey: Journey, now: float) -> None:
        """Show how things stand at clock time `now`."""
        tone = {Phase.FAILED: "bad", Phase.RECONNECTING: "busy"}.get(journey.phase, "")
        set_property(self._text, "tone", tone)
        self._text.say(self._sentence(journey, now))
        self.address.ask(asking=wording.asks_for_line(journey))

    def _sentence(self, journey: Journey, now: float) -> str:
        parts = [self._texts[f"phase.{journey.phase.value}"]]
        if journey.error is not None:
            parts = [explain(journey.error, self._texts.language).title]
        if wording.waits(journey):
            parts.append(wording.countdown(journey, now, self._texts))
        elif journey.phase is not Phase.FAILED:
            parts.append(wording.now_and_next(journey, self._texts))
        return joined(*parts)
