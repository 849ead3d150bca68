from pathlib import Path

import pytest

from desktop.core.errors import StorageError
from desktop.core.paths import paths


def test_a_home_of_ours_moves_everything(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PAPERKITE_HOME", str(tmp_path / "ours"))
    found = paths()
    assert all(path.is_relative_to(tmp_path / "ours") for path in (found.config, found.cache))
    assert list(tmp_path.iterdir()) == []


def test_the_home_of_a_user_that_does_not_exist_is_an_error_of_ours(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PAPERKITE_HOME", "~nobody-of-this-name/x")
    with pytest.raises(StorageError) as caught:
        paths()
    assert caught.value.code == "storage-not-writable"
    assert caught.value.facts["path"] == "~nobody-of-this-name/x"
