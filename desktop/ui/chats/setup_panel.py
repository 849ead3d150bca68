"""What one conversation asks of the model. An empty field is not sent: the model's own holds."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLineEdit,
    QPlainTextEdit,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from desktop.core.catalogue import find
from desktop.core.chat.ask import has_switch
from desktop.core.chat.conversation import Kind, Sampling, Setup
from desktop.core.texts import Texts
from desktop.ui.chats.choice import Choice
from desktop.ui.chats.numbers import NUMBERS, Number, shown, stops, stops_text, typed
from desktop.ui.chats.prompt_field import PromptField
from desktop.ui.chats.prompts_menu import Guard, PromptLibrary
from desktop.ui.chats.tool import ToolButton
from desktop.ui.labels import Elided, button, label, set_property
from desktop.ui.theme import Theme

if TYPE_CHECKING:
    from desktop.core.chat.store.store import Store

_SOON_MS = 300
_KINDS: tuple[Kind, ...] = ("chat", "completion")
_THINKING = (None, True, False)


class SetupPanel(QFrame):
    """The panel at the right.

    Signals:
        chosen: what is asked from now on.
        closed: it is not wanted any more.
    """

    chosen = Signal(object)
    closed = Signal()

    def __init__(self, store: Store, theme: Theme, texts: Texts, guarded: Guard) -> None:
        super().__init__()
        self.setObjectName("setupPanel")
        self._theme, self._texts = theme, texts
        self._setup, self._showing = Setup(), False
        self._soon = QTimer(self, singleShot=True, interval=_SOON_MS)
        self._soon.timeout.connect(self._choose)
        self._model = Elided(Qt.TextElideMode.ElideMiddle)
        self._kind = self._combo("kind", [f"tune.kind-{each}" for each in _KINDS])
        self._thinking = self._combo(
            "thinking", [f"tune.thinking-{each}" for each in ("auto", "on", "off")]
        )
        self._system = PromptField(texts)
        self._system.textChanged.connect(self._soon.start)
        self._library = PromptLibrary(store, texts, self._system, guarded)
        self._fields = {each.name: self._number(each) for each in NUMBERS}
        self._stop = self._stops()
        self._thinking_label = label(texts["tune.thinking"])
        self._system_part = self._make_system_part()
        self._arrange()

    # -- making it ---------------------------------------------------------------------------------

    def _combo(self, name: str, keys: list[str]) -> Choice:
        combo = Choice(self._theme)
        combo.setObjectName(f"{name}Choice")
        combo.setAccessibleName(self._texts[f"tune.{name}"])
        combo.addItems([self._texts[key] for key in keys])
        combo.activated.connect(lambda _: self._choose())
        return combo

    def _number(self, number: Number) -> QLineEdit:
        field = QLineEdit()
        field.setObjectName(f"{number.name}Field")
        field.setProperty("dense", "true")
        field.setAccessibleName(self._texts[f"tune.{number.name}"])
        field.setToolTip(self._texts[f"tune.{number.name}-help"])
        field.textEdited.connect(lambda _: self._soon.start())
        field.editingFinished.connect(self._choose)
        return field

    def _stops(self) -> QPlainTextEdit:
        field = QPlainTextEdit()
        field.setObjectName("stopField")
        field.setProperty("field", "true")
        field.setTabChangesFocus(True)
        field.setFixedHeight(58)
        field.setAccessibleName(self._texts["tune.stop"])
        field.setPlaceholderText(self._texts["tune.stop-help"])
        field.textChanged.connect(self._soon.start)
        return field

    def _make_system_part(self) -> QWidget:
        part = QWidget()
        inside = QVBoxLayout(part)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.setSpacing(2)
        line = QHBoxLayout()
        line.addWidget(label(self._texts["tune.system"], bold=True))
        line.addStretch(1)
        line.addWidget(self._library.button)
        inside.addLayout(line)
        inside.addWidget(self._system)
        return part

    def _arrange(self) -> None:
        texts = self._texts
        head = QHBoxLayout()
        head.setContentsMargins(16, 9, 8, 3)
        close = ToolButton("close", texts["tune.close"], self._theme, "closeSetupButton")
        close.clicked.connect(self.closed)
        head.addWidget(label(texts["tune.title"], size=1.08, bold=True))
        head.addStretch(1)
        head.addWidget(close)
        inside = QWidget()
        inside.setObjectName("setupInside")
        body = QVBoxLayout(inside)
        body.setContentsMargins(16, 2, 16, 14)
        body.setSpacing(10)
        body.addWidget(self._model)
        body.addWidget(self._kind)
        body.addWidget(self._system_part)
        body.addWidget(label(texts["tune.sampling"], bold=True))
        body.addLayout(self._make_grid())
        body.addWidget(label(texts["tune.stop"]))
        body.addWidget(self._stop)
        reset = button(texts["tune.reset"], "", "resetSetupButton")
        reset.setToolTip(texts["tune.reset-help"])
        reset.clicked.connect(self._reset)
        body.addWidget(reset)
        body.addWidget(label(texts["tune.note"], tone="quiet", size=0.88, wrap=True))
        body.addStretch(1)
        area = QScrollArea()
        area.setProperty("page", "true")
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setWidgetResizable(True)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(inside)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(head)
        layout.addWidget(area, 1)

    def _make_grid(self) -> QGridLayout:
        grid = QGridLayout()
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(6)
        grid.setColumnStretch(0, 1)
        for line, number in enumerate(NUMBERS):
            grid.addWidget(label(self._texts[f"tune.{number.name}"]), line, 0)
            grid.addWidget(self._fields[number.name], line, 1)
            self._fields[number.name].setFixedWidth(118)
        grid.addWidget(self._thinking_label, len(NUMBERS), 0)
        grid.addWidget(self._thinking, len(NUMBERS), 1)
        self._thinking.setFixedWidth(118)
        return grid

    # -- showing -----------------------------------------------------------------------------------

    def show_setup(self, setup: Setup, model: str) -> None:
        """Show what a conversation asks of `model`, which the host in front runs."""
        self._show_model(model)
        if setup == self._setup and not self._showing:
            self._show_kind(setup)
            return
        self._soon.stop()
        self._showing = True
        self._setup = setup
        self._show_kind(setup)
        self._kind.setCurrentIndex(_KINDS.index(setup.kind))
        self._thinking.setCurrentIndex(_THINKING.index(setup.thinking))
        if self._system.text() != setup.system:
            self._system.setPlainText(setup.system)
        for name, field in self._fields.items():
            field.setText(shown(getattr(setup.sampling, name)))
            set_property(field, "wrong", "false")
        if stops(self._stop.toPlainText()) != setup.sampling.stop:
            self._stop.setPlainText(stops_text(setup.sampling.stop))
        self._soon.stop()
        self._showing = False

    def _show_kind(self, setup: Setup) -> None:
        self._system_part.setVisible(setup.kind == "chat")
        thinks = setup.kind == "chat" and bool(self._model_name) and has_switch(self._model_name)
        self._thinking.setVisible(thinks)
        self._thinking_label.setVisible(thinks)

    def _show_model(self, model: str) -> None:
        self._model_name = model
        known = find(model)
        own = dict(known.sampling or {}) if known else {}
        self._model.say(model or self._texts["tune.no-model"])
        for name, field in self._fields.items():
            value = own.get(name)
            field.setPlaceholderText(shown(value) or self._texts["tune.unset"])

    # -- choosing ----------------------------------------------------------------------------------

    def _choose(self) -> None:
        self._soon.stop()
        if self._showing:
            return
        values: dict[str, Any] = {}
        for number in NUMBERS:
            field = self._fields[number.name]
            try:
                values[number.name] = typed(number, field.text())
                set_property(field, "wrong", "false")
            except ValueError:
                values[number.name] = getattr(self._setup.sampling, number.name)
                set_property(field, "wrong", "true")
        sampling = Sampling(stop=stops(self._stop.toPlainText()), **values)
        chosen = replace(
            self._setup,
            kind=_KINDS[self._kind.currentIndex()],
            system=self._system.text(),
            thinking=_THINKING[self._thinking.currentIndex()],
            sampling=sampling,
        )
        self._tell(chosen)

    def _reset(self) -> None:
        """Choose nothing but the kind and the system prompt: the model's own values hold."""
        self.flush()  # the system prompt of a moment ago
        setup = replace(self._setup, thinking=None, sampling=Sampling())
        self._showing = True
        self.show_setup(setup, self._model_name)
        self.chosen.emit(setup)

    def _tell(self, chosen: Setup) -> None:
        if chosen != self._setup:
            self._setup = chosen
            self._show_kind(chosen)
            self.chosen.emit(chosen)

    def flush(self) -> None:
        """Take what was typed a moment ago: the conversation is about to change."""
        if self._soon.isActive():
            self._choose()

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        """Leave on Escape."""
        if event.key() == Qt.Key.Key_Escape:
            self.closed.emit()
        else:
            super().keyPressEvent(event)
