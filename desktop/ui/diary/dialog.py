"""The cost diary: what the sessions have cost, by day and one by one.

Fed by plain values: whoever opens it hands over the entries, and new ones as they come.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QDialog,
    QFileDialog,
    QFrame,
    QHBoxLayout,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from desktop.core.amounts import joined
from desktop.core.diary.entry import Entry
from desktop.core.diary.sums import currencies, days
from desktop.core.errors import AppError
from desktop.core.explain import explain
from desktop.core.texts import Texts
from desktop.ui.chats.choice import Choice
from desktop.ui.diary.chart import DaysChart
from desktop.ui.diary.sessions import SessionsTable
from desktop.ui.diary.totals import Totals
from desktop.ui.labels import button, label, set_property
from desktop.ui.theme import Theme

_DAYS = 30
_FILE = "paperkite.csv"
_EMPTY_WIDTH = 460
_MARGIN = 24
Export = Callable[[Path, Sequence[Entry]], AppError | None]


class DiaryDialog(QDialog):
    """Sums, a chart, a table, and a file of it."""

    def __init__(
        self,
        parent: QWidget,
        theme: Theme,
        texts: Texts,
        entries: Sequence[Entry],
        export: Export,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Take what is shown.

        Args:
            parent: the window.
            theme: its look.
            texts: its language.
            entries: all sessions.
            export: writes those that are shown into a file; returns what went wrong, or None.
            clock: until when a session that goes on is counted; the diary's own.
        """
        super().__init__(parent)
        self.setObjectName("diaryDialog")
        self.setWindowTitle(texts["diary.title"])
        self.resize(900, 600)
        self.setMinimumSize(560, 360)
        self._texts, self._export, self._clock = texts, export, clock
        self._entries: Sequence[Entry] = ()
        self._shown: Sequence[Entry] = ()
        self._host = self._choice(theme, "hostChoice", texts["diary.host"])
        self._currency = self._choice(theme, "currencyChoice", texts["diary.currency"])
        self._save = button(texts["diary.export"], "", "exportButton")
        self._said = label(tone="quiet", size=0.92, wrap=True)
        self._said.setObjectName("exportSaid")
        self._totals, self._chart = Totals(texts), DaysChart(theme, texts)
        self._chart_title = label(tone="quiet", size=0.92)
        self._table = SessionsTable(texts)
        self._inside, self._empty = QWidget(), _empty(texts)
        self._full = _page(self._inside)
        self._arrange()
        self._host.activated.connect(lambda _: self._show())
        self._currency.activated.connect(lambda _: self._show_chart())
        self._save.clicked.connect(self._ask_file)
        self.show_entries(entries)
        self._table.setFocus()

    def show_entries(self, entries: Sequence[Entry]) -> None:
        """Show these sessions; what was chosen to be seen of them stays chosen."""
        self._entries = entries
        hosts = list(dict.fromkeys(entry.host for entry in entries))
        _fill(self._host, [("", self._texts["diary.all-hosts"]), *((name, name) for name in hosts)])
        self._host.setVisible(len(hosts) > 1)
        self._full.setVisible(bool(entries))
        self._empty.setVisible(not entries)
        self._show()

    def _choice(self, theme: Theme, name: str, said: str) -> Choice:
        made = Choice(theme)
        made.setObjectName(name)
        made.setAccessibleName(said)
        return made

    def _arrange(self) -> None:
        top = QHBoxLayout()
        top.setSpacing(10)
        top.addWidget(label(self._texts["diary.title"], size=1.35, bold=True))
        top.addStretch(1)
        top.addWidget(self._host)
        top.addWidget(self._save)
        over = QHBoxLayout()
        over.addWidget(self._chart_title)
        over.addStretch(1)
        over.addWidget(self._currency)
        inside = QVBoxLayout(self._inside)
        inside.setContentsMargins(_MARGIN, 0, _MARGIN, 0)
        inside.setSpacing(8)
        inside.addWidget(self._totals)
        inside.addSpacing(4)
        inside.addLayout(over)
        inside.addWidget(self._chart)
        inside.addSpacing(2)
        inside.addWidget(self._table, 1)
        inside.addWidget(label(self._texts["diary.note"], tone="quiet", size=0.92, wrap=True))
        head = QVBoxLayout()
        head.setContentsMargins(_MARGIN, 0, _MARGIN, 0)
        head.setSpacing(12)
        head.addLayout(top)
        head.addWidget(self._said)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 20, 0, 18)
        layout.setSpacing(12)
        layout.addLayout(head)
        layout.addWidget(self._full, 1)
        layout.addWidget(self._empty, 1)
        self._said.hide()

    def _show(self) -> None:
        now, host = self._clock(), self._host.currentData() or ""
        self._shown = [each for each in self._entries if host in ("", each.host)]
        self._save.setEnabled(bool(self._shown))
        paid = currencies(self._shown)
        _fill(self._currency, [(code, code or self._texts["diary.no-currency"]) for code in paid])
        self._currency.setVisible(len(paid) > 1)
        self._totals.show_entries(self._shown, now)
        self._table.show_entries(self._shown, now)
        self._show_chart()

    def _show_chart(self) -> None:
        currency = self._currency.currentData() or ""
        shown = days(self._shown, self._clock(), _DAYS, currency)
        self._chart_title.setText(self._texts("diary.chart", count=_DAYS))
        self._chart.show_days(shown, currency)

    # -- the file ----------------------------------------------------------------------------------

    def _ask_file(self) -> None:
        dialog = QFileDialog(self, self._texts["diary.export"])
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setNameFilter("*.csv")
        dialog.setDefaultSuffix("csv")
        dialog.selectFile(_FILE)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(lambda path: self.save(Path(path)))
        dialog.open()

    def save(self, path: Path) -> None:
        """Write what is shown into a file, and say what came of it."""
        problem = self._export(path, self._shown)
        set_property(self._said, "tone", "quiet" if problem is None else "bad")
        if problem is None:
            self._said.setText(self._texts("diary.exported", path=path))
        else:
            why = explain(problem, self._texts.language)
            self._said.setText(joined(why.title, why.detail))
        self._said.show()


def _fill(choice: Choice, options: Sequence[tuple[str, str]]) -> None:
    """Offer these; the one that was chosen stays, where it is still there."""
    before = choice.currentData()
    choice.clear()
    for value, words in options:
        choice.addItem(words, value)
    choice.setCurrentIndex(max(choice.findData(before), 0))


def _page(inside: QWidget) -> QScrollArea:
    """Return what is scrolled where there is little room: nothing in it is ever squeezed."""
    page = QScrollArea()
    inside.setObjectName("startColumn")  # has the window's colour
    page.setProperty("page", "true")
    page.setFrameShape(QFrame.Shape.NoFrame)
    page.setWidgetResizable(True)
    page.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    page.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    page.setWidget(inside)
    return page


def _empty(texts: Texts) -> QWidget:
    page = QWidget()
    layout = QVBoxLayout(page)
    layout.addStretch(2)
    for each in (
        label(texts["diary.empty-title"], size=1.15, bold=True, wrap=True),
        label(texts["diary.empty"], tone="quiet", wrap=True),
    ):
        each.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        each.setFixedSize(_EMPTY_WIDTH, each.heightForWidth(_EMPTY_WIDTH))
        layout.addWidget(each, 0, Qt.AlignmentFlag.AlignHCenter)
    layout.addStretch(3)
    return page
