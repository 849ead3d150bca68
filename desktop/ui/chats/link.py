"""Where a link goes, shown before the browser opens."""

from __future__ import annotations

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtWidgets import QWidget

from desktop.core.texts import Texts
from desktop.ui import fonts
from desktop.ui.dialogs import Question
from desktop.ui.labels import button, label

_SHOWN = 600  # characters of an address
_PIECE = 52  # a label breaks at spaces only


class LinkDialog(Question):
    """Shows the host in bold and the whole address under it; opens, copies or leaves."""

    def __init__(self, parent: QWidget, texts: Texts, address: str) -> None:
        super().__init__(parent, texts, texts["link.title"], texts["link.open"])
        self.setObjectName("linkDialog")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._url = QUrl(address)
        host = self._url.host() or self._url.path()
        self.body.addWidget(label(host, size=1.15, bold=True, wrap=True))
        pieces = [address[at : at + _PIECE] for at in range(0, min(len(address), _SHOWN), _PIECE)]
        whole = label("\n".join(pieces) + ("…" if len(address) > _SHOWN else ""), tone="quiet")
        whole.setObjectName("linkAddress")
        whole.setFont(fonts.monospace(whole.font(), 0.95))
        whole.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.body.addWidget(whole)
        if self._url.scheme() == "http":
            self.body.addWidget(label(texts["link.http"], tone="busy", wrap=True))
        copying = button(texts["link.copy"], "link", "copyLinkButton")
        copying.clicked.connect(lambda: QGuiApplication.clipboard().setText(address))
        copying.clicked.connect(self.reject)
        self.body.addWidget(copying, 0, Qt.AlignmentFlag.AlignLeft)
        self.confirm.setDefault(True)
        self.accepted.connect(self._open)

    def _open(self) -> None:
        QDesktopServices.openUrl(self._url)
