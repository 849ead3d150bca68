from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from remote import verbs, wire


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["fly"],
        ["hello", "--loud"],
        ["hello", "there"],
        ["watch", "--after"],
        ["watch", "--after", "x"],
        ["watch", "--after", "-1"],
        ["stop", "--grace", "inf"],
        ["stop", "--grace", "nan"],
    ],
)
def test_a_command_line_that_is_none_of_ours_is_refused(agent: Any, arguments: list[str]) -> None:
    with pytest.raises(verbs.UsageError):
        verbs.parse(arguments)


def test_bad_usage_is_told_on_stderr_and_leaves_stdout_to_programs(agent: Any) -> None:
    answer = agent("fly")
    assert (answer.status, answer.stdout) == (wire.EXIT_USAGE, "")
    assert "usage:" in answer.stderr


def test_the_marker_has_a_line_of_its_own_after_a_banner_that_did_not_end_its_line(
    agent: Any,
) -> None:
    printed = "welcome" + agent("hello").stdout
    assert wire.MARKER in printed.splitlines()


def test_options_have_their_types() -> None:
    request = verbs.parse(["logs", "--lines", "5", "--follow", "--task", "serve"])
    assert request.options == {"lines": 5, "follow": True, "task": "serve"}


def test_hello_says_who_answers_and_writes_nothing(agent: Any, tmp_path: Path) -> None:
    answer = agent("hello")
    hello = answer.lines[0]
    assert (answer.status, hello["kind"], hello["protocol"]) == (0, "hello", wire.PROTOCOL)
    assert (hello["home"], hello["run"]) == (str(tmp_path), None)
    assert list(tmp_path.iterdir()) == []


def test_hello_loads_nothing_that_it_does_not_need(agent: Any) -> None:
    program = (
        "import sys; from remote.__main__ import main; main(['hello']);"
        "print(*sorted(set(sys.modules) & set(sys.argv[1:])), file=sys.stderr)"
    )
    heavy = ["asyncio", "subprocess", "argparse", "socket", "remote.tasks", "remote.supervisor"]
    done = subprocess.run(
        [sys.executable, "-S", "-c", program, *heavy],
        env=agent.environment(),
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    assert done.stderr == "\n"


def test_hello_tells_the_newest_run(agent: Any) -> None:
    run = agent.start("fails").lines[0]["run"]
    agent.story()
    told = agent("hello").lines[0]["run"]
    assert (told["run"], told["state"], told["code"]) == (run, "failed", "model.not-found")


def test_a_mistake_of_ours_is_told_on_the_wire(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from remote.__main__ import main

    def stumble(_: verbs.Request) -> int:
        raise KeyError("oh")

    monkeypatch.setattr(verbs, "answer", stumble)
    assert main(["hello"]) == wire.EXIT_REFUSED
    printed = capsys.readouterr()
    told = wire.decode(printed.out.splitlines()[-1])
    assert (told["kind"], told["code"], told["detail"]) == ("refused", "run.bug", "KeyError: 'oh'")
    assert "Traceback" in printed.err


def test_nothing_is_served_before_the_first_start(agent: Any) -> None:
    for verb in ("endpoint", "logs"):
        answer = agent(verb)
        assert (answer.status, answer.lines[0]["code"]) == (73, "nothing-running")


def test_doctor_tells_facts_and_leaves_nothing(agent: Any, tmp_path: Path) -> None:
    for stdin in ("", '{"kind":"spec","model":"a/b","api_key":"k"}\n'):
        answer = agent("doctor", stdin=stdin)
        assert answer.lines == [
            {"kind": "fact", "name": "disk.free", "value": 12},
            {"kind": "end", "reason": "done"},
        ]
    assert list(tmp_path.iterdir()) == []


def test_logs_show_the_end_of_each_log(agent: Any) -> None:
    agent.start("fails")
    agent.story()
    answer = agent("logs", "--lines", "1")
    last = {line["task"]: line["line"] for line in answer.lines if line["kind"] == "log"}
    assert last["serve"] == "the last thing that was tried, with ***"
    assert answer.lines[-1] == {"kind": "end", "reason": "done"}
    only = agent("logs", "--task", "engine-environment").lines
    assert {line.get("task") for line in only[:-1]} == {"engine-environment"}
    assert agent("logs", "--task", "../spec").kinds == ["end"]


def test_logs_are_followed_until_the_run_is_over(
    agent: Any, eventually: Callable[..., None]
) -> None:
    agent.start("serves")
    agent.wait_for("ready")
    with agent.open("logs", "--follow", "--task", "engine") as logs:
        with agent.run().log("engine").open("a") as log:
            log.write("a new line\n")
        assert logs.stdout.readline() + logs.stdout.readline() == f"\n{wire.MARKER}\n"
        assert wire.decode(logs.stdout.readline())["line"] == "a new line"
        agent("stop")
        assert [wire.decode(line)["kind"] for line in logs.stdout] == ["end"]
