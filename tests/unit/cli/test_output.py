import json

import pytest

from desktop.cli.output import JsonLines, to_line
from desktop.core.errors import AgentRefused, HostUnreachable
from desktop.core.events import (
    Card,
    Delta,
    Ended,
    Endpoint,
    Fact,
    PhaseChanged,
    Progress,
    Ready,
    Reasoning,
    ReplyDone,
    ReplyStarted,
    Restarting,
    Retrying,
    Sample,
    TaskChanged,
    Trimmed,
    Usage,
)
from desktop.core.phases import Phase

ENDPOINT = Endpoint("http://127.0.0.1:8000/v1", "pk-x", "a/b", 2048, "r1", "0.32.0")


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (PhaseChanged(Phase.READY), {"kind": "phase", "phase": "ready"}),
        (
            TaskChanged("serve", "done"),
            {"kind": "fact", "name": "task.serve", "value": "done"},
        ),
        (
            Progress("model-files", 1, 4, "bytes", "fetch", 2.0, 1.5),
            {
                "kind": "progress",
                "task": "model-files",
                "done": 1,
                "total": 4,
                "unit": "bytes",
                "step": "fetch",
                "rate": 2.0,
                "eta_s": 1.5,
            },
        ),
        (
            Progress("serve", 1, None, "steps"),
            {"kind": "progress", "task": "serve", "done": 1, "total": None, "unit": "steps"},
        ),
        (Fact("gpu.count", 0), {"kind": "fact", "name": "gpu.count", "value": 0}),
        (
            Ready(ENDPOINT),
            {
                "kind": "ready",
                "base_url": "http://127.0.0.1:8000/v1",
                "api_key": "pk-x",
                "model": "a/b",
                "max_model_len": 2048,
                "run": "r1",
                "engine_version": "0.32.0",
            },
        ),
        (Delta(1, "你好"), {"kind": "delta", "text": "你好"}),
        (Trimmed(1, 4), {"kind": "trimmed", "turns": 4}),
        (Reasoning(1, "hm"), {"kind": "reasoning", "text": "hm"}),
        (
            ReplyDone(1, "stop", Usage(3, 4), 0.5, 16.0),
            {
                "kind": "done",
                "finish_reason": "stop",
                "usage": {"prompt_tokens": 3, "completion_tokens": 4},
                "ttft_s": 0.5,
                "tokens_per_s": 16.0,
            },
        ),
        (Ended("stopped"), {"kind": "ended", "reason": "stopped"}),
        (Ended("stopped", "idle"), {"kind": "ended", "reason": "stopped", "because": "idle"}),
        (
            Restarting(AgentRefused("engine.crashed")),
            {"kind": "restarting", "code": "engine.crashed"},
        ),
        (
            Sample((Card(97, 22, 24),), 0.5, 1, 2, 77.5, None, 4600),
            {
                "kind": "sample",
                "gpus": [{"utilization": 97, "memory_used": 22, "memory_total": 24}],
                "kv_use": 0.5,
                "running": 1,
                "waiting": 2,
                "tokens_per_s": 77.5,
                "prompt_tokens_per_s": None,
                "generation_tokens": 4600,
                "prompt_tokens": None,
                "requests_done": None,
                "ttft_s": None,
            },
        ),
        (ReplyStarted(1), None),
        (Retrying(1, 2.0), None),
    ],
)
def test_each_event_has_its_line(event: object, line: dict[str, object] | None) -> None:
    assert to_line(event) == line  # type: ignore[arg-type]


def test_an_error_line_has_code_texts_and_whether_to_try_again(
    capsys: pytest.CaptureFixture[str],
) -> None:
    output = JsonLines("zh")
    output.error(AgentRefused("model.not-found", model="a/b", hub="h"))
    output.error(HostUnreachable("host-refused", host="h", port=22))
    first, second = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert first["code"] == "model.not-found"
    assert first["title"] == "没有这个模型"
    assert first["hint"]
    assert first["retryable"] is False
    assert second["retryable"] is True
