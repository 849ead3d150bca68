"""The strip at the top: which host, which model, how it stands, and the button for it."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout

from desktop.core.phases import Phase
from desktop.core.texts import Texts
from desktop.ui import fonts, shortcuts
from desktop.ui.chats.tool import ToolButton
from desktop.ui.intents import HostKey
from desktop.ui.labels import Elided, button, label, set_property
from desktop.ui.more import MoreButton
from desktop.ui.states import STARTABLE, state_pixmap, tone
from desktop.ui.switcher import INSET, Listed, Switcher
from desktop.ui.theme import Theme

_STATE_ICON = 15


class Header(QFrame):
    """Host, model, bill, state, Start or Stop.

    Attributes:
        switcher: the host's name, and the way to the others.
        toggle: shows or hides the list of conversations.
        more: everything that opens beside the conversation.

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
        self._phase, self._startable = Phase.OFF, False
        self.switcher = Switcher(theme, texts)
        self._app = label(texts["app.name"], bold=True)
        self._app.setContentsMargins(INSET, 0, 0, 0)
        self._model = Elided()
        self._model.setProperty("tone", "quiet")
        self._model.setFont(fonts.scaled(self._model.font(), 0.92))
        self._model.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        self._bill = label(tone="quiet", size=0.92)
        self._bill.setObjectName("billLabel")
        self._icon, self._state = QLabel(), label()
        self._state.setObjectName("stateChip")
        self.toggle = ToolButton("sidebar", texts["chats.show"], theme, "sidebarButton")
        self.toggle.say(texts["chats.show"], shortcuts.of("chats.show"))
        self.more = MoreButton(theme, texts)
        self._start = button(texts["action.start"], "primary", "headerStartButton")
        self._start.clicked.connect(self.started)
        self._stop = button(texts["action.stop"], "", "stopButton")
        self._stop.setToolTip(texts["action.stop-help"])
        self._stop.clicked.connect(self.stopped)
        self._arrange()
        theme.changed.connect(self._draw)

    def _arrange(self) -> None:
        layout = QHBoxLayout(self)
        layout.setContentsMargins(12, 9, 14, 9)
        layout.setSpacing(8)
        words = QVBoxLayout()
        words.setSpacing(1)
        names, figures = QHBoxLayout(), QHBoxLayout()
        names.setContentsMargins(0, 0, 0, 0)
        names.addWidget(self.switcher)
        names.addWidget(self._app)
        names.addStretch(1)
        figures.setContentsMargins(INSET, 0, 0, 0)
        figures.setSpacing(0)
        figures.addWidget(self._model)
        figures.addWidget(self._bill)
        figures.addStretch(1)
        words.addLayout(names)
        words.addLayout(figures)
        layout.addWidget(self.toggle)
        layout.addLayout(words, 1)
        layout.addSpacing(12)
        self._icon.setFixedSize(_STATE_ICON, _STATE_ICON)
        for widget in (self._icon, self._state):
            layout.addWidget(widget)
        layout.addSpacing(8)
        for each in (self._start, self._stop, self.more):
            layout.addWidget(each)
        self.setFixedHeight(self.sizeHint().height() + 6)

    def show_hosts(
        self, hosts: Sequence[Listed], current: HostKey | None, *, adds: bool = False
    ) -> None:
        """Show which hosts there are and which is in front; while the first is added, the app."""
        self.switcher.show_hosts(hosts, current)
        first_run = adds and not hosts
        self.switcher.setVisible(not first_run)
        self._app.setVisible(first_run)
        for widget in (self._icon, self._state):
            widget.setVisible(current is not None)
        here = next((each for each in hosts if each.key == current), None)
        self.more.show_host(there=here is not None, on=here is not None and here.may_power_off)
        if current is None:
            self._model.say(self._texts["app.tagline"])
            for hidden in (self._start, self._stop, self._bill):
                hidden.setVisible(False)

    def show_host(self, model: str, phase: Phase, *, startable: bool) -> None:
        """Show the host in front; `startable` tells whether Start belongs here or is elsewhere."""
        self._phase, self._startable = phase, startable
        self._model.say(model)
        self._draw()

    def show_bill(self, bill: str, explained: str) -> None:
        """Show what it has cost so far, or nothing."""
        self._bill.setText(f"⋅ {bill}" if bill else "")  # the model keeps its distance itself
        self._bill.setToolTip(explained)
        self._bill.setAccessibleName(explained)
        self._bill.setVisible(bool(bill))

    def _draw(self) -> None:
        phase = self._phase
        ratio = self.devicePixelRatioF()
        self._icon.setPixmap(state_pixmap(phase, self._theme, _STATE_ICON, ratio))
        text = self._texts[f"phase.{phase.value}"]
        self._state.setText(text)
        self._state.setAccessibleName(self._texts("header.state", state=text))
        colour = tone(phase)
        set_property(self._state, "tone", colour if colour != "accent" else "")
        self._start.setVisible(self._startable and phase in STARTABLE)
        self._stop.setVisible(phase not in STARTABLE)
        self._stop.setEnabled(phase is not Phase.STOPPING)
