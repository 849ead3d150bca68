"""One line over the conversation while its host is not ready: the conversation stays readable."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout

from desktop.core.amounts import joined
from desktop.core.explain import explain
from desktop.core.phases import Phase
from desktop.core.remedies import Remedy
from desktop.core.texts import Texts
from desktop.ui.labels import Elided, button, set_property
from desktop.ui.start import wording
from desktop.ui.start.address import AddressBox
from desktop.ui.start.journey import Journey

# What is no button here: the field below, and what is chosen on the sheet.
_ELSEWHERE = (Remedy.ADDRESS, Remedy.OTHER_HOST, Remedy.OTHER_MODEL)


class Banner(QFrame):
    """Says how things stand; its buttons do what helps best, and open the start sheet.

    Attributes:
        address: asks for the host's new address, where that may be what is wrong.

    Signals:
        chosen: a Remedy is to be tried.
        opened: show the details.
    """

    chosen = Signal(object)
    opened = Signal()

    def __init__(self, texts: Texts) -> None:
        super().__init__()
        self.setObjectName("banner")
        self._texts = texts
        self._text = Elided()
        self._remedy: Remedy | None = None
        self._best = button("", "", "bannerRemedyButton")
        self._best.clicked.connect(self._choose)
        details = button(texts["banner.details"], "link", "detailsButton")
        details.clicked.connect(self.opened)
        self.address = AddressBox(texts)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(18, 4, 18, 4)
        layout.setSpacing(2)
        line = QHBoxLayout()
        line.setSpacing(12)
        line.addWidget(self._text, 1)
        line.addWidget(self._best)
        line.addWidget(details)
        layout.addLayout(line)
        layout.addWidget(self.address)

    def show_journey(self, journey: Journey, now: float, offers: Mapping[Remedy, str]) -> None:
        """Show how things stand at clock time `now`.

        Args:
            journey: of the host.
            now: of the clock that the journey goes by.
            offers: what can be done about a failure and how that is called, the best first.
        """
        tone = {Phase.FAILED: "bad", Phase.RECONNECTING: "busy"}.get(journey.phase, "")
        set_property(self._text, "tone", tone)
        self._text.say(self._sentence(journey, now))
        self.address.ask(asking=wording.asks_for_line(journey))
        failed = journey.phase is Phase.FAILED
        self._offer(offers if failed else {})

    def _offer(self, offers: Mapping[Remedy, str]) -> None:
        """Have a button for the best, unless that is the field below or needs the whole sheet."""
        best = next(iter(offers), None)
        self.address.stand_out(is_best=best is Remedy.ADDRESS)
        self._remedy = None if best in _ELSEWHERE else best
        if self._remedy is not None:
            text = offers[self._remedy]
            self._best.setText(text)
            self._best.setAccessibleName(text)
        self._best.setVisible(self._remedy is not None)

    def _choose(self) -> None:
        if self._remedy is not None:
            self.chosen.emit(self._remedy)

    def _sentence(self, journey: Journey, now: float) -> str:
        parts = [self._texts[f"phase.{journey.phase.value}"]]
        if journey.error is not None:
            parts = [explain(journey.error, self._texts.language).title]
        if wording.waits(journey):
            parts.append(wording.countdown(journey, now, self._texts))
        elif journey.phase is not Phase.FAILED:
            parts.append(wording.now_and_next(journey, self._texts))
        return joined(*parts)
