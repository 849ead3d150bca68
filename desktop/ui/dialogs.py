"""The two questions while connecting: is this the right host, and what is the password."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from desktop.core.ssh.prompts import HostKeyQuestion, SecretQuestion
from desktop.core.texts import Texts
from desktop.ui import fonts
from desktop.ui.labels import button, label

_WIDTH = 480


class _Question(QDialog):
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


class HostKeyDialog(_Question):
    """Shows the fingerprint of a host that nobody has confirmed; Cancel is the default."""

    def __init__(self, parent: QWidget, texts: Texts, question: HostKeyQuestion) -> None:
        super().__init__(parent, texts, texts["host-key.title"], texts["host-key.accept"])
        self.setObjectName("hostKeyDialog")
        where = f"{question.host}:{question.port}"
        self.body.addWidget(
            label(texts("host-key.text", host=where, key_type=question.key_type), wrap=True)
        )
        fingerprint = label(question.fingerprint, wrap=True)
        fingerprint.setObjectName("fingerprint")
        fingerprint.setFont(fonts.monospace(self.font(), 1.0))
        fingerprint.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.body.addWidget(fingerprint)
        self.body.addWidget(label(texts["host-key.explain"], tone="quiet", wrap=True))
        self.confirm.setAutoDefault(False)
        self.cancel.setDefault(True)
        self.cancel.setFocus()


class SecretDialog(_Question):
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
        if question.wrong:
            self.body.addWidget(label(texts["secret.wrong"], tone="bad", wrap=True))
        self._remember = QCheckBox(texts["secret.remember"])
        self._remember.setObjectName("rememberBox")
        self._remember.setVisible(may_remember)
        self.body.addWidget(self._remember)
        self.confirm.setDefault(True)
        self._field.setFocus()

    def answer(self) -> tuple[str, bool]:
        """Return what was typed, and whether to keep it."""
        return self._field.text(), self._remember.isChecked()
