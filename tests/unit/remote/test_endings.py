from __future__ import annotations

import errno
from typing import Any

import pytest

from remote.endings import BadResult, crashed, endpoint_of, told
from remote.spec import Spec
from remote.task import TaskFailed

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
        (-9, ["the end"], "engine."),
    ],
)
def test_a_crash_has_the_cause_that_the_log_tells(status: int, log: list[str], code: str) -> None:
    found = crashed(status, log)
    assert found.code.startswith(code)
    assert found.code != "engine.exited"
    assert (found.code == "engine.crashed") is (code == "engine.crashed")
    assert found.facts["exit_status"] == status
    assert found.facts["last_lines"] == log
