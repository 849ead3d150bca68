"""The questions while connecting: is this the right host, what is the password, what it asks."""

from __future__ import annotations

import re

from PySide6.QtCore import Qt
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from desktop.core.ssh.prompts import (
    ChallengePrompt,
    ChallengeQuestion,
    HostKeyQuestion,
    SecretQuestion,
)
from desktop.core.texts import Texts
from desktop.ui import fonts
from desktop.ui.labels import button, label

_WIDTH = 536
_LONGEST_WORD = 48  # of a host's, in characters: what is longer would widen the window
_MOST_LINES = 16  # of a host's words before they are scrolled
_SCROLLED = (160, 340)  # the least and the most height of those, in pixels


class Question(QDialog):
    """A title, room for the question, Cancel and one other button."""

    def __init__(self, parent: QWidget, texts: Texts, title: str, accept: str) -> None:
        super().__init__(parent)
        self.setWindowTitle(texts["app.name"])
        self.setMinimumWidth(_WIDTH)
        self.texts = texts
        self.body = QVBoxLayout()
        self.body.setSpacing(10)
        self.cancel = button(texts["dialog.cancel"], "", "cancelButton")
        self.confirm: QPushButton = button(accept, "primary", "acceptButton")
        self.cancel.clicked.connect(self.reject)
        self.confirm.clicked.connect(self.accept)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(24, 22, 24, 20)
        layout.setSpacing(14)
        layout.addWidget(label(title, size=1.3, bold=True, wrap=True))
        layout.addLayout(self.body)
        line = QHBoxLayout()
        line.addStretch(1)
        line.addWidget(self.cancel)
        line.addWidget(self.confirm)
        layout.addSpacing(4)
        layout.addLayout(line)

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802
        """Make room for every line: a size hint guesses the height of wrapped text."""
        super().showEvent(event)
        layout = self.layout()
        if layout is not None:
            # Where a part needs more, its height is told for that width, and is too small here.
            width = max(self.minimumWidth(), layout.totalMinimumSize().width())
            self.resize(width, layout.totalHeightForWidth(width))


class HostKeyDialog(Question):
    """Shows the fingerprint of a host that nobody has confirmed; Cancel is the default."""

    def __init__(self, parent: QWidget, texts: Texts, question: HostKeyQuestion) -> None:
        super().__init__(parent, texts, texts["host-key.title"], texts["host-key.accept"])
        self.setObjectName("hostKeyDialog")
        where = f"{question.host}:{question.port}"
        self.body.addWidget(
            label(texts("host-key.text", host=where, key_type=question.key_type), wrap=True)
        )
        self.body.addWidget(fingerprint(question.fingerprint))
        self.body.addWidget(label(texts["host-key.explain"], tone="quiet", wrap=True))
        self.cancel.setDefault(True)
        self.cancel.setFocus()


class SecretDialog(Question):
    """Asks for a password or a passphrase in a hidden field."""

    def __init__(
        self, parent: QWidget, texts: Texts, question: SecretQuestion, *, may_remember: bool
    ) -> None:
        title = texts("secret.title", host=question.key_path or question.host)
        super().__init__(parent, texts, title, texts["secret.accept"])
        self.setObjectName("secretDialog")
        facts = {name: getattr(question, name) for name in ("user", "host", "port", "key_path")}
        kind = "passphrase" if question.kind == "passphrase" else "password"
        self.body.addWidget(label(texts(f"secret.{kind}", **facts), wrap=True))
        self._field = QLineEdit()
        self._field.setObjectName("secretField")
        self._field.setAccessibleName(texts["secret.field"])
        self._field.setEchoMode(QLineEdit.EchoMode.Password)
        self.body.addWidget(self._field)
        if question.wrong or question.paste_refused:
            said = "secret.wrong" if question.wrong else "secret.paste-refused"
            self.body.addWidget(label(texts[said], tone="bad", wrap=True))
        self._remember = QCheckBox(texts["secret.remember"])
        self._remember.setObjectName("rememberBox")
        self._remember.setVisible(may_remember)
        self.body.addWidget(self._remember)
        if not may_remember:
            self.body.addWidget(label(texts["secret.no-keyring"], tone="quiet", wrap=True))
        self.confirm.setDefault(True)
        self._field.setFocus()

    def answer(self) -> tuple[str, bool]:
        """Return what was typed, and whether to keep it."""
        return self._field.text(), self._remember.isChecked()


class ChallengeDialog(Question):
    """Asks what the host asks, in a field for each prompt; the host's words stand in a frame."""

    def __init__(self, parent: QWidget, texts: Texts, question: ChallengeQuestion) -> None:
        title = texts("challenge.title", host=question.host)
        super().__init__(parent, texts, title, texts["challenge.accept"])
        self.setObjectName("challengeDialog")
        who = f"{question.user}@{question.host}:{question.port}"
        self.body.addWidget(label(texts("challenge.text", user=who), wrap=True))
        self._fields = [self._make_field(prompt) for prompt in question.prompts]
        self.body.addWidget(self._make_frame(question))
        if question.wrong:
            self.body.addWidget(label(texts["challenge.wrong"], tone="bad", wrap=True))
        self.body.addWidget(label(texts["challenge.note"], tone="quiet", wrap=True))
        self.confirm.setDefault(True)
        self._fields[0].setFocus()

    def answers(self) -> list[str]:
        """Return what was typed, one answer for each prompt."""
        return [field.text() for field in self._fields]

    def _make_field(self, prompt: ChallengePrompt) -> QLineEdit:
        field = QLineEdit()
        field.setObjectName("challengeField")
        field.setAccessibleName(prompt.text or self.texts["challenge.field"])
        if not prompt.echo:
            field.setEchoMode(QLineEdit.EchoMode.Password)
        return field

    def _make_frame(self, question: ChallengeQuestion) -> QWidget:
        frame = QFrame()
        frame.setProperty("card", "true")
        layout = QVBoxLayout(frame)
        layout.setContentsMargins(16, 13, 16, 15)
        layout.setSpacing(8)
        asked = [prompt.text for prompt in question.prompts]
        said = list(filter(None, (question.name, question.instruction)))
        for text in said:
            layout.addWidget(_of_host(text))
        for text, field in zip(asked, self._fields, strict=True):
            if text:
                layout.addWidget(_of_host(text))
            layout.addWidget(field)
        lines = sum(_folded(text).count("\n") + 1 for text in (*said, *asked)) + 2 * len(asked)
        return _scrolled(frame) if lines > _MOST_LINES else frame


def fingerprint(text: str) -> QLabel:
    """Return a label with a fingerprint, to be compared or copied."""
    shown = label(text, wrap=True)
    shown.setObjectName("fingerprint")
    shown.setFont(fonts.monospace(shown.font(), 1.0))
    shown.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return shown


def _of_host(text: str) -> QWidget:
    shown = label(_folded(text), wrap=True)
    shown.setObjectName("hostWords")
    shown.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return shown


def _folded(text: str) -> str:
    """Break words that no line takes; a label breaks at spaces only."""
    pieces = (
        "\n".join(word[at : at + _LONGEST_WORD] for at in range(0, len(word), _LONGEST_WORD))
        for word in re.split(r"( |\n)", text)
    )
    return "".join(pieces)


def _scrolled(frame: QWidget) -> QScrollArea:
    area = QScrollArea()
    area.setWidgetResizable(True)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setMinimumHeight(_SCROLLED[0])
    area.setMaximumHeight(_SCROLLED[1])
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setWidget(frame)
    return area
