"""What is shown while nothing runs: the line, the saved host, or the choice of a model.

The choice of a model is a page of its own (`desktop.ui.planner`), made when it is first wanted.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from desktop.core.catalogue import DEFAULT_MODEL
from desktop.core.events import Surveyed
from desktop.core.explain import Explanation
from desktop.core.last_checks import LastCheck
from desktop.core.texts import Texts
from desktop.ui.intents import Chosen, Target
from desktop.ui.start.line_form import LineForm
from desktop.ui.start.saved_card import SavedCard
from desktop.ui.theme import Theme

if TYPE_CHECKING:
    from desktop.ui.planner.page import PlannerPage

_ALL = 1000  # stretch: the list of models takes the room that there is


class Setup(QWidget):
    """One of three faces.

    Signals:
        submitted: start with this host text (with the password under it where one was pasted) and
            what was chosen.
        checking: look at that host first, likewise.
        planning: the planner is open, and wants to know what was last found out.
        turned: another face is shown.
        said_off: the host, which was left running, is off, as a person knows.
    """

    submitted = Signal(str, object)
    checking = Signal(str, object)
    planning = Signal()
    turned = Signal()
    said_off = Signal()

    def __init__(self, theme: Theme, texts: Texts, target: Target) -> None:
        super().__init__()
        self._theme, self._texts, self._target = theme, texts, target
        self._line, self._saved = LineForm(texts), SavedCard(texts)
        self._planner: PlannerPage | None = None
        self._meant = ""  # the model that the last look was made for, where a person chose it
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.addStretch(2)
        self._layout.addWidget(self._line)
        self._layout.addWidget(self._saved)
        self._layout.addStretch(3)
        self._line.checking.connect(self._check_line)
        self._line.submitted.connect(self.submitted)
        self._line.left.connect(self._leave)
        self._line.choosing.connect(self.choose)
        self._saved.started.connect(self._start_as_saved)
        self._saved.changing.connect(self.choose)
        self._saved.said_off.connect(self.said_off)
        self.show_target(target)

    # -- which face --------------------------------------------------------------------------------

    def _show(self, face: QWidget) -> None:
        for each in (self._line, self._saved, self._planner):
            if each is not None:
                each.setVisible(each is face)
        self.turned.emit()

    @property
    def plans(self) -> bool:
        """Whether a model is being chosen."""
        return self._planner is not None and not self._planner.isHidden()

    def show_target(self, target: Target) -> None:
        """Show a saved host as a summary, or the empty field of a first run."""
        before, self._target = self._target, target
        if before != target == replace(before, was_left=target.was_left):
            self._saved.show_target(target)  # who chooses a model just now goes on choosing
            return
        self._line.show_target(target, may_leave=False)
        self._saved.show_target(target)
        self._show(self._saved if target.host_text else self._line)

    def take_keyboard(self) -> None:
        """Put the keyboard where one goes on, where nothing was begun."""
        if not self._saved.isHidden():
            self._saved.take_keyboard()

    def show_remark(self, remark: str) -> None:
        """Say why nothing runs any more, where the host ended it by itself; "" to say nothing."""
        self._saved.show_remark(remark)

    def edit_line(self) -> None:
        """Show the field, with what was typed last."""
        self._line.show_target(self._target, may_leave=bool(self._target.host_text))
        self._show(self._line)
        self._line.take_keyboard()

    def choose(self, *, avoided: bool = False) -> None:
        """Let a model be chosen.

        Args:
            avoided: the one that there is has just failed: another one is proposed.
        """
        page = self._open_planner()
        model = self._target.model
        page.begin(self._target, earlier=model, avoided=model if avoided else "")
        self.planning.emit()
        self._show(page)
        page.take_keyboard()

    def resume(self, other: Setup) -> None:
        """Go on where another one stands, whose window goes."""
        self._meant = other._meant
        if other._planner is not None and not other._planner.isHidden():
            page = self._open_planner()
            page.resume(other._planner)
            self._show(page)
        elif not other._line.isHidden() and self._target.host_text:
            self.edit_line()
            self._line.resume(other._line)

    def complain(self, why: Explanation) -> None:
        """Say why what was typed cannot be used."""
        self.edit_line()
        self._line.complain(why)

    # -- the planner -------------------------------------------------------------------------------

    def show_check(self, check: LastCheck | None, now: float) -> None:
        """Show what was last found out about the host, `now` in seconds since the epoch."""
        self._open_planner().show_check(check, now)

    def show_survey(self, surveyed: Surveyed, now: float) -> None:
        """Let a model be chosen for what has just been found out."""
        if not surveyed.facts:
            return  # it was not reached: the failure is shown in place of this
        page = self._open_planner()
        ours = self._target.model == DEFAULT_MODEL  # nobody's choice yet: what fits best is better
        page.begin(self._target, earlier=self._meant or ("" if ours else self._target.model))
        page.show_check(LastCheck(surveyed.facts, now), now, surveyed.error)
        self._show(page)
        page.take_keyboard()

    def _open_planner(self) -> PlannerPage:
        if self._planner is None:
            from desktop.ui.planner.page import PlannerPage  # noqa: PLC0415 - not at start

            self._planner = page = PlannerPage(self._theme, self._texts)
            self._layout.insertWidget(self._layout.count() - 1, page, _ALL)
            page.hide()
            page.started.connect(self._submit)
            page.checking.connect(self._check_again)
            page.relining.connect(self.edit_line)
            page.left.connect(self._leave)
        return self._planner

    # -- what is asked -----------------------------------------------------------------------------

    def _check_line(self, host: str, chosen: Chosen) -> None:
        self._meant = ""
        self.checking.emit(host, chosen)

    def _check_again(self, chosen: Chosen) -> None:
        self._meant = chosen.model
        self.checking.emit(self._target.host_text, chosen)

    def _submit(self, chosen: Chosen) -> None:
        self.submitted.emit(self._target.host_text, chosen)

    def _start_as_saved(self) -> None:
        self._submit(Chosen(self._target.model))

    def _leave(self) -> None:
        self._show(self._saved)
        self._saved.setFocus()
