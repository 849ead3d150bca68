"""The log of a host beside the conversation: all of it or one part, followed, searched, copied."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QFont, QGuiApplication, QHideEvent, QKeyEvent, QKeySequence, QShowEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QHBoxLayout,
    QPlainTextEdit,
    QVBoxLayout,
    QWidget,
)

from desktop.core.events import Event, Logged
from desktop.core.texts import Texts
from desktop.ui import fonts
from desktop.ui.chats.choice import Choice
from desktop.ui.intents import HostKey
from desktop.ui.labels import button, label, set_property
from desktop.ui.logs.finding import Finding
from desktop.ui.logs.kept import LOGS, MOST_LINES, Kept
from desktop.ui.theme import Theme

_BATCH_MS = 100  # what comes meanwhile is shown at once: the eye needs no more, a fast log no less
_SIZE = (860, 560)
_COLUMN = 12  # characters that the name of a log takes
_SAID_MS = 6000


class LogsDialog(QDialog):
    """Shows the lines that `hear` brings; keeps the last 5,000.

    Signals:
        followed: the log is looked at from now on, or no more: `HostIntents.follow_log`.
        report_wanted: a redacted report is to be copied; answer with `copy`.
    """

    followed = Signal(bool)
    report_wanted = Signal()

    def __init__(
        self,
        parent: QWidget,
        theme: Theme,
        texts: Texts,
        host: HostKey,
        redacted: Callable[[str], str],
    ) -> None:
        """Take the host, and what takes out what is private of a text that is copied."""
        super().__init__(parent)
        self.setObjectName("logsDialog")
        self.setWindowTitle(texts("logs.title", host=host))
        self.resize(*_SIZE)
        self._texts, self._redacted = texts, redacted
        self._kept = Kept({group: texts[f"logs.{group}"] for group in LOGS})
        self._pending: list[str] = []
        self._live: bool | None = None
        self._is_moving = False
        self._view = self._make_view()
        self._which, self._tail = Choice(theme), QCheckBox()
        self._finding = Finding(self._view, theme, texts)
        self._state = label(tone="quiet", size=0.92)
        self._copy = button(texts["logs.copy"], "", "copyLogButton")
        self._report = button(texts["remedy.report"], "", "copyReportButton")
        self._close = button(texts["logs.close"], "", "closeLogButton")
        self._batch = QTimer(self, singleShot=True, interval=_BATCH_MS)
        self._unsay = QTimer(self, singleShot=True, interval=_SAID_MS)
        self._name()
        self._arrange()
        self._connect()
        self._show_state()

    # -- what comes --------------------------------------------------------------------------------

    def hear(self, events: Sequence[Event]) -> None:
        """Show what these say of the log."""
        for event in events:
            if isinstance(event, Logged):
                self.append(event)

    def append(self, logged: Logged) -> None:
        """Show more lines, or others in place of them, soon."""
        new = self._kept.add(logged.lines, anew=logged.anew)
        if logged.anew:
            self._pending.clear()
            with self._moving():
                self._view.clear()
        self._pending += new
        del self._pending[:-MOST_LINES]
        self._live = logged.live
        if logged.anew:
            self._flush()
        elif not self._batch.isActive():
            self._batch.start()

    def choose(self, group: str) -> None:
        """Show all logs or one; a key of `LOGS`."""
        self._which.setCurrentIndex(self._which.findData(group))

    def seek(self, text: str) -> None:
        """Find this text, from the end upwards."""
        self._finding.seek(text)

    def copy(self, text: str) -> None:
        """Put this on the clipboard, and say so."""
        QGuiApplication.clipboard().setText(text)
        self._state.setText(self._texts["logs.copied"])
        self._unsay.start()

    # -- parts -------------------------------------------------------------------------------------

    def _make_view(self) -> QPlainTextEdit:
        view = QPlainTextEdit()
        view.setObjectName("logLines")
        view.setAccessibleName(self._texts["logs.lines"])
        view.setReadOnly(True)
        view.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse
            | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        view.setUndoRedoEnabled(False)
        view.setMaximumBlockCount(MOST_LINES)
        view.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        view.setFont(_fixed(fonts.monospace(view.font(), 0.92)))
        view.setTabStopDistance(_COLUMN * view.fontMetrics().horizontalAdvance("0"))
        return view

    def _name(self) -> None:
        texts = self._texts
        self._which.setObjectName("whichLog")
        self._which.setAccessibleName(texts["logs.task"])
        for group in LOGS:
            self._which.addItem(texts[f"logs.{group}"], group)
        self._tail.setObjectName("followLog")
        self._tail.setText(texts["logs.follow"])
        self._tail.setToolTip(texts["logs.follow-help"])
        self._tail.setChecked(True)
        self._state.setObjectName("logState")

    def _arrange(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 14, 16, 14)
        layout.setSpacing(10)
        top = QHBoxLayout()
        top.setSpacing(8)
        top.addWidget(self._which)
        top.addWidget(self._finding, 1)
        top.addSpacing(8)
        top.addWidget(self._tail)
        layout.addLayout(top)
        layout.addWidget(self._view, 1)
        layout.addWidget(self._state)
        bottom = QHBoxLayout()
        bottom.setSpacing(8)
        bottom.addWidget(self._copy)
        bottom.addWidget(self._report)
        bottom.addStretch(1)
        bottom.addWidget(self._close)
        layout.addLayout(bottom)

    def _connect(self) -> None:
        self._batch.timeout.connect(self._flush)
        self._unsay.timeout.connect(self._show_state)
        self._which.currentIndexChanged.connect(lambda _: self._show_group())
        self._tail.toggled.connect(self._follow_end)
        self._view.verticalScrollBar().valueChanged.connect(self._look_at_end)
        self._finding.found.connect(self._look_at_end)
        self._copy.clicked.connect(self._copy_all)
        self._report.clicked.connect(self.report_wanted)
        self._close.clicked.connect(self.close)

    # -- showing -----------------------------------------------------------------------------------

    def _flush(self) -> None:
        lines, self._pending = self._pending, []
        if lines:
            bar = self._view.verticalScrollBar()
            before, shown = bar.value(), self._view.blockCount()
            with self._moving():
                self._view.appendPlainText("\n".join(lines))
                if not self._tail.isChecked():  # what goes at the top moves what is read
                    bar.setValue(before - max(shown + len(lines) - MOST_LINES, 0))
            self._follow_end()
        if not self._unsay.isActive():
            self._show_state()

    def _show_group(self) -> None:
        self._kept.group = self._which.currentData()
        self._pending.clear()
        with self._moving():
            self._view.setPlainText("\n".join(self._kept.shown()))
        self._follow_end()
        self._show_state()

    def _show_state(self) -> None:
        empty = self._view.document().isEmpty()
        if self._live is None or (self._live and empty):
            said = "waiting"
        elif self._live:
            said = "live"
        else:
            said = "nothing" if empty else "last-known"
        self._state.setText(self._texts[f"logs.{said}"])
        set_property(self._state, "tone", "good" if said == "live" else "quiet")

    def _follow_end(self) -> None:
        if self._tail.isChecked():
            bar = self._view.verticalScrollBar()
            bar.setValue(bar.maximum())

    @contextmanager
    def _moving(self) -> Iterator[None]:
        """Move the lines under the eye: that is no scrolling of a person's."""
        self._is_moving = True
        try:
            yield
        finally:
            self._is_moving = False

    def _look_at_end(self) -> None:
        """Follow where a person has scrolled to the end, and no more where away from it."""
        bar = self._view.verticalScrollBar()
        if not self._is_moving:
            self._tail.setChecked(bar.value() >= bar.maximum() - 1)

    # -- copying -----------------------------------------------------------------------

    def _copy_all(self) -> None:
        self.copy(self._redacted(self._kept.everything()))

    # -- Qt ----------------------------------------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Go to the field by the keys for finding."""
        if event.matches(QKeySequence.StandardKey.Find):
            self._finding.take_keyboard()
        else:
            super().keyPressEvent(event)

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 - Qt's name
        """Follow while it is looked at."""
        super().showEvent(event)
        if not event.spontaneous():
            self.followed.emit(True)

    def hideEvent(self, event: QHideEvent) -> None:  # noqa: N802 - Qt's name
        """Cost nothing once it is closed."""
        super().hideEvent(event)
        if not event.spontaneous():
            self.followed.emit(False)


def _fixed(font: QFont) -> QFont:
    font.setFixedPitch(True)
    return font
