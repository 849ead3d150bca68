import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from desktop.cli import host
from desktop.cli.commands import run
from desktop.core.paths import paths
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
        ["up", "--kv-cache-dtype", "int4"],
        ["up", "--lease", "-1"],
        ["up", "--limit", "soon"],
        ["doctor", "--lease", "5"],
    ],
)
def test_bad_usage_exits_with_2(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(argv) == 2
    assert capsys.readouterr().err


def test_without_a_host_it_says_how_to_name_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["up"]) == 2
    assert "Which host?" in capsys.readouterr().err


def test_the_password_from_stdin_is_never_shown() -> None:
    outcome = paperkite(
        "up", "root@127.0.0.1:1", "--password-stdin", "--json", stdin="hunter2-secret\n"
    )
    assert outcome.status == 65
    assert "hunter2" not in outcome.stdout + outcome.stderr


def test_the_hubs_token_from_stdin_is_never_shown() -> None:
    outcome = paperkite(
        *("up", "root@127.0.0.1:1", "--json", "--password-stdin", "--hub-token-stdin"),
        stdin="hunter2-secret\nhub-secret\n",
    )
    assert outcome.status == 65
    assert "secret" not in outcome.stdout + outcome.stderr


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


def bug(*_: object, **__: object) -> int:
    raise ZeroDivisionError("a bug of ours")


@pytest.mark.parametrize("argv", [["status", "h"], ["--lang", "zh", "status", "h"]])
def test_a_bug_is_told_in_words_and_not_as_a_traceback(
    argv: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(host, "show_status", bug)
    assert run(argv) == 64
    said = capsys.readouterr().err
    assert "ZeroDivisionError('a bug of ours')" in said
    assert "Traceback" not in said
    monkeypatch.setenv("PAPERKITE_DEBUG", "1")
    assert run(argv) == 64
    assert "Traceback" in capsys.readouterr().err


def test_a_bug_is_an_error_line_for_programs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(host, "show_status", bug)
    assert run(["status", "h", "--json"]) == 64
    assert json.loads(capsys.readouterr().out)["code"] == "unexpected"


@pytest.mark.parametrize(
    ("argv", "title"),
    [
        (["--lang", "zh", "up"], "哪一台主机"),
        (["up", "--lang", "zh"], "哪一台主机"),
        (["--lang", "zh", "up", "--lang", "en"], "Which host?"),
    ],
)
def test_the_language_counts_before_and_after_the_verb(
    argv: list[str], title: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(argv) == 2
    assert title in capsys.readouterr().err


@pytest.fixture
def no_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Paperkite's own folder cannot be made: a file is in its place."""
    (tmp_path / "file").touch()
    monkeypatch.setenv("PAPERKITE_HOME", str(tmp_path / "file" / "home"))


@pytest.mark.usefixtures("no_home")
def test_a_home_that_cannot_be_made_is_told_in_the_chosen_language(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["up", "h", "--lang", "zh", "--json"]) == 74
    line = json.loads(capsys.readouterr().out)
    assert (line["kind"], line["code"]) == ("error", "storage-not-writable")
    chinese = line["title"]
    assert run(["up", "h", "--lang", "zh"]) == 74
    assert chinese in capsys.readouterr().err
    assert run(["up", "h", "--lang", "en"]) == 74
    assert chinese not in capsys.readouterr().err


def test_a_mistake_in_the_settings_is_told_in_the_chosen_language(
    capsys: pytest.CaptureFixture[str],
) -> None:
    paths().ensure().settings.write_text("local_port = 'x'\n", encoding="utf-8")
    run(["up", "--lang", "zh"])
    assert "settings.toml 里有一处错误，已忽略：local_port" in capsys.readouterr().err
    run(["up", "--lang", "en"])
    assert "There is a mistake in settings.toml" in capsys.readouterr().err


PRINTING = """
import sys
from desktop.cli import host
from desktop.cli.commands import run
from desktop.core.paths import paths
def work(call, output):
    output.record("fact", name="said", value="\\u4f60\\ud83d")
    sys.stdin.read()
    return 0
host.show_status = work
sys.exit(run(sys.argv[1:]))
"""


@pytest.mark.parametrize("extra", [[], ["--json"]])
def test_no_text_ends_a_command_because_of_an_encoding(extra: list[str]) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", PRINTING, "status", "h", *extra],
        input=b"\xff\xfe not UTF-8",
        capture_output=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"},
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (0, b"")
    if extra:
        assert json.loads(ended.stdout.decode("utf-8"))["value"] == "你\ud83d"
    else:
        assert ended.stdout.rstrip().endswith(b"?")


def test_a_reader_that_went_away_is_no_bug() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as stdout:
        ended = subprocess.run(
            [sys.executable, "-c", PRINTING, "status", "h"],
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=subprocess.PIPE,
            cwd=ROOT,
            env={**os.environ, "PYTHONUNBUFFERED": ""},  # what is buffered is flushed at the end
            check=False,
        )
    assert (ended.returncode, ended.stderr) == (64, b"")
