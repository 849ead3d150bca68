"""The deliberate step after a host key has changed: never shown unasked, never a plain "continue".

The notice of the failure explains and ends there. Who knows why the key is another one opens this,
sees both fingerprints, says so, and trusts exactly the key that was shown: if the host shows yet
another one next time, that is refused too.
"""

from __future__ import annotations

from PySide6.QtWidgets import QCheckBox, QVBoxLayout, QWidget

from desktop.core.errors import HostKeyChanged
from desktop.core.texts import Texts
from desktop.ui.dialogs import Question, fingerprint
from desktop.ui.labels import label


class ChangedKeyDialog(Question):
    """Shows the old and the new fingerprint; Cancel is the default, and the only way at first.

    Attributes:
        fingerprint: of the new key, for `Wishes.host_key` once the dialog was accepted.
    """

    def __init__(self, parent: QWidget, texts: Texts, error: HostKeyChanged) -> None:
        """Take the `host-key-changed` that a connection ended with."""
        facts = error.facts
        host, where = facts["host"], f"{facts['host']}:{facts['port']}"
        title = texts("changed-key.title", host=host)
        super().__init__(parent, texts, title, texts["changed-key.accept"])
        self.setObjectName("changedKeyDialog")
        self.fingerprint = str(facts["fingerprint"])
        self.body.addWidget(label(texts("changed-key.text", host=where), wrap=True))
        now = texts("changed-key.now", key_type=facts["key_type"])
        for heading, shown in (
            (texts["changed-key.before"], str(facts["expected"])),
            (now, self.fingerprint),
        ):
            pair = QVBoxLayout()
            pair.setSpacing(2)
            pair.addWidget(label(heading, tone="quiet"))
            pair.addWidget(fingerprint(shown))
            self.body.addLayout(pair)
        self.body.addWidget(label(texts["changed-key.explain"], wrap=True))
        sure = QCheckBox(texts["changed-key.sure"])
        sure.setObjectName("sureBox")
        sure.toggled.connect(self.confirm.setEnabled)
        self.body.addWidget(sure)
        self.confirm.setEnabled(False)
        self.cancel.setDefault(True)
        self.cancel.setFocus()
