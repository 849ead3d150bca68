"""What other programs need to use the model: address, key, name, and text ready to paste."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication, QShowEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QGridLayout,
    QHBoxLayout,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from desktop.core.clients import HIDDEN, clients
from desktop.core.events import Endpoint
from desktop.core.explain import explain
from desktop.core.texts import Texts
from desktop.ui import fonts
from desktop.ui.chats.choice import Choice
from desktop.ui.labels import button, label
from desktop.ui.theme import Theme

_COPIED_MS = 1600
_LOOK_MS = 1000
_FIELDS = ("shared_url", "api_key", "model")


@dataclass(frozen=True, slots=True)
class Shared:
    """How a host's endpoint stands for other programs.

    Attributes:
        endpoint: where the model answers, or None while it does not.
        is_shared: whether other programs may use it.
        others: connections of other programs that are open now.
    """

    endpoint: Endpoint | None
    is_shared: bool
    others: int


class EndpointDialog(QDialog):
    """Shows the endpoint of one host; the key only on request, and in no screenshot by accident.

    Signals:
        shared: whether other programs may use it from now on.
    """

    shared = Signal(bool)

    def __init__(self, parent: QWidget, theme: Theme, texts: Texts, name: str) -> None:
        super().__init__(parent)
        self.setObjectName("endpointDialog")
        self.setWindowTitle(texts("endpoint.title", host=name))
        self.resize(600, 520)
        self._texts = texts
        self._endpoint: Endpoint | None = None
        self._shown: tuple[Endpoint | None, str, bool] | None = None
        self._state = label(wrap=True)
        self._fields = {each: self._field(each) for each in _FIELDS}
        self._reveal = button(texts["endpoint.show"], "", "showKeyButton")
        self._reveal.setCheckable(True)
        self._reveal.toggled.connect(lambda _: self._show())
        self._choice = Choice(theme)
        self._choice.setObjectName("clientChoice")
        self._choice.setAccessibleName(texts["endpoint.client"])
        for client in clients():
            self._choice.addItem(client.name)
        self._choice.currentIndexChanged.connect(lambda _: self._show())
        self._where = label(tone="quiet", wrap=True)
        self._snippet = QPlainTextEdit()
        self._snippet.setObjectName("snippetText")
        self._snippet.setProperty("field", "true")
        self._snippet.setReadOnly(True)
        self._snippet.setTabChangesFocus(True)
        self._snippet.setFont(fonts.monospace(self.font()))
        self._snippet.setAccessibleName(texts["endpoint.snippet"])
        self._copy_snippet = self._copier("snippet", lambda: self._text(show_key=True))
        self._share = QCheckBox(texts["endpoint.share"])
        self._share.setObjectName("shareBox")
        self._share.toggled.connect(self.shared)
        self._others = label(tone="quiet", wrap=True)
        self._arrange()
        self._show()

    def _field(self, name: str) -> QLineEdit:
        field = QLineEdit()
        field.setObjectName(f"{name}Field")
        field.setProperty("dense", "true")
        field.setReadOnly(True)
        field.setAccessibleName(self._texts[f"endpoint.{name}"])
        return field

    def _copier(self, name: str, text: object) -> QPushButton:
        made = button(self._texts["endpoint.copy-button"], "", f"{name}CopyButton")
        made.setAccessibleName(self._texts(f"endpoint.copy-{name}"))
        back = QTimer(made, singleShot=True, interval=_COPIED_MS)
        back.timeout.connect(lambda: made.setText(self._texts["endpoint.copy-button"]))

        def copy() -> None:
            assert callable(text)
            QGuiApplication.clipboard().setText(text())
            made.setText(self._texts["endpoint.copied"])
            back.start()

        made.clicked.connect(copy)
        return made

    def _arrange(self) -> None:
        texts = self._texts
        layout = QVBoxLayout(self)
        layout.setContentsMargins(22, 18, 22, 18)
        layout.setSpacing(10)
        layout.addWidget(self._state)
        grid = QGridLayout()
        grid.setHorizontalSpacing(10)
        grid.setVerticalSpacing(8)
        for row, (name, field) in enumerate(self._fields.items()):
            title = label(texts[f"endpoint.{name}"])
            title.setBuddy(field)
            grid.addWidget(title, row, 0)
            grid.addLayout(self._line(name, field), row, 1)
            copier = self._copier(name, lambda name=name: getattr(self._endpoint, name, ""))
            grid.addWidget(copier, row, 2)
        program = label(texts["endpoint.client"])
        program.setBuddy(self._choice)
        last = len(_FIELDS) + 1
        grid.setRowMinimumHeight(last - 1, 4)
        grid.addWidget(program, last, 0)
        grid.addWidget(self._choice, last, 1)
        grid.addWidget(self._copy_snippet, last, 2)
        layout.addLayout(grid)
        layout.addWidget(self._where)
        layout.addWidget(self._snippet, 1)
        layout.addWidget(self._share)
        layout.addWidget(self._others)

    def _line(self, name: str, field: QLineEdit) -> QHBoxLayout:
        """Return a field, and beside that of the key what shows it."""
        line = QHBoxLayout()
        line.setSpacing(10)
        line.addWidget(field, 1)
        if name == "api_key":
            line.addWidget(self._reveal)
        return line

    def watch(self, state: Callable[[], Shared]) -> None:
        """Show what this returns, now and every second."""
        ticker = QTimer(self, interval=_LOOK_MS)

        def look() -> None:
            now = state()
            self.show_endpoint(now.endpoint, shared=now.is_shared, others=now.others)

        ticker.timeout.connect(look)
        ticker.start()
        look()

    def show_endpoint(self, endpoint: Endpoint | None, *, shared: bool, others: int) -> None:
        """Show how it stands.

        Args:
            endpoint: where the model answers, or None while it does not.
            shared: whether other programs may use it.
            others: connections of other programs that are open now.
        """
        self._share.blockSignals(True)
        self._share.setChecked(shared)
        self._share.blockSignals(False)
        self._others.setText(self._texts("endpoint.others", count=others) if shared else "")
        url = "" if endpoint is None else endpoint.shared_url  # it comes and goes
        if (endpoint, url, shared) != self._shown:
            self._shown = (endpoint, url, shared)
            self._endpoint = endpoint
            self._reveal.setChecked(False)
            self._show()

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802
        """Make room for every line, also in large letters."""
        super().showEvent(event)
        layout = self.layout()
        if layout is not None:
            needed = layout.totalHeightForWidth(self.width())
            self.resize(self.width(), max(self.height(), needed))

    def _text(self, *, show_key: bool) -> str:
        client = clients()[max(self._choice.currentIndex(), 0)]
        return "" if self._endpoint is None else client.text(self._endpoint, show_key=show_key)

    def _standing(self) -> str:
        """Return whether other programs can use it, and why not where they cannot."""
        texts, endpoint = self._texts, self._endpoint
        if endpoint is None:
            return texts["endpoint.off"]
        if not self._share.isChecked():
            return texts["endpoint.not-shared"]
        if endpoint.not_shared is not None:
            why = explain(endpoint.not_shared, texts.language)
            return texts("endpoint.refused", why=f"{why.detail} {why.hint}")
        return texts["endpoint.ready"]

    def _show(self) -> None:
        texts, endpoint, reveals = self._texts, self._endpoint, self._reveal.isChecked()
        usable = bool(endpoint and endpoint.shared_url) and self._share.isChecked()
        self._state.setText(self._standing())
        for name, field in self._fields.items():
            value = "" if endpoint is None else str(getattr(endpoint, name))
            field.setText(HIDDEN if name == "api_key" and value and not reveals else value)
            field.setCursorPosition(0)
        self._reveal.setText(texts["endpoint.hide" if reveals else "endpoint.show"])
        self._where.setText(clients()[max(self._choice.currentIndex(), 0)].where[texts.language])
        self._snippet.setPlainText(self._text(show_key=reveals))
        for each in self.findChildren(QPushButton):
            each.setEnabled(usable)
        self._snippet.setEnabled(usable)
        self._snippet.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
