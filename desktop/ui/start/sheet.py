"""The start sheet: everything between nothing and ready, in the place of the conversation."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from desktop.core.errors import AppError
from desktop.core.explain import explain
from desktop.core.phases import Phase
from desktop.core.plain_text import plain_text
from desktop.core.remedies import Remedy, named_length
from desktop.core.texts import Texts
from desktop.ui.intents import Target
from desktop.ui.labels import button, label
from desktop.ui.start import wording
from desktop.ui.start.address import AddressBox
from desktop.ui.start.column import Column
from desktop.ui.start.journey import Journey, Step
from desktop.ui.start.meanwhile import Meanwhile
from desktop.ui.start.notice import Notice
from desktop.ui.start.row import StepRow
from desktop.ui.start.setup import Setup
from desktop.ui.start.strand import Shape, Strand
from desktop.ui.theme import Theme

_GAP = 14
_ALL = 1000  # stretch: beside it the others get nothing


class StartSheet(Column):
    """Shows a `Journey`, or the fields before there is one.

    Signals:
        submitted: start with this host text and what was chosen.
        chosen: a Remedy is to be tried, or the log is to be seen.
        moved: the host is to be reached by what was pasted.
        cancelled: stop what is under way.
        rate_wanted: what the host costs is to be typed.
        left: back to the conversation.
    """

    submitted = Signal(str, object)
    chosen = Signal(object)
    moved = Signal(str)
    cancelled = Signal()
    rate_wanted = Signal()
    left = Signal()

    def __init__(self, theme: Theme, texts: Texts, target: Target) -> None:
        super().__init__("startSheet", texts["start.name"])
        self._texts, self._target = texts, target
        self.setup = Setup(theme, texts, target)
        self.setup.submitted.connect(self.submitted)
        self._notice = Notice(texts)
        self._notice.chosen.connect(self._choose)
        self._said = ""  # of what was done here, until something else is
        self._notice.address.given.connect(self.moved)
        self._editing = False  # host or model are being changed after a failure
        self._journey = Journey()
        self._title = label(size=1.7, bold=True, wrap=True)
        self._sentence = label(tone="quiet", size=1.05, wrap=True)
        self._forecast = label(size=1.05, wrap=True)
        self._forecast.setObjectName("forecast")
        self._rows = {
            step: StepRow(step, theme, texts, card=step in (Step.INSTALL, Step.DOWNLOAD))
            for step in Step
        }
        self._steps = self._make_steps(theme)
        self._meanwhile = Meanwhile(texts)
        self._meanwhile.cancelled.connect(self.cancelled)
        self._meanwhile.log_wanted.connect(lambda: self.chosen.emit(Remedy.LOG))
        self._meanwhile.rate_wanted.connect(self.rate_wanted)
        self._note = label(tone="quiet", size=0.92, wrap=True)
        self._back = button(texts["start.back"], "link", "backButton")
        self._back.clicked.connect(self.left)
        self._arrange()
        self.show_target(target)

    def _make_steps(self, theme: Theme) -> QWidget:
        steps = QWidget()
        layout = QVBoxLayout(steps)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._rows[Step.CONNECT])
        layout.addWidget(Strand(Shape.STRAIGHT, theme))
        layout.addWidget(self._rows[Step.CHECK])
        self._later = QWidget()
        layout.addWidget(self._later)
        layout = QVBoxLayout(self._later)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(Strand(Shape.FORK, theme, _GAP))
        branches = QHBoxLayout()
        branches.setSpacing(_GAP)
        branches.addWidget(self._rows[Step.INSTALL], 1)
        branches.addWidget(self._rows[Step.DOWNLOAD], 1)
        layout.addLayout(branches)
        layout.addWidget(Strand(Shape.JOIN, theme, _GAP))
        layout.addWidget(self._rows[Step.LOAD])
        layout.addWidget(Strand(Shape.STRAIGHT, theme))
        layout.addWidget(self._rows[Step.READY])
        return steps

    def _arrange(self) -> None:
        inside = self.inside
        inside.addStretch(2)
        inside.addWidget(self._back, 0, Qt.AlignmentFlag.AlignLeft)
        inside.addWidget(self.setup, _ALL)  # it has its own place in the middle
        for widget in (self._title, self._sentence, self._forecast):
            inside.addWidget(widget)
        inside.addWidget(self._meanwhile)
        inside.addSpacing(10)
        inside.addWidget(self._notice)
        inside.addSpacing(6)
        inside.addWidget(self._steps)
        inside.addSpacing(4)
        inside.addWidget(self._note)
        inside.addStretch(3)

    @property
    def address(self) -> AddressBox:
        """Where the host's new line is asked for."""
        return self._notice.address

    def take_keyboard(self) -> None:
        """Put the keyboard where one goes on: to a choice, or to what helps after a failure."""
        (self.setup if self._notice.isHidden() else self._notice).take_keyboard()

    def show_target(self, target: Target) -> None:
        """Show another host."""
        self._target = target
        self.setup.show_target(target)
        settings = "; ".join(target.notes)
        self._note.setText(self._texts("start.ssh-config-note", settings=settings))
        self._note.setVisible(bool(settings))

    def show_journey(self, journey: Journey, now: float, *, may_leave: bool) -> None:
        """Show how things stand at clock time `now`."""
        self._journey = journey
        self._editing = self._editing and journey.phase is Phase.FAILED
        off = journey.phase is Phase.OFF or self._editing
        self._back.setVisible(may_leave)
        self._show_steps(shown=not off)
        self._show_notice(journey, now)
        has_rate = bool(self._target.rate)
        self._meanwhile.show_phase(journey.phase, has_rate=has_rate, surveys=journey.surveys)
        why = wording.remark(journey, self._texts)
        self.setup.show_remark(self._texts("ended.and-bill", why=why) if why else "")
        if off:
            self._forecast.hide()
            return
        title = self._texts.word("start.title", journey.phase.value)
        self._title.setText(
            title or self._texts("start.title-working", model=self._target.model.rpartition("/")[2])
        )
        if journey.surveys and not title:
            self._title.setText(self._texts["start.title-survey"])
        self._later.setVisible(not journey.surveys)  # nothing of it is going to happen
        self._sentence.setText(wording.now_and_next(journey, self._texts))
        ahead = wording.forecast(journey, self._target, self._texts)
        self._forecast.setText(ahead)
        self._forecast.setVisible(bool(ahead))
        for step, row in self._rows.items():
            found = wording.findings(journey, self._texts) if step is Step.CHECK else ""
            cost = wording.row_cost(journey.rows[step], now, self._target)
            row.show_row(journey.rows[step], now, found, cost)

    def say(self, remark: str) -> None:
        """Tell what was done about a failure, until it is another one."""
        self._said = remark
        self._notice.say(remark)

    def _edit(self, remedy: Remedy) -> None:
        """Let host or model be changed, in place of the failure."""
        self._editing = True
        self._notice.hide()
        self._show_steps(shown=False)
        self._forecast.hide()
        if remedy is Remedy.OTHER_HOST:
            self.setup.edit_line()
        else:
            error = self._journey.error
            self.setup.choose(avoided=error is None or not named_length(error))

    def _show_steps(self, *, shown: bool) -> None:
        self.setup.setVisible(not shown)
        for widget in (self._title, self._sentence, self._steps):
            widget.setVisible(shown)

    def _choose(self, remedy: Remedy) -> None:
        self._said = ""
        if remedy in (Remedy.OTHER_HOST, Remedy.OTHER_MODEL):
            self._edit(remedy)
        else:
            self.chosen.emit(remedy)

    def _show_notice(self, journey: Journey, now: float) -> None:
        self._notice.address.ask(asking=wording.asks_for_line(journey) and not self._editing)
        waiting = wording.waits(journey)
        failed = journey.phase is Phase.FAILED and not self._editing and journey.error is not None
        self._notice.setVisible(waiting or failed)
        if waiting:
            title = self._texts["start.title.reconnecting"]
            if journey.error is not None:
                title = explain(journey.error, self._texts.language).title
            countdown = wording.countdown(journey, now, self._texts)
            hint = wording.waiting_hint(journey, now, self._texts)
            self._notice.show_waiting(title, countdown, hint)
        elif failed and journey.error is not None:
            offers = wording.offers(journey, self._target, self._texts)
            remark = self._said or wording.tidying(journey, self._texts)
            why = explain(journey.error, self._texts.language)
            self._notice.show_failure(why, last_lines(journey.error), offers, remark)
            self._notice.disable(Remedy.TIDY, disabled=journey.is_tidying)
        else:
            self._said = ""


def last_lines(error: AppError) -> Sequence[str]:
    """Return the log lines that came with an error, as plain text."""
    lines = error.facts.get("last_lines")
    if not isinstance(lines, list | tuple):
        return []
    return [plain_text(str(line))[:500] for line in lines]
