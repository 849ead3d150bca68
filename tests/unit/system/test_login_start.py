"""Starting at login, written as each system reads it."""

import configparser
import os
import plistlib
import subprocess
from pathlib import Path

import pytest

from desktop.core.errors import StorageError
from desktop.system.desktop_entry import desktop_entry
from desktop.system.login_start import login_start

COMMAND = ["/opt/my apps/paperkite", "--hidden", 'a"b', "100%", "$HOME"]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return tmp_path


def exec_line(entry: str) -> list[str]:
    """Return the command of an entry; its quoting is that of the shell, within double quotes."""
    parser = configparser.RawConfigParser(strict=True)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(entry)
    line = parser["Desktop Entry"]["Exec"].replace("\\\\", "\\")
    said = subprocess.run(
        ["sh", "-c", f"printf '%s\\n' {line}"], capture_output=True, text=True, check=True
    )
    return [word.replace("%%", "%") for word in said.stdout.splitlines()]


def test_linux_has_an_entry_that_starts_exactly_this_command(home: Path) -> None:
    start = login_start(COMMAND, "linux")
    assert not start.is_on()
    start.turn(on=True)
    entry = (home / "config/autostart/paperkite.desktop").read_text(encoding="utf-8")
    assert exec_line(entry) == COMMAND
    assert start.is_on()
    start.turn(on=False)
    assert not start.is_on()
    start.turn(on=False)  # once more is no error


@pytest.mark.parametrize("line", ["Hidden=true", "X-GNOME-Autostart-enabled=false"])
def test_what_the_desktops_settings_switched_off_is_off_and_can_be_switched_on(
    home: Path, line: str
) -> None:
    start = login_start(COMMAND, "linux")
    start.turn(on=True)
    with (home / "config/autostart/paperkite.desktop").open("a", encoding="utf-8") as entry:
        entry.write(f"{line}\n")
    assert not start.is_on()
    start.turn(on=True)
    assert start.is_on()


def test_macos_has_a_launch_agent(home: Path) -> None:
    start = login_start(COMMAND, "darwin")
    start.turn(on=True)
    agent = plistlib.loads((home / "Library/LaunchAgents/io.paperkite.app.plist").read_bytes())
    assert agent["ProgramArguments"] == COMMAND
    assert agent["RunAtLoad"] is True


@pytest.mark.skipif(os.name == "nt", reason="paths of POSIX")
def test_a_folder_that_cannot_be_written_is_an_error_of_ours(home: Path) -> None:
    (home / "config").write_text("a file in the way")
    with pytest.raises(StorageError) as refused:
        login_start(COMMAND, "linux").turn(on=True)
    assert refused.value.code == "storage-not-writable"


def test_a_plain_command_is_written_plainly() -> None:
    assert "Exec=/usr/bin/paperkite --hidden\n" in desktop_entry(["/usr/bin/paperkite", "--hidden"])
