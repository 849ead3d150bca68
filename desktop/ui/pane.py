"""One host in the window: its start sheet, or a banner over the conversation. Renders events."""

from __future__ import annotations

import time
from collections.abc import Callable

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from desktop.core.errors import HostKeyChanged
from desktop.core.events import Endpoint, Event, PhaseChanged, Ready, TaskChanged
from desktop.core.explain import explain
from desktop.core.phases import Phase
from desktop.core.texts import Texts
from desktop.ui.banner import Banner
from desktop.ui.changed_key import ChangedKeyDialog
from desktop.ui.intents import HostIntents, Target
from desktop.ui.start.journey import Journey, advance
from desktop.ui.start.sheet import StartSheet
from desktop.ui.theme import Theme
from remote import wire

_CLOCK_MS = 500  # elapsed times and countdowns; sheet figures change with events


class Pane(QWidget):
    """Everything one sees of one host; it goes on while another one is in front.

    Attributes:
        target: where it goes, in words.
        journey: what the start sheet shows.
        endpoint: where its model answers, while it does.

    Signals:
        changed: the header may have something else to show.
    """

    changed = Signal()

    def __init__(
        self,
        intents: HostIntents,
        theme: Theme,
        texts: Texts,
        target: Target,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        super().__init__()
        self.journey = Journey()
        self.target = target
        self._intents, self._texts, self._clock, self._wall = intents, texts, clock, wall
        self._reached: float | None = None  # when the rental was first seen to be there
        self.endpoint: Endpoint | None = None
        self._reading = self._details = False
        self._banner = Banner(texts)
        self._sheet = StartSheet(theme, texts, target)
        self._ticker = QTimer(self, interval=_CLOCK_MS)
        self._arrange()
        self._connect()
        self._show_journey()

    @property
    def on_sheet(self) -> bool:
        """Whether the start sheet is in front, and not the conversation."""
        return self._details or (self.journey.phase is not Phase.READY and not self._reading)

    @property
    def rented_s(self) -> float | None:
        """The seconds since the host was first reached, or None before that."""
        return None if self._reached is None else max(self._wall() - self._reached, 0.0)

    def _arrange(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._banner)
        layout.addWidget(self._sheet, 1)

    def _connect(self) -> None:
        self._sheet.submitted.connect(self._start)
        self._sheet.retried.connect(self._intents.retry)
        self._sheet.moved.connect(self._move)
        self._sheet.compared.connect(self._compare_keys)
        self._sheet.left.connect(lambda: self._open_details(False))
        self._banner.opened.connect(lambda: self._open_details(True))
        self._banner.address.given.connect(self._move)
        self._ticker.timeout.connect(self._tick)

    # -- events ----------------------------------------------------------------------------------

    def apply(self, batch: list[Event]) -> None:
        """Show what a batch of events says."""
        before, answered = self.journey, self.endpoint
        now = self._clock()
        for event in batch:
            self.journey = advance(self.journey, event, now)
            if self._reached is None and event == TaskChanged("connect", wire.DONE):
                self._reached = self._wall()
            if isinstance(event, Ready):
                self.endpoint = event.endpoint
            elif isinstance(event, PhaseChanged) and event.phase is not Phase.READY:
                self.endpoint = None
        if self.journey is not before:
            self._follow(before.phase)
        if self.journey is not before or self.endpoint != answered:
            self.changed.emit()

    def show_target(self, target: Target) -> None:
        """Show another address or model of this host."""
        self.target = target
        self._sheet.show_target(target)
        self.changed.emit()

    def _follow(self, before: Phase) -> None:
        """Show a changed journey; a phase that is over closes its details."""
        phase = self.journey.phase
        if phase is not before and phase is Phase.READY:
            self._details = False
        ticking = phase not in (Phase.OFF, Phase.READY, Phase.FAILED)
        if ticking != self._ticker.isActive():
            (self._ticker.start if ticking else self._ticker.stop)()
        self._show_journey()

    def _tick(self) -> None:
        if self.isVisible():
            self._show_journey()

    def _show_journey(self) -> None:
        now, phase = self._clock(), self.journey.phase
        on_sheet = self.on_sheet
        self._sheet.setVisible(on_sheet)
        self._banner.setVisible(not on_sheet and phase is not Phase.READY)
        self._banner.show_journey(self.journey, now)
        self._sheet.show_journey(self.journey, now, may_leave=self._reading)

    # -- intents ---------------------------------------------------------------------------------

    def _start(self, host: str, model: str) -> None:
        problem = self._intents.start(host, model)
        if problem is not None:
            self._details = self._reading
            self._show_journey()
            self._sheet.setup.complain(explain(problem, self._texts.language))

    def read(self) -> None:
        """Show the conversation from now on, however the host stands."""
        if not self._reading or self._details:
            self._reading, self._details = True, False
            self._show_journey()
            self.changed.emit()

    def start_again(self) -> None:
        """Start with what is shown."""
        self._start(self.target.host_text, self.target.model)

    def _compare_keys(self) -> None:
        """Ask whether the key that the host shows now is to be trusted."""
        error = self.journey.error
        if isinstance(error, HostKeyChanged):
            dialog = ChangedKeyDialog(self, self._texts, error)
            dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            dialog.accepted.connect(lambda: self._intents.trust(dialog.fingerprint))
            dialog.open()

    def _move(self, text: str) -> None:
        problem = self._intents.move(text)
        if problem is not None:
            why = explain(problem, self._texts.language)
            box = self._sheet.address if self.on_sheet else self._banner.address
            box.complain(why)

    def _open_details(self, opened: bool) -> None:
        self._details = opened
        self._show_journey()
        self.changed.emit()
