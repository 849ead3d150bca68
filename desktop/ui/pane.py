"""One host in the window: its start sheet, or a banner over the conversation. Renders events."""

from __future__ import annotations

import time
from collections.abc import Callable

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QVBoxLayout, QWidget

from desktop.core.errors import AppError, HostKeyChanged
from desktop.core.events import Endpoint, Event, PhaseChanged, Ready, Sample, Surveyed
from desktop.core.explain import explain
from desktop.core.phases import Phase
from desktop.core.remedies import PAGES, Remedy, named_length
from desktop.core.texts import Texts
from desktop.ui.banner import Banner
from desktop.ui.changed_key import ChangedKeyDialog
from desktop.ui.idle_bar import IdleBar
from desktop.ui.intents import Chosen, HostIntents, Screen, Target
from desktop.ui.start import wording
from desktop.ui.start.journey import Journey, advance
from desktop.ui.start.sheet import StartSheet
from desktop.ui.theme import Theme

_CLOCK_MS = 500  # elapsed times and countdowns; sheet figures change with events


class Pane(QWidget):
    """Everything one sees of one host; it goes on while another one is in front.

    Attributes:
        target: where it goes, in words.
        journey: what the start sheet shows.
        endpoint: where its model answers, while it does.
        idle: asks whether it is still needed.
        tokens_per_s: written for all requests together, while it answers; None where unknown.

    Signals:
        changed: the header may have something else to show.
        wanted: a Screen is to be opened.
        page_wanted: a page of the settings, which were just wanted.
        rate_wanted: what this host costs is to be typed.
        said_off: the host, which was left running, is off, as a person knows.
    """

    changed = Signal()
    wanted = Signal(object)
    page_wanted = Signal(str)
    rate_wanted = Signal()
    said_off = Signal()

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
        self.endpoint: Endpoint | None = None
        self.tokens_per_s: float | None = None
        self._reading = self._details = False
        self._banner = Banner(texts)
        self.idle = IdleBar(texts)
        self._sheet = StartSheet(theme, texts, target)
        self._ticker = QTimer(self, interval=_CLOCK_MS)
        self._arrange()
        self._connect()
        self._show_journey()

    @property
    def plans(self) -> bool:
        """Whether a model is being chosen, which wants the whole page."""
        return self.on_sheet and not self._sheet.setup.isHidden() and self._sheet.setup.plans

    @property
    def on_sheet(self) -> bool:
        """Whether the start sheet is in front, and not the conversation."""
        return self._details or (self.journey.phase is not Phase.READY and not self._reading)

    def _arrange(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._banner)
        layout.addWidget(self.idle)
        layout.addWidget(self._sheet, 1)

    def _connect(self) -> None:
        self._sheet.submitted.connect(self._start)
        self._sheet.setup.checking.connect(self._survey)
        self._sheet.setup.planning.connect(self._plan)
        self._sheet.setup.turned.connect(self.changed)
        self._sheet.moved.connect(self._move)
        self._sheet.chosen.connect(self._remedy)
        self._sheet.cancelled.connect(self._intents.stop)
        self._sheet.rate_wanted.connect(self.rate_wanted)
        self._sheet.setup.said_off.connect(self.said_off)
        self._sheet.left.connect(lambda: self._open_details(False))
        self._banner.chosen.connect(self._remedy_over_conversation)
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
            if isinstance(event, Ready):
                self.endpoint = event.endpoint
            elif isinstance(event, PhaseChanged) and event.phase is not Phase.READY:
                self.endpoint = self.tokens_per_s = None
            elif isinstance(event, Sample):
                self.tokens_per_s = event.tokens_per_s
            elif isinstance(event, Surveyed):
                self._sheet.setup.show_survey(event, self._wall())
        if self.journey is not before:
            self._follow(before.phase)
        if self.journey is not before or self.endpoint != answered:
            self.changed.emit()

    def resume(self, other: Pane) -> None:
        """Go on where another pane of this host stands, whose window goes."""
        before = self.journey.phase
        self.journey, self.target, self.endpoint = other.journey, other.target, other.endpoint
        self._reading, self._details = other._reading, other._details
        self._sheet.show_target(self.target)
        self._sheet.setup.resume(other._sheet.setup)
        self._follow(before)
        self._details = other._details
        self._show_journey()

    def take_keyboard(self) -> None:
        """Put the keyboard where one goes on, while nothing runs."""
        self._sheet.take_keyboard()

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
        offers = wording.offers(self.journey, self.target, self._texts)
        self._banner.show_journey(self.journey, now, offers)
        self._sheet.show_journey(self.journey, now, may_leave=self._reading)

    # -- intents ---------------------------------------------------------------------------------

    def _start(self, host: str, chosen: Chosen) -> None:
        self._explain(self._intents.start(host, chosen))

    def _survey(self, host: str, chosen: Chosen) -> None:
        self._explain(self._intents.survey(host, chosen))

    def _explain(self, problem: AppError | None) -> None:
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
        self._start(self.target.host_text, Chosen(self.target.model))

    def _remedy(self, remedy: Remedy) -> None:
        """Do what a button of the sheet says."""
        match remedy:
            case Remedy.RETRY | Remedy.PASSWORD:
                self._intents.retry()
            case Remedy.STOP | Remedy.STOP_THERE:
                self._intents.stop()
            case Remedy.TIDY:
                self._intents.tidy()
            case Remedy.COMPARE_KEYS:
                self._compare_keys()
            case Remedy.CONSOLE:
                self._open_console()
            case Remedy.SHORTER:
                self._shorten()
            case Remedy.REPORT:
                QGuiApplication.clipboard().setText(self.report())
                self._sheet.say(self._texts["remedy.copied"])
            case Remedy.LOG:
                self.wanted.emit(Screen.LOGS)
            case Remedy.DATA_DIR | Remedy.HUB | Remedy.PROXY:
                self.wanted.emit(Screen.SETTINGS)
                self.page_wanted.emit(PAGES[remedy])

    def _remedy_over_conversation(self, remedy: Remedy) -> None:
        """Do what the button of the banner says; what comes of some is told on the sheet alone."""
        if remedy in (Remedy.TIDY, Remedy.REPORT):
            self._open_details(True)
        self._remedy(remedy)

    def _shorten(self) -> None:
        """Start again with the context that the host named."""
        error = self.journey.error
        if error is not None:
            chosen = Chosen(self.target.model, max_model_len=str(named_length(error)))
            self._start(self.target.host_text, chosen)

    def _open_console(self) -> None:
        """Show where the provider's console is, before the browser goes there."""
        from desktop.ui.chats.link import LinkDialog  # noqa: PLC0415 - when it is wanted

        provider = wording.provider_of(self.journey, self.target)
        if provider is not None:
            LinkDialog(self, self._texts, provider.console).open()

    def report(self) -> str:
        """Return what happened as it can be given to strangers."""
        from desktop.ui.start.told import story_of  # noqa: PLC0415 - when it is wanted

        return self._intents.report(story_of(self.journey, self._clock()))

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

    def _plan(self) -> None:
        self._sheet.setup.show_check(self._intents.last_check(), self._wall())

    def _open_details(self, opened: bool) -> None:
        self._details = opened
        self._show_journey()
        self.changed.emit()
        if opened and (self.journey.phase is Phase.FAILED or wording.waits(self.journey)):
            self.take_keyboard()  # it was on the banner, which is gone
