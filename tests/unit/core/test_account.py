"""What was found out about a host reads as sentences, whatever the host said."""

from __future__ import annotations

import pytest

from desktop.core.account import account
from desktop.core.explain import Language
from desktop.core.texts import Texts

GIB = 1 << 30
A_4090 = {
    "gpu.count": 1,
    "gpu.0.name": "NVIDIA GeForce RTX 4090",
    "gpu.0.memory_total": 24 * GIB,
    "gpu.0.memory_free": int(23.5 * GIB),
    "gpu.0.holders": "",
    "driver.version": "580.65.06",
    "driver.cuda_major": 13,
    "engine.requirement": "vllm==0.33.0",
    "data_dir": "/root/autodl-tmp",
    "disk.free": 48_200_000_000,
    "memory.limit": 120 * GIB,
    "memory.available": 100 * GIB,
    "model.weights": int(18.4 * GIB),
    "model.kv_per_token": 240 * 1024,
    "model.max_model_len": 4096,
    "model.fits": True,
    "forwarding": True,
    "hub.reachable": True,
    "index.reachable": None,
    "provider": "autodl",
    "no_gpu_boot": False,
}


def told(facts: dict[str, object], language: Language = "en") -> dict[str, str]:
    return dict(account(facts, Texts(language)))


def test_a_rented_4090() -> None:
    lines = told(A_4090)
    assert lines.pop("Provider").startswith("AutoDL: Only powering off")
    assert lines == {
        "GPU": "NVIDIA GeForce RTX 4090 ⋅ 24.0 GiB, 23.5 GiB free",
        "Engine": "driver 580.65.06 (CUDA 13) → vllm==0.33.0",
        "Disk": "/root/autodl-tmp, 48.2 GB free",
        "Memory": "120.0 GiB, 100.0 GiB free",
        "Model": "18.4 GiB of weights + 0.23 MiB per token of context"
        " → 4,096 tokens of context fit",
        "Network": "everything that is needed can be reached",
    }


def test_in_chinese_too() -> None:
    lines = told(A_4090, "zh")
    assert lines["显卡"] == "NVIDIA GeForce RTX 4090 ⋅ 24.0 GiB，空闲 23.5 GiB"
    assert (
        lines["模型"]
        == "权重 18.4 GiB + 每个 token 的上下文 0.23 MiB → 可容纳 4,096 个 token 的上下文"
    )


def test_cards_that_are_alike_are_counted() -> None:
    second = {name.replace(".0.", ".1."): value for name, value in A_4090.items() if ".0." in name}
    assert told(A_4090 | second)["GPU"].startswith("2 × NVIDIA GeForce RTX 4090")
    other = told(A_4090 | second | {"gpu.1.memory_free": 4 * GIB, "gpu.1.holders": "python (812)"})
    assert other["GPU"].count("RTX 4090") == 2
    assert "in use by python (812)" in other["GPU"]


@pytest.mark.parametrize(
    ("fact", "line", "said"),
    [
        ({"gpu.count": 0}, "GPU", "none that the driver can see"),
        ({"gpu.count": 0, "no_gpu_boot": True}, "GPU", "booted without its GPU"),
        ({"model.fits": False}, "Model", "→ does not fit"),
        ({"model.kv_per_token": None}, "Model", "18.4 GiB of weights"),
        ({"forwarding": False}, "Network", "SSH port forwarding is forbidden"),
        ({"hub.reachable": False, "index.reachable": False}, "Network", "hub gives no answer ⋅ "),
        ({"engine.requirement": ""}, "Engine", "driver 580.65.06 (CUDA 13)"),
    ],
)
def test_what_is_not_as_it_should_be_is_said(fact: dict[str, object], line: str, said: str) -> None:
    assert said in told(A_4090 | fact)[line]


def test_of_what_is_not_known_nothing_is_said() -> None:
    assert account({}, Texts("en")) == []
    assert "Provider" not in told(A_4090 | {"provider": ""})


@pytest.mark.parametrize("odd", [None, "x\ny", -1, True, 1.5, "9" * 1000])
def test_a_host_may_say_anything(odd: object) -> None:
    for language in ("en", "zh"):
        for label, said in account(dict.fromkeys(A_4090, odd), Texts(language)):
            assert label
            assert "\n" not in said
            assert len(said) < 2000


def test_nothing_is_promised_of_a_cpu_where_no_engine_was_chosen() -> None:
    without = A_4090 | {"gpu.count": 0}
    assert "CPU" in told(without)["GPU"]
    assert "CPU" not in told(without | {"engine.requirement": None})["GPU"]
