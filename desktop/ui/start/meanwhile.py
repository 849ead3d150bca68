"""What can be done while it works: cancel, with what stays then; see the log; enter the price."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from desktop.core.phases import Phase
from desktop.core.texts import Texts
from desktop.ui.labels import button, label
from desktop.ui.start import wording
from desktop.ui.start.wrapping import WrappingRow

_WORKS = (*wording.CAN_CANCEL, Phase.STOPPING)


class Meanwhile(QWidget):
    """Buttons, and a sentence.

    Signals:
        cancelled: stop what is under way.
        log_wanted: the log is to be seen.
        rate_wanted: what the host costs is to be typed.
    """

    cancelled = Signal()
    log_wanted = Signal()
    rate_wanted = Signal()

    def __init__(self, texts: Texts) -> None:
        super().__init__()
        self._cancel = button(texts["wait.cancel"], "", "cancelStartButton")
        self._cancel.setAccessibleDescription(texts["wait.stays"])
        self._cancel.clicked.connect(self.cancelled)
        self._log = button(texts["wait.show-log"], "link", "showLogButton")
        self._log.clicked.connect(self.log_wanted)
        self._rate = button(texts["wait.enter-rate"], "link", "enterRateButton")
        self._rate.clicked.connect(self.rate_wanted)
        self._stays = label(texts["wait.stays"], tone="quiet", size=0.92, wrap=True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 4, 0, 0)
        layout.setSpacing(6)
        row = WrappingRow()
        layout.addLayout(row)
        for widget in (self._cancel, self._log, self._rate):
            row.addWidget(widget)
        layout.addWidget(self._stays)

    def show_phase(self, phase: Phase, *, has_rate: bool, surveys: bool = False) -> None:
        """Show what can be done in a phase; the price is asked for where nobody knows it.

        A look at the host installs nothing and keeps no log: there is only an end to it.
        """
        for widget in (self._log, self._stays):
            widget.setVisible(not surveys)
        self.setVisible(phase in _WORKS)
        self._cancel.setEnabled(phase is not Phase.STOPPING)
        self._rate.setVisible(not (has_rate or surveys) and phase in wording.ON_THE_WAY)
