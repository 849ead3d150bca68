"""The diary's file: new, newer, damaged, somebody else's, and left by a killed app."""

from __future__ import annotations

import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from desktop.core.diary.entry import Entry
from desktop.core.diary.schema import STEPS
from desktop.core.diary.store import Store, read
from desktop.core.diary.totals import Totals
from desktop.core.errors import StorageError

WHOLE = Entry(
    "e", "box", "o/m", 1.0, 9.5, card="A100", run="r1", rate=1.98, currency="CNY", reached=2.0,
    ready=3.0, ended=9.5, because="failed", code="engine.exited", generated=5, prompt=6,
    requests=7, idle_s=1.25, engine=Totals(5, 6, 7), quiet_at=8.0, heard=9.5,
)  # fmt: skip
OPEN = replace(WHOLE, id="o", run="r2", began=20.0, ended=None, because="", code="")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "diary.db"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    with closing(Store(path)) as made:
        yield made


def test_an_entry_comes_back_as_it_was(store: Store, path: Path) -> None:
    store.save([WHOLE])
    assert read(path) == [WHOLE]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_without_a_file_there_are_no_entries_and_none_is_made(path: Path) -> None:
    assert read(path) == []
    assert not path.exists()


def test_an_entry_is_saved_over_itself_and_goes_when_it_is_taken_away(
    store: Store, path: Path
) -> None:
    store.save([WHOLE, OPEN])
    store.save([replace(OPEN, generated=99)], gone=["e"])
    assert [(each.id, each.generated) for each in read(path)] == [("o", 99)]


def test_the_newest_entry_of_a_run_is_found(store: Store) -> None:
    store.save([WHOLE, replace(WHOLE, id="later", began=5.0)])
    found = store.of_run("r1")
    assert found is not None
    assert found.id == "later"
    assert store.of_run("r9") is None


def test_what_was_left_at_work_is_what_the_newest_session_of_each_host_tells(store: Store) -> None:
    left = replace(WHOLE, because="left")
    untold = replace(left, id="u", run="", seen=99.0)  # given up before it saw anything
    other = replace(left, id="s", host="lab", run="r3")
    stopped = replace(other, id="t", run="", seen=50.0, because="asked")
    store.save([untold, left, replace(left, id="old", run="r0", seen=5.0), stopped, other])
    found = store.left()
    assert [(host, each.id) for host, each in found.items()] == [("box", "e")]
    store.save([replace(left, because="asked")])
    assert store.left() == {}


def test_what_a_killed_app_left_open_is_closed_with_what_was_known(path: Path) -> None:
    with closing(Store(path)) as store:
        store.save([OPEN, replace(OPEN, id="told", because="idle")])
    with closing(Store(path)):
        ended = {each.id: (each.ended, each.because) for each in read(path)}
    assert ended == {"o": (9.5, "cut"), "told": (9.5, "idle")}


def test_a_newer_file_is_refused_and_stays_as_it_is(path: Path) -> None:
    with closing(Store(path)) as store:
        store.save([WHOLE])
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(StorageError) as refused:
        Store(path)
    assert refused.value.code == "storage-newer"
    with pytest.raises(StorageError, match="storage-newer"):
        read(path)
    assert [each.name for each in path.parent.iterdir() if each.suffix == ".db"] == ["diary.db"]


def test_a_file_of_a_version_before_is_brought_up_with_its_entries(path: Path) -> None:
    with closing(Store(path)) as store:
        store.save([WHOLE])
    more = (*STEPS, ("ALTER TABLE sessions ADD COLUMN note TEXT NOT NULL DEFAULT ''",))
    with closing(Store(path, more)), closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT note FROM sessions").fetchall() == [("",)]


def test_a_damaged_file_is_put_aside_and_the_diary_goes_on(path: Path) -> None:
    with closing(Store(path)) as store:
        store.save([WHOLE])
    path.write_bytes(b"not a database at all" * 100)
    with closing(Store(path)) as store:
        assert store.remark is not None
        assert store.remark.code == "diary-repaired"
        store.save([OPEN])
    assert [each.id for each in read(path)] == ["o"]
    kept = [each for each in path.parent.iterdir() if each.name.startswith("diary-damaged-")]
    assert kept[0].read_bytes().startswith(b"not a database")


def test_what_can_be_read_of_a_damaged_file_is_kept(path: Path) -> None:
    with closing(Store(path)) as store:
        store.save([replace(WHOLE, id=f"e{n}", began=float(n)) for n in range(400)])
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        page = connection.execute("PRAGMA page_size").fetchone()[0]
        connection.execute("PRAGMA writable_schema = ON")
        root = connection.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = 'sessions_of_run'"
        ).fetchone()[0]
    content = bytearray(path.read_bytes())
    content[(root - 1) * page : root * page] = b"\xff" * page
    path.write_bytes(content)
    with closing(Store(path)) as store:
        assert store.remark is not None
        assert store.remark.facts["sessions"] == 400
    assert len(read(path)) == 400


def test_damage_that_shows_while_it_is_read_is_the_diarys_own(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"not a database at all" * 100)
    with pytest.raises(StorageError) as refused:
        read(path)
    assert refused.value.code == "diary-damaged"


def test_somebody_elses_tables_are_not_ours(path: Path) -> None:
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE recipes (name TEXT)")
    with closing(Store(path)) as store:
        assert store.remark is not None
    assert read(path) == []


def test_a_row_that_somebody_edited_into_nonsense_is_passed_over(store: Store, path: Path) -> None:
    store.save(
        [WHOLE, *(replace(WHOLE, id=name) for name in ("odd", "worse", "far", "past", "free"))]
    )
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("UPDATE sessions SET began = 'noon' WHERE id = 'odd'")
        connection.execute("UPDATE sessions SET generated = 'many' WHERE id = 'worse'")
        connection.execute("UPDATE sessions SET reached = 9e999 WHERE id = 'far'")
        connection.execute("UPDATE sessions SET ended = -1e18 WHERE id = 'past'")
        connection.execute("UPDATE sessions SET rate = -1 WHERE id = 'free'")
    assert [each.id for each in read(path)] == ["e"]


def test_text_that_is_none_is_kept_as_far_as_it_is(store: Store, path: Path) -> None:
    store.save([replace(WHOLE, model="o/\ud800m", card="\udfff")])
    assert [(each.model, each.card) for each in read(path)] == [("o/?m", "?")]


def test_a_folder_that_is_a_file_is_not_writable(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("")
    with pytest.raises(StorageError) as refused:
        Store(tmp_path / "state" / "diary.db")
    assert refused.value.code == "storage-not-writable"
