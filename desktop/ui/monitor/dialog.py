"""The monitor: six plots of the last hour. It draws while it is seen, and costs nothing else."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from PySide6.QtCore import QTimer
from PySide6.QtGui import QHideEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QDialog, QGridLayout, QVBoxLayout, QWidget

from desktop.core.amounts import gibibytes, joined
from desktop.core.events import Sample
from desktop.core.history import HOUR, History, Moment, buckets
from desktop.core.texts import Texts
from desktop.ui.labels import label
from desktop.ui.monitor.plot import Plot
from desktop.ui.theme import Theme

_DRAW_MS = 2000  # as often as samples come
_COLUMNS = 2
_PLOTS = ("tokens", "ttft", "requests", "kv", "gpu", "memory")
_VALUE: dict[str, Callable[[Moment], float | None]] = {
    "tokens": lambda moment: moment.tokens_per_s,
    "ttft": lambda moment: moment.ttft_s,
    "requests": lambda moment: float(moment.running + moment.waiting),
    "kv": lambda moment: moment.kv,
    "gpu": lambda moment: moment.use,
    "memory": lambda moment: moment.memory,
}
_SHARES = frozenset({"kv", "gpu", "memory"})
_LEAST_TOP = {"tokens": 20.0, "ttft": 1.0, "requests": 4.0}  # a quiet hour is drawn as quiet


class MonitorDialog(QDialog):
    """Shows the history of one host."""

    def __init__(
        self,
        parent: QWidget,
        theme: Theme,
        texts: Texts,
        name: str,
        history: History,
        clock: Callable[[], float] = time.monotonic,
        others: Callable[[], int] = int,
    ) -> None:
        """Take what is shown.

        Args:
            parent: the window.
            theme: its look.
            texts: its language.
            name: the host's.
            history: what it was seen to do.
            clock: the one that the history goes by.
            others: returns how many connections other programs have open.
        """
        super().__init__(parent)
        self.setObjectName("monitorDialog")
        self.setWindowTitle(texts("monitor.title", host=name))
        self.resize(620, 520)
        self._texts, self._history, self._clock, self._others = texts, history, clock, others
        self._state = label(tone="quiet", wrap=True)
        self._plots = {each: Plot(each, texts[f"monitor.{each}"], theme) for each in _PLOTS}
        grid = QGridLayout()
        grid.setSpacing(10)
        for index, plot in enumerate(self._plots.values()):
            grid.addWidget(plot, index // _COLUMNS, index % _COLUMNS)
        for column in range(_COLUMNS):
            grid.setColumnStretch(column, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(18, 16, 18, 18)
        layout.setSpacing(10)
        layout.addWidget(self._state)
        layout.addLayout(grid, 1)
        self._ticker = QTimer(self, interval=_DRAW_MS)
        self._ticker.timeout.connect(self.draw)

    def draw(self) -> None:
        """Show how things stand now."""
        now = self._clock()
        moments, newest = self._history.since(now - HOUR), self._history.newest
        state = "live" if newest else "rests" if moments else "nothing"
        self._state.setText(self._texts[f"monitor.{state}"])
        for name, plot in self._plots.items():
            points = [(each.at, _VALUE[name](each)) for each in moments]
            values = buckets(points, now - HOUR, now, plot.line.columns)
            plot.line.show_values(values, _top(name, values))
            value, remark = said(name, newest, moments, self._texts)
            if name == "requests" and newest is not None and (others := self._others()):
                remark = joined(remark, self._texts("monitor.others", count=others))
            plot.say(value, remark)

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802
        """Begin to draw."""
        super().showEvent(event)
        self._ticker.start()
        self.draw()

    def hideEvent(self, event: QHideEvent) -> None:  # noqa: N802
        """Draw no more."""
        super().hideEvent(event)
        self._ticker.stop()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        """Draw as many columns as there is room for."""
        super().resizeEvent(event)
        QTimer.singleShot(0, self, self.draw)


def _top(name: str, values: Sequence[float | None]) -> float:
    """Return what the upper edge of a plot means."""
    if name in _SHARES:
        return 1.0
    return max(_LEAST_TOP[name], *(value for value in values if value is not None), 0.0)


def said(
    name: str, newest: Sample | None, moments: Sequence[Moment], texts: Texts
) -> tuple[str, str]:
    """Return what stands above a plot: the newest value, and what is to be said beside it."""
    nothing = texts["monitor.unknown"]
    if newest is None or not moments:
        return nothing, ""
    last = moments[-1]
    if name == "tokens":
        read = newest.prompt_tokens_per_s
        beside = texts("monitor.read", speed=f"{read:,.0f}") if read else ""
        return _or(
            nothing, last.tokens_per_s, lambda v: texts("amount.speed", speed=f"{v:,.0f}")
        ), beside
    if name == "ttft":
        waits = [each.ttft_s for each in moments if each.ttft_s is not None]
        return (texts("monitor.seconds", time=f"{waits[-1]:.2f}") if waits else nothing), ""
    if name == "requests":
        waiting = texts("monitor.waiting", count=last.waiting) if last.waiting else ""
        return texts("monitor.running", count=last.running), waiting
    if name == "memory":
        return _or(nothing, last.memory, _percent), _memory(newest)
    cards = len(newest.cards)
    beside = texts("monitor.cards", count=cards) if name == "gpu" and cards > 1 else ""
    return _or(nothing, last.use if name == "gpu" else last.kv, _percent), beside


def _memory(sample: Sample) -> str:
    """Return what is used of what there is, of all cards together."""
    known = [(card.memory_used, card.memory_total) for card in sample.cards]
    used = sum(some for some, total in known if some is not None and total)
    total = sum(total for some, total in known if some is not None and total)
    return f"{gibibytes(used)} / {gibibytes(total)}" if total else ""


def _percent(share: float) -> str:
    return f"{share * 100:.0f}%"


def _or(nothing: str, value: float | None, shown: Callable[[float], str]) -> str:
    return nothing if value is None else shown(value)
