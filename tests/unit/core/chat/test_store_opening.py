"""A file that is newer, older, damaged, somebody else's or busy: what opening does about it."""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from desktop.core.chat.conversation import Attachment, Conversation, Message, Outcome, Unsent
from desktop.core.chat.store import opening
from desktop.core.chat.store.schema import STEPS, migrate
from desktop.core.chat.store.store import Store, open_store
from desktop.core.errors import StorageError
from tests.helpers.small_disk import SmallDisk, small_disk

needs_root = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="mounting a disk takes root"
)
TALK = Conversation("c", "Title", 1.0, 2.0)
COUNT = 400


def message(number: int) -> Message:
    return Message(f"m{number}", "c", "", "user", f"number {number} " + "x" * 500, float(number))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "conversations.db"
    with closing(open_store(path)) as store:
        store.save(TALK)
        for number in range(COUNT):
            store.add(message(number))
        store.save_prompt("p", "text")
    return path


def files(path: Path) -> set[str]:
    return {each.name for each in path.parent.iterdir()}


def add_many(store: Store) -> None:
    for number in range(1, 1000):
        store.add(message(number))


def execute(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


def not_closed(path: Path) -> None:
    execute(path, "UPDATE state SET value = '0' WHERE name = 'closed'")


def refused(path: Path) -> StorageError:
    with pytest.raises(StorageError) as caught:
        open_store(path).close()
    return caught.value


def page_of(path: Path, text: bytes) -> tuple[int, int]:
    """Return where the page begins that holds this text, and its length."""
    content = path.read_bytes()
    size = int.from_bytes(content[16:18], "big")
    return content.index(text) // size * size, size


def overwrite(path: Path, at: int, garbage: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        file.write(garbage)


@pytest.mark.skipif(os.name == "nt", reason="Windows has other permissions")
def test_the_file_and_those_beside_it_are_private(path: Path) -> None:
    with closing(open_store(path)) as store:
        store.save(TALK)
        modes = {stat.S_IMODE(each.stat().st_mode) for each in path.parent.iterdir()}
        assert modes == {0o600}


def test_a_file_of_a_newer_version_is_refused_and_not_touched(path: Path) -> None:
    execute(path, f"PRAGMA user_version = {len(STEPS) + 1}")
    before = path.read_bytes()
    error = refused(path)
    assert error.code == "storage-newer"
    assert error.facts["version"] == len(STEPS) + 1
    assert path.read_bytes() == before
    assert files(path) == {path.name}


def test_an_older_file_is_brought_up_after_a_copy_was_made(path: Path) -> None:
    steps = (*STEPS, ("ALTER TABLE prompts ADD COLUMN used REAL",))
    with closing(open_store(path, steps=steps)) as store:
        remark = store.remark
        assert len(store.messages("c")) == COUNT
    assert remark is not None
    assert remark.code == "storage-upgraded"
    with closing(open_store(Path(remark.facts["backup"]))) as copy:
        assert len(copy.messages("c")) == COUNT
    with closing(open_store(path, steps=steps)) as store:
        assert store.remark is None


def test_a_file_of_the_first_version_is_brought_up_with_all_that_is_in_it(tmp_path: Path) -> None:
    path = tmp_path / "conversations.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as first:
        migrate(first, STEPS[:1])
        first.execute(
            "INSERT INTO conversations (id, title, created, updated, leaf, setup, draft, pinned,"
            " archived) VALUES ('c', 'Title', 1, 2, 'm1', '{}', 'half', 0, 0)"
        )
        first.execute(
            "INSERT INTO messages (id, conversation, parent, role, created, model, attachments,"
            " content, reasoning) VALUES ('m1', 'c', '', 'user', 1, '', '[]', 'Hello', '')"
        )
    with closing(open_store(path)) as store:
        assert store.remark is not None
        assert store.remark.code == "storage-upgraded"
        assert store.conversation("c") == replace(TALK, leaf="m1", draft="half")
        assert store.messages("c") == [Message("m1", "c", "", "user", "Hello", 1.0)]
        assert store.unsent("c") == Unsent()


def test_what_lies_beside_a_draft_is_saved_from_a_damaged_file(path: Path) -> None:
    beside = Unsent((Attachment("a.txt", "text"),), "m1", "number one anew")
    with closing(open_store(path)) as store:
        kept = store.conversation("c")
        assert kept is not None
        store.take(kept, unsent=beside)
    at, size = page_of(path, b"number 200 ")
    overwrite(path, at, b"\xff" * size)
    not_closed(path)
    with closing(open_store(path)) as store:
        assert store.remark is not None
        assert store.unsent("c") == beside


def test_a_step_that_fails_leaves_the_file_as_it_was(path: Path) -> None:
    steps = (*STEPS, ("CREATE TABLE half (x)", "this is no SQL"))
    with pytest.raises(sqlite3.OperationalError):
        open_store(path, steps=steps)
    with closing(open_store(path)) as store:
        assert len(store.messages("c")) == COUNT
    with closing(sqlite3.connect(path)) as connection:
        assert not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'half'").fetchall()


def test_a_damaged_page_costs_what_was_on_it_and_the_old_file_is_kept(path: Path) -> None:
    at, size = page_of(path, b"number 200 ")
    not_closed(path)
    overwrite(path, at, b"\xa5" * size)
    with closing(open_store(path)) as store:
        remark = store.remark
        kept = {each.id for each in store.messages("c")}
        assert store.conversations() == [TALK]
        assert store.prompts() == {"p": "text"}
    assert remark is not None
    assert remark.code == "storage-repaired"
    assert remark.facts["messages"] == len(kept)
    lost = {f"m{number}" for number in range(COUNT)} - kept
    assert "m200" in lost
    assert len(lost) <= size // 500
    assert files(path) == {path.name, Path(remark.facts["backup"]).name}
    with closing(open_store(path)) as store:
        assert store.remark is None
        assert {each.id for each in store.messages("c")} == kept


def test_messages_whose_conversation_is_lost_get_one_again(path: Path) -> None:
    at, size = page_of(path, b"cTitle")
    not_closed(path)
    overwrite(path, at, b"\xa5" * size)
    with closing(open_store(path)) as store:
        adopted = store.conversations()
        assert [(each.id, each.title, each.leaf) for each in adopted] == [
            ("c", "", f"m{COUNT - 1}")
        ]
        assert len(store.messages("c")) == COUNT


def test_damage_that_shows_later_is_repaired_at_the_next_start(path: Path) -> None:
    at, size = page_of(path, b"number 200 ")
    overwrite(path, at, b"\xa5" * size)
    store = open_store(path)  # it was closed properly: not read through
    with pytest.raises(StorageError) as caught:
        store.messages("c")
    store.close()
    assert caught.value.code == "storage-damaged"
    with closing(open_store(path)) as again:
        assert again.remark is not None
        assert len(again.messages("c")) > COUNT - 50


@pytest.mark.parametrize(
    "content", [b"not SQLite at all" * 500, b"SQLite format 3\0" + b"\xa5" * 8192]
)
def test_a_file_of_which_nothing_can_be_read_is_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "conversations.db"
    path.write_bytes(content)
    assert refused(path).code == "storage-damaged"
    assert path.read_bytes() == content
    assert files(path) == {path.name}


def test_somebody_elses_database_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "conversations.db"
    execute(path, "CREATE TABLE theirs (x)", "INSERT INTO theirs VALUES (1)")
    before = path.read_bytes()
    assert refused(path).code == "storage-damaged"
    assert path.read_bytes() == before
    assert files(path) == {path.name}


def test_an_empty_file_is_a_new_one(tmp_path: Path) -> None:
    path = tmp_path / "conversations.db"
    path.touch()
    with closing(open_store(path)) as store:
        assert store.remark is None
        assert store.conversations() == []


def test_a_folder_that_cannot_be_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert refused(tmp_path / "file" / "conversations.db").code == "storage-not-writable"


def test_a_folder_in_the_place_of_the_file_is_said(tmp_path: Path) -> None:
    assert refused(tmp_path).code == "storage-not-writable"


def test_a_busy_file_is_said_and_works_again(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "_BUSY_S", 0.05)
    with closing(open_store(path)) as store:
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StorageError) as caught:
                store.save(TALK)
            assert len(store.messages("c")) == COUNT
            assert refused(path).code == "storage-busy"
        assert caught.value.code == "storage-busy"
        store.save(replace(TALK, title="free again"))
        assert store.conversations()[0].title == "free again"


def test_two_apps_at_once_lose_nothing(path: Path) -> None:
    streaming = Message("r", "c", "", "assistant", "so", 1e6)
    with closing(open_store(path)) as first:
        first.add(streaming)
        with closing(open_store(path)) as second:  # takes it for a reply that was cut
            first.keep([replace(streaming, content="so far")])
            assert second.messages("c")[-1].content == "so far"
            second.save(replace(TALK, id="d"))
        first.update(replace(streaming, content="so far so good", outcome=Outcome("stop")))
        assert {each.id for each in first.conversations()} == {"c", "d"}
        assert first.messages("c")[-1].outcome == Outcome("stop")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    with small_disk(tmp_path / "disk", "2m") as disk:
        yield disk


@needs_root
def test_a_full_disk_is_said_and_nothing_that_was_kept_is_lost(disk: SmallDisk) -> None:
    path = disk.folder / "conversations.db"
    with closing(open_store(path)) as store:
        store.save(TALK)
        store.add(message(0))
        disk.fill()
        with pytest.raises(StorageError) as caught:
            add_many(store)
        assert caught.value.code == "storage-not-writable"
        kept = store.messages("c")
        assert kept[0] == message(0)
        disk.empty()
        store.add(message(5000))
        assert store.messages("c") == [*kept, message(5000)]
    with closing(open_store(path)) as store:
        assert store.messages("c") == [*kept, message(5000)]


@needs_root
def test_a_disk_that_is_full_from_the_start_is_said(disk: SmallDisk) -> None:
    disk.fill()
    assert refused(disk.folder / "deep" / "conversations.db").code == "storage-not-writable"
