import subprocess
import sys

import pytest

from desktop.cli.commands import run
from tests.helpers.command import ROOT, paperkite

VERBS = ["up", "chat", "forward", "status", "logs", "doctor", "down", "rehearse"]


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([verb, "--help"]) == 0
    assert "Usage: paperkite" in capsys.readouterr().out


@pytest.mark.parametrize(
    "argv",
    [
        ["fly"],
        ["up", "--no-such-option"],
        ["up", "--max-model-len", "much"],
        ["up", "--max-model-len", "0"],
        ["up", "--local-port", "70000"],
        ["up", "--lang", "fr"],
    ],
)
def test_bad_usage_exits_with_2(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(argv) == 2
    assert capsys.readouterr().err


def test_without_a_host_it_says_how_to_name_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["up"]) == 2
    assert "Which host?" in capsys.readouterr().err


def test_an_option_of_later_is_refused_and_not_ignored(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["down", "root@127.0.0.1:1", "--power-off"]) == 64
    assert "--power-off" in capsys.readouterr().err


def test_the_password_from_stdin_is_never_shown() -> None:
    outcome = paperkite(
        "up", "root@127.0.0.1:1", "--password-stdin", "--json", stdin="hunter2-secret\n"
    )
    assert outcome.status == 65
    assert "hunter2" not in outcome.stdout + outcome.stderr


def test_the_commands_never_import_qt_and_help_imports_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "import desktop.cli.commands as commands\n"
        "commands.run(['up', '--help'])\n"
        "heavy = {'paramiko', 'openai', 'rich', 'PySide6', 'asyncio'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
        "import desktop.cli.chat, desktop.cli.endpoint, desktop.cli.host, desktop.cli.rehearse\n"
        "import desktop.cli.terminal, openai\n"
        "qt = [name for name in sys.modules if name.startswith(('PySide6', 'shiboken'))]\n"
        "assert not qt, qt\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, stdout=subprocess.DEVNULL)
