"""One line of the settings: a name, a control, and a sentence that tells what it does."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QHBoxLayout,
    QLineEdit,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from desktop.core.setting_values import fits
from desktop.core.texts import Texts
from desktop.ui.chats.choice import Choice
from desktop.ui.labels import label, set_property
from desktop.ui.theme import Theme

_CONTROL_WIDTH = 250
_INDENT = 8  # of a number, in pixels: where the words of a choice begin
Chosen = Callable[[object], None]


class Minutes(QSpinBox):
    """A number that the wheel leaves alone: the page under it scrolls."""

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: N802
        """Leave it to what is around."""
        event.ignore()


class Rows:
    """Makes the lines of one page.

    What a control is called, and what it does, are the texts `settings.NAME` and
    `settings.NAME-help`.
    """

    def __init__(self, page: QVBoxLayout, theme: Theme, texts: Texts) -> None:
        self._page, self._theme, self._texts = page, theme, texts

    def switch(self, name: str, on: bool, chosen: Chosen) -> QCheckBox:
        """Add something that is on or off."""
        box = QCheckBox(self._texts[f"settings.{name}"])
        box.setObjectName(f"{name}Box")
        box.setChecked(on)
        box.toggled.connect(chosen)
        self._describe(name, box)
        self._page.addWidget(box)
        self._add_help(name, indent=22)
        return box

    def choice(
        self, name: str, options: Sequence[tuple[str, str]], value: str, chosen: Chosen
    ) -> Choice:
        """Add a choice of values, each with its words."""
        combo = Choice(self._theme)
        combo.setObjectName(f"{name}Choice")
        for each, words in options:
            combo.addItem(words, each)
        combo.setCurrentIndex(max(combo.findData(value), 0))
        combo.activated.connect(lambda index: chosen(combo.itemData(index)))
        self._add(name, combo)
        return combo

    def number(self, name: str, value: int, most: int, chosen: Chosen) -> QSpinBox:
        """Add a whole number; 0 is said in words (`settings.NAME-none`)."""
        box = Minutes()
        box.lineEdit().setTextMargins(_INDENT, 0, _INDENT, 0)  # a style sheet's are not heard
        box.setObjectName(f"{name}Field")
        box.setRange(0, most)
        box.setSpecialValueText(self._texts[f"settings.{name}-none"])
        box.setSuffix(self._texts.word("settings", f"{name}-unit"))
        box.setValue(value)
        box.setKeyboardTracking(False)
        box.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        box.valueChanged.connect(chosen)
        self._add(name, box)
        return box

    def text(self, name: str, value: str, chosen: Chosen) -> QLineEdit:
        """Add a line of text; what cannot be used is marked, and not kept."""
        field = QLineEdit(value)
        field.setObjectName(f"{name}Field")
        field.setProperty("dense", "true")
        field.setMaxLength(500)
        field.setPlaceholderText(self._texts[f"settings.{name}-none"])
        self._add(name, field)
        wrong = label(self._texts["settings.wrong"], tone="bad", size=0.92, wrap=True)
        wrong.hide()
        self._page.addWidget(wrong)

        def keep() -> None:
            typed = field.text().strip()
            good = fits(name, typed)
            set_property(field, "wrong", "" if good else "true")
            wrong.setVisible(not good)
            if good:
                chosen(typed)

        field.editingFinished.connect(keep)
        return field

    def _add(self, name: str, control: QWidget) -> None:
        title = label(self._texts[f"settings.{name}"])
        title.setBuddy(control)
        self._describe(name, control)
        control.setFixedWidth(_CONTROL_WIDTH)
        line = QHBoxLayout()
        line.setSpacing(12)
        line.addWidget(title, 1)
        line.addWidget(control)
        self._page.addLayout(line)
        self._add_help(name)

    def _describe(self, name: str, control: QWidget) -> None:
        control.setAccessibleName(self._texts[f"settings.{name}"])
        control.setAccessibleDescription(self._texts[f"settings.{name}-help"])

    def _add_help(self, name: str, indent: int = 0) -> None:
        text = self._texts[f"settings.{name}-help"]
        if text:
            help_ = label(text, tone="quiet", size=0.92, wrap=True)
            help_.setContentsMargins(indent, 0, 0, 0)
            self._page.addWidget(help_)
        self._page.addSpacing(10)
