"""What is the app and nothing else goes past the machinery of command lines, and ends the same."""

from __future__ import annotations

import subprocess
import sys

import pytest

from desktop.cli import app
from desktop.cli.commands import run
from desktop.cli.door import JustTheApp, enter, just_the_app
from desktop.cli.invocation import Invocation
from desktop.core.errors import ExitStatus
from tests.helpers.command import ROOT


@pytest.mark.parametrize(
    ("argv", "asked"),
    [
        ([], JustTheApp()),
        (["--hidden"], JustTheApp(hidden=True)),
        (["--lang", "zh"], JustTheApp("zh")),
        (["--lang", "en", "--hidden"], JustTheApp("en", hidden=True)),
        (["--hidden", "--lang", "zh", "--lang", "en"], JustTheApp("en", hidden=True)),
        (["--lang"], None),
        (["--lang", "fr"], None),
        (["--lang=zh"], None),
        (["--version"], None),
        (["-h"], None),
        (["up"], None),
        (["--lang", "zh", "up"], None),
        (["--hiden"], None),
    ],
)
def test_what_is_the_app_and_nothing_else(argv: list[str], asked: JustTheApp | None) -> None:
    assert just_the_app(argv) == asked


@pytest.mark.parametrize("way", [enter, run])
def test_either_way_opens_the_same_app(
    way: object, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    opened: list[tuple[str, bool]] = []

    def open_app(call: Invocation, *, hidden: bool) -> int:
        opened.append((call.language, hidden))
        return 0

    monkeypatch.setattr(app, "open_app", open_app)
    assert callable(way)
    assert way(["--lang", "zh", "--hidden"]) == 0
    assert opened == [("zh", True)]
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("way", [enter, run])
def test_either_way_says_the_same_without_a_screen(
    way: object, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(app, "has_screen", lambda: False)
    assert callable(way)
    assert way(["--lang", "en"]) == ExitStatus.OTHER
    assert "paperkite up" in capsys.readouterr().err


@pytest.mark.parametrize("way", [enter, run])
def test_either_way_is_interrupted_alike(way: object, monkeypatch: pytest.MonkeyPatch) -> None:
    def open_app(_call: Invocation, *, hidden: bool) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(app, "open_app", open_app)
    assert callable(way)
    assert way([]) == ExitStatus.INTERRUPTED


def test_the_app_holds_nothing_that_reads_command_lines() -> None:
    asked = (
        "import sys, desktop.cli.carrying, desktop.cli.app, desktop.cli.door; print(*sys.modules)"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", asked], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    assert not {"click", "rich", "desktop.cli.commands"} & set(loaded)
