"""The diary as a CSV file that a spreadsheet opens as it is: RFC 4180, UTF-8 with a BOM for Excel.

Names and models come from elsewhere. A cell that a spreadsheet would take for a formula gets an
apostrophe before it (OWASP, "CSV Injection").
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import datetime, tzinfo

from desktop.core.diary.entry import Entry

# In this order; each has a heading below `diary.csv` in the texts.
COLUMNS = (
    "host", "model", "card", "began", "reached", "ready", "ended", "because", "rate", "currency",
    "hours", "cost", "generated", "prompt", "requests", "per_thousand", "idle_minutes", "idle_cost",
)  # fmt: skip
_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")  # wide ones too
_BOM = "\ufeff"


def as_csv(
    entries: Iterable[Entry],
    headings: Sequence[str],
    now: float,
    zone: tzinfo | None = None,
) -> bytes:
    """Return the file.

    Args:
        entries: one line each, in this order.
        headings: one for each of `COLUMNS`.
        now: until when a session that goes on is counted.
        zone: of the times; None: where the laptop is.
    """
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([harmless(heading) for heading in headings])
    for entry in entries:
        writer.writerow(_row(entry, now, zone))
    return (_BOM + out.getvalue()).encode("utf-8", "replace")


def harmless(text: str) -> str:
    """Return a cell's text on one line, and never a formula."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return f"'{line}" if line.startswith(_FORMULA) else line


def _row(entry: Entry, now: float, zone: tzinfo | None) -> list[str]:
    moments = (entry.began, entry.reached, entry.ready, entry.ended)
    return [
        *(harmless(text) for text in (entry.host, entry.model, entry.card)),
        *(_time(moment, zone) for moment in moments),
        harmless(" ".join(part for part in (entry.because, entry.code) if part)),
        *((_number(entry.rate, 4), harmless(entry.currency)) if entry.rate else ("", "")),
        _number(entry.rented_s(now) / 3600, 4),
        _number(entry.cost(now), 4) if entry.rate else "",
        *(_count(each) for each in (entry.generated, entry.prompt, entry.requests)),
        _number(entry.per_thousand(now), 6),
        _number(entry.idle_s / 60, 1),
        _number(entry.idle_cost, 4) if entry.rate else "",
    ]


def _time(moment: float | None, zone: tzinfo | None) -> str:
    if moment is None:
        return ""
    return datetime.fromtimestamp(moment, zone).strftime("%Y-%m-%d %H:%M:%S")


def _number(value: float | None, places: int) -> str:
    return "" if value is None else f"{value:.{places}f}"


def _count(value: int | None) -> str:
    return "" if value is None else str(value)
