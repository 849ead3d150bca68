from __future__ import annotations

import json
import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from remote.engine import endpoint
from remote.task import Cancelled, TaskFailed
from remote.tasks import serve
from tests.unit.remote_tasks.standin import StandIn

ENGINE = str(Path(__file__).with_name("toy_engine.py"))


class Serving:
    """A context whose engine is the toy engine, and what came of it."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.port = port
        self.ctx = StandIn(folder, port=port)

    def behave(self, behaviour: str, **fields: Any) -> StandIn:
        self.ctx.spec = self.ctx.spec._replace(**fields)
        self.ctx.facts.update(
            {
                "data_dir": str(self.folder),
                "engine.argv": [sys.executable, ENGINE, behaviour, "serve"],
                "engine.version": "0.31.0",
                "model.path": str(self.folder),
                "gpu.count": 1,
            }
        )
        return self.ctx

    @property
    def starts(self) -> list[dict[str, Any]]:
        lines = (self.folder / "starts.jsonl").read_text().splitlines()
        return [json.loads(line) for line in lines]

    def failure(self) -> TaskFailed:
        with pytest.raises(TaskFailed) as caught:
            serve.run(self.ctx)
        return caught.value


@pytest.fixture
def serving(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Serving]:
    monkeypatch.setattr(serve, "SECONDS_BETWEEN_LOOKS", 0.02)
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")  # nobody: it must not be asked
    found = Serving(tmp_path, endpoint.free_port(23456))
    yield found
    for child in found.ctx.children:
        child.end(0)


def test_an_engine_that_answers_is_ready_and_says_what_it_serves(serving: Serving) -> None:
    ctx = serving.behave("good")
    assert serve.run(ctx) is False
    assert ctx.facts["engine.port"] == serving.port
    assert ctx.facts["engine.version"] == "0.32.0"
    assert ctx.facts["engine.max_model_len"] == 4096
    assert ctx.children[0].poll() is None, "it stays for the supervisor"
    done = [report.done for report in ctx.reports]
    assert done == sorted(done)
    assert ctx.reports[-1].step == "ready"


def test_the_key_reaches_the_engine_and_neither_argv_nor_log_nor_facts(serving: Serving) -> None:
    ctx = serving.behave("good")
    serve.run(ctx)
    assert serving.starts[0]["key"] == "secret-key"
    assert "secret-key" not in str((ctx.commands, ctx.lines, ctx.facts))


def test_a_port_that_is_taken_is_passed_over(serving: Serving) -> None:
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(("127.0.0.1", serving.port))
        holder.listen()
        ctx = serving.behave("good")
        serve.run(ctx)
    assert ctx.facts["engine.port"] > serving.port


def test_a_port_that_was_taken_meanwhile_is_tried_once_more(serving: Serving) -> None:
    ctx = serving.behave("taken")
    serve.run(ctx)
    assert len(serving.starts) == 2
    assert ctx.facts["engine.port"] > serving.port


def test_a_stranger_that_took_the_port_meanwhile_is_not_taken_for_the_engine(
    serving: Serving,
) -> None:
    ctx = serving.behave("good")
    serve.run(ctx)
    assert endpoint.served(serving.port, "another-key", [ctx.spec.model]) is None
    assert endpoint.served(serving.port, ctx.spec.api_key, ["another/model"]) is None
    assert endpoint.served(serving.port, ctx.spec.api_key, [ctx.spec.model]) is not None


def test_the_length_that_the_engine_names_is_tried_once(serving: Serving) -> None:
    serve.run(serving.behave("long"))
    asked = [start["argv"][start["argv"].index("--max-model-len") + 1] for start in serving.starts]
    assert asked == ["auto", "2048"]


def test_an_engine_that_ends_is_told_by_its_cause_not_by_its_last_line(serving: Serving) -> None:
    serving.behave("dies")
    failed = serving.failure()
    assert failed.code == "engine.exited"
    assert failed.detail == "KeyError: 'no such layer'"
    assert failed.facts["exit_status"] == 1
    assert failed.facts["last_lines"][-1].startswith("RuntimeError: Engine core")
    assert len(serving.starts) == 1


def test_out_of_memory_has_its_own_code(serving: Serving) -> None:
    serving.behave("oom")
    failed = serving.failure()
    assert failed.code == "engine.out-of-memory"
    assert "Tried to allocate 2.00 GiB" in failed.detail


def test_a_program_that_is_not_there_is_a_failed_engine(serving: Serving) -> None:
    ctx = serving.behave("good")
    ctx.facts["engine.argv"] = ["/no/such/engine", "serve"]
    failed = serving.failure()
    assert failed.code == "engine.exited"
    assert "/no/such/engine" in failed.detail


def test_an_engine_that_says_nothing_for_too_long_is_ended(
    serving: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serve, "LONGEST_SILENCE_SECONDS", 0.1)
    ctx = serving.behave("silent")
    assert serving.failure().code == "engine.not-ready"
    assert ctx.children[0].poll() is not None


def test_a_stopped_run_takes_its_engine_along(serving: Serving) -> None:
    ctx = serving.behave("silent")
    ctx.cancelled.set()
    with pytest.raises(Cancelled):
        serve.run(ctx)
    assert ctx.children[0].poll() is not None
    with pytest.raises(ProcessLookupError):
        os.kill(ctx.children[0].pid, 0)
