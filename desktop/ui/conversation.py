"""The page of the conversation: greeting or transcript, and the way back to its end."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QSize, Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QLabel, QPushButton, QStackedLayout, QVBoxLayout, QWidget

from desktop.core.texts import Texts
from desktop.ui import icons
from desktop.ui.editor import files_in
from desktop.ui.labels import label
from desktop.ui.theme import Theme
from desktop.ui.transcript.view import Transcript

_KITE = 88
_BUTTON = 34


class ConversationPage(QWidget):
    """Shows the transcript once there is one.

    Attributes:
        transcript: the view.

    Signals:
        dropped: files were dropped on it, as a list of paths.
    """

    dropped = Signal(list)

    def __init__(self, theme: Theme, texts: Texts) -> None:
        super().__init__()
        self._theme, self._texts = theme, texts
        self.setAcceptDrops(True)
        self.transcript = Transcript(theme, texts)
        self._greeting = self._make_greeting()
        self._stack = QStackedLayout(self)
        self._stack.setContentsMargins(0, 0, 0, 0)
        self._stack.addWidget(self._greeting)
        self._stack.addWidget(self.transcript)
        self._to_end = self._make_to_end()
        self.transcript.followed.connect(self._followed)
        self.transcript.viewport().installEventFilter(self)
        theme.changed.connect(self._colour)

    def _make_greeting(self) -> QWidget:
        page = QWidget()
        layout = QVBoxLayout(page)
        layout.setSpacing(10)
        kite = QLabel()
        kite.setPixmap(icons.pixmap("paperkite", "#000000", _KITE, self.devicePixelRatioF()))
        self._model = label(tone="quiet", wrap=True)
        layout.addStretch(3)
        for widget in (
            kite,
            label(self._texts["greeting.title"], size=1.6, bold=True),
            self._model,
        ):
            widget.setAlignment(Qt.AlignmentFlag.AlignCenter)
            layout.addWidget(widget)
        layout.addStretch(4)
        return page

    def _make_to_end(self) -> QPushButton:
        made = QPushButton(self)
        made.setObjectName("toEndButton")
        made.setAccessibleName(self._texts["transcript.to-end"])
        made.setToolTip(self._texts["transcript.to-end"])
        made.setFixedSize(_BUTTON, _BUTTON)
        made.setIconSize(QSize(18, 18))
        made.clicked.connect(self.transcript.to_end)
        made.hide()
        self._colour_button(made)
        return made

    def greet(self, model: str, max_model_len: int) -> None:
        """Name the model that answers, on the page that is shown before the first message."""
        self._model.setText(self._texts("greeting.model", model=model, tokens=f"{max_model_len:,}"))

    def show_talk(self, *, begun: bool) -> None:
        """Show the transcript, or the greeting where nothing was said yet."""
        self._stack.setCurrentWidget(self.transcript if begun else self._greeting)
        if not begun:
            self._to_end.hide()
        self._to_end.raise_()

    @property
    def begun(self) -> bool:
        """Whether something was said."""
        return self._stack.currentWidget() is self.transcript

    def _followed(self, following: bool) -> None:
        self._to_end.setVisible(self.begun and not following)
        self._to_end.raise_()

    def _colour(self) -> None:
        self._colour_button(self._to_end)

    def _colour_button(self, made: QPushButton) -> None:
        made.setIcon(icons.icon("down", self._theme.colours.text, 18))

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:  # noqa: N802
        """Take files."""
        if files_in(event.mimeData()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:  # noqa: N802
        """Hand them on."""
        self.dropped.emit(files_in(event.mimeData()))
        event.acceptProposedAction()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        """Keep the button over the lower end of the transcript."""
        if event.type() == QEvent.Type.Resize:
            x, y = (self.width() - _BUTTON) // 2, self.height() - _BUTTON - 10
            self._to_end.move(x, y)
        return False
