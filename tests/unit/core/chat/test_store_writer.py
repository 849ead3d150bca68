"""What streams is on disk within a second, whatever happens to the process or the disk.

`PAPERKITE_KILLS=100 pytest tests/unit/core/chat/test_store_writer.py` kills a hundred times.
"""

from __future__ import annotations

import os
import queue
import random
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from desktop.core.chat.conversation import Message, Outcome
from desktop.core.chat.store import opening
from desktop.core.chat.store.store import Store, open_store
from desktop.core.chat.store.writer import Writer
from desktop.core.errors import StorageError
from tests.helpers import streaming_store
from tests.helpers.command import ROOT

KILLS = int(os.environ.get("PAPERKITE_KILLS", "10"))
AT_ONCE = 2
LOST_S = 1.0
DEADLINE_S = 10.0
REPLY = Message("r", "c", "", "assistant", "", 1.0)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(open_store(tmp_path / "conversations.db")) as store:
        store.add(REPLY)
        yield store


def content(store: Store) -> str:
    return store.messages("c")[0].content


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_what_was_put_is_on_disk_within_a_second(store: Store) -> None:
    with closing(Writer(store)) as writer:
        for number in range(3):
            began = time.monotonic()
            writer.put(replace(REPLY, content=f"state {number}"))
            wait_until(lambda number=number: content(store) == f"state {number}")  # type: ignore[misc]
            assert time.monotonic() - began < LOST_S


def test_a_flush_writes_in_the_order_of_putting(store: Store) -> None:
    with closing(Writer(store)) as writer:
        for number in range(200):
            writer.put(replace(REPLY, content=str(number)))
            if number % 50 == 0:
                assert writer.flush()
                assert content(store) == str(number)
    assert content(store) == "199"


def test_closing_writes_what_is_left(store: Store) -> None:
    writer = Writer(store)
    writer.put(replace(REPLY, content="first"))
    writer.put(replace(REPLY, content="last", outcome=Outcome("stop")))
    writer.close()
    assert store.messages("c") == [replace(REPLY, content="last", outcome=Outcome("stop"))]


def test_what_is_over_gets_into_the_index_by_itself(store: Store) -> None:
    def left() -> int:
        with closing(sqlite3.connect(store.path)) as connection:
            (count,) = connection.execute(
                "SELECT count(*) FROM messages WHERE indexed = 0"
            ).fetchone()
        return int(count)

    with closing(Writer(store)):
        store.update(replace(REPLY, content="done", outcome=Outcome("stop")))
        wait_until(lambda: left() == 0)
    assert [hit.message for hit in store.search("done")] == []  # it has no conversation


def test_what_was_deleted_long_ago_is_let_go_of_by_itself(tmp_path: Path) -> None:
    path = tmp_path / "conversations.db"
    with closing(open_store(path, clock=lambda: 0.0)) as store:
        store.add(REPLY)
        store.delete_messages(["r"])
    with closing(open_store(path)) as store, closing(Writer(store)):
        wait_until(lambda: store.known([], ["r"]) == set())


def test_trouble_is_told_once_and_nothing_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "_BUSY_S", 0.01)
    path = tmp_path / "conversations.db"
    told: queue.SimpleQueue[StorageError | None] = queue.SimpleQueue()
    with closing(open_store(path)) as store:
        store.add(REPLY)
        with closing(Writer(store, told.put)) as writer:
            with closing(sqlite3.connect(path, isolation_level=None)) as other:
                other.execute("BEGIN IMMEDIATE")
                writer.put(replace(REPLY, content="held"))
                error = told.get(timeout=DEADLINE_S)
                assert error is not None
                assert error.code == "storage-busy"
                assert not writer.flush()
            assert told.get(timeout=DEADLINE_S) is None
            assert content(store) == "held"
            assert told.empty()


def kill_one(path: Path, after_s: float) -> tuple[list[tuple[str, int, float]], float]:
    """Let a process stream for a while; return what it had shown, and when it was killed."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.helpers.streaming_store", str(path)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        try:
            process.wait(after_s)
        except subprocess.TimeoutExpired:
            killed = time.monotonic()
            process.kill()
        lines = (first + process.stdout.read()).splitlines(keepends=True)
    shown = [line.split() for line in lines if line.endswith("\n")]
    return [(name, int(length), float(at)) for name, length, at in shown], killed


def lost(path: Path, after_s: float) -> float:
    """Return for how many seconds before the kill what was shown is not in the file."""
    shown, killed = kill_one(path, after_s)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    with closing(open_store(path)) as store:
        assert store.remark is None
        kept = {each.id: each for each in store.messages("c")}
    whole = "".join(map(streaming_store.piece, range(streaming_store.CHUNKS)))
    for message in kept.values():
        assert message.content == whole[: len(message.content)]
        assert message.outcome is not None
    missing = [at for name, length, at in shown if len(kept[name].content) < length]
    return killed - min(missing, default=killed)


def test_a_killed_app_loses_less_than_a_second_of_a_stream(tmp_path: Path) -> None:
    chance = random.Random(5)
    waits = [chance.uniform(0.0, 1.6) for _ in range(KILLS)]
    paths = [tmp_path / f"{number}" / "conversations.db" for number in range(KILLS)]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        losses = list(pool.map(lost, paths, waits))
    print(f"{KILLS} kills: at most {max(losses):.2f} s lost")
    assert max(losses) <= LOST_S
