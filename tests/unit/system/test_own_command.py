"""What the menu and the login start: this very installation."""

import os
import sys
from pathlib import Path

import pytest

from desktop.system.desktop_entry import own_command

pytestmark = pytest.mark.skipif(os.name == "nt", reason="programs without an ending")


def program(folder: Path, name: str) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.touch(mode=0o755)
    return str(path)


@pytest.fixture
def other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Put another Paperkite into the PATH."""
    monkeypatch.setenv("PATH", str(tmp_path / "usr/bin"))
    return program(tmp_path / "usr/bin", "paperkite")


def test_an_installation_of_pipx_or_uv_starts_its_own_command_and_no_other(
    other: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = tmp_path / "venvs/paperkite/bin"
    monkeypatch.setattr(sys, "executable", program(installed, "python"))
    own = program(installed, "paperkite")
    assert own_command() == [own]
    Path(own).unlink()
    assert own_command() == [other], "pip --user puts it elsewhere: the PATH has it"


def test_a_checkout_without_a_command_starts_its_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "executable", program(tmp_path / "bin", "python"))
    assert own_command() == [sys.executable, "-m", "desktop"]


def test_a_bundle_starts_itself_whatever_else_is_installed(
    other: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(sys, "executable", program(tmp_path / "opt/paperkite", "paperkite"))
    assert own_command() == [sys.executable]
    assert own_command() != [other]


def test_on_windows_nothing_opens_a_console(
    other: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scripts = tmp_path / "Scripts"
    monkeypatch.setattr(sys, "executable", program(scripts, "python.exe"))
    program(scripts, "paperkite")
    windowed = program(scripts, "pythonw.exe")
    assert own_command("win32") == [windowed, "-m", "desktop"]
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(sys, "executable", program(tmp_path / "bundle", "paperkite.exe"))
    assert own_command("win32") == [sys.executable]
    program(tmp_path / "bundle", "paperkitew.exe")
    assert own_command("win32") == [str(tmp_path / "bundle/paperkitew.exe")]
    assert own_command("win32") != [other]
