from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from remote.engine import command
from remote.packages.places import Places
from remote.spec import Spec

SPEC = Spec(model="01ai/Yi-34B-Chat-4bits", api_key="secret")
CUDA = command.Serving(
    argv=("/e/bin/vllm", "serve"),
    env="/e",
    version=(0, 32, 0),
    model_path="/m",
    gpu_count=1,
    port=8000,
    places=Places(Path("/d")),
)
CPU = CUDA._replace(argv=("/e/bin/python", "-m", "vllm.entrypoints.openai.api_server"), gpu_count=0)
NEW = ["--disable-access-log-for-endpoints", "/health,/metrics"]


def argv_of(what: command.Serving, **fields: Any) -> list[str]:
    return command.build(what, SPEC._replace(**fields), "/bin")[0]


def test_the_whole_command_for_a_card() -> None:
    assert argv_of(CUDA) == [
        *("/e/bin/vllm", "serve", "/m", "--host", "127.0.0.1", "--port", "8000"),
        *("--served-model-name", "01ai/Yi-34B-Chat-4bits"),
        *("--max-model-len", "auto", "--max-num-seqs", "8"),
        *NEW,
    ]


def test_the_whole_command_without_a_card() -> None:
    assert argv_of(CPU, engine_args=("--dtype", "float32")) == [
        *("/e/bin/python", "-m", "vllm.entrypoints.openai.api_server", "--model", "/m"),
        *("--host", "127.0.0.1", "--port", "8000"),
        *("--served-model-name", "01ai/Yi-34B-Chat-4bits"),
        *("--max-model-len", "auto", "--max-num-seqs", "8", "--enforce-eager"),
        *NEW,
        *("--dtype", "float32"),
    ]


@pytest.mark.parametrize(
    ("asked", "version", "fitted", "args", "length"),
    [
        ("", (0, 14, 1), 0, (), "auto"),
        ("", (), 0, (), "auto"),
        ("", (0, 11, 0), 0, (), None),  # it does not know "auto"
        ("auto", (0, 11, 0), 0, (), None),
        ("4096", (0, 11, 0), 0, (), "4096"),
        ("8192", (0, 32, 0), 3000, (), "3000"),  # the engine said what fits
        ("4096", (0, 32, 0), 0, ("--max-model-len=1k",), None),  # the user's own option
    ],
)
def test_the_context_length(
    asked: str, version: tuple[int, ...], fitted: int, args: tuple[str, ...], length: str | None
) -> None:
    what = CUDA._replace(version=version, fitted_length=fitted)
    argv = argv_of(what, max_model_len=asked, engine_args=args)
    found = argv[argv.index("--max-model-len") + 1] if "--max-model-len" in argv else None
    assert found == length


def test_an_old_engine_gets_no_option_that_it_does_not_know() -> None:
    assert "--disable-access-log-for-endpoints" not in argv_of(CUDA._replace(version=(0, 14, 1)))


def test_quantization_is_left_to_the_engine() -> None:
    assert not {"-q", "--quantization"} & set(argv_of(CUDA) + argv_of(CPU))


def test_secrets_and_caches_are_in_the_environment() -> None:
    argv, variables = command.build(CUDA, SPEC, "/bin")
    assert "secret" not in " ".join(argv)
    assert variables["VLLM_API_KEY"] == "secret"
    assert variables["VLLM_CACHE_ROOT"] == "/d/paperkite/cache/vllm"
    assert variables["TRITON_CACHE_DIR"].startswith("/d/paperkite/cache/")
    assert variables["XDG_CACHE_HOME"].startswith("/d/paperkite/cache/")
    assert variables["PATH"] == "/e/bin:/bin"
    assert variables["HF_HUB_OFFLINE"] == variables["VLLM_NO_USAGE_STATS"] == "1"
    assert variables["VLLM_USE_FLASHINFER_SAMPLER"] == "0"
    assert "TMPDIR" not in variables
    assert "VLLM_CPU_KVCACHE_SPACE" not in variables
    assert command.build(CPU, SPEC, "/bin")[1]["VLLM_CPU_KVCACHE_SPACE"] == "1"


def test_the_facts_of_the_earlier_tasks_make_the_first_attempt() -> None:
    facts = {
        "engine.argv": ["/e/bin/vllm", "serve"],
        "engine.env": "/e",
        "engine.version": "0.32.0",
        "model.path": "/m",
        "gpu.count": 1,
        "data_dir": "/d",
    }
    assert command.serving(facts, 8000) == CUDA


def test_only_one_other_length_is_tried() -> None:
    once = command.with_fitting_length(CUDA, 2048)
    assert once is not None
    assert once.fitted_length == 2048
    assert command.with_fitting_length(once, 1024) is None
    assert command.with_fitting_length(CUDA, None) is None
