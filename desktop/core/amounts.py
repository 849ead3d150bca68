"""Bytes, rates and times as people read them: pure functions, no Qt."""

from __future__ import annotations

from desktop.core.events import Progress
from desktop.core.texts import Texts

_KILO = 1000  # decimal, as hubs, disks and network plans count
_UNITS = ("B", "KB", "MB", "GB", "TB")


def size(count: float) -> str:
    """Return a number of bytes such as "7.2 GB", with two or three figures."""
    value, unit = _scaled(count)
    return f"{_figures(value)} {unit}"


def size_of(done: float, total: float | None) -> str:
    """Return "7.2 / 19.2 GB": both in the unit of the larger; only `done` where none is known."""
    if total is None:
        return size(done)
    value, unit = _scaled(total)
    scale = _KILO ** _UNITS.index(unit)
    return f"{_figures(done / scale)} / {_figures(value)} {unit}"


def _scaled(count: float) -> tuple[float, str]:
    value = max(count, 0.0)
    for unit in _UNITS[:-1]:
        if value < _KILO:
            return value, unit
        value /= _KILO
    return value, _UNITS[-1]


def _figures(value: float) -> str:
    return f"{value:.1f}" if 0 < value < 100 and value != int(value) else f"{value:.0f}"


def gibibytes(count: float) -> str:
    """Return "18.4 GiB": memory of cards and hosts, as their drivers and vLLM's log count it.

    Less than a tenth of one reads as "7.63 MiB".
    """
    value = count / (1 << 30)
    return f"{value:.1f} GiB" if value >= 0.1 or not count else mebibytes(count)


def mebibytes(count: float) -> str:
    """Return "0.23 MiB": the smaller amounts of the same kind."""
    return f"{count / (1 << 20):.2f} MiB"


def duration(seconds: float, texts: Texts) -> str:
    """Return "8 s", "3 min 20 s" or "1 h 5 min" in the reader's language."""
    whole = max(round(seconds), 0)
    hours, rest = divmod(whole, 3600)
    minutes, left = divmod(rest, 60)
    if hours:
        return texts("amount.hours", hours=hours, minutes=minutes)
    if minutes:
        return texts("amount.minutes", minutes=minutes, seconds=left)
    return texts("amount.seconds", seconds=left)


def amount(progress: Progress) -> str:
    """Return how far a task is, "" where counting says nothing to people (seconds)."""
    if progress.unit == "bytes":
        return size_of(progress.done, progress.total)
    if progress.unit == "steps" and progress.total:
        return f"{progress.done:.0f} / {progress.total:.0f}"
    return ""


def pace(progress: Progress, texts: Texts) -> str:
    """Return the rate and the time left, as far as they are known: "62 MB/s · 3 min left"."""
    parts = []
    if progress.unit == "bytes" and progress.rate:
        parts.append(texts("amount.rate", size=size(progress.rate)))
    if progress.eta_s is not None:
        parts.append(texts("amount.left", time=duration(progress.eta_s, texts)))
    return joined(*parts)


def joined(*parts: str) -> str:
    """Return the parts that say something, with a dot between them.

    The dot is U+22C5: Chinese fonts draw the usual one (U+00B7) as wide as a character.
    """
    return " ⋅ ".join(part for part in parts if part)
