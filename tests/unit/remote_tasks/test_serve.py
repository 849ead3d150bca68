from __future__ import annotations

import contextlib
import errno
import json
import os
import socket
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from remote import loopback, pulse
from remote.engine import attempt, endpoint, experience, model_folder, patience
from remote.engine import serving as attempts
from remote.engine.endpoint import Served
from remote.packages.places import Places
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
    monkeypatch.setattr(attempt, "SECONDS_BETWEEN_LOOKS", 0.02)
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")  # nobody: it must not be asked
    (tmp_path / "tokenizer.json").write_text("{}")
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
    assert ctx.public["engine.retry"] == "next-port"


def test_a_port_that_is_lost_three_times_is_tried_on_four_ports(serving: Serving) -> None:
    serve.run(serving.behave("taken-thrice"))
    ports = [int(flags(start, "--port")) for start in serving.starts]
    assert ports == sorted(set(ports))
    assert len(ports) == 4


def test_a_port_that_is_always_taken_is_told_after_the_fourth(serving: Serving) -> None:
    serving.behave("taken-always")
    assert serving.failure().code == "engine.port-taken"
    assert len(serving.starts) == 4


def test_two_who_lost_the_same_port_seldom_meet_at_the_next(serving: Serving) -> None:
    ctx = serving.behave("good")
    after = attempts.serving(ctx.facts, serving.port + 1)
    found = {serve.with_free_port(after, serving.port).port for _ in range(20)}
    assert len(found) > 1
    assert min(found) > serving.port


def test_a_port_that_is_held_without_listening_is_passed_over(serving: Serving) -> None:
    with socket.socket() as starting:  # another engine, as it is for minutes
        starting.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        starting.bind(("127.0.0.1", serving.port))
        assert endpoint.free_port(serving.port) > serving.port


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
    monkeypatch.setattr(patience, "LONGEST_SILENCE_SECONDS", 0.1)
    ctx = serving.behave("silent")
    failed = serving.failure()
    assert (failed.code, failed.facts["step"]) == ("engine.not-ready", "start")
    assert ctx.children[0].poll() is not None


def test_an_engine_that_only_says_that_it_waits_for_itself_is_ended(
    serving: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "LONGEST_SILENCE_SECONDS", 0.2)
    monkeypatch.setattr(patience, "LONGEST_WORK_SECONDS", 0.2)
    ctx = serving.behave("waits")
    failed = serving.failure()
    assert (failed.code, failed.facts["step"]) == ("engine.not-ready", "weights")
    assert "broadcast block" in failed.detail
    assert len(serving.starts) == 1
    assert ctx.children[0].poll() is not None


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "DEAF_SECONDS", 0.3)
    monkeypatch.setattr(pulse, "LOOK_SECONDS", 0.02)
    monkeypatch.setattr(endpoint, "SECONDS", 0.1)


@pytest.mark.usefixtures("impatient")
def test_an_engine_that_says_it_is_ready_and_listens_on_nothing_is_started_on_another_port(
    serving: Serving,
) -> None:
    ctx = serving.behave("deaf")
    serve.run(ctx)
    assert ctx.public["engine.retry"] == "listen-again"
    assert ctx.facts["engine.port"] > serving.port
    assert ctx.children[0].poll() is not None
    assert ctx.children[1].poll() is None


@pytest.mark.usefixtures("impatient")
def test_one_that_listens_on_nothing_again_is_told_as_not_ready(serving: Serving) -> None:
    ctx = serving.behave("deaf-always")
    failed = serving.failure()
    assert failed.code == "engine.not-ready"
    assert failed.facts["step"] == "ready"
    assert failed.facts["port"] > serving.port
    assert f"port {failed.facts['port']}" in failed.detail
    assert failed.facts["last_lines"][-1].endswith("Application startup complete.")
    assert len(serving.starts) == 2
    assert all(child.poll() is not None for child in ctx.children)


@pytest.mark.usefixtures("impatient")
def test_one_that_still_works_when_it_says_that_it_is_ready_is_waited_for(
    serving: Serving,
) -> None:
    ctx = serving.behave("late")
    serve.run(ctx)
    assert ctx.facts["engine.port"] == serving.port
    assert len(serving.starts) == 1


