from __future__ import annotations

import json
import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from remote import wire
from remote.journal import Follower, Journal


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    journal = Journal(tmp_path / "journal.jsonl", clock=lambda: 1.5)
    yield journal
    journal.close()


@contextmanager
def files_no_longer_than(size: int) -> Iterator[None]:
    """Let the kernel cut writes off at `size`, in the middle of a line, as a full disk does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)


def events(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in Follower(path).read()]


def test_events_are_numbered_from_one_and_carry_their_time(
    journal: Journal, tmp_path: Path
) -> None:
    journal.append("run", run="a")
    journal.append("stopped", reason="asked")
    assert events(tmp_path / "journal.jsonl") == [
        {"kind": "run", "seq": 1, "time": 1.5, "run": "a"},
        {"kind": "stopped", "seq": 2, "time": 1.5, "reason": "asked"},
    ]


def test_a_torn_last_line_is_not_shown_and_the_next_writer_cuts_it(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    path.write_bytes(b'{"kind":"run","seq":1}\n{"kind":"fact","se')
    assert [event["seq"] for event in events(path)] == [1]
    journal = Journal(path)
    journal.append("stopped", reason="asked")
    journal.close()
    assert [event["seq"] for event in events(path)] == [1, 2]


def test_a_full_disk_delays_events_and_leaves_no_gap(journal: Journal, tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    journal.append("run", run="a")
    with files_no_longer_than(path.stat().st_size + 20):
        journal.append("fact", name="b", value=1)
        journal.append("fact", name="c", value=2)
        assert journal.behind
        assert path.read_bytes().endswith(b"\n")  # the torn piece was cut off at once
    assert journal.flush()
    assert not journal.behind
    assert [(e["seq"], e.get("name")) for e in events(path)] == [(1, None), (2, "b"), (3, "c")]


def test_what_waits_is_bounded_and_progress_goes_first(journal: Journal, tmp_path: Path) -> None:
    with files_no_longer_than(0):
        journal.append("run", run="a")
        for done in range(3000):
            journal.append("progress", done=done)
        journal.append("stopped", reason="asked")
    assert journal.flush()
    told = events(tmp_path / "journal.jsonl")
    assert len(told) == 1000
    assert [e["seq"] for e in told] == list(range(1, 1001))
    assert (told[0]["kind"], told[-2]["done"], told[-1]["kind"]) == ("run", 2999, "stopped")


def test_a_line_that_is_too_long_loses_its_long_values(journal: Journal, tmp_path: Path) -> None:
    journal.append("fact", name="long", value="\u00e9" * wire.MAX_LINE_BYTES)
    journal.append("fact", name="short", value=1)
    long, short = events(tmp_path / "journal.jsonl")
    assert (long["name"], long["cut"]) == ("long", ["value"])
    assert short["seq"] == 2


def test_a_follower_starts_after_its_cursor_and_goes_on(journal: Journal, tmp_path: Path) -> None:
    for number in range(4):
        journal.append("fact", name=str(number), value=0)
    follower = Follower(tmp_path / "journal.jsonl", after=3)
    assert [json.loads(line)["seq"] for line in follower.read()] == [4]
    assert follower.read() == []
    journal.append("fact", name="more", value=0)
    assert [json.loads(line)["seq"] for line in follower.read()] == [5]


def test_a_follower_waits_for_what_is_after_its_cursor(journal: Journal, tmp_path: Path) -> None:
    follower = Follower(tmp_path / "journal.jsonl", after=1)
    assert follower.read() == []
    journal.append("fact", name="1", value=0)
    assert follower.read() == []
    journal.append("fact", name="2", value=0)
    assert [json.loads(line)["seq"] for line in follower.read()] == [2]


def test_a_follower_reads_a_long_journal_in_pieces(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    lines = [json.dumps({"kind": "fact", "seq": seq, "value": "x" * 1000}) for seq in range(3000)]
    path.write_text("\n".join(lines) + "\n")
    follower = Follower(path, after=2000)
    found: list[str] = []
    while True:
        piece = follower.read()
        if not piece:
            break
        found += piece
    assert found == lines[2000:]


def test_a_follower_of_nothing_finds_nothing(tmp_path: Path) -> None:
    assert Follower(tmp_path / "journal.jsonl").read() == []
