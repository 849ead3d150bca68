"""The page on which a model is chosen: the card as it was found, the models, and one button."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLineEdit,
    QPlainTextEdit,
    QVBoxLayout,
    QWidget,
)

from desktop.core import providers
from desktop.core.amounts import joined
from desktop.core.bill import Price
from desktop.core.last_checks import DOWNLOAD_RATE, RUNNING_MODEL, LastCheck
from desktop.core.planner.machine import Machine, machine_of, machine_with, whole
from desktop.core.planner.offers import Offer, preselected
from desktop.core.planner.plan import Verdict
from desktop.core.planner.shelf import Shelf
from desktop.core.texts import Texts
from desktop.ui.intents import Chosen, Target
from desktop.ui.labels import button, label
from desktop.ui.planner import wording
from desktop.ui.planner.bar import MemoryBar
from desktop.ui.planner.filter_field import FilterField
from desktop.ui.planner.head import Head
from desktop.ui.planner.model_list import ModelList
from desktop.ui.planner.options import Options
from desktop.ui.start.line_form import provider_of
from desktop.ui.theme import Theme

if TYPE_CHECKING:
    from desktop.core.errors import AppError

_MAY_START = (Verdict.FITS, Verdict.UNKNOWN, Verdict.BUSY)


class PlannerPage(QWidget):
    """Models, and what fits.

    Signals:
        started: with what was chosen.
        checking: look at the host (again), for what was chosen.
        relining: the line is another one.
        left: not after all.
    """

    started = Signal(object)
    checking = Signal(object)
    relining = Signal()
    left = Signal()

    def __init__(self, theme: Theme, texts: Texts) -> None:
        super().__init__()
        self.setObjectName("planner")
        self._texts = texts
        self._target = Target("", "")
        self._checked: tuple[LastCheck | None, float, AppError | None] = (None, 0.0, None)
        self._facts: Mapping[str, object] = {}
        self._machine: Machine | None = None
        self._offered: list[Offer] = []
        self._chosen = self._earlier = self._avoided = ""
        self._head = Head(texts)
        self.filter = FilterField(texts)
        self.list = ModelList(theme, texts)
        self._nothing = label(texts["plan.nothing-found"], tone="quiet", wrap=True)
        self._bar = MemoryBar(theme, texts)
        self._options = Options(theme, texts)
        self._start = button(texts["action.start"], "big", "startButton")
        self._ahead = label(tone="quiet", wrap=True)
        self._arrange()
        self._connect()

    def _arrange(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addWidget(self._head)
        layout.addSpacing(4)
        layout.addWidget(self.filter)
        layout.addWidget(self.list, 1000)  # all that there is, up to its own height
        layout.addWidget(self._nothing)
        layout.addWidget(self._bar)
        layout.addWidget(self._options)
        layout.addSpacing(4)
        line = QHBoxLayout()
        line.setSpacing(16)
        line.addWidget(self._start)
        line.addWidget(self._ahead, 1)
        layout.addLayout(line)
        layout.addStretch(1)

    def _connect(self) -> None:
        self._head.checking.connect(self._look_again)
        self._head.relining.connect(self.relining)
        self._head.left.connect(self.left)
        self.filter.textChanged.connect(lambda _: self._show_models())
        self.filter.walked.connect(self.list.walk)
        self.filter.returnPressed.connect(self._begin)
        self.list.chosen.connect(self._choose)
        self.list.taken.connect(self._begin)
        self._options.changed.connect(self._plan_anew)
        self._options.entered.connect(self._begin)
        self._start.clicked.connect(self._begin)

    # -- what is shown -----------------------------------------------------------------------------

    def begin(self, target: Target, *, earlier: str = "", avoided: str = "") -> None:
        """Begin with what a host has.

        Args:
            target: the host.
            earlier: the model that a person has chosen before, "" for what fits best.
            avoided: a model that has just been seen to fail there.
        """
        self._target, self._earlier = target, earlier
        self._avoided, self._chosen = avoided, ""
        self.filter.clear()
        price = Price(target.rate, target.currency)
        self._options.begin(target.max_model_len, target.kv_cache_dtype, price)
        self.show_check(None, 0.0)

    def show_check(
        self, check: LastCheck | None, now: float, error: AppError | None = None
    ) -> None:
        """Show what was found out about the host, and what fits there.

        Args:
            check: None where nothing is known.
            now: seconds since the epoch.
            error: what stood against the model that it was asked about.
        """
        self._checked = (check, now, error)
        self._facts = {} if check is None else check.facts
        self._machine = machine_of(self._facts)
        when = "" if check is None else wording.checked(check.at, now, self._texts)
        self._head.show_host(self._target.host, when, known=self._machine is not None)
        self._head.show_notes(self._running, self._machine, error)
        unseen = self._machine is None or self._machine.is_without_gpu
        self._options.offer_cards(offered=unseen)
        self._offer_rate()
        self._chosen = ""
        self._plan_anew()

    def resume(self, other: PlannerPage) -> None:
        """Go on where another one stands, whose window goes."""
        self.begin(other._target, earlier=other._earlier, avoided=other._avoided)
        self._options.resume(other._options)
        self.show_check(*other._checked)
        self._chosen = other._chosen
        self.filter.setText(other.filter.text())
        self._plan_anew()

    @property
    def _running(self) -> str:
        """The model that runs there already, or ""."""
        running = self._facts.get(RUNNING_MODEL)
        return running if isinstance(running, str) else ""

    def _offer_rate(self) -> None:
        found = providers.find(self._facts.get("provider"))
        cards = self._machine.cards if self._machine is not None else ()
        card = cards[0].short_name if cards else ""
        self._options.offer_rate(found or provider_of(self._target.host_text), card)

    def _plan_anew(self) -> None:
        self._head.show_machine(self._machine or self._planned_for())
        self._offered = self._shelf().offers()
        if not self._chosen:
            earlier = self._running or self._earlier
            self._chosen = preselected(self._offered, earlier, (self._avoided,))
        self._show_models()

    def _planned_for(self) -> Machine | None:
        """Return the machine as it was found, or with the card that a person has named."""
        unseen = self._machine is None or self._machine.is_without_gpu
        if unseen and self._options.card is not None:
            return machine_with(self._options.card)
        return self._machine

    def _shelf(self) -> Shelf:
        return Shelf(
            machine=self._planned_for(),
            facts=self._facts,
            length=self._options.length,
            kv_cache_dtype=self._options.kv_cache_dtype,
            others=(self._target.model,),
        )

    def _show_models(self) -> None:
        offered = self._shelf().search(self._offered, self.filter.text())
        # A hub id that was typed whole is meant; else the chosen one stays while it is listed.
        typed = self.filter.hub_id
        self.list.show_offers(offered, typed or self._chosen)
        self.list.setVisible(bool(offered))
        self._nothing.setVisible(not offered)
        self._show_chosen()

    def _choose(self) -> None:
        if self.list.offer is not None and not self.filter.text():
            self._chosen = self.list.offer.model.id
        self._show_chosen()

    def _show_chosen(self) -> None:
        offer = self.list.offer
        without = self._machine is not None and self._machine.is_without_gpu
        key = "plan.start-without-gpu" if without else "action.start"
        self._start.setText(self._texts[key])
        self._start.setAccessibleName(self._texts[key])
        self._start.setEnabled(offer is not None and self._may_start)
        self._bar.setVisible(offer is not None)
        if offer is None:
            self._ahead.setText("")
            return
        self._bar.show_plan(offer.plan)
        served = offer.plan.length if offer.plan.fits and not self._options.length else 0
        self._options.offer_lengths(offer.model.native_length, served)
        pace = wording.pace_of(self._facts, DOWNLOAD_RATE)
        rate, currency = self._target.rate, self._target.currency
        ahead = wording.download(offer, rate, currency, pace, self._texts)
        room = wording.room(offer, whole(self._facts, "disk.free"), self._texts)
        self._ahead.setText(joined(ahead, room))

    @property
    def _may_start(self) -> bool:
        """Whether nothing that is known for certain stands against it."""
        offer = self.list.offer
        named = self._planned_for() is not self._machine
        return offer is not None and (named or offer.plan.verdict in _MAY_START)

    def take_keyboard(self) -> None:
        """Put the keyboard on the list, unless somebody is writing just now."""
        here = self.window().focusWidget()
        writes = isinstance(here, QLineEdit) and here.isVisible() and bool(here.text())
        composes = isinstance(here, QPlainTextEdit) and bool(here.toPlainText())
        if not (writes or composes):
            self.list.setFocus()

    # -- what is asked -----------------------------------------------------------------------------

    def _chosen_now(self) -> Chosen | None:
        """Return what was chosen, None where the price is none; that is said then."""
        offer, rate = self.list.offer, self._options.rate
        if not rate.is_understood:
            self._options.open_details(opened=True)
            rate.complain()
            return None
        price = rate.price()
        is_told = bool(price.amount or self._target.rate)
        return Chosen(
            model=self._target.model if offer is None else offer.model.id,
            max_model_len=str(self._options.length or "auto"),
            kv_cache_dtype=self._options.kv_cache_dtype,
            rate=price.amount if is_told else None,
            currency=price.currency if is_told else None,
        )

    def _begin(self) -> None:
        chosen = self._chosen_now()
        if chosen is not None and self.list.offer is not None and self._may_start:
            self.started.emit(chosen)

    def _look_again(self) -> None:
        chosen = self._chosen_now()
        if chosen is not None:
            self.checking.emit(chosen)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        """Leave by Escape; first the search, where there is one."""
        if event.key() != Qt.Key.Key_Escape:
            super().keyPressEvent(event)
        elif self.filter.text():
            self.filter.clear()
        else:
            self.left.emit()
