from __future__ import annotations

import os
import stat
import threading
from pathlib import Path
from typing import Any

import pytest

from remote import locks, runs
from remote.runs import Run

LETTERS = "abcd"


@pytest.mark.parametrize(
    ("name", "valid"),
    [
        ("20260101000000000-abcd", True),
        ("20260101000000000-ABCD", False),
        ("2026010100000000-abcd", False),
        ("20260101000000000-abcde", False),
        ("20260101000000000/abcd", False),
        ("..", False),
        ("", False),
        ("２０２６０１０１０００００００００-abcd", False),
    ],
)
def test_only_ids_of_runs_are_ids(name: str, valid: bool) -> None:
    assert runs.is_run_id(name) is valid


def test_an_id_is_its_time_in_utc() -> None:
    assert runs.next_id(1795385832.8239, None, LETTERS) == "20261122221712823-abcd"


def test_ids_ascend_even_when_the_clock_goes_back() -> None:
    first = runs.next_id(1795385832.0, None, "zzzz")
    same = runs.next_id(1795385832.0, first, "aaaa")
    back = runs.next_id(1000000000.0, same, "aaaa")
    assert first < same < back
    assert runs.is_run_id(back)


def test_a_run_is_invisible_until_it_is_published(tmp_path: Path) -> None:
    unfinished = runs.create(tmp_path, {"model": "a/b"})
    assert runs.newest(tmp_path) is None
    run = runs.publish(unfinished)
    assert runs.newest(tmp_path) == run
    assert run.id == runs.final_id(unfinished)
    assert runs.read_object(run.spec) == {"model": "a/b"}


def test_a_disk_that_refuses_leaves_nothing_half_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        runs.create(tmp_path, {})
    assert list(tmp_path.iterdir()) == []


def test_private_files_are_replaced_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "endpoint.json"
    runs.write_private(path, {"port": 1})
    assert stat.S_IMODE(path.stat().st_mode) == 0o600

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        runs.write_private(path, {"port": 2})
    assert runs.read_object(path) == {"port": 1}
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("content", [b"", b"[1]", b"{", b"\xff", b"[" * 100_000])
def test_a_damaged_file_reads_as_nothing(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "spec.json").write_bytes(content)
    assert runs.read_object(tmp_path / "spec.json") is None


def test_pruning_keeps_the_newest_and_no_leftovers(tmp_path: Path) -> None:
    made = [runs.publish(runs.create(tmp_path, {})) for _ in range(4)]
    runs.create(tmp_path, {})
    runs.prune(tmp_path, 2)
    assert runs.all_runs(tmp_path) == made[:1:-1]
    assert len(list(tmp_path.iterdir())) == 2


def test_an_unknown_run_is_none(tmp_path: Path) -> None:
    assert runs.named(tmp_path, "20260101000000000-abcd") is None
    assert runs.named(tmp_path, "..") is None
    assert runs.all_runs(tmp_path / "nowhere") == []


def test_a_lock_tells_its_holder_until_it_is_let_go(tmp_path: Path) -> None:
    run = Run(tmp_path)
    assert locks.holder(run.lock) is None
    lock = locks.take(run.lock)
    locks.sign(lock)
    assert locks.holder(run.lock) == locks.Holder(os.getpid(), leaving=False)
    locks.sign(lock, leaving=True)
    assert locks.holder(run.lock) == locks.Holder(os.getpid(), leaving=True)
    os.close(lock)
    assert locks.holder(run.lock) is None


def test_a_second_taker_waits_for_the_first(tmp_path: Path) -> None:
    order: list[Any] = []
    inside = threading.Event()

    def second() -> None:
        inside.set()
        with locks.held(tmp_path / "lock"):
            order.append("second")

    with locks.held(tmp_path / "lock"):
        thread = threading.Thread(target=second)
        thread.start()
        assert inside.wait(10)
        order.append("first")
    thread.join(10)
    assert order == ["first", "second"]
