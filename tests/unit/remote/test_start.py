from __future__ import annotations

import ast
import errno
import os
import signal
import stat
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from pathlib import Path
from typing import Any

import pytest

from remote import locks, runs, terms, wire
from remote.spec import Spec, to_fields
from remote.terms import Terms
from remote.verbs import Request

ROOT = Path(__file__).parents[3]


def test_start_detaches_a_run_that_serves(agent: Any) -> None:
    answer = agent.start()
    assert (answer.status, answer.kinds) == (0, ["started"])
    assert answer.lines[0]["adopted"] is False
    assert agent.wait_for("ready")["run"] == answer.lines[0]["run"]


def test_start_closes_every_pipe_so_that_the_channel_ends(agent: Any) -> None:
    # subprocess.run in the fixture returns only at EOF of stdout and stderr, as sshd does; here
    # one more descriptor is inherited, as from a login shell's rc file.
    reader, writer = os.pipe()
    subprocess.run(
        agent.command("serves", "start"),
        input=b'{"kind":"spec","model":"a/b","api_key":"k"}\n',
        stdout=subprocess.DEVNULL,
        env=agent.environment(),
        pass_fds=(writer,),
        timeout=20,
        check=True,
    )
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        assert pipe.read() == b""  # would block while the supervisor held the other end
    assert locks.holder(agent.run().lock) is not None


def test_the_supervisor_holds_its_lock_before_start_returns(agent: Any) -> None:
    agent.start("spins")
    holder = locks.holder(agent.run().lock)
    assert holder is not None
    assert holder.pid > 1
    assert os.getsid(holder.pid) != os.getsid(0)


def test_a_second_start_of_the_same_joins_the_living_run(agent: Any) -> None:
    first = agent.start("spins").lines[0]
    second = agent.start("spins", api_key="sk-another-key", port=9000)
    assert second.lines == [{"kind": "started", "run": first["run"], "adopted": True}]
    assert len(runs.all_runs(agent.runs)) == 1


def test_a_start_that_joins_brings_its_own_terms(agent: Any) -> None:
    agent.start("spins", lease_seconds=600, power_off=True)
    run = agent.run()
    assert not run.terms.exists()
    agent.start("spins", lease_seconds=600, power_off=True)
    assert not run.terms.exists()  # the same terms: nothing to write, on a full disk for one
    assert agent.start("spins", idle_seconds=60).lines[0]["adopted"] is True
    assert terms.read(run.terms, Terms(600)) == Terms(idle_seconds=60)
    agent.start("spins", lease_seconds=600, power_off=True)
    assert terms.read(run.terms, Terms()) == Terms(lease_seconds=600, power_off=True)


def test_a_start_that_may_only_join_brings_terms_and_starts_nothing(agent: Any) -> None:
    alone = agent.start("spins", "--join-only")
    assert (alone.status, alone.lines[0]["code"]) == (wire.EXIT_NOTHING_RUNNING, "nothing-running")
    assert runs.all_runs(agent.runs) == []
    run = agent.start("spins").lines[0]["run"]
    joined = agent.start("spins", "--join-only", limit_seconds=60)
    assert joined.lines == [{"kind": "started", "run": run, "adopted": True}]
    assert terms.read(agent.run().terms, Terms()) == Terms(limit_seconds=60)


def test_the_hubs_token_is_nowhere_on_the_disk_and_yet_with_the_tasks(agent: Any) -> None:
    token = "ms-token-of-the-test"
    agent.start("tells-token", hub_token=token)
    agent.wait_for("ready")
    assert (agent.home / "token-length").read_text() == str(len(token))
    for path in agent.home.rglob("*"):
        assert not path.is_file() or token.encode() not in path.read_bytes(), path
    assert agent.start("tells-token", hub_token="another").lines[0]["adopted"] is True


def test_a_start_of_something_else_is_refused_while_a_run_lives(agent: Any) -> None:
    agent.start("spins")
    answer = agent.start("spins", model="Qwen/Qwen3-32B-AWQ")
    assert answer.status == 64
    assert answer.lines[0]["code"] == "run.busy"
    assert answer.lines[0]["model"] == "01ai/Yi-34B-Chat-4bits"


