"""The one window: header, start sheet or conversation, composer. Renders events, sends intents."""

from __future__ import annotations

import time
from collections.abc import Callable

from PySide6.QtCore import QTimer
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from desktop.core.events import (
    Delta,
    Event,
    Ready,
    Reasoning,
    ReplyBroken,
    ReplyDone,
    ReplyStarted,
)
from desktop.core.explain import explain
from desktop.core.phases import Phase
from desktop.core.texts import Texts
from desktop.ui import icons
from desktop.ui.banner import Banner
from desktop.ui.composer import Composer
from desktop.ui.conversation import ConversationPage
from desktop.ui.header import Header
from desktop.ui.intents import Intents, Target
from desktop.ui.start.journey import Journey, advance
from desktop.ui.start.sheet import StartSheet
from desktop.ui.theme import Theme

_CLOCK_MS = 500  # elapsed times and countdowns; sheet figures change with events


class Window(QWidget):
    """Everything one sees apart from the tray.

    Attributes:
        journey: what the start sheet shows.
        hides: whether closing only hides (a tray is there) or quits.
    """

    def __init__(
        self,
        intents: Intents,
        theme: Theme,
        texts: Texts,
        target: Target,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__()
        self.setObjectName("window")
        self.setWindowTitle(texts["app.name"])
        self.setWindowIcon(icons.application())
        self.resize(980, 760)
        self.setMinimumSize(520, 420)
        self.journey = Journey()
        self.hides = False
        self._intents, self._texts, self._clock, self._target = intents, texts, clock, target
        self._spoken = self._details = False
        self._streaming: set[int] = set()
        self._header = Header(theme, texts)
        self._banner = Banner(texts)
        self._sheet = StartSheet(theme, texts, target)
        self._conversation = ConversationPage(theme, texts)
        self._composer = Composer(theme, texts)
        self._pages = QStackedWidget()
        self._ticker = QTimer(self, interval=_CLOCK_MS)
        self._arrange()
        self._connect()
        self._show_target(target)
        self._show_journey()

    @property
    def transcript_text(self) -> str:
        """The whole conversation as copying it would give it."""
        return self._conversation.transcript.plain_text()

    def _arrange(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        self._pages.addWidget(self._sheet)
        self._pages.addWidget(self._conversation)
        layout.addWidget(self._header)
        layout.addWidget(self._banner)
        layout.addWidget(self._pages, 1)
        layout.addWidget(self._composer)

    def _connect(self) -> None:
        self._header.started.connect(self._start_again)
        self._header.stopped.connect(self._intents.stop)
        self._sheet.submitted.connect(self._start)
        self._sheet.retried.connect(self._intents.retry)
        self._sheet.left.connect(lambda: self._open_details(False))
        self._banner.opened.connect(lambda: self._open_details(True))
        self._composer.sent.connect(self._send)
        self._composer.cancelled.connect(self._intents.cancel)
        self._ticker.timeout.connect(self._tick)

    # -- events ----------------------------------------------------------------------------------

    def apply(self, batch: list[Event]) -> None:
        """Show what a batch of events says; text of one reply is laid out once per batch."""
        before = self.journey
        now = self._clock()
        for event in _merged(batch):
            self.journey = advance(self.journey, event, now)
            self._show_reply(event)
            if isinstance(event, Ready):
                self._show_ready(event)
        if self.journey is not before:
            self._follow(before.phase)

    def show_target(self, target: Target) -> None:
        """Show another host and model."""
        self._show_target(target)

    def _show_target(self, target: Target) -> None:
        self._target = target
        self._header.show_target(target)
        self._sheet.show_target(target)
        if target.host_text:
            self.setWindowTitle(target.host)  # Qt adds the name of the app

    def _show_ready(self, event: Ready) -> None:
        self._conversation.greet(event.endpoint.model, event.endpoint.max_model_len)

    def _show_reply(self, event: Event) -> None:
        transcript = self._conversation.transcript
        match event:
            case ReplyStarted(reply):
                self._streaming.add(reply)
                transcript.begin(reply)
                self._show_composer()
            case Delta(reply, text):
                transcript.append(reply, text)
            case Reasoning(reply, text):
                transcript.reason(reply, text)
            case ReplyDone():
                transcript.finish(event)
                self._reply_over(event.reply)
            case ReplyBroken(reply, error):
                transcript.fail(reply, explain(error, self._texts.language))
                self._reply_over(reply)

    def _reply_over(self, reply: int) -> None:
        self._streaming.discard(reply)
        self._show_composer()

    def _follow(self, before: Phase) -> None:
        """Show a changed journey; a phase that is over closes its details."""
        phase = self.journey.phase
        if phase is not before and phase is Phase.READY:
            self._details = False
        ticking = phase not in (Phase.OFF, Phase.READY, Phase.FAILED)
        if ticking != self._ticker.isActive():
            (self._ticker.start if ticking else self._ticker.stop)()
        self._show_journey()
        if phase is not before and phase in (Phase.CONNECTING, Phase.READY):
            self._composer.editor.setFocus()  # not on Stop, where it would fall otherwise

    def _tick(self) -> None:
        if self.isVisible():
            self._show_journey()

    def _show_journey(self) -> None:
        now, phase = self._clock(), self.journey.phase
        on_sheet = self._details or (phase is not Phase.READY and not self._spoken)
        self._pages.setCurrentWidget(self._sheet if on_sheet else self._conversation)
        self._banner.setVisible(not on_sheet and phase is not Phase.READY)
        self._banner.show_journey(self.journey, now)
        self._sheet.show_journey(self.journey, now, may_leave=self._spoken)
        self._header.show_phase(phase, startable=not on_sheet)
        self._show_composer()

    def _show_composer(self) -> None:
        phase = self.journey.phase
        ready = phase is Phase.READY
        # On a first run there is nothing to write to yet, and nothing to explain.
        self._composer.setVisible(bool(self._target.host_text) or phase is not Phase.OFF)
        hint = self._texts["composer.hint" if ready else f"composer.not-{phase.value}"]
        self._composer.show_state(
            sendable=ready and not self._streaming, streaming=bool(self._streaming), hint=hint
        )

    # -- intents ---------------------------------------------------------------------------------

    def _start(self, host: str, model: str) -> None:
        problem = self._intents.start(host, model)
        if problem is not None:
            self._details = self._spoken
            self._show_journey()
            self._sheet.setup.complain(explain(problem, self._texts.language))

    def _start_again(self) -> None:
        self._start(self._target.host_text, self._target.model)

    def _send(self, text: str) -> None:
        if not self._intents.send(text):
            return
        self._composer.take()
        self._spoken = True
        self._conversation.begin()
        self._conversation.transcript.say(text)
        self._show_journey()

    def _open_details(self, opened: bool) -> None:
        self._details = opened
        self._show_journey()

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802
        """Go on in the tray where there is one; leave where there is none."""
        if self.hides:
            event.ignore()
            self.hide()
        else:
            event.accept()
            self._intents.quit()


def _merged(batch: list[Event]) -> list[Event]:
    """Return the batch with neighbouring pieces of one reply joined."""
    merged: list[Event] = []
    for event in batch:
        last = merged[-1] if merged else None
        if isinstance(event, Delta) and isinstance(last, Delta) and event.reply == last.reply:
            merged[-1] = Delta(event.reply, last.text + event.text)
        elif (
            isinstance(event, Reasoning)
            and isinstance(last, Reasoning)
            and event.reply == last.reply
        ):
            merged[-1] = Reasoning(event.reply, last.text + event.text)
        else:
            merged.append(event)
    return merged
