"""What people read: nobody else's escape sequences, and nothing cut off in 80 columns."""

from __future__ import annotations

import io
import sys

import pytest
from rich.cells import cell_len
from rich.console import Console

from desktop.cli.plain import plain, prose
from desktop.cli.terminal import Terminal
from desktop.core.errors import AgentRefused, HostKeyChanged
from desktop.core.events import (
    Delta,
    Ended,
    Endpoint,
    Event,
    Fact,
    PhaseChanged,
    Progress,
    Ready,
    Reasoning,
    Restarting,
    TaskChanged,
    Trimmed,
)
from desktop.core.explain import Language, explain
from desktop.core.phases import Phase
from remote import wire

EVIL = "\x1b]0;pwned\x07\x9b2J"
EVENTS: list[Event] = [
    PhaseChanged(Phase.CONNECTING),
    Fact("gpu.0.name", EVIL),
    Fact("data_dir", f"/{EVIL}"),
    TaskChanged("preflight", wire.DONE),
    TaskChanged("serve", wire.RUNNING),
    Progress("serve", 1, 2, "steps", EVIL),
    Ready(Endpoint("http://127.0.0.1:8000/v1", "k", f"a/{EVIL}b", 2048, "r", "0.32.0")),
    Reasoning(1, EVIL),
    Delta(1, f"{EVIL}你好 👩‍🚀\n\tnext"),
]


class Tty(io.StringIO):
    """Takes text as a terminal does."""

    def isatty(self) -> bool:
        return True


def on_terminal(language: Language, monkeypatch: pytest.MonkeyPatch) -> tuple[Terminal, Tty, Tty]:
    out, err = Tty(), Tty()
    monkeypatch.setattr(sys, "stdout", out)
    terminal = Terminal(language)
    # Without color: every escape sequence that is found is then not ours.
    terminal._console = Console(file=err, force_terminal=True, color_system=None, width=80)
    return terminal, out, err


def test_nothing_from_a_host_or_a_model_drives_the_terminal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    terminal, out, err = on_terminal("en", monkeypatch)
    for event in EVENTS:
        terminal.event(event)
    terminal.account()
    terminal.record("fact", name=f"task.{EVIL}", value=EVIL)
    terminal.record("log", task="serve", line=EVIL)
    terminal.close()
    for said in (out.getvalue(), err.getvalue()):
        assert "\x1b]" not in said
        assert "\x07" not in said
        assert "\x9b" not in said
    assert "你好 👩‍🚀\n\tnext" in out.getvalue()


def test_a_pipe_gets_the_reply_as_it_came(capsys: pytest.CaptureFixture[str]) -> None:
    terminal = Terminal("en")
    terminal.event(Delta(1, EVIL))
    assert capsys.readouterr().out == EVIL


def test_log_lines_are_flushed_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BufferedWriter(raw), "utf-8"))
    Terminal("en").record("log", task="serve", line="one")
    assert raw.getvalue() == b"one\n"


def test_chinese_spaces_are_text_and_not_control_characters() -> None:
    assert plain("你\u3000好\xa0!\t\x1b\r") == "你\u3000好\xa0!\t��"
    assert prose("a\r\n\tb\x00\u200d") == "a\n\tb\u200d"


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_rows_fit_into_80_columns(language: Language, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal, _out, err = on_terminal(language, monkeypatch)
    for event in (
        TaskChanged("hub-environment", wire.SKIPPED),
        TaskChanged("engine-environment", wire.RUNNING),
        Progress("engine-environment", 7.2e9, 11.9e9, "bytes", "install", 58e6, 4000),
        TaskChanged("model-files", wire.RUNNING),
        Progress("model-files", 7.2e9, 19.2e9, "bytes", "fetch", 62e6, 3580),
        TaskChanged("serve", wire.RUNNING),
        Progress("serve", 1, 2, "seconds", "weights", None, 3580),
    ):
        terminal.event(event)
    err.truncate(0)
    terminal._console.print(terminal._drawing())
    assert "11.9 GB" in err.getvalue()
    assert "…" not in err.getvalue()
    assert all(cell_len(line) <= 80 for line in err.getvalue().splitlines())


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_long_explanation_is_shown_whole(
    language: Language, monkeypatch: pytest.MonkeyPatch
) -> None:
    facts = {"host": "connect.example.com", "port": 12345, "source": "/root/known_hosts"}
    keys = {"fingerprint": "SHA256:" + "a" * 43, "expected": "SHA256:" + "b" * 43}
    error = HostKeyChanged("host-key-changed", **facts, **keys)
    terminal, _out, err = on_terminal(language, monkeypatch)
    terminal.error(error)
    shown = "".join(err.getvalue().split())
    texts = explain(error, language, in_terminal=True)
    for text in (texts.title, texts.detail, texts.hint):
        assert "".join(text.split()) in shown
    assert all(cell_len(line) <= 80 for line in err.getvalue().splitlines())


def test_in_a_log_an_explanation_is_one_line_each(capsys: pytest.CaptureFixture[str]) -> None:
    Terminal("en").error(HostKeyChanged("host-key-changed", source="x" * 200))
    assert len(capsys.readouterr().err.splitlines()) == 3


def test_what_was_found_out_is_told_once_the_check_is_over(
    capsys: pytest.CaptureFixture[str],
) -> None:
    terminal = Terminal("en")
    for name, value in (("data_dir", "/data"), ("disk.free", 48e9), ("engine.requirement", "vllm")):
        terminal.event(Fact(name, value))
    assert capsys.readouterr() == ("", "")
    terminal.event(TaskChanged("preflight", wire.DONE))
    told = capsys.readouterr()
    assert told.out == ""
    assert "  Engine  vllm\n  Disk    /data, 48 GB free\n" in told.err


def test_a_doctors_account_is_the_result_and_lines_up_in_chinese_too(
    capsys: pytest.CaptureFixture[str],
) -> None:
    terminal = Terminal("zh")
    terminal.event(Fact("gpu.count", 0))
    terminal.event(Fact("provider", "vast"))
    terminal.account()
    lines = capsys.readouterr().out.splitlines()
    assert [cell_len(line[: line.rindex("  ")]) for line in lines] == [6, 6]
    assert lines[0].startswith("显卡")


def test_a_crash_and_an_end_of_the_hosts_own_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    terminal = Terminal("en")
    terminal.event(Restarting(AgentRefused("engine.out-of-memory")))
    terminal.event(Ended("stopped", "idle"))
    terminal.event(Ended("stopped", "asked"))
    restarting, ended = capsys.readouterr().err.splitlines()
    assert "the host is starting the engine again" in restarting.lower()
    assert "nobody asked it anything" in ended
    assert "The rental goes on" in ended


def test_turns_that_were_left_out_are_told_beside_the_reply(
    capsys: pytest.CaptureFixture[str],
) -> None:
    terminal = Terminal("en")
    terminal.event(Trimmed(1, 4))
    terminal.event(Delta(1, "hello"))
    told = capsys.readouterr()
    assert "oldest 4 turns" in told.err
    assert told.out == "hello"


def test_a_status_is_in_peoples_words(capsys: pytest.CaptureFixture[str]) -> None:
    terminal = Terminal("zh")
    for name, value in (("state", "ready"), ("port", 8000), ("task.serve", "done"), ("new", "x")):
        terminal.record("fact", name=name, value=value)
    assert [line.split() for line in capsys.readouterr().out.splitlines()] == [
        ["状态", "已就绪"],
        ["主机端口", "8000"],
        ["加载模型", "完成"],
        ["new", "x"],
    ]