def test_two_simultaneous_starts_make_one_run(agent: Any) -> None:
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda _: agent.start("spins"), range(2)))
    assert sorted(answer.lines[0]["adopted"] for answer in answers) == [False, True]
    assert len({answer.lines[0]["run"] for answer in answers}) == 1


def test_a_start_ends_the_orphans_of_a_killed_supervisor_first(
    agent: Any, eventually: Callable[..., None]
) -> None:
    agent.start("escaping")
    agent.wait_for("ready")
    eventually(lambda: len(agent.left()) == 2)
    orphans = agent.left()
    os.kill(agent.supervisor(), signal.SIGKILL)
    agent.wait_for("lost")
    assert agent.start("spins").lines[0]["adopted"] is False
    assert not set(orphans) & set(agent.left())


def test_bad_specs_are_refused_and_nothing_is_made(agent: Any) -> None:
    for stdin in ("", "no JSON\n", '{"kind":"spec"}\n', '{"kind":"other","model":"a/b"}\n'):
        answer = agent("start", stdin=stdin)
        assert (answer.status, answer.lines[0]["code"]) == (64, "run.bad-spec")
    assert not agent.runs.exists()


def test_run_folders_and_secrets_are_private(agent: Any) -> None:
    agent.start()
    agent.wait_for("ready")
    run = agent.run()
    for path in (run.folder, run.logs, run.folder.parent):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700
    for path in run.folder.iterdir():
        if path.is_file():
            assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_newest_five_folders_are_kept(agent: Any) -> None:
    old = [runs.publish(runs.create(agent.runs, {})) for _ in range(runs.KEPT + 1)]
    runs.create(agent.runs, {})  # a start that was killed half-way
    agent.start("forgets")
    assert runs.all_runs(agent.runs)[1:] == old[:1:-1]
    assert len(runs.all_runs(agent.runs)) == runs.KEPT
    assert [path for path in agent.runs.iterdir() if path.name.startswith(".new")] == []


def test_a_home_that_takes_nothing_is_refused(agent: Any, tmp_path: Path) -> None:
    (tmp_path / ".paperkite").write_text("a file where the folder should be")
    answer = agent.start()
    assert (answer.status, answer.lines[0]["code"]) == (64, "preflight.not-writable")


def test_a_full_disk_is_refused_and_nothing_is_left(
    agent: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from remote.verbs import start

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    monkeypatch.setenv("HOME", str(agent.home))
    monkeypatch.setattr(start, "_asked", lambda: Spec(model="a/b", api_key="k"))
    assert start.run(Request("start", {}, ())) == wire.EXIT_STORAGE
    told = wire.decode(capsys.readouterr().out)
    assert (told["code"], told["path"]) == ("run.disk-full", str(agent.runs))
    assert [path.name for path in agent.runs.iterdir()] == ["start.lock"]


def test_a_start_waits_for_a_run_that_is_leaving(agent: Any, tmp_path: Path) -> None:
    leaving = runs.publish(runs.create(agent.runs, to_fields(Spec(model="a/b", api_key="k"))))
    lock = locks.take(leaving.lock)
    locks.sign(lock, leaving=True)
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(agent.start, "spins", model="a/b")
        with pytest.raises(FutureTimeout):
            answer.result(0.3)
        os.close(lock)
        assert answer.result(20).lines[0]["adopted"] is False


def test_a_detached_agent_needs_its_archive_no_more() -> None:
    for path in (ROOT / "remote").rglob("*.py"):
        if "verbs" in path.parts or path.name in ("__main__.py", "bootstrap.py"):
            continue  # they run while the archive is there
        for function in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(function, ast.FunctionDef):
                imports = [n for n in ast.walk(function) if isinstance(n, ast.ImportFrom)]
                assert not [n for n in imports if (n.module or "").startswith("remote")], path
