"""The question at quitting: asked only while a host costs money, with what ends that without us.

Whoever stops first sees each host stop before the app is gone: what was not seen keeps it open.
"""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QDialog,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from desktop.core.events import Event
from desktop.core.leaving import Choice, Left, choices
from desktop.core.stopping import Course, Rung, follow
from desktop.core.texts import Texts
from desktop.ui.intents import HostKey
from desktop.ui.labels import Elided, button, label
from desktop.ui.stopping import wording
from desktop.ui.stopping.steps import Steps
from desktop.ui.theme import Theme

_WIDTH = 620


class QuitDialog(QDialog):
    """The hosts that go on, what each costs, and four ways out.

    Signals:
        decided: a `Choice`; `LEAVE` may quit at once, the others once `all_stopped`.
        all_stopped: everything that was to be stopped was seen to be.
    """

    decided = Signal(object)
    all_stopped = Signal()

    def __init__(
        self, parent: QWidget, theme: Theme, texts: Texts, hosts: Mapping[HostKey, Left]
    ) -> None:
        """Take the hosts that go on at a cost (`leaving.left_behind`): one at least."""
        super().__init__(parent)
        self.setObjectName("quitDialog")
        self.setWindowTitle(texts["app.name"])
        self.setWindowModality(Qt.WindowModality.WindowModal)
        self.setMinimumWidth(_WIDTH)
        self._texts = texts
        self._hosts = {key: _Row(theme, texts, left) for key, left in hosts.items()}
        self._title = label(texts["quitting.title"], size=1.3, bold=True, wrap=True)
        many = "many" if len(hosts) > 1 else "one"
        self._said = label(texts[f"quitting.{many}"], wrap=True)
        self._cancel = button(texts["quitting.cancel"], "", "cancelButton")
        self._anyway = button(texts["quitting.anyway"], "", "anywayButton")
        offered = choices(hosts.values())
        self._choices = {choice: self._button(choice, tuple(hosts.values())) for choice in offered}
        self._arrange()
        self._cancel.clicked.connect(self.reject)
        self._anyway.clicked.connect(lambda: self.decided.emit(Choice.LEAVE))
        self._anyway.setVisible(False)
        self._cancel.setDefault(True)
        self._cancel.setFocus()

    @property
    def hosts(self) -> frozenset[HostKey]:
        """Those that the question is about."""
        return frozenset(self._hosts)

    def powers_off(self, key: HostKey) -> bool:
        """Tell whether a host is powered off where that is chosen."""
        return self._hosts[key].left.may_power_off

    def show_event(self, key: HostKey, event: Event) -> None:
        """Show what an event of a host's session says of its stop."""
        row = self._hosts.get(key)
        if row is None or row.course is None or row.course.is_over:
            return
        row.show_course(follow(row.course, event))
        self._fit()
        courses = [each.course for each in self._hosts.values() if each.course is not None]
        if all(course.is_over for course in courses):
            self._conclude(good=all(course.is_good for course in courses))

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802
        """Make room for every line: a size hint guesses the height of wrapped text."""
        super().showEvent(event)
        self._fit()

    # -- parts -------------------------------------------------------------------------------------

    def _button(self, choice: Choice, hosts: tuple[Left, ...]) -> QPushButton:
        lives = [left for left in hosts if left.lives]
        key = choice.value
        if choice is Choice.STOP:
            key = "stop-many" if len(lives) > 1 else "stop-one"
        elif choice is Choice.LEAVE and not lives:
            key = "leave-on"
        made = button(self._texts[f"quitting.{key}"], "", f"{choice.value}Button")
        made.clicked.connect(lambda: self._choose(choice))
        return made

    def _arrange(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(24, 22, 24, 20)
        layout.setSpacing(12)
        layout.addWidget(self._title)
        layout.addWidget(self._said)
        for row in self._hosts.values():
            layout.addWidget(row)
        line = QHBoxLayout()
        line.addWidget(self._cancel)
        line.addStretch(1)
        for each in (*self._choices.values(), self._anyway):
            line.addWidget(each)
        layout.addSpacing(4)
        layout.addLayout(line)

    # -- what is chosen ----------------------------------------------------------------------------

    def _choose(self, choice: Choice) -> None:
        if choice is not Choice.LEAVE:
            self._begin(choice)
        self.decided.emit(choice)

    def _begin(self, choice: Choice) -> None:
        for row in self._hosts.values():
            if choice is Choice.POWER_OFF and row.left.may_power_off:
                row.show_course(Course(Rung.POWER_OFF))
            elif row.left.lives:
                row.show_course(Course(Rung.SERVER))
        self._title.setText(self._texts["quitting.doing"])
        self._said.setVisible(False)
        for each in self._choices.values():
            each.setVisible(False)
        self._offer_way_out()

    def _offer_way_out(self) -> None:
        """Let a person stay, or go before everything was seen: the hosts go on stopping."""
        self._cancel.setText(self._texts["quitting.stay"])
        self._cancel.setAccessibleName(self._cancel.text())
        self._anyway.setVisible(True)
        self._cancel.setFocus()
        self._fit()

    def _conclude(self, *, good: bool) -> None:
        if good:
            self.all_stopped.emit()
        else:
            self._title.setText(self._texts["quitting.failed"])
            self._fit()

    def _fit(self) -> None:
        layout = self.layout()
        if layout is not None and self.isVisible():
            _measure(self)
            # As wide as all buttons beside each other, and as the longest word: a key has no break.
            width = max(self.width(), layout.totalMinimumSize().width())
            self.resize(width, layout.totalHeightForWidth(width))


def _measure(widget: QWidget) -> None:
    """Have its layouts know what was said just now, from the innermost one outwards.

    A layout hears of another text in a widget of its own at once, one further out only in the next
    turn.
    """
    for inner in widget.findChildren(QWidget, options=Qt.FindChildOption.FindDirectChildrenOnly):
        _measure(inner)
    layout = widget.layout()
    if layout is not None:
        layout.activate()


class _Row(QFrame):
    """One host: what it costs, what becomes of it, and later what was seen of its stop.

    Attributes:
        left: as it was when the question came up.
        course: of its stop, None where it is left alone.
    """

    def __init__(self, theme: Theme, texts: Texts, left: Left) -> None:
        super().__init__()
        self.setObjectName("hostRow")
        self.setProperty("card", "true")
        self.left = left
        self.course: Course | None = None
        self._texts = texts
        standing = left.standing
        name, price = Elided(), label(wording.rate(standing, texts))
        name.setFont(label(bold=True).font())
        name.say(standing.name)
        if not price.text():
            price.hide()  # empty it would keep its distance from the phase
        self._phase = label(texts[f"phase.{standing.phase.value}"], tone="quiet")
        self._remains = label(wording.remains(left, texts), tone="quiet", wrap=True)
        self._remains.setObjectName("remainsLabel")
        self._steps = Steps(theme, texts)
        self._error = label(wrap=True)
        self._arrange((name, self._phase, price))

    def show_course(self, course: Course) -> None:
        """Show how its stop goes, instead of what would become of it."""
        self.course = course
        self._remains.setVisible(False)
        self._phase.setVisible(False)  # it is told step by step
        self._steps.setVisible(True)
        self._steps.show_steps(wording.steps(course, self._texts))
        failed = course.error is not None
        self._error.setVisible(failed)
        if failed:
            self._error.setText(wording.result(course, self.left.standing, self._texts))

    def _arrange(self, top: tuple[Elided, QLabel, QLabel]) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(15, 11, 16, 12)
        layout.setSpacing(5)
        line = QHBoxLayout()
        line.setSpacing(12)
        name, phase, price = top
        line.addWidget(name, 1)
        line.addWidget(phase)
        line.addWidget(price)
        layout.addLayout(line)
        for part in (self._remains, self._steps, self._error):
            layout.addWidget(part)
        self._steps.setVisible(False)
        self._error.setVisible(False)
