"""What loading took last time: kept, bounded, and never trusted further than an estimate may be."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from remote.engine import experience
from remote.engine.experience import Kind
from remote.engine.log_phases import STEPS

KIND = Kind("kite/tiny", "0.32.0", eager=True, cards=1)
TOOK = {"start": 12.34, "weights": 5.0}


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "load-seconds.json"


def test_what_was_remembered_is_recalled_for_the_same_kind_alone(kept: Path) -> None:
    experience.remember(kept, KIND, TOOK)
    found = experience.recall(kept, KIND)
    assert found is not None
    assert (found["start"], found["weights"], found["compile"]) == (12.34, 5.0, 0.0)
    for other in (
        KIND._replace(model="kite/other"),
        KIND._replace(version="0.33.0"),
        KIND._replace(eager=False),
        KIND._replace(cards=2),
    ):
        assert experience.recall(kept, other) is None


def test_the_last_time_counts(kept: Path) -> None:
    experience.remember(kept, KIND, TOOK)
    experience.remember(kept, KIND, {"start": 1.0})
    assert (experience.recall(kept, KIND) or {})["start"] == 1.0


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"\xff\xfe",
        b"[" * 50_000,
        b'{"format": 2, "seconds": {}}',
        b'{"format": 1, "seconds": []}',
        b'{"format": 1, "seconds": {"kite/tiny 0.32.0 eager 1": 5}}',
        b'{"format": 1, "seconds": {"kite/tiny 0.32.0 eager 1": {}}}',
        json.dumps({"format": 1, "seconds": {KIND.key: dict.fromkeys(STEPS, -1)}}).encode(),
        json.dumps({"format": 1, "seconds": {KIND.key: dict.fromkeys(STEPS, 1e9)}}).encode(),
        json.dumps({"format": 1, "seconds": {KIND.key: dict.fromkeys(STEPS, 0)}}).encode(),
    ],
)
def test_a_damaged_file_is_no_experience_and_is_replaced(kept: Path, content: bytes) -> None:
    kept.parent.mkdir()
    kept.write_bytes(content)
    assert experience.recall(kept, KIND) is None
    experience.remember(kept, KIND, TOOK)
    assert experience.recall(kept, KIND) is not None


def test_the_file_stays_small_and_the_newest_are_kept(kept: Path) -> None:
    for number in range(80):
        experience.remember(kept, KIND._replace(cards=number), TOOK)
    assert len(json.loads(kept.read_text())["seconds"]) == 64
    assert experience.recall(kept, KIND._replace(cards=79)) is not None
    assert experience.recall(kept, KIND._replace(cards=0)) is None
    assert kept.stat().st_size < 64 * 1024
    assert [path.name for path in kept.parent.iterdir()] == [kept.name]


def test_a_place_that_cannot_be_written_is_done_without(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where the folder should be")
    experience.remember(tmp_path / "cache" / "load-seconds.json", KIND, TOOK)
    assert experience.recall(tmp_path / "cache" / "load-seconds.json", KIND) is None
