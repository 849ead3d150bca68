"""A folder as a repository: its listing, and what is not in it."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from desktop.rehearsal.repository import Repository, listing


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "original").mkdir()
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "original" / "weights.bin").write_bytes(b"12345")
    (tmp_path / ".hidden").write_text("secret")
    (tmp_path / "link").symlink_to("/etc/hostname")
    return tmp_path


def paths(entries: list[dict[str, object]]) -> list[tuple[object, object]]:
    return [(entry["Path"], entry["Type"]) for entry in entries]


def test_the_listing_has_folders_sizes_and_digests(folder: Path) -> None:
    entries = listing(Repository(folder).files(), "", recursive=True)
    assert paths(entries) == [
        ("original", "tree"),
        ("config.json", "blob"),
        ("original/weights.bin", "blob"),
    ]
    assert entries[-1]["Size"] == 5
    assert entries[-1]["Name"] == "weights.bin"
    assert entries[-1]["Sha256"] == hashlib.sha256(b"12345").hexdigest()


def test_a_shallow_listing_stops_at_folders_and_a_root_begins_inside_one(folder: Path) -> None:
    files = Repository(folder).files()
    assert paths(listing(files, "", recursive=False)) == [
        ("original", "tree"),
        ("config.json", "blob"),
    ]
    assert paths(listing(files, "/original/", recursive=False)) == [
        ("original/weights.bin", "blob")
    ]


@pytest.mark.parametrize(
    "path", [".hidden", "link", "../config.json", "original", "", "/etc/passwd"]
)
def test_what_is_not_listed_leads_nowhere(folder: Path, path: str) -> None:
    assert Repository(folder).file(path) is None


def test_a_changed_file_has_another_digest(folder: Path) -> None:
    repository = Repository(folder)
    before = repository.file("config.json")
    (folder / "config.json").write_text('{"changed": 1}')
    after = repository.file("config.json")
    assert before is not None
    assert after is not None
    assert after.sha256 == hashlib.sha256(b'{"changed": 1}').hexdigest() != before.sha256
