"""The scripted engine as the agent uses it: its process, its log, its HTTP."""

from __future__ import annotations

import http.client
import json
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from desktop.rehearsal.engine import install_scripted_engine
from tests.helpers.waiting import until


class Engine:
    """One start of it, with its log."""

    def __init__(self, folder: Path, *flags: str, scripted: tuple[str, ...] = ()) -> None:
        environment = install_scripted_engine(folder / "engine", *scripted)
        record = json.loads((environment / "environment.json").read_text())
        program = [str(environment / record["argv"][0]), *record["argv"][1:]]
        self.port = free_port()
        self._log = folder / "engine.log"
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [*program, "/model", "--host", "127.0.0.1", "--port", str(self.port), *flags],
                env={"PATH": "/usr/bin:/bin", "VLLM_API_KEY": "key"},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    @property
    def log(self) -> str:
        return self._log.read_text(encoding="utf-8")

    def ask(
        self, path: str, body: dict[str, Any] | None = None, key: str = "key"
    ) -> tuple[int, bytes]:
        with closing(self.request(path, body, key)) as connection:
            answer = connection.getresponse()
            return answer.status, answer.read()

    def request(
        self, path: str, body: dict[str, Any] | None = None, key: str = "key"
    ) -> http.client.HTTPConnection:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        headers = {"Authorization": f"Bearer {key}"}
        data = None if body is None else json.dumps(body)
        connection.request("GET" if body is None else "POST", path, data, headers)
        return connection

    @property
    def is_healthy(self) -> bool:
        with suppress(ConnectionError):
            return self.ask("/health")[0] == 200
        return False


@contextmanager
def engine(folder: Path, *flags: str, scripted: tuple[str, ...] = ()) -> Iterator[Engine]:
    started = Engine(folder, *flags, scripted=scripted)
    try:
        yield started
    finally:
        with suppress(ProcessLookupError):
            started.process.send_signal(signal.SIGKILL)
        started.process.wait(20)


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def events_of(body: bytes) -> list[Any]:
    lines = [line.removeprefix(b"data: ") for line in body.split(b"\n\n") if line]
    assert lines[-1] == b"[DONE]"
    return [json.loads(line) for line in lines[:-1]]


CHAT = {"messages": [{"role": "user", "content": "hello"}]}


def test_the_engine_serves_streams_and_stops_like_vllm(tmp_path: Path) -> None:
    flags = ("--served-model-name", "m/x", "--max-model-len", "900", "--max-num-seqs", "8")
    fast = ("--scripted-tokens-per-s", "2000", "--scripted-startup-s", "0.1")
    with engine(tmp_path, *flags, scripted=fast) as running:
        until(lambda: running.is_healthy)
        served = json.loads(running.ask("/v1/models")[1])["data"][0]
        assert (served["id"], served["max_model_len"]) == ("m/x", 900)
        assert running.ask("/v1/models", key="wrong") == (401, b'{"error": "Unauthorized"}')
        asked = {**CHAT, "stream": True, "stream_options": {"include_usage": True}}
        first, *middle, last = events_of(running.ask("/v1/chat/completions", asked)[1])
        assert first["choices"][0]["delta"] == {"role": "assistant", "content": ""}
        assert middle[-1]["choices"][0]["finish_reason"] == "stop"
        assert last["choices"] == []
        assert last["usage"]["completion_tokens"] == len(middle) == 60
        assert not any("usage" in piece for piece in (first, *middle))
        asked["stream_options"]["continuous_usage_stats"] = True
        counted = events_of(running.ask("/v1/chat/completions", asked)[1])
        counts = [piece["usage"]["completion_tokens"] for piece in counted]
        assert counts == [*range(61), 60]
        assert counted[-2]["choices"][0]["finish_reason"] == "stop"
        text = json.loads(running.ask("/v1/completions", {"prompt": "once"})[1])
        assert text["choices"][0]["finish_reason"] == "length"
        assert json.loads(running.ask("/tokenize", CHAT)[1])["count"] == 5
        running.process.terminate()
        assert running.process.wait(20) == 0
    assert "Application startup complete." in running.log
    assert "key" not in running.log


def test_a_reply_ends_when_its_reader_goes_away(tmp_path: Path) -> None:
    with engine(tmp_path, scripted=("--scripted-prefill-s", "600")) as running:
        until(lambda: running.is_healthy)
        with closing(running.request("/v1/chat/completions", {**CHAT, "stream": True})):
            until(lambda: b'model_name="/model"} 1.0' in running.ask("/metrics")[1])
        until(lambda: b'num_requests_running{engine="0",model_name="/model"} 0' in metrics(running))


TURNS = [*CHAT["messages"], {"role": "assistant", "content": "This is a"}]


def test_what_tokenize_counts_is_what_a_reply_says_of_its_prompt(tmp_path: Path) -> None:
    begun = {"continue_final_message": True, "add_generation_prompt": False}
    asked: list[tuple[str, dict[str, Any]]] = [
        ("/v1/chat/completions", CHAT),
        ("/v1/chat/completions", {"messages": TURNS, **begun}),
        ("/v1/completions", {"prompt": "San Francisco is a"}),
    ]
    with engine(tmp_path, scripted=("--scripted-tokens-per-s", "2000")) as running:
        until(lambda: running.is_healthy)
        for path, fields in asked:
            counted = json.loads(running.ask("/tokenize", fields)[1])
            reply = json.loads(running.ask(path, {**fields, "max_tokens": 1})[1])
            assert counted["count"] == reply["usage"]["prompt_tokens"]
            assert counted["max_model_len"] == 8192


