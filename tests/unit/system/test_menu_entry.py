"""The app in the menu of a desktop, and out of it again."""

import sys
from pathlib import Path

import pytest

from desktop.system import menu_entry


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    return tmp_path


def test_entry_and_icon_are_written_and_taken_away(data: Path) -> None:
    entry, icon = menu_entry.install(["/usr/bin/paperkite"])
    assert entry == data / "applications/paperkite.desktop"
    text = entry.read_text(encoding="utf-8")
    assert "Exec=/usr/bin/paperkite\n" in text
    assert f"Icon={icon}\n" in text
    assert icon.read_text(encoding="utf-8").startswith("<svg")
    assert entry.stat().st_mode & 0o444 == 0o444
    assert menu_entry.remove() == [entry, icon]
    assert menu_entry.remove() == []


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux desktops alone have them")
def test_the_command_says_what_it_wrote(data: Path) -> None:
    from click.testing import CliRunner

    from desktop.cli.commands import main

    done = CliRunner().invoke(main, ["--lang", "en", "desktop-entry"], standalone_mode=False)
    assert done.exception is None
    assert str(data / "applications/paperkite.desktop") in done.output.replace("\n", "")
