"""Where it goes and what runs there: two fields at first, a summary with one button later."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QLineEdit, QVBoxLayout, QWidget

from desktop.core.explain import Explanation
from desktop.core.texts import Texts
from desktop.ui import icons
from desktop.ui.intents import Target
from desktop.ui.labels import Elided, button, label
from desktop.ui.start.host_field import HostField

_KITE = 60


class Setup(QWidget):
    """What is shown while nothing runs.

    Signals:
        submitted: host text (with the password under it where one was pasted) and model.
    """

    submitted = Signal(str, str)

    def __init__(self, texts: Texts, target: Target) -> None:
        super().__init__()
        self._texts = texts
        self._remark = ""
        self._title = label(size=1.7, bold=True, wrap=True)
        self._subtitle = label(tone="quiet", size=1.05, wrap=True)
        self.host, self.model = HostField(), QLineEdit()
        self._prepare("host", self.host)
        self._prepare("model", self.model)
        self._host_help = label(tone="quiet", size=0.92, wrap=True)
        self._say_of_password(taken=False)
        self.host.password_taken.connect(lambda taken: self._say_of_password(taken=taken))
        self._problem = label(tone="bad", wrap=True)
        self._problem.setVisible(False)
        self._summary = self._make_summary()
        self._fields = self._make_fields()
        self._start = button(texts["action.start"], "big", "startButton")
        self._start.clicked.connect(self._submit)
        self._arrange()
        self.show_target(target)

    def _prepare(self, name: str, field: QLineEdit) -> None:
        field.setObjectName(f"{name}Field")
        field.setAccessibleName(self._texts[f"setup.{name}"])
        field.setPlaceholderText(self._texts[f"setup.{name}-example"])
        field.setMaxLength(500)
        field.returnPressed.connect(self._submit)
        field.textEdited.connect(lambda _: self._problem.setVisible(False))

    def _say_of_password(self, *, taken: bool) -> None:
        self._host_help.setText(self._texts["setup.password-taken" if taken else "setup.host-help"])

    def _make_summary(self) -> QFrame:
        card = QFrame()
        card.setProperty("card", "true")
        layout = QHBoxLayout(card)
        layout.setContentsMargins(18, 15, 14, 15)
        words = QVBoxLayout()
        words.setSpacing(5)
        self._host_shown, self._model_shown = Elided(), Elided()
        self._model_shown.setProperty("tone", "quiet")
        words.addWidget(self._host_shown)
        words.addWidget(self._model_shown)
        layout.addLayout(words, 1)
        change = button(self._texts["setup.change"], "link", "changeButton")
        change.clicked.connect(self.edit)
        layout.addWidget(change)
        return card

    def _make_fields(self) -> QWidget:
        fields = QWidget()
        layout = QVBoxLayout(fields)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(7)
        model_help = label(self._texts["setup.model-help"], tone="quiet", size=0.92, wrap=True)
        for name, field, help_ in (
            ("host", self.host, self._host_help),
            ("model", self.model, model_help),
        ):
            title = label(self._texts[f"setup.{name}"], bold=True)
            title.setBuddy(field)
            for widget in (title, field, help_):
                layout.addWidget(widget)
            layout.addSpacing(9)
        return fields

    def _arrange(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        kite = QLabel()
        kite.setPixmap(icons.pixmap("paperkite", "#000000", _KITE, self.devicePixelRatioF()))
        layout.addWidget(kite)
        layout.addSpacing(4)
        layout.addWidget(self._title)
        layout.addWidget(self._subtitle)
        layout.addSpacing(14)
        for widget in (self._summary, self._fields, self._problem):
            layout.addWidget(widget)
        layout.addSpacing(8)
        line = QHBoxLayout()
        line.addWidget(self._start)
        line.addStretch(1)
        layout.addLayout(line)

    def show_target(self, target: Target) -> None:
        """Show a saved host as a summary, or the empty fields of a first run."""
        self.host.setText(target.host_text)
        self.model.setText(target.model)
        self._host_shown.say(target.host)
        self._model_shown.say(target.model)
        self._show_fields(not target.host_text)

    def _show_fields(self, editing: bool) -> None:
        self._fields.setVisible(editing)
        self._summary.setVisible(not editing)
        kind = "setup" if editing else "saved"
        self._title.setText(self._texts[f"{kind}.title"])
        self._subtitle.setText(self._remark or self._texts[f"{kind}.subtitle"])

    def show_remark(self, remark: str) -> None:
        """Say why nothing runs any more, where the host ended it by itself; "" to say nothing."""
        if remark != self._remark:
            self._remark = remark
            self._show_fields(not self._fields.isHidden())

    def edit(self) -> None:
        """Show the fields, with what was typed last."""
        self._show_fields(True)
        self.host.setFocus()
        self.host.selectAll()

    def _submit(self) -> None:
        self._problem.setVisible(False)
        self.submitted.emit(self.host.whole(), self.model.text().strip())

    def complain(self, why: Explanation) -> None:
        """Say under the fields why what was typed cannot be used."""
        self._show_fields(True)
        self._problem.setText("\n".join(part for part in (why.title, why.detail, why.hint) if part))
        self._problem.setVisible(True)
        self.host.setFocus()
