"""The first thing that anybody sees: one field for the provider's line, and what it tells."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from desktop.core import providers
from desktop.core.amounts import joined
from desktop.core.errors import DestinationError
from desktop.core.explain import Explanation
from desktop.core.providers import Provider
from desktop.core.ssh.destination import parse
from desktop.core.texts import Texts
from desktop.ui import icons
from desktop.ui.intents import Chosen, Target
from desktop.ui.labels import button, label
from desktop.ui.start.host_field import HostField
from desktop.ui.start.rate_field import RateField

KITE = 60


class LineForm(QWidget):
    """One field, what is known of the provider, what an hour costs, and a button.

    Attributes:
        host: the field.

    Signals:
        checking: look at the host of this text (with the password under it where one was pasted),
            with what was chosen.
        submitted: start there at once, likewise.
        choosing: another model is wanted.
        left: not after all.
    """

    checking = Signal(str, object)
    submitted = Signal(str, object)
    choosing = Signal()
    left = Signal()

    def __init__(self, texts: Texts) -> None:
        super().__init__()
        self._texts = texts
        self._target = Target("", "")
        self._provider: Provider | None = None
        self.host = HostField()
        self.host.setObjectName("hostField")
        self.host.setAccessibleName(texts["setup.host"])
        self.host.setPlaceholderText(texts["setup.host-example"])
        self.host.setMaxLength(500)
        self.host.returnPressed.connect(self._check)
        self.host.textEdited.connect(self._forget_problem)
        self.host.textChanged.connect(lambda _: self._recognise())
        self.host.password_taken.connect(self._say_of_password)
        self._help = label(tone="quiet", size=0.92, wrap=True)
        self.rate = RateField(texts)
        self.rate.entered.connect(self._check)
        self._note = self._make_note()
        self._problem = label(tone="bad", wrap=True)
        self._problem.setVisible(False)
        self._back = button(texts["plan.back"], "link", "leaveLineButton")
        self._back.clicked.connect(self.left)
        self._go = button(texts["setup.check"], "big", "checkButton")
        self._go.clicked.connect(self._check)
        self._skip = button("", "link", "skipButton")
        self._skip.clicked.connect(self._skip_check)
        self._choose = button(texts["setup.choose"], "link", "chooseModelButton")
        self._choose.clicked.connect(self.choosing)
        self._arrange()
        self._note.hide()
        self._say_of_password(False)

    def _make_note(self) -> QFrame:
        """Return the card that says whose host it is, and what people lose money by there."""
        card = QFrame()
        card.setObjectName("providerNote")
        card.setProperty("card", "true")
        layout = QVBoxLayout(card)
        layout.setContentsMargins(14, 11, 14, 11)
        layout.setSpacing(3)
        self._name, self._trap = label(bold=True), label(tone="quiet", size=0.95, wrap=True)
        layout.addWidget(self._name)
        layout.addWidget(self._trap)
        return card

    def _arrange(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(7)
        kite = QLabel()
        kite.setPixmap(icons.pixmap("paperkite", "#000000", KITE, self.devicePixelRatioF()))
        title = label(self._texts["setup.title"], size=1.7, bold=True, wrap=True)
        subtitle = label(self._texts["setup.subtitle"], tone="quiet", size=1.05, wrap=True)
        asked = label(self._texts["setup.host"], bold=True)
        asked.setBuddy(self.host)
        for widget in (kite, self._back, title, subtitle):
            layout.addWidget(widget)
        layout.addSpacing(12)
        fields: tuple[QWidget, ...] = (asked, self.host, self._help, self._note)
        for field in fields:
            layout.addWidget(field)
        layout.addSpacing(4)
        layout.addWidget(self.rate)
        layout.addWidget(self._problem)
        layout.addSpacing(8)
        line = QHBoxLayout()
        line.setSpacing(18)
        line.addWidget(self._go)
        line.addWidget(self._skip)
        line.addWidget(self._choose)
        line.addStretch(1)
        layout.addLayout(line)

    # -- what is shown -----------------------------------------------------------------------------

    def show_target(self, target: Target, *, may_leave: bool) -> None:
        """Show where it goes; an empty target is a first run."""
        self._target = target
        self.host.setText(target.host_text)
        self.rate.show_rate(target.rate, target.currency)
        for widget in (self._back, self._choose):
            widget.setVisible(may_leave)
        model = target.model.rpartition("/")[2]
        self._skip.setText(self._texts("setup.skip", model=model))
        self._skip.setAccessibleName(self._skip.text())
        self._problem.setVisible(False)
        self.rate.offer(self._provider)

    def resume(self, other: LineForm) -> None:
        """Go on with what was typed in another one, whose window goes."""
        self.host.resume(other.host)
        self.rate.resume(other.rate)

    def take_keyboard(self) -> None:
        """Put the keyboard into the field, over what was typed last."""
        self.host.setFocus()
        self.host.selectAll()

    def complain(self, why: Explanation) -> None:
        """Say why what was typed cannot be used."""
        self._problem.setText("\n".join(part for part in (why.title, why.detail, why.hint) if part))
        self._problem.setVisible(True)
        self.host.setFocus()

    def _say_of_password(self, taken: bool) -> None:
        self._help.setText(self._texts["setup.password-taken" if taken else "setup.host-help"])

    def _recognise(self) -> None:
        provider = provider_of(self.host.text())
        if provider is self._provider:
            return
        self._provider = provider
        self._note.setVisible(provider is not None)
        if provider is not None:
            self._name.setText(provider.name[self._texts.language])
            self._trap.setText(provider.trap[self._texts.language])
        told = joined(self._name.text(), self._trap.text()) if provider is not None else ""
        self.host.setAccessibleDescription(told)
        self.rate.offer(provider)

    # -- what is asked -----------------------------------------------------------------------------

    def _check(self) -> None:
        chosen = self._chosen()
        if chosen is not None:
            self.checking.emit(self.host.whole(), chosen)

    def _skip_check(self) -> None:
        chosen = self._chosen()
        if chosen is not None:
            self.submitted.emit(self.host.whole(), chosen)

    def _forget_problem(self) -> None:
        self._problem.setVisible(False)

    def _chosen(self) -> Chosen | None:
        """Return what was chosen, None where the price is none; that is said then."""
        self._forget_problem()
        if not self.rate.is_understood:
            self.rate.complain()
            return None
        price = self.rate.price()
        is_told = bool(price.amount or self._target.rate)
        return Chosen(
            self._target.model,
            rate=price.amount if is_told else None,
            currency=price.currency if is_told else None,
        )


def provider_of(line: str) -> Provider | None:
    """Return whose host a line names, as far as it is typed; None for nobody known."""
    try:
        return providers.of_host(parse(line).host)
    except DestinationError:
        return None
