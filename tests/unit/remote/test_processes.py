from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from remote import processes
from remote.children import Children, run_to_end
from remote.task import Cancelled

RUN = "20260101000000%03d-test"
IGNORE = (
    "import signal, time; signal.signal(15, signal.SIG_IGN);print('on', flush=True); time.sleep(60)"
)
SAYING = (
    "import sys; print('a\\rb'); print('c', file=sys.stderr); sys.stdout.write('d'); sys.exit(4)"
)


@pytest.fixture
def run_id() -> str:
    return RUN % (os.getpid() % 1000)


@pytest.fixture
def children(run_id: str) -> Iterator[Children]:
    children = Children(run_id)
    yield children
    children.end_all(0)
    assert left_of(run_id) == []


def left_of(run_id: str) -> list[int]:
    return [pid for pid, run in processes.marked().items() if run == run_id]


def python(program: str) -> list[str]:
    return [sys.executable, "-c", program]


def test_a_child_leads_its_own_group_and_carries_the_mark(
    children: Children, run_id: str, eventually: Callable[..., None]
) -> None:
    child = children.piped(["sleep", "60"], None, None, fed=False)
    assert os.getpgid(child.pid) == child.pid != os.getpgid(0)
    eventually(lambda: left_of(run_id) == [child.pid])  # the kernel sets it late in an exec


def test_ending_a_child_ends_its_whole_group(
    children: Children, run_id: str, tmp_path: Path, eventually: Callable[..., None]
) -> None:
    child = children.logged(["sh", "-c", "sleep 60 & sleep 60 & wait"], {}, tmp_path / "log")
    eventually(lambda: len(left_of(run_id)) == 3)
    child.end()
    assert child.ended
    assert left_of(run_id) == []


def test_a_child_that_ignores_the_polite_signal_is_killed(
    children: Children, eventually: Callable[..., None], tmp_path: Path
) -> None:
    child = children.logged(python(IGNORE), {}, tmp_path / "log")
    eventually(lambda: (tmp_path / "log").read_text() == "on\n")
    child.end(grace=0.1)
    assert child.poll() == -signal.SIGKILL


def test_hurry_cuts_the_grace_short(
    children: Children, eventually: Callable[..., None], tmp_path: Path
) -> None:
    child = children.logged(python(IGNORE), {}, tmp_path / "log")
    eventually(lambda: (tmp_path / "log").read_text() == "on\n")
    children.hurry.set()
    began = time.monotonic()
    child.end(grace=30)
    assert time.monotonic() - began < 10


def test_a_system_without_waitid_and_proc_ends_groups_too(
    children: Children, tmp_path: Path, eventually: Callable[..., None], monkeypatch: Any
) -> None:
    with monkeypatch.context() as macos:
        macos.delattr(os, "waitid")
        macos.setattr(processes, "_PROC", tmp_path / "nowhere")
        child = children.logged(["sh", "-c", "sleep 60 & exit 3"], {}, tmp_path / "log")
        eventually(lambda: child.poll() == 3)
        assert processes._group_lives(child.pid)
        child.end(5)
        assert child.ended


def test_what_a_dead_leader_left_is_ended_with_its_group(
    children: Children, run_id: str, tmp_path: Path, eventually: Callable[..., None]
) -> None:
    child = children.logged(["sh", "-c", "sleep 60 & exit 3"], {}, tmp_path / "log")
    eventually(lambda: child.poll() == 3)
    assert len(left_of(run_id)) == 1
    child.end(0)
    assert left_of(run_id) == []
    assert child.poll() == 3


def test_orphans_are_found_by_their_mark_and_nothing_else_is_signalled(run_id: str) -> None:
    environment = dict(os.environ, PAPERKITE_RUN=run_id)
    similar = dict(os.environ, PAPERKITE_RUN=run_id + "x", NOT_PAPERKITE_RUN=run_id)
    ours = subprocess.Popen(["sleep", "60"], env=environment, start_new_session=True)
    stranger = subprocess.Popen(["sleep", "60"], env=similar)
    try:
        threading.Thread(target=ours.wait, daemon=True).start()
        assert processes.end_runs([run_id]) == []
        assert ours.wait(10) == -signal.SIGTERM
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_ps_tells_marks_where_there_is_no_proc() -> None:
    text = (
        "  501 /usr/local/bin/uv pip install HOME=/Users/k PAPERKITE_RUN=20260101000000000-abcd\n"
        "  502 /bin/zsh -l HOME=/Users/k\n"
        "    7 python -m x PAPERKITE_RUN=20260101000000001-efgh TERM=dumb\n"
    )
    assert processes._marked_by_ps(text) == {
        501: "20260101000000000-abcd",
        7: "20260101000000001-efgh",
    }


def test_a_child_is_read_line_by_line_to_its_end(children: Children) -> None:
    seen: list[str] = []
    child = children.piped(python(SAYING), {"PYTHONUNBUFFERED": "1"}, None, fed=False)
    assert run_to_end(child, None, seen.append, threading.Event()) == (4, ["a", "b", "c", "d"])
    assert seen == ["a", "b", "c", "d"]


def test_a_child_is_fed_more_than_a_pipe_holds(children: Children) -> None:
    program = "import sys; text = sys.stdin.read(); print(len(text))"
    child = children.piped(python(program), None, None, fed=True)
    assert run_to_end(child, "x" * 1_000_000, print, threading.Event()) == (0, ["1000000"])


def test_a_child_that_does_not_read_its_food_does_no_harm(children: Children) -> None:
    child = children.piped(["true"], None, None, fed=True)
    assert run_to_end(child, "x" * 1_000_000, print, threading.Event()) == (0, [])


def test_a_grandchild_that_holds_the_pipe_is_not_waited_for(
    children: Children, run_id: str
) -> None:
    child = children.piped(["sh", "-c", "sleep 60 & echo done"], None, None, fed=False)
    assert run_to_end(child, None, print, threading.Event()) == (0, ["done"])
    assert left_of(run_id) == []


def test_cancelling_ends_the_child(children: Children, run_id: str) -> None:
    cancelled = threading.Event()
    child = children.piped(["sh", "-c", "echo on; sleep 60"], None, None, fed=False)
    with pytest.raises(Cancelled):
        run_to_end(child, None, lambda _: cancelled.set(), cancelled)
    assert left_of(run_id) == []


def test_no_child_is_started_once_all_were_ended(children: Children) -> None:
    children.end_all()
    with pytest.raises(Cancelled):
        children.piped(["true"], None, None, fed=False)


def test_a_program_that_is_not_there_is_told(children: Children) -> None:
    with pytest.raises(FileNotFoundError):
        children.piped(["/nowhere/uv"], None, None, fed=False)


def test_our_own_process_is_never_among_the_marked(monkeypatch: Any, run_id: str) -> None:
    program = "from remote import processes; import os; print(os.getpid() in processes.marked())"
    root = Path(processes.__file__).parents[1]
    environment = dict(os.environ, PAPERKITE_RUN=run_id, PYTHONPATH=str(root))
    told = subprocess.run(python(program), env=environment, capture_output=True, check=True)
    assert told.stdout == b"False\n"
