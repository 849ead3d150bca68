"""What fits on a card: facts as hosts send them, verdicts, and what is offered first.

That the arithmetic is the host's is held by tests/contract/test_planners.py.
"""

from __future__ import annotations

from typing import Any

import pytest

from desktop.core.catalogue import DEFAULT_MODEL, models
from desktop.core.last_checks import ASKED_MODEL
from desktop.core.planner.machine import Machine, machine_of, machine_with, usual_cards
from desktop.core.planner.offers import offers, preselected
from desktop.core.planner.plan import Verdict, plan
from desktop.core.planner.shelf import Shelf, hub_id

GIB, MIB = 1 << 30, 1 << 20
SMALL, LARGE = "Qwen/Qwen2.5-7B-Instruct-AWQ", "Qwen/Qwen3-32B-AWQ"
NEW = "tclf90/Qwen3.5-9B-AWQ"
FACTS: dict[str, object] = {
    "gpu.count": 1,
    "gpu.0.name": "NVIDIA GeForce RTX 4090",
    "gpu.0.memory_total": 24564 * MIB,
    "gpu.0.memory_free": 24114 * MIB,
    "gpu.0.capability": "8.9",
    "driver.cuda_major": 13,
    "engine.requirement": "vllm==0.33.0",
    "no_gpu_boot": False,
}
YI = models()[DEFAULT_MODEL]


def with_card(name: str, **more: Any) -> dict[str, object]:
    card = usual_cards()[name]
    capability = ".".join(map(str, card.capability or ()))
    found = {"gpu.0.name": name, "gpu.0.memory_total": card.memory, "gpu.0.memory_free": None}
    return {**FACTS, **found, "gpu.0.capability": capability, **more}


def machine(**facts: object) -> Machine:
    found = machine_of({**FACTS, **facts})
    assert found is not None
    return found


# -- facts ---------------------------------------------------------------------------------------


def test_a_card_is_read_from_the_facts_and_named_as_people_say_it() -> None:
    (card,) = machine().cards
    assert (card.short_name, card.capability) == ("RTX 4090", (8, 9))
    assert card.memory == 24564 * MIB


@pytest.mark.parametrize(
    "odd",
    [
        {},
        {"gpu.count": None},
        {"gpu.count": True},
        {"gpu.count": "1"},
        {"gpu.count": -1},
        {"gpu.count": 1.5},
    ],
)
def test_facts_that_tell_of_no_card_tell_of_no_machine(odd: dict[str, object]) -> None:
    assert machine_of(odd) is None


@pytest.mark.parametrize("total", [None, "24 GB", -1, True, 2.5])
def test_a_card_that_does_not_tell_its_memory_is_not_judged(total: object) -> None:
    unsure = machine(**{"gpu.0.memory_total": total})
    assert plan(YI, unsure).verdict is Verdict.UNKNOWN


def test_a_hostile_number_of_cards_is_bounded() -> None:
    found = machine(**{"gpu.count": 1 << 40})
    assert len(found.cards) == 64


def test_nothing_known_is_nothing_said() -> None:
    found = plan(YI, None)
    assert (found.verdict, found.fits, found.total) == (Verdict.UNKNOWN, False, 0)


# -- verdicts ------------------------------------------------------------------------------------


def test_the_parts_of_the_memory_make_up_the_whole() -> None:
    found = plan(YI, machine())
    parts = found.held + found.weights + found.kv + found.overhead + found.free
    assert found.fits
    assert (found.length, found.kv_cache_dtype) == (4096, "auto")
    assert parts == found.total
    assert found.weights == pytest.approx(18.3 * GIB, rel=0.01)


def test_a_longer_context_takes_more_and_then_does_not_fit() -> None:
    model = models()[LARGE]
    short, longer, too_long = (plan(model, machine(), n, "auto") for n in (2048, 8192, 32768))
    assert (short.fits, longer.fits, too_long.fits) == (True, True, False)
    assert longer.kv == 4 * short.kv
    assert too_long.verdict is Verdict.TOO_LONG
    assert 8192 <= too_long.longest < 32768


def test_an_8_bit_cache_holds_twice_as_much() -> None:
    model = models()[LARGE]
    whole, half = (plan(model, machine(), 0, kv).longest for kv in ("auto", "fp8"))
    assert half == pytest.approx(2 * whole, rel=0.01)


def test_a_model_that_is_too_large_says_by_how_much() -> None:
    found = plan(YI, machine(**with_card("RTX 2080 Ti")))
    assert (found.verdict, found.longest) == (Verdict.TOO_LARGE, 0)
    assert found.short == found.needed - found.room > 5 * GIB


def test_memory_that_others_hold_is_the_reason_where_it_is() -> None:
    busy = plan(YI, machine(**{"gpu.0.memory_free": 4 * GIB}))
    assert busy.verdict is Verdict.BUSY
    assert busy.held > 19 * GIB


def test_cards_and_drivers_that_are_too_old_are_named() -> None:
    assert plan(YI, machine(**with_card("V100 32 GB"))).verdict is Verdict.CARD_TOO_OLD
    no_engine = machine(**{"engine.requirement": None, "driver.cuda_major": 11})
    assert plan(YI, no_engine).verdict is Verdict.DRIVER_TOO_OLD
    of_2024 = machine(**{"engine.requirement": "vllm==0.19.1", "driver.cuda_major": 12})
    assert plan(models()[NEW], of_2024).verdict is Verdict.DRIVER_TOO_OLD
    assert plan(YI, of_2024).fits


