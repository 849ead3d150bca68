from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from remote import metrics
from remote.metrics import Metrics

# Of vLLM 0.32 (facts: labels engine and model_name, floats, `_created` beside each counter).
TEXT = """\
# HELP vllm:num_requests_running Number of requests in model execution batches.
# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{engine="0",model_name="01ai/Yi-34B-Chat-4bits"} 1.0
vllm:num_requests_waiting{engine="0",model_name="01ai/Yi-34B-Chat-4bits"} 2.0
vllm:num_requests_waiting_by_reason{engine="0",reason="capacity"} 7.0
vllm:kv_cache_usage_perc{engine="0",model_name="01ai/Yi-34B-Chat-4bits"} 0.125
vllm:prompt_tokens_total{engine="0",model_name="01ai/Yi-34B-Chat-4bits"} 321.0
vllm:prompt_tokens_created{engine="0",model_name="01ai/Yi-34B-Chat-4bits"} 1.7953e+09
vllm:generation_tokens_total{engine="0",model_name="01ai/Yi-34B-Chat-4bits"} 4567.0
vllm:generation_tokens_created{engine="0",model_name="01ai/Yi-34B-Chat-4bits"} 1.7953e+09
vllm:request_success_total{engine="0",finished_reason="stop",model_name="m"} 3.0
vllm:request_success_total{engine="0",finished_reason="length",model_name="m"} 2.0
vllm:request_success_created{engine="0",finished_reason="length",model_name="m"} 1.7953e+09
vllm:time_to_first_token_seconds_bucket{engine="0",le="+Inf",model_name="m"} 5.0
process_resident_memory_bytes 4.2e+09
"""


def test_the_figures_of_vllm_are_read() -> None:
    assert metrics.parse(TEXT) == Metrics(1, 2, 0.125, 4567, 321, 5)


def test_the_cache_is_found_under_its_old_name_too() -> None:
    text = TEXT.replace("vllm:kv_cache_usage_perc", "vllm:gpu_cache_usage_perc")
    assert metrics.parse(text) == metrics.parse(TEXT)
    assert metrics.parse(TEXT + "vllm:gpu_cache_usage_perc 0.125\n") == metrics.parse(TEXT)


def test_several_engines_add_up_and_the_fullest_cache_counts() -> None:
    found = metrics.parse(TEXT + TEXT.replace('engine="0"', 'engine="1"').replace("0.125", "0.5"))
    assert found == Metrics(2, 4, 0.5, 9134, 642, 10)


@pytest.mark.parametrize(
    "line",
    [
        'vllm:num_requests_running{model_name="a} 99 \\" b"} 1.0',
        "vllm:num_requests_running 1",
        'vllm:num_requests_running{engine="0"} 1.0 1795395000000',
        "vllm:num_requests_running\t1.0\r".rstrip("\r"),
    ],
)
def test_every_form_of_a_series_is_read(line: str) -> None:
    found = metrics.parse(line)
    assert found is not None
    assert found.running == 1


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<html>not found</html>",
        "vllm:num_requests_running NaN",
        "vllm:num_requests_running +Inf",
        "vllm:num_requests_running -1",
        "vllm:num_requests_running 1e300",
        "vllm:num_requests_running",
        "vllm:num_requests_running{",
        'vllm:num_requests_running{a="' + "x" * 10_000,
        "vllm:num_requests_running_created 5",
        "num_requests_running 1",
        "vllm:generation_tokens_total 5",
        "\0" * 1000,
    ],
)
def test_what_does_not_tell_of_requests_is_nothing(text: str) -> None:
    assert metrics.parse(text) is None


def test_a_hostile_line_costs_no_time() -> None:
    hostile = "vllm:num_requests_running{" + 'a="\\' * 100_000 + "\n"
    assert metrics.parse(hostile * 2 + TEXT) == metrics.parse(TEXT)


def test_a_share_is_never_more_than_one() -> None:
    found = metrics.parse("vllm:num_requests_running 0\nvllm:kv_cache_usage_perc 70\n")
    assert found is not None
    assert found.kv_use == 1


@pytest.mark.parametrize(
    ("running", "waiting", "busy"), [(0, 0, False), (1, 0, True), (0, 1, True)]
)
def test_a_request_that_runs_or_waits_makes_it_busy(
    running: float, waiting: float, busy: bool
) -> None:
    assert Metrics(running, waiting).busy is busy


@contextmanager
def serving(status: int, body: bytes) -> Iterator[int]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/metrics" else 404)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


def test_the_figures_are_fetched_past_any_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with serving(200, TEXT.encode()) as port:
        assert metrics.fetch(port) == metrics.parse(TEXT)


@pytest.mark.parametrize(("status", "body"), [(500, TEXT.encode()), (200, b"\xff\xfe"), (200, b"")])
def test_an_answer_without_figures_is_none(status: int, body: bytes) -> None:
    with serving(status, body) as port:
        assert metrics.fetch(port) is None


def test_nobody_there_is_none() -> None:
    with serving(200, b"") as port:
        pass
    assert metrics.fetch(port) is None


def test_of_an_endless_answer_only_the_beginning_is_read() -> None:
    with serving(200, TEXT.encode() + b"#" * (2 * metrics.LARGEST_ANSWER)) as port:
        assert metrics.fetch(port) == metrics.parse(TEXT)
