import stat
from dataclasses import replace
from pathlib import Path

import pytest

from desktop.core.errors import StorageError
from desktop.core.settings import Settings, load, save


def test_a_missing_file_is_the_defaults(tmp_path: Path) -> None:
    assert load(tmp_path / "settings.toml") == (Settings(), [])


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "settings.toml"
    chosen = replace(Settings(), host='ssh -p 1 root@h "x"', language="zh", local_port=8001)
    save(chosen, path)
    assert load(path) == (chosen, [])
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in path.parent.iterdir()] == ["settings.toml"]


def test_unknown_keys_of_a_newer_version_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text('host = "h"\n[future]\nx = [1, "二"]\n', encoding="utf-8")
    settings, problems = load(path)
    save(replace(settings, host="g"), path)
    again, _ = load(path)
    assert problems == []
    assert again.host == "g"
    assert again.unknown == {"future": {"x": [1, "二"]}}


@pytest.mark.parametrize(
    "line", ["local_port = 70000", "local_port = true", 'language = "fr"', "host = 3"]
)
def test_a_bad_value_is_told_and_its_default_used(tmp_path: Path, line: str) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(f'model = "a/b"\n{line}\n', encoding="utf-8")
    settings, problems = load(path)
    assert settings == replace(Settings(), model="a/b")
    assert len(problems) == 1
    assert problems[0].startswith(line.split(" ", maxsplit=1)[0])


def test_a_file_that_is_not_toml_is_told(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_bytes(b"\xff\xfe not toml")
    settings, problems = load(path)
    assert settings == Settings()
    assert len(problems) == 1


def test_a_folder_that_cannot_be_written_is_an_error_of_ours(tmp_path: Path) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.write_text("x", encoding="utf-8")
    with pytest.raises(StorageError) as caught:
        save(Settings(), in_the_way / "settings.toml")
    assert caught.value.code == "storage-not-writable"
