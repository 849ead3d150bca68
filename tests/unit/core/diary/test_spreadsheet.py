from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.core.diary.entry import Entry
from desktop.core.diary.spreadsheet import COLUMNS, as_csv, harmless

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC).timestamp()
ENTRY = Entry(
    "e", "两张 A100", "o/m", NOON, NOON + 3600, card="RTX 4090", rate=1.98, currency="CNY",
    reached=NOON, ready=NOON + 60, ended=NOON + 3600, because="asked", generated=4600, prompt=9000,
    requests=17, idle_s=600.0,
)  # fmt: skip


def rows(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def test_a_session_is_one_line_under_the_headings() -> None:
    headings, row = rows(as_csv([ENTRY], COLUMNS, NOON, UTC))
    assert tuple(headings) == COLUMNS
    assert dict(zip(headings, row, strict=True)) == {
        "host": "两张 A100",
        "model": "o/m",
        "card": "RTX 4090",
        "began": "2026-11-23 12:00:00",
        "reached": "2026-11-23 12:00:00",
        "ready": "2026-11-23 12:01:00",
        "ended": "2026-11-23 13:00:00",
        "because": "asked",
        "rate": "1.9800",
        "currency": "CNY",
        "hours": "1.0000",
        "cost": "1.9800",
        "generated": "4600",
        "prompt": "9000",
        "requests": "17",
        "per_thousand": "0.430435",
        "idle_minutes": "10.0",
        "idle_cost": "0.3300",
    }


def test_excel_is_told_that_it_is_utf_8_and_lines_end_as_the_rfc_says() -> None:
    content = as_csv([ENTRY], COLUMNS, NOON, UTC)
    assert content.startswith(b"\xef\xbb\xbf")
    assert content.endswith(b"\r\n")
    assert content.count(b"\n") == content.count(b"\r\n") == 2


def test_what_is_not_known_is_an_empty_cell() -> None:
    bare = Entry("e", "h", "m", NOON, NOON)
    row = dict(zip(COLUMNS, rows(as_csv([bare], COLUMNS, NOON, UTC))[1], strict=True))
    empty = ("reached", "ended", "rate", "currency", "cost", "generated", "per_thousand")
    assert all(row[name] == "" for name in (*empty, "idle_cost"))


@pytest.mark.parametrize(
    "name", ["=1+1", "+1", "-1", "@SUM(A1)", " =1+1", "\t=1+1", "\r\n=1+1", "＝1+1", "\u00a0=1"]
)
def test_no_cell_is_a_formula(name: str) -> None:
    cells = rows(as_csv([replace(ENTRY, host=name)], COLUMNS, NOON, UTC))[1]
    assert cells[0].startswith("'")


def test_quotes_commas_and_lines_in_a_name_stay_in_their_cell() -> None:
    row = rows(as_csv([replace(ENTRY, host='a,"b"\nc')], COLUMNS, NOON, UTC))[1]
    assert row[0] == 'a,"b" c'
    assert len(row) == len(COLUMNS)


@given(st.text(), st.text(), st.text())
def test_whatever_names_hold_the_table_keeps_its_shape(host: str, model: str, card: str) -> None:
    odd = replace(ENTRY, host=host, model=model, card=card, because=host, currency=model)
    found = rows(as_csv([odd, ENTRY], COLUMNS, NOON, UTC))
    assert [len(row) for row in found] == [len(COLUMNS)] * 3
    assert not any(cell[:1] in "=+@-" for cell in found[1] if cell)


@given(st.text())
def test_a_harmless_cell_is_one_line_that_computes_nothing(text: str) -> None:
    cell = harmless(text)
    assert cell.isprintable()
    assert not cell.startswith(("=", "+", "-", "@"))
