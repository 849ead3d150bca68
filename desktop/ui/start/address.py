"""The one question while a host cannot be reached: has it a new address or password?

A rented host that was powered off comes back with another port, password or host key. The answer
is the provider's line, pasted once more.
"""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from desktop.core.explain import Explanation
from desktop.core.texts import Texts
from desktop.ui.labels import button, label, set_property
from desktop.ui.start.host_field import HostField


class AddressBox(QWidget):
    """The question, a field for the line, and a button.

    Signals:
        given: what was pasted, with the password under the line where there was one.
    """

    given = Signal(str)

    def __init__(self, texts: Texts) -> None:
        super().__init__()
        self.setObjectName("addressBox")
        self._texts = texts
        self._question = label(texts["address.question"], wrap=True)
        self._field = HostField()
        self._field.setObjectName("addressField")
        self._field.setAccessibleName(texts["address.question"])
        self._field.setPlaceholderText(texts["setup.host-example"])
        self._field.setMaxLength(500)
        self._field.returnPressed.connect(self._give)
        self._field.textChanged.connect(lambda _: self._say(""))
        self._field.password_taken.connect(
            lambda taken: self._say(texts["setup.password-taken"] if taken else "")
        )
        self._use = button(texts["address.use"], "", "addressButton")
        self._use.clicked.connect(self._give)
        self._remark = label(tone="quiet", size=0.92, wrap=True)
        self._arrange()
        self._say("")
        self.hide()

    def _arrange(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 8, 0, 5)
        layout.setSpacing(7)
        layout.addWidget(self._question)
        line = QHBoxLayout()
        line.setSpacing(8)
        line.addWidget(self._field, 1)
        line.addWidget(self._use)
        layout.addLayout(line)
        layout.addWidget(self._remark)

    def take_keyboard(self) -> None:
        """Put the keyboard where one pastes."""
        self._field.setFocus()

    def complain(self, why: Explanation) -> None:
        """Say why what was pasted cannot be used."""
        self._say(" ".join(part for part in (why.detail, why.hint) if part))
        self.take_keyboard()

    def ask(self, *, asking: bool) -> None:
        """Ask, or no more; what was pasted for another outage is forgotten."""
        if asking == self.isHidden():
            self.setVisible(asking)
            self._field.clear()

    def stand_out(self, *, is_best: bool) -> None:
        """Tell whether this is what is mostly done here: its button looks like it then."""
        set_property(self._use, "kind", "primary" if is_best else "")

    def _say(self, remark: str) -> None:
        self._remark.setText(remark)
        self._remark.setVisible(bool(remark))

    def _give(self) -> None:
        if text := self._field.whole():
            self.given.emit(text)
        else:
            self.take_keyboard()
