"""What a command on the loopback host finds in its environment, and what it does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from desktop.rehearsal import surroundings

PYTHON = Path("/opt/python")


@pytest.fixture
def own_home(tmp_path: Path) -> Path:
    home = tmp_path / "own-home"
    home.mkdir()
    return home


def environment(own_home: Path, **ours: str) -> dict[str, str]:
    return surroundings._environment(ours, Path("/host/home"), "kite", own_home, PYTHON)


def test_nothing_of_the_laptops_environment_is_there_but_the_way_to_the_index(
    own_home: Path,
) -> None:
    found = environment(
        own_home,
        PIP_INDEX_URL="https://mirror/simple",
        UV_CACHE_DIR="/uv",
        PIP_REQUIRE_VIRTUALENV="1",
        PYTHONPATH="/ours",
        VIRTUAL_ENV="/venv",
        SECRET_TOKEN="s3cret",
        HOME=str(own_home),
    )
    assert found["PIP_INDEX_URL"] == "https://mirror/simple"
    assert found["UV_CACHE_DIR"] == "/uv"
    assert (found["HOME"], found["USER"], found["SHELL"]) == ("/host/home", "kite", "/bin/sh")
    left_out = {"PIP_REQUIRE_VIRTUALENV", "PYTHONPATH", "VIRTUAL_ENV", "SECRET_TOKEN"}
    assert not left_out & set(found)


def test_python_is_found_last_on_the_path(own_home: Path) -> None:
    path = environment(own_home)["PATH"].split(":")
    assert path == ["/usr/local/bin", "/usr/bin", "/bin", "/opt/python/bin"]


def test_settings_files_of_this_user_are_named_because_home_moves(own_home: Path) -> None:
    assert "UV_CONFIG_FILE" not in environment(own_home)
    pip = own_home / ".config" / "pip" / "pip.conf"
    uv = own_home / ".config" / "uv" / "uv.toml"
    for path in (pip, uv):
        path.parent.mkdir(parents=True)
        path.write_text("")
    found = environment(own_home)
    assert found["PIP_CONFIG_FILE"] == str(pip)
    assert found["UV_CONFIG_FILE"] == str(uv)


def test_a_proxy_is_passed_on_but_not_for_the_hub(own_home: Path) -> None:
    found = environment(own_home, https_proxy="http://proxy:8080", no_proxy="corp.example")
    assert found["https_proxy"] == "http://proxy:8080"
    assert found["NO_PROXY"] == found["no_proxy"] == "corp.example,127.0.0.1,localhost"
    assert "NO_PROXY" not in environment(own_home)
