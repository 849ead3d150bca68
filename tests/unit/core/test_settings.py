import math
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from desktop.core.errors import StorageError
from desktop.core.saved import Group
from desktop.core.settings import Settings, load, save


def test_a_missing_file_is_the_defaults(tmp_path: Path) -> None:
    assert load(tmp_path / "settings.toml") == (Settings(), [])


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "settings.toml"
    chosen = replace(
        Settings(),
        host='ssh -p 1 root@h "x"',
        language="zh",
        local_port=8001,
        lease_minutes=0,
        power_off=True,
        trust_remote_code=("a/b", "c/d"),
    )
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
    "line",
    [
        "local_port = 70000",
        "local_port = true",
        'language = "fr"',
        "host = 3",
        'kv_cache_dtype = "int4"',
        "lease_minutes = -1",
        "idle_minutes = 0.5",
        "limit_minutes = 600000",
        'power_off = "yes"',
        "power_off = 1",
        'trust_remote_code = "a/b"',
        "trust_remote_code = [1]",
    ],
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


def test_a_file_that_is_not_toml_is_kept_beside_the_next_save(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text('host = "root@a"\nengine = "vllm==0.32.0\n', encoding="utf-8")
    written = path.read_bytes()
    settings, problems = load(path)
    assert "settings.toml.bad" in problems[0]
    assert path.read_bytes() == written  # reading moves nothing
    save(replace(settings, host="b"), path)
    assert (tmp_path / "settings.toml.bad").read_bytes() == written
    assert load(path) == (replace(Settings(), host="b"), [])
    save(replace(settings, host="c"), path)
    assert (tmp_path / "settings.toml.bad").read_bytes() == written


def test_a_bad_value_survives_the_save_of_another_key(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text('language = "fr"\nlocal_port = 70000\ntheme = "pink"\n', encoding="utf-8")
    settings, _ = load(path)
    save(replace(settings, host="h", theme="dark"), path)
    again, problems = load(path)
    assert again == replace(Settings(), host="h", theme="dark")
    assert again.rejected == {"language": "fr", "local_port": 70000}
    assert len(problems) == 2


@pytest.mark.parametrize(
    ("line", "length", "rejected"),
    [
        ("4096", "4096", {}),
        ('"auto"', "auto", {}),
        ("-1", "", {"max_model_len": -1}),
        ("true", "", {"max_model_len": True}),
        ("4096.0", "", {"max_model_len": 4096.0}),
    ],
)
def test_a_length_may_be_written_as_a_number(
    tmp_path: Path, line: str, length: str, rejected: dict[str, object]
) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(f"max_model_len = {line}\n", encoding="utf-8")
    settings, _ = load(path)
    assert settings.max_model_len == length
    assert settings.rejected == rejected
    save(settings, path)
    assert load(path)[0].rejected == rejected


def test_whatever_toml_can_say_is_written_back(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(
        "numbers = [1, -2, 3.5, 1e22, 1e-7, inf, -inf, 9223372036854775808]\n"
        "dates = [2020-01-01, 07:32:00.5, 1979-05-27T07:32:00Z, 1979-05-27T07:32:00]\n"
        'text = "\\u007f\\u0000\\b\\t\\n\\"\\\\ 纸鸢 \\U0001f600"\n'
        '[future."\\U0001f600 key"]\n"" = [{a = true, "b.c" = "x"}]\n_ = {}\n',
        encoding="utf-8",
    )
    settings, problems = load(path)
    assert problems == []
    assert len(settings.unknown) == 4
    save(settings, path)
    assert load(path) == (settings, [])


def test_an_unknown_number_that_is_none_is_written_back(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text("x = nan\n", encoding="utf-8")
    save(load(path)[0], path)
    assert math.isnan(load(path)[0].unknown["x"])


def test_letters_that_utf_8_cannot_hold_do_not_stop_a_save(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    save(replace(Settings(), host="h", data_dir="/d\udce9"), path)
    settings, problems = load(path)
    assert (settings.host, settings.data_dir, problems) == ("h", "/d?", [])


def test_a_file_of_windows_notepad_is_read(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_bytes(b'\xef\xbb\xbfhost = "h"\r\n')
    assert load(path) == (replace(Settings(), host="h"), [])


def test_a_group_of_hosts_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(
        '[groups.pair]\nhosts = ["root@a", "ssh -p 2 root@b"]\nhead_address = "10.0.0.1"\n',
        encoding="utf-8",
    )
    settings, problems = load(path)
    assert problems == []
    assert settings.groups == {"pair": Group(("root@a", "ssh -p 2 root@b"), "10.0.0.1")}
    save(replace(settings, host="pair"), path)
    assert load(path) == (replace(settings, host="pair"), [])


@pytest.mark.parametrize(
    "group",
    [
        'hosts = ["a"]\nhead_address = "x"',
        'hosts = ["a", 2]\nhead_address = "x"',
        'hosts = ["a", "b"]',
        'hosts = ["a", "b"]\nhead_address = ""',
        'hosts = "a, b"\nhead_address = "x"',
    ],
)
def test_a_group_that_cannot_be_meant_is_told_and_kept(tmp_path: Path, group: str) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(f"[groups.pair]\n{group}\n", encoding="utf-8")
    settings, problems = load(path)
    assert settings.groups == {}
    assert problems[0].startswith("groups")
    save(settings, path)
    assert load(path)[0].rejected == settings.rejected
