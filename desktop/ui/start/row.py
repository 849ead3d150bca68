"""One step on the start sheet: state, name, time, how far it is."""

from __future__ import annotations

from PySide6.QtWidgets import QFrame, QGridLayout, QLabel, QSizePolicy

from desktop.core.amounts import joined
from desktop.core.texts import Texts
from desktop.ui import icons
from desktop.ui.labels import Elided, label, set_property
from desktop.ui.start import wording
from desktop.ui.start.bar import Bar
from desktop.ui.start.journey import Row, Step
from desktop.ui.theme import Theme
from remote import wire

ICON = 20
_TONES = {
    wire.WAITING: "quiet",
    wire.RUNNING: "accent",
    wire.DONE: "good",
    wire.SKIPPED: "good",
    wire.FAILED: "bad",
    wire.CANCELLED: "quiet",
}


class StepRow(QFrame):
    """Shows a `Row`; as a card for the two branches, as a plain line for the others."""

    def __init__(self, step: Step, theme: Theme, texts: Texts, *, card: bool) -> None:
        super().__init__()
        self.setObjectName(f"step-{step.value}")
        self._theme, self._texts, self._card = theme, texts, card
        self._name = texts[f"start.step.{step.value}"]
        self._drawn: tuple[str, str] | None = None
        self._icon = QLabel()
        self._title = label(self._name, bold=True)
        self._time = label(tone="quiet", size=0.92)
        self._figures, self._pace = Elided(), label(tone="quiet", size=0.92)
        self._figures.setProperty("tone", "quiet")
        self._bar = Bar(theme)
        self._bar.setAccessibleName(self._name)
        if card:
            self.setProperty("card", "true")
        self._arrange()

    def _arrange(self) -> None:
        layout = QGridLayout(self)
        layout.setContentsMargins(*((14, 12, 14, 13) if self._card else (15, 2, 15, 2)))
        layout.setHorizontalSpacing(10)
        layout.setVerticalSpacing(7 if self._card else 5)
        self._icon.setFixedSize(ICON, ICON)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        layout.addWidget(self._icon, 0, 0)
        layout.addWidget(self._title, 0, 1)
        layout.addWidget(self._time, 0, 3)
        layout.setColumnStretch(2, 1)
        if self._card:
            layout.addWidget(self._bar, 1, 0, 1, 4)
            layout.addWidget(self._figures, 2, 0, 1, 4)
            layout.addWidget(self._pace, 3, 0, 1, 4)
        else:
            layout.addWidget(self._figures, 0, 2)
            layout.addWidget(self._bar, 1, 1, 1, 3)
            layout.addWidget(self._pace, 2, 1, 1, 3)

    def show_row(self, row: Row, now: float, found: str = "", cost: str = "") -> None:
        """Show how the step stands at clock time `now`, what it found, and what it has cost."""
        tone = _TONES[row.state]
        figures, pace = wording.row_figures(row, self._texts)
        self._draw_icon(row.state, tone)
        figures = found or figures
        self._figures.say(figures)
        self._pace.setText(pace or " ")
        self._time.setText(joined(wording.row_time(row, now, self._texts), cost))
        set_property(self._title, "tone", "quiet" if row.state == wire.WAITING else "")
        set_property(self._figures, "tone", "bad" if row.state == wire.FAILED else "quiet")
        self._bar.show_share(wording.fraction(row), tone)
        if not self._card:
            self._bar.setVisible(row.state == wire.RUNNING)
            self._pace.setVisible(row.state == wire.RUNNING and bool(pace))
        said = (self._name, self._texts[f"row.{row.state}"], figures, pace, cost)
        self.setAccessibleName(", ".join(part for part in said if part))

    def _draw_icon(self, state: str, tone: str) -> None:
        colour = getattr(self._theme.colours, tone)
        if self._drawn != (state, colour):
            self._drawn = (state, colour)
            ratio = self.devicePixelRatioF()
            self._icon.setPixmap(icons.pixmap(f"step-{state}", colour, ICON, ratio))
