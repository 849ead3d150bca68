"""`clean --partial`: what half a preparation left goes, and nothing else, inside or outside."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from remote import locks, runs, verbs, wire
from remote.journal import Journal
from remote.packages import leftovers
from remote.packages.leftovers import Freed
from remote.packages.places import Places
from remote.verbs import clean


def written(path: Path, size: int = 8192) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * size)
    return path


@pytest.fixture
def places(tmp_path: Path) -> Places:
    """A data disk with a whole and a half of everything."""
    places = Places(tmp_path / "data")
    model = places.model("kite/tiny", "master")
    for name in ("model.safetensors", "other.safetensors.incomplete", ".paperkite.json"):
        written(model / name)
    written(places.engine("vllm-0.32.0") / "environment.json")
    written(places.engine("vllm-0.32.0") / "lib" / "torch.so")
    written(places.engine("vllm-0.26.0") / "lib" / "torch.so")
    written(places.hub / "bin" / "python")
    written(places.cache("tmp") / "pip-unpack-1" / "wheel")
    written(places.cache("uv") / "wheel")
    written(places.cache("uv") / ".tmpA1b2" / "torch.so")
    return places


def names(places: Places) -> list[str]:
    return [str(path.relative_to(places.home)) for path in leftovers.find(places)]


def test_only_what_no_run_takes_for_complete_is_left_over(places: Places) -> None:
    assert names(places) == [
        "engines/vllm-0.26.0",
        "hub",
        "models/kite--tiny/master/other.safetensors.incomplete",
        "cache/uv/.tmpA1b2",
        "cache/tmp/pip-unpack-1",
    ]


def test_what_was_removed_is_counted_by_what_the_disk_has_back(places: Places) -> None:
    folder = places.engine("vllm-0.26.0")
    os.link(str(folder / "lib/torch.so"), str(places.cache("uv") / "torch.so"))
    written(folder / "own")
    assert leftovers.remove(folder) == Freed(8192, 2)
    assert leftovers.remove(folder) == Freed(0, 0)
    assert (places.cache("uv") / "torch.so").exists()


@pytest.mark.parametrize(
    "link", ["engines", "models", "engines/away", "models/kite--tiny/away", "hub", "cache/tmp"]
)
def test_a_link_that_leads_out_is_not_followed(places: Places, tmp_path: Path, link: str) -> None:
    outside = tmp_path / "outside"
    for name in ("a/lib/file", "master/b.incomplete", "c.incomplete", "file"):
        written(outside / name)
    at = places.home / link
    if at.exists():
        at.rename(tmp_path / "aside")
    at.symlink_to(outside)
    for path in leftovers.find(places):
        leftovers.remove(path)
    assert len([path for path in outside.rglob("*") if path.is_file()]) == 4


def test_a_leftover_that_is_a_link_itself_goes_alone(places: Places, tmp_path: Path) -> None:
    outside = written(tmp_path / "outside" / "file")
    inside = places.engine("vllm-0.26.0") / "lib" / "link"
    inside.symlink_to(outside.parent)
    half = places.model("kite/tiny", "master") / "z.incomplete"
    half.symlink_to(outside)
    for path in leftovers.find(places):
        leftovers.remove(path)
    assert outside.exists()
    assert not half.is_symlink()
    assert not inside.is_symlink()


def test_our_folder_may_not_be_a_link(places: Places, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "paperkite").symlink_to(places.home)
    assert leftovers.find(Places(tmp_path / "elsewhere")) == []


class Host:
    """A home with one run, and the verb as the laptop would say it."""

    def __init__(
        self, home: Path, capsys: pytest.CaptureFixture[str], worked: Path | None = None
    ) -> None:
        self._capsys = capsys
        folder = home / ".paperkite" / "runs"
        folder.mkdir(parents=True)
        self.run = runs.publish(runs.create(folder, {}))
        journal = Journal(self.run.journal)
        journal.append("fact", name="data_dir", value=str(worked))

    def clean(self, *options: str) -> tuple[int, dict[str, Any]]:
        status = clean.run(verbs.parse(["clean", *options]))
        (line,) = self._capsys.readouterr().out.splitlines()
        return status, json.loads(line)


@pytest.fixture
def host(
    tmp_path: Path,
    places: Places,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Host:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    return Host(tmp_path / "home", capsys, places.data_dir)


def test_where_the_runs_worked_is_cleaned(host: Host, places: Places) -> None:
    status, said = host.clean("--partial")
    assert (status, said["kind"]) == (wire.EXIT_OK, "cleaned")
    assert said["files"] == 5
    assert said["bytes"] >= 5 * 8192
    assert leftovers.find(places) == []
    assert (places.engine("vllm-0.32.0") / "lib" / "torch.so").exists()
    assert host.clean("--partial")[1] == {"kind": "cleaned", "bytes": 0, "files": 0}


def test_a_folder_may_be_named(host: Host, places: Places, tmp_path: Path) -> None:
    assert host.clean("--partial", "--data-dir", str(tmp_path / "none"))[1]["files"] == 0
    assert host.clean("--partial", "--data-dir", str(places.data_dir))[1]["files"] == 5


def test_nothing_goes_unasked(host: Host, places: Places) -> None:
    assert host.clean()[1]["files"] == 0
    assert len(leftovers.find(places)) == 5


def test_while_a_run_is_alive_nothing_is_touched(host: Host, places: Places) -> None:
    lock = locks.take(host.run.lock)
    try:
        status, said = host.clean("--partial")
    finally:
        os.close(lock)
    assert (status, said["kind"], said["code"]) == (wire.EXIT_REFUSED, "refused", "run.alive")
    assert len(leftovers.find(places)) == 5


def test_what_a_half_made_environment_goes_on_with_is_told(places: Places) -> None:
    half, whole = places.engine("vllm-0.26.0"), places.engine("vllm-0.32.0")
    os.link(str(half / "lib/torch.so"), str(places.cache("uv") / "linked into the half one"))
    os.link(str(whole / "lib/torch.so"), str(places.cache("uv") / "linked into the whole one"))
    alone = [places.cache("uv") / "wheel", places.cache("uv") / ".tmpA1b2" / "torch.so"]
    there = [*alone, half / "lib/torch.so"]
    wanted = sum(path.stat().st_blocks * 512 for path in there)
    assert leftovers.bytes_to_go_on_with(places, half) == wanted
    assert leftovers.bytes_to_go_on_with(places, whole) == 0
    assert leftovers.bytes_to_go_on_with(places, places.engine("none")) == 0