def test_a_host_that_was_booted_without_its_gpu_is_not_judged() -> None:
    found = machine_of({"gpu.count": 0, "no_gpu_boot": True})
    assert found is not None
    assert plan(YI, found).verdict is Verdict.UNKNOWN


def test_a_host_without_any_gpu_serves_on_its_processor() -> None:
    found = machine_of({"gpu.count": 0, "no_gpu_boot": False})
    assert found is not None
    made = plan(models()[SMALL], found)
    assert (made.fits, made.cards) == (True, 0)
    assert made.length < 32768


# -- what is offered -----------------------------------------------------------------------------


def ids(made: Any) -> list[str]:
    return [offer.model.id for offer in made]


def test_what_fits_comes_first_and_the_most_able_of_it_before_the_others() -> None:
    offered = offers(models().values(), machine())
    fitting = [offer.plan.fits for offer in offered]
    assert fitting == sorted(fitting, reverse=True)
    assert offered[0].model.id == LARGE
    small = offers(models().values(), machine(**with_card("RTX 2080 Ti")))
    assert small[0].model.id == "Qwen/Qwen3-8B-AWQ"
    assert small[0].plan.fits
    assert not small[-1].plan.fits


def test_without_a_word_about_the_host_the_catalogue_keeps_its_order() -> None:
    assert ids(offers(models().values(), None)) == list(models())


def test_the_earlier_model_is_taken_where_it_fits_and_else_what_fits_best() -> None:
    offered = offers(models().values(), machine())
    assert preselected(offered) == LARGE
    assert preselected(offered, earlier=SMALL) == SMALL
    small = offers(models().values(), machine(**with_card("RTX 2080 Ti")))
    assert preselected(small, earlier=DEFAULT_MODEL) == "Qwen/Qwen3-8B-AWQ"


def test_a_model_that_has_just_failed_is_not_proposed_again() -> None:
    offered = offers(models().values(), machine())
    assert preselected(offered, earlier=LARGE, avoided={LARGE}) not in ("", LARGE)
    mine = Shelf(machine(), others=("kite/Mine",)).offers()
    assert preselected(mine, earlier="kite/Mine") == "kite/Mine"
    assert preselected(mine, earlier="kite/Mine", avoided={"kite/Mine"}) == LARGE


def test_every_usual_card_that_an_engine_runs_on_has_a_model() -> None:
    for name, card in usual_cards().items():
        offered = offers(models().values(), machine_with(card))
        fits = offered[0].plan.fits
        assert fits is (name != "V100 32 GB"), name


# -- any other model -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("deepseek-ai/DeepSeek-V4-AWQ", "deepseek-ai/DeepSeek-V4-AWQ"),
        ("  a/b ", "a/b"),
        ("a", ""),
        ("a/b/c", ""),
        ("a/b c", ""),
        ("/b", ""),
        ("a/" + "b" * 200, ""),
        ("模型/名", ""),
    ],
)
def test_a_hub_id_is_told_from_words(text: str, found: str) -> None:
    assert hub_id(text) == found


def found(shelf: Shelf, text: str) -> Any:
    return shelf.search(shelf.offers(), text)


def test_a_search_finds_words_in_names_and_descriptions_of_both_languages() -> None:
    shelf = Shelf(machine())
    assert found(shelf, "") == shelf.offers()
    assert all("Coder" in name for name in ids(found(shelf, "coder")))
    assert len(found(shelf, "coder 32b")) == 1
    assert len(found(shelf, "写代码")) == 2
    assert found(shelf, "no such words") == []
    assert ids(found(shelf, SMALL)) == [SMALL]


def test_a_model_that_nobody_knows_is_offered_by_its_id_and_not_judged() -> None:
    (offer,) = found(Shelf(machine()), "kite/Unknown-AWQ")
    assert (offer.model.id, offer.plan.verdict) == ("kite/Unknown-AWQ", Verdict.UNKNOWN)
    assert ids(Shelf(machine(), others=("kite/Mine",)).offers())[0] == "kite/Mine"


def test_what_the_host_said_about_such_a_model_is_its_plan() -> None:
    told = {
        **FACTS,
        ASKED_MODEL: "kite/Mine",
        "model.fits": True,
        "model.weights": 10 * GIB,
        "model.kv_per_token": 100_000,
        "model.max_model_len": 16384,
    }
    (offer,) = found(Shelf(machine_of(told), told), "kite/Mine")
    assert (offer.plan.fits, offer.plan.length) == (True, 16384)
    told |= {"model.fits": False, "model.max_model_len": 0}
    (offer,) = found(Shelf(machine_of(told), told), "kite/Mine")
    assert offer.plan.verdict is Verdict.TOO_LARGE
    (other,) = found(Shelf(machine_of(told), told), "kite/Other")
    assert other.plan.verdict is Verdict.UNKNOWN


def test_where_the_host_itself_has_said_no_nothing_says_yes() -> None:
    told = {**FACTS, ASKED_MODEL: SMALL, "model.fits": False, "model.max_model_len": 0}
    by_id = {one.model.id: one for one in Shelf(machine_of(told), told).offers()}
    assert not by_id[SMALL].plan.fits
    assert by_id["Qwen/Qwen3-8B-AWQ"].plan.fits