def test_a_begun_reply_is_gone_on_with(tmp_path: Path) -> None:
    fast = ("--scripted-tokens-per-s", "2000", "--scripted-reasoning-tokens", "3")
    begun = {"continue_final_message": True, "add_generation_prompt": False}
    with engine(tmp_path, scripted=fast) as running:
        until(lambda: running.is_healthy)

        def message(fields: dict[str, Any]) -> dict[str, Any]:
            answer: dict[str, Any] = json.loads(running.ask("/v1/chat/completions", fields)[1])
            return dict(answer["choices"][0]["message"])

        whole, rest = message(CHAT), message({"messages": TURNS, **begun})
        assert "This is a" + rest["content"] == whole["content"]
        assert (bool(whole["reasoning"]), rest["reasoning"]) == (True, None)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"continue_final_message": True}, "are not compatible"),
        ({"continue_final_message": True, "add_generation_prompt": True}, "Cannot set both"),
        ({"messages": []}, "Cannot apply chat template to an empty conversation."),
        ({"messages": [{"role": "user", "content": "word " * 9000}]}, "maximum context length is"),
        ({"max_tokens": 9000}, "max_tokens=9000 cannot be greater than max_model_len=8192"),
        ({"max_tokens": 0}, "max_tokens must be at least 1"),
        ({"temperature": -1}, "temperature must be non-negative, got -1.0."),
        ({"top_p": 0}, "top_p must be in (0, 1]"),
    ],
)
def test_a_bad_request_is_refused_in_vllms_words(
    tmp_path: Path, fields: dict[str, Any], words: str
) -> None:
    with engine(tmp_path) as running:
        until(lambda: running.is_healthy)
        asked = {"messages": TURNS, "stream": True, **fields}
        status, body = running.ask("/v1/chat/completions", asked)
        assert (status, json.loads(body)["error"]["code"]) == (400, 400)
        assert words in json.loads(body)["error"]["message"]


def test_an_empty_prompt_is_refused_and_one_in_a_list_inside_the_stream(tmp_path: Path) -> None:
    with engine(tmp_path) as running:
        until(lambda: running.is_healthy)
        status, body = running.ask("/v1/completions", {"prompt": "", "stream": True})
        assert (status, b"must be provided and non-empty" in body) == (400, True)
        status, body = running.ask("/v1/completions", {"prompt": [[]], "stream": True})
        assert status == 200
        (event,) = events_of(body)
        assert event["error"]["message"] == "The decoder prompt cannot be empty"
        assert running.ask("/v1/completions", {"prompt": [""]})[0] == 400


def test_what_has_no_room_is_shortened_and_what_chooses_tokens_is_taken(tmp_path: Path) -> None:
    fast = ("--scripted-tokens-per-s", "2000")
    with engine(tmp_path, "--max-model-len", "40", scripted=fast) as running:
        until(lambda: running.is_healthy)
        asked = {**CHAT, "max_tokens": 39, "seed": 7, "temperature": 0.0, "top_k": 40}
        reply = json.loads(running.ask("/v1/chat/completions", asked)[1])
        assert reply["choices"][0]["finish_reason"] == "length"
        assert reply["usage"]["total_tokens"] == 40


def metrics(running: Engine) -> bytes:
    return running.ask("/metrics")[1]


def test_requests_beyond_the_seats_wait_and_the_figures_follow_them(tmp_path: Path) -> None:
    slow = ("--scripted-prefill-s", "600")
    with engine(tmp_path, "--max-num-seqs", "1", scripted=slow) as running:
        until(lambda: running.is_healthy)
        with closing(running.request("/v1/chat/completions", {**CHAT, "stream": True})):
            until(
                lambda: (
                    b'num_requests_running{engine="0",model_name="/model"} 1.0' in metrics(running)
                )
            )
            with closing(running.request("/v1/chat/completions", {**CHAT, "stream": True})):
                until(
                    lambda: (
                        b'num_requests_waiting{engine="0",model_name="/model"} 1.0'
                        in metrics(running)
                    )
                )
            until(
                lambda: (
                    b'num_requests_waiting{engine="0",model_name="/model"} 0.0' in metrics(running)
                )
            )


@pytest.mark.parametrize(
    ("flags", "status", "words"),
    [
        (("--swap-space", "4"), 2, "unrecognized arguments: --swap-space 4"),
        (("--scripted-fail", "traceback"), 1, "Engine core initialization failed"),
        (("--scripted-fail", "oom"), 1, "CUDA out of memory. Tried to allocate 2.20 GiB"),
        (
            ("--max-model-len", "4096", "--scripted-room", "1024"),
            1,
            "the estimated maximum model length is 1024",
        ),
    ],
    ids=["bad flag", "traceback", "out of memory", "too long"],
)
def test_a_start_fails_in_vllms_words(
    tmp_path: Path, flags: tuple[str, ...], status: int, words: str
) -> None:
    with engine(tmp_path, *flags) as failing:
        assert failing.process.wait(20) == status
    assert words in failing.log


def test_a_taken_port_ends_it_at_once(tmp_path: Path) -> None:
    with engine(tmp_path) as running:
        until(lambda: running.is_healthy)
        with engine(tmp_path, "--port", str(running.port)) as second:
            assert second.process.wait(20) == 1
        assert "Address already in use" in second.log


def test_it_dies_when_it_is_told_to(tmp_path: Path) -> None:
    with engine(tmp_path) as running:
        until(lambda: running.is_healthy)
        with suppress(http.client.HTTPException, ConnectionError):
            running.ask("/scripted/exit", {})
        assert running.process.wait(20) == 1
    assert "EngineDeadError" in running.log
