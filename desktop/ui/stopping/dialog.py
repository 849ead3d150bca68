"""The stop ladder: what can be stopped, what each costs, and then only what was seen of it.

Escape before a choice does nothing to the host; after it the stop goes on without the dialog.
"""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QDialog, QFrame, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from desktop.core.events import Event
from desktop.core.stopping import Course, Offer, Rung, follow
from desktop.core.texts import Texts
from desktop.ui.labels import button, label
from desktop.ui.stopping import wording
from desktop.ui.stopping.rung import TEXT_AT, RungButton
from desktop.ui.stopping.steps import Steps
from desktop.ui.theme import Theme

_WIDTH = 500
_PATIENCE_MS = 8000  # nobody gives up before: it would be the second half of a double click
# What Enter does: it ends the larger cost that can be undone. Losing the card cannot.
_SAFE = (Rung.SERVER, Rung.REPLY)
_FOR_GOOD = ("power-off-not-known", "power-off-failed")  # another try would come to the same


class StopDialog(QDialog):
    """A sheet with the rungs that there are for one host.

    Signals:
        reply_stopped: stop the reply; the dialog is closed.
        server_stopped: stop the server.
        power_off_asked: stop the server and power the host off.
        console_opened: open the provider's console at this URL.
        gave_up: wait no longer for what was asked.
    """

    reply_stopped = Signal()
    server_stopped = Signal()
    power_off_asked = Signal()
    console_opened = Signal(str)
    gave_up = Signal()

    def __init__(
        self,
        parent: QWidget,
        theme: Theme,
        texts: Texts,
        offer: Offer,
        patience_ms: int = _PATIENCE_MS,
    ) -> None:
        """Take what can be done.

        Args:
            parent: the window.
            theme: its look.
            texts: its language.
            offer: for the host.
            patience_ms: before a person may wait no longer.
        """
        super().__init__(parent)
        self.setObjectName("stopDialog")
        self.setWindowTitle(texts["app.name"])
        self.setWindowModality(Qt.WindowModality.WindowModal)
        self.setMinimumWidth(_WIDTH)
        self._texts, self._offer = texts, offer
        self._course: Course | None = None
        self._title = label(wording.question(offer, texts), size=1.3, bold=True, wrap=True)
        self._rungs = [self._rung(rung, theme) for rung in offer.rungs]
        self._trap = label(wording.trap(offer, texts), tone="quiet", size=0.92, wrap=True)
        self._steps = Steps(theme, texts)
        self._result = label(wrap=True)
        self._result.setObjectName("resultLabel")
        self._console = button(self._console_name(), "link", "consoleButton")
        self._give_up = button(texts["stopping.give-up"], "", "giveUpButton")
        self._close = button(self._leave_name(), "", "closeButton")
        self._next = button("", "", "nextButton")
        self._patience = QTimer(self, interval=patience_ms, singleShot=True)
        self._arrange()
        self._connect()
        self._show()
        self._focus_on()

    @property
    def course(self) -> Course | None:
        """What was seen of the stop so far; None before one was chosen."""
        return self._course

    def begin(self, rung: Rung) -> None:
        """Show how it goes with a rung that was chosen."""
        self._course = Course(rung)
        self._give_up.setEnabled(True)
        self._patience.start()
        self._show()
        self._close.setFocus()

    def show_event(self, event: Event) -> None:
        """Show what an event of the host's session says of the stop."""
        if self._course is not None:
            before, self._course = self._course, follow(self._course, event)
            if self._course != before:
                self._show()

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802
        """Make room for every line: a size hint guesses the height of wrapped text."""
        super().showEvent(event)
        self._fit()

    # -- parts -------------------------------------------------------------------------------------

    def _rung(self, rung: Rung, theme: Theme) -> QWidget:
        texts, offer = self._texts, self._offer
        said = wording.name(rung, offer, texts), wording.consequence(rung, offer, texts)
        if rung is Rung.CONSOLE and offer.provider is None:
            return _words(*said)  # nobody knows where a link would lead
        made = RungButton(rung, theme, *said)
        made.clicked.connect(lambda: self._choose(rung))
        return made

    def _arrange(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(24, 22, 24, 20)
        layout.setSpacing(12)
        layout.addWidget(self._title)
        for rung in self._rungs:
            layout.addWidget(rung)
        for part in (self._trap, self._steps, self._result):
            layout.addWidget(part)
        line = QHBoxLayout()
        line.addWidget(self._console)
        line.addStretch(1)
        line.addWidget(self._give_up)
        line.addWidget(self._next)
        line.addWidget(self._close)
        layout.addSpacing(2)
        layout.addLayout(line)

    def _connect(self) -> None:
        self._console.clicked.connect(self._open_console)
        self._give_up.clicked.connect(self._wait_no_longer)
        self._close.clicked.connect(self.reject)
        self._next.clicked.connect(self._go_on)
        self._patience.timeout.connect(self._show)

    def _focus_on(self) -> None:
        by_rung = dict(zip(self._offer.rungs, self._rungs, strict=True))
        safe = next((by_rung[rung] for rung in _SAFE if rung in by_rung), self._close)
        assert isinstance(safe, QPushButton)
        safe.setDefault(True)
        safe.setFocus()

    def _console_name(self) -> str:
        return wording.name(Rung.CONSOLE, self._offer, self._texts)

    def _leave_name(self) -> str:
        can_stop = Rung.SERVER in self._offer.rungs
        return self._texts["stopping.keep" if can_stop else "stopping.leave"]

    # -- what is chosen ----------------------------------------------------------------------------

    def _choose(self, rung: Rung) -> None:
        match rung:
            case Rung.REPLY:
                self.reply_stopped.emit()
                self.accept()
            case Rung.CONSOLE:
                self._open_console()
            case Rung.SERVER:
                self.begin(rung)
                self.server_stopped.emit()
            case Rung.POWER_OFF:
                self.begin(rung)
                self.power_off_asked.emit()

    def _go_on(self) -> None:
        if (rung := self._following()) is not None:
            self._choose(rung)

    def _following(self) -> Rung | None:
        """Return what can be done after a stop that is over: further down, or once more."""
        course = self._course
        if course is None or not course.is_over:
            return None
        if course.is_good:
            may = course.rung is Rung.SERVER and Rung.POWER_OFF in self._offer.rungs
            return Rung.POWER_OFF if may else None
        code = "" if course.error is None else course.error.code
        return None if code in _FOR_GOOD else course.rung

    def _open_console(self) -> None:
        if self._offer.provider is not None:
            self.console_opened.emit(self._offer.provider.console)

    def _wait_no_longer(self) -> None:
        self._give_up.setEnabled(False)
        self.gave_up.emit()

    # -- what is shown -----------------------------------------------------------------------------

    def _show(self) -> None:
        course = self._course
        for part in (*self._rungs, self._trap):
            part.setVisible(course is None)
        self._trap.setVisible(course is None and bool(self._trap.text()))
        self._steps.setVisible(course is not None)
        self._console.setVisible(False)
        self._give_up.setVisible(False)
        self._next.setVisible(False)
        self._result.setVisible(False)
        if course is not None:
            self._show_course(course)
        self._fit()

    def _show_course(self, course: Course) -> None:
        texts, standing = self._texts, self._offer.standing
        self._title.setText(wording.heading(course, standing.name, texts))
        self._steps.show_steps(wording.steps(course, texts))
        said = wording.result(course, standing, texts)
        self._result.setText(said)
        self._result.setVisible(bool(said))
        self._console.setVisible(course.is_over and self._offer.provider is not None)
        self._give_up.setVisible(not course.is_over and not self._patience.isActive())
        _name(self._close, texts["stopping.close" if course.is_over else "stopping.aside"])
        if self._following() is not None:
            _name(
                self._next, texts["stopping.power-off-only" if course.is_good else "action.retry"]
            )
            self._next.setVisible(True)
        if course.is_over:
            self._close.setDefault(True)
            self._close.setFocus()

    def _fit(self) -> None:
        layout = self.layout()
        if layout is not None and self.isVisible():
            layout.activate()
            # Where a part needs more, its height is told for that width, and is too small here.
            width = max(self.width(), self.minimumWidth(), layout.totalMinimumSize().width())
            self.resize(width, layout.totalHeightForWidth(width))


def _name(named: QPushButton, text: str) -> None:
    named.setText(text)
    named.setAccessibleName(text)


def _words(name: str, consequence: str) -> QFrame:
    """Return a rung that is no button."""
    made = QFrame()
    made.setObjectName("consoleWords")
    made.setProperty("card", "true")
    layout = QVBoxLayout(made)
    layout.setContentsMargins(TEXT_AT, 12, 16, 13)
    layout.setSpacing(3)
    layout.addWidget(label(name, bold=True, wrap=True))
    layout.addWidget(label(consequence, tone="quiet", wrap=True))
    return made
