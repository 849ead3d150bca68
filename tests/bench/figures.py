"""A benchmark's figures as a small table: each against its bar, or beside its peer for context.

Benchmarks measure and never fail: a bar that is missed reads OVER, and a person asks why.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Figure:
    """One measured number.

    Attributes:
        what: was measured.
        value: in `unit`.
        unit: "s", "ms", "x", "MiB/s" or "".
        bar: what it is held to, in `unit`; None where it stands for context.
        side: of the bar on which it should be.
        spread: the lowest and the highest of the samples behind a median.
    """

    what: str
    value: float
    unit: str
    bar: float | None = None
    side: Literal["<=", ">="] = "<="
    spread: tuple[float, float] | None = None

    @property
    def verdict(self) -> str:
        """Return "ok" or "OVER", or "" where there is no bar."""
        if self.bar is None:
            return ""
        met = self.value <= self.bar if self.side == "<=" else self.value >= self.bar
        return "ok" if met else "OVER"


def median(
    what: str, samples: Sequence[float], unit: str, bar: float | None = None, *, less: float = 0.0
) -> Figure:
    """Return the median of the samples as a figure, each of them `less` something known."""
    reduced = [sample - less for sample in samples]
    spread = (min(reduced), max(reduced))
    return Figure(what, statistics.median(reduced), unit, bar, spread=spread)


def times(count: int, measure: Callable[[], float]) -> list[float]:
    """Return `count` measurements, one after the other."""
    return [measure() for _ in range(count)]


def quantile(samples: Sequence[float], share: float) -> float:
    """Return the sample below which this share of the samples lies."""
    ordered = sorted(samples)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


def show(title: str, figures: Sequence[Figure], *notes: str) -> None:
    """Print the table, and below it what one must know to read it."""
    rows = [_row(figure) for figure in figures]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    print(title)
    for what, *numbers in rows:
        columns = [text.rjust(width) for text, width in zip(numbers, widths[1:], strict=True)]
        print(f"  {what.ljust(widths[0])}  {'  '.join(columns)}".rstrip())
    for note in notes:
        print(f"  ({note})")
    print(flush=True)


def _row(figure: Figure) -> tuple[str, str, str, str, str]:
    bar = "" if figure.bar is None else f"{figure.side} {figure.bar:g}"
    spread = "" if figure.spread is None else "{:.3g} to {:.3g}".format(*figure.spread)
    return figure.what, f"{_short(figure.value)} {figure.unit}", spread, bar, figure.verdict


def _short(value: float) -> str:
    return f"{value:.0f}" if value >= 100 or value == int(value) else f"{value:.2f}"