def test_a_stopped_run_takes_its_engine_along(serving: Serving) -> None:
    ctx = serving.behave("silent")
    ctx.cancelled.set()
    with pytest.raises(Cancelled):
        serve.run(ctx)
    assert ctx.children[0].poll() is not None
    with pytest.raises(ProcessLookupError):
        os.kill(ctx.children[0].pid, 0)


def flags(start: dict[str, Any], name: str) -> str:
    argv: list[str] = start["argv"]
    return argv[argv.index(name) + 1]


def test_what_others_hold_of_the_card_is_left_to_them(serving: Serving) -> None:
    ctx = serving.behave("busy")
    serve.run(ctx)
    assert flags(serving.starts[1], "--gpu-memory-utilization") == "0.48"
    assert ctx.public["engine.retry"] == "less-memory"
    assert any("another try (less-memory)" in line for line in ctx.lines)


def test_an_engine_that_failed_and_does_not_end_is_ended(
    serving: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempt, "SECONDS_TO_END", 0.1)
    ctx = serving.behave("hangs", engine_args=("--enforce-eager",))
    assert serving.failure().code == "engine.no-compiler"
    assert ctx.children[0].poll() is not None


def test_progress_never_goes_back_when_it_is_tried_again_and_an_eta_is_always_there(
    serving: Serving,
) -> None:
    ctx = serving.behave("slow")
    serve.run(ctx)
    assert len(serving.starts) == 2
    shares = [report.done / report.total for report in ctx.reports if report.total]
    assert shares == sorted(shares)
    assert shares[-1] == 1
    assert len(shares) == len(ctx.reports)
    before = [report for report in ctx.reports if report.step == "graphs"][-1]
    assert before.done / (before.total or 0.1) > 0.5, "the first try came that far"
    assert all(report.eta_s is not None for report in ctx.reports)


def test_a_second_engine_is_not_taken_for_the_first_by_its_log(serving: Serving) -> None:
    ctx = serving.behave("good")
    serve.run(ctx)
    ctx.children[0].end(0)
    ctx.reports.clear()
    serve.run(ctx)
    assert ctx.reports[0].step == "start"


def test_what_a_start_took_is_kept_for_the_next_estimate(serving: Serving) -> None:
    ctx = serving.behave("good")
    serve.run(ctx)
    kept = experience.file_of(Places(serving.folder))
    assert "kite/tiny 0.31.0" in kept.read_text()
    serving.behave("good")
    ctx.reports.clear()
    serve.run(ctx)
    assert (ctx.reports[0].total or 100) < 60, "this engine is much faster than usual"


def test_a_node_that_is_not_the_head_is_ready_when_it_has_joined(serving: Serving) -> None:
    ctx = serving.behave("joins", node_count=2, node_rank=1, head_address="10.0.0.2")
    serve.run(ctx)
    assert (ctx.facts["engine.port"], ctx.facts["engine.max_model_len"]) == (0, 0)
    assert "--headless" in serving.starts[0]["argv"]
    assert ctx.children[0].poll() is None


def test_a_host_without_its_gpu_is_told_to_boot_with_it(serving: Serving) -> None:
    ctx = serving.behave("good")
    ctx.facts["no_gpu_boot"] = True
    assert serving.failure().code == "preflight.boot-with-gpu"
    assert ctx.commands == []


def test_a_chat_template_is_written_where_the_tokenizer_has_none(serving: Serving) -> None:
    ctx = serving.behave("good", chat_template="{{ messages }}")
    serve.run(ctx)
    path = Path(flags(serving.starts[0], "--chat-template"))
    assert path.read_text() == "{{ messages }}"
    assert path.stat().st_mode & 0o777 == 0o600
    assert serving.folder in path.parents


def test_a_tokenizers_own_chat_template_is_used(serving: Serving) -> None:
    (serving.folder / "tokenizer_config.json").write_text('{"chat_template": "{{ own }}"}')
    serve.run(serving.behave("good", chat_template="{{ messages }}"))
    assert "--chat-template" not in serving.starts[0]["argv"]


