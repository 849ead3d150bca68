from __future__ import annotations

from pathlib import Path

from remote.disclosure import Disclosure
from remote.lines import LineSplitter, last_lines


def test_lines_are_told_as_they_become_complete() -> None:
    splitter = LineSplitter()
    assert splitter.feed(b"one\ntw") == ["one"]
    assert splitter.feed(b"o\r\n\n 10%\r 20%\rrest") == ["two", " 10%", " 20%"]
    assert splitter.end() == ["rest"]
    assert splitter.end() == []


def test_a_character_may_come_in_two_pieces() -> None:
    splitter = LineSplitter()
    whole = "纸鸢\n".encode()
    assert splitter.feed(whole[:2]) == []
    assert splitter.feed(whole[2:]) == ["纸鸢"]
    assert splitter.feed(b"\xff\n") == ["\ufffd"]


def test_a_line_without_end_comes_in_pieces() -> None:
    splitter = LineSplitter()
    pieces = []
    for _ in range(10):
        pieces += splitter.feed(b"x" * 5000)
    assert pieces
    assert max(map(len, pieces)) <= 8192


def test_the_end_of_a_log_is_bounded(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_text("".join(f"{number} {'x' * 1000}\n" for number in range(500)))
    found = last_lines(log)
    assert [line.split()[0] for line in found] == [str(number) for number in range(460, 500)]
    assert {len(line) for line in found} == {500}
    assert last_lines(log, count=2, chars=4) == ["498 ", "499 "]
    assert last_lines(log, count=0) == []
    assert last_lines(tmp_path / "nowhere.log") == []


def test_nothing_with_a_secret_is_disclosed() -> None:
    disclosure = Disclosure(["sk-long-secret", "", "short"])
    assert disclosure.text("a sk-long-secret in short") == "a *** in short"
    assert disclosure.value({"deep": [{"a": "sk-long-secret!"}]}) == {"deep": [{"a": "***!"}]}
    assert disclosure.last_lines(["x"] * 50 + ["y" * 900]) == ["x"] * 39 + ["y" * 500]


def test_disclosed_values_are_bounded() -> None:
    endless: list[object] = []
    endless.append(endless)
    disclosure = Disclosure([])
    assert len(disclosure.value("x" * 9999)) == 2000
    assert len(disclosure.value(list(range(9999)))) == 200
    assert disclosure.value(endless) == [[[[["[[...]]"]]]]]
