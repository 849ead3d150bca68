"""The strip at the top: which host, which model, how it stands, and the button for it."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QVBoxLayout

from desktop.core.phases import Phase
from desktop.core.texts import Texts
from desktop.ui import fonts, icons
from desktop.ui.intents import Target
from desktop.ui.labels import Elided, button, label, set_property
from desktop.ui.theme import Theme

_STATE_ICON = 15
_STATES = {  # phase → icon of a step, colour: shape and colour both tell
    Phase.OFF: ("waiting", "quiet"),
    Phase.CONNECTING: ("running", "accent"),
    Phase.CHECKING: ("running", "accent"),
    Phase.PREPARING: ("running", "accent"),
    Phase.LOADING: ("running", "accent"),
    Phase.READY: ("done", "good"),
    Phase.RECONNECTING: ("running", "busy"),
    Phase.STOPPING: ("cancelled", "quiet"),
    Phase.FAILED: ("failed", "bad"),
}
_STARTABLE = (Phase.OFF, Phase.FAILED)


class Header(QFrame):
    """Host, model, state, Start or Stop.

    Signals:
        started: start with the host that is shown.
        stopped: stop the run.
    """

    started = Signal()
    stopped = Signal()

    def __init__(self, theme: Theme, texts: Texts) -> None:
        super().__init__()
        self.setObjectName("header")
        self._theme, self._texts = theme, texts
        self._phase = Phase.OFF
        self._host = Elided(Qt.TextElideMode.ElideMiddle)
        self._host.setFont(fonts.scaled(self._host.font(), 1.0, bold=True))
        self._model = Elided()
        self._model.setProperty("tone", "quiet")
        self._model.setFont(fonts.scaled(self._model.font(), 0.92))
        self._icon, self._state = QLabel(), label()
        self._state.setObjectName("stateChip")
        self._start = button(texts["action.start"], "primary", "headerStartButton")
        self._start.clicked.connect(self.started)
        self._stop = button(texts["action.stop"], "", "stopButton")
        self._stop.setToolTip(texts["action.stop-help"])
        self._stop.clicked.connect(self.stopped)
        self._arrange()
        theme.changed.connect(lambda: self.show_phase(self._phase, startable=False))

    def _arrange(self) -> None:
        layout = QHBoxLayout(self)
        layout.setContentsMargins(18, 9, 14, 9)
        layout.setSpacing(8)
        words = QVBoxLayout()
        words.setSpacing(1)
        words.addWidget(self._host)
        words.addWidget(self._model)
        layout.addLayout(words, 1)
        layout.addSpacing(12)
        self._icon.setFixedSize(_STATE_ICON, _STATE_ICON)
        for widget in (self._icon, self._state):
            layout.addWidget(widget)
        layout.addSpacing(8)
        for each in (self._start, self._stop):
            layout.addWidget(each)
        self.setFixedHeight(self.sizeHint().height() + 6)

    def show_target(self, target: Target) -> None:
        """Show which host and model."""
        self._host.say(target.host if target.host_text else self._texts["app.name"])
        self._model.say(target.model if target.host_text else self._texts["app.tagline"])

    def show_phase(self, phase: Phase, *, startable: bool) -> None:
        """Show the state; `startable` tells whether Start belongs here or is elsewhere."""
        self._phase = phase
        name, tone = _STATES[phase]
        colour = getattr(self._theme.colours, tone)
        ratio = self.devicePixelRatioF()
        self._icon.setPixmap(icons.pixmap(f"step-{name}", colour, _STATE_ICON, ratio))
        text = self._texts[f"phase.{phase.value}"]
        self._state.setText(text)
        self._state.setAccessibleName(self._texts("header.state", state=text))
        set_property(self._state, "tone", tone if tone != "accent" else "")
        self._start.setVisible(startable and phase in _STARTABLE)
        self._stop.setVisible(phase not in _STARTABLE)
        self._stop.setEnabled(phase is not Phase.STOPPING)