def test_a_chat_template_that_is_not_there_is_told_before_anything_starts(
    serving: Serving,
) -> None:
    ctx = serving.behave("good", engine_args=("--chat-template=/no/such.jinja",))
    failed = serving.failure()
    assert failed.code == "engine.bad-argument"
    assert failed.facts["argument"] == "--chat-template /no/such.jinja"
    assert ctx.commands == []


def test_a_model_without_a_tokenizer_is_told_before_anything_starts(serving: Serving) -> None:
    ctx = serving.behave("good")
    (serving.folder / "tokenizer.json").unlink()
    assert serving.failure().code == "model.not-servable"
    assert ctx.commands == []


def test_a_model_folder_is_read_as_far_as_it_can_be(tmp_path: Path) -> None:
    assert model_folder.read(tmp_path / "none") == model_folder.ModelFolder(
        None, 0, has_tokenizer=False, has_template=False, has_old_quantization=False
    )
    (tmp_path / "config.json").write_text('{"model_type": "llama"}')
    (tmp_path / "quant_config.json").write_text("{}")
    (tmp_path / "a.safetensors").write_bytes(b"x" * 10)
    (tmp_path / "b.bin").write_bytes(b"x" * 5)
    (tmp_path / "tokenizer.model").write_bytes(b"x")
    (tmp_path / "chat_template.jinja").write_text("{{ x }}")
    assert model_folder.read(tmp_path) == model_folder.ModelFolder(
        {"model_type": "llama"},
        15,
        has_tokenizer=True,
        has_template=True,
        has_old_quantization=True,
    )


@pytest.mark.parametrize("damaged", [b"{", b"[1]", b"\xff\xfe", b"[" * 100_000])
def test_a_damaged_config_counts_as_none(tmp_path: Path, damaged: bytes) -> None:
    (tmp_path / "config.json").write_bytes(damaged)
    assert model_folder.read(tmp_path).config is None


def test_a_path_that_is_too_long_for_any_file_is_no_crash(serving: Serving) -> None:
    serving.behave("good", engine_args=("--chat-template", "x" * 5000))
    assert serving.failure().code == "engine.bad-argument"


def test_a_disk_without_room_for_the_template_or_the_log_is_told_as_full(
    serving: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_args: Any, **_named: Any) -> Any:
        raise OSError(errno.ENOSPC, "No space left on device")

    ctx = serving.behave("good")
    monkeypatch.setattr(ctx, "spawn", refuse)
    assert serving.failure().code == "engine.disk-full"
    serving.behave("good", chat_template="{{ messages }}")
    monkeypatch.setattr(Path, "mkdir", refuse)
    assert serving.failure().code == "engine.disk-full"


def test_a_stranger_that_answers_drop_by_drop_does_not_hold_us_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(endpoint, "SECONDS", 0.2)
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def drip() -> None:
            connection, _ = server.accept()
            with connection, contextlib.suppress(OSError):
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
                while not over.wait(0.05):
                    connection.sendall(b"x")

        stranger = threading.Thread(target=drip)
        stranger.start()
        begun = time.monotonic()
        try:
            assert endpoint.served(server.getsockname()[1], "k", ["m"]) is None
            assert time.monotonic() - begun < 5
        finally:
            over.set()
            stranger.join()


@pytest.mark.parametrize(
    ("entry", "found"),
    [
        ({"id": "m", "max_model_len": 4096}, Served(4096, "")),
        ({"root": "m", "max_model_len": -1}, Served(None, "")),
        ({"id": "m", "max_model_len": 10**400}, Served(None, "")),
        ({"id": [], "root": {}}, None),
        ("m", None),
    ],
)
def test_whatever_a_server_says_of_its_models_is_no_crash(
    monkeypatch: pytest.MonkeyPatch, entry: Any, found: Served | None
) -> None:
    body = json.dumps({"data": [entry]}).encode()
    monkeypatch.setattr(loopback, "get", lambda *_: loopback.Answer(200, body))
    assert endpoint.served(1, "k", ["m"]) == found
