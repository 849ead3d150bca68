from __future__ import annotations

import pytest

from remote import wire


def test_a_line_is_ascii_and_reads_back() -> None:
    message = {"kind": "fact", "name": "n", "value": "纸鸢\n\u2028"}
    line = wire.encode(message)
    assert line.isascii()
    assert line.count("\n") == 1
    assert wire.decode(line) == message


@pytest.mark.parametrize(
    "line",
    ["", "x", "[]", "{}", '{"kind":1}', "null", "[" * 100_000, '{"kind":"a"} ' + " " * 300_000],
)
def test_anything_else_is_refused(line: str) -> None:
    with pytest.raises(wire.WireError):
        wire.decode(line)


@pytest.mark.parametrize(
    ("value", "text", "integer", "number"),
    [
        ("abcdef", "abc", None, None),
        (3, None, 3, 3.0),
        (2.5, None, None, 2.5),
        (-1, None, None, None),
        (True, None, None, None),
        (float("inf"), None, None, None),
        (float("nan"), None, None, None),
        (10**400, None, None, None),
        (None, None, None, None),
        ([1], None, None, None),
    ],
)
def test_fields_are_checked_where_they_are_read(
    value: object, text: object, integer: object, number: object
) -> None:
    message = {"key": value}
    assert wire.text(message, "key", 3) == text
    assert wire.integer(message, "key") == integer
    assert wire.number(message, "key") == number


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (None, None),
        (True, True),
        (-3, -3),
        (2.5, 2.5),
        ("x" * 9, "xxxx"),
        ([1, 2, 3], "[1, "),
        (float("nan"), None),
        (float("-inf"), None),
        (10**400, None),
        (-(10**400), None),
    ],
)
def test_a_fact_becomes_plain(value: object, plain: object) -> None:
    assert wire.plain(value, 4) == plain
