"""The catalogue agrees with itself and with the host, and says where its numbers are from."""

import re
from dataclasses import fields

import pytest

from desktop.core.catalogue import Model, models
from remote import spec

HOW_KNOWN = {
    "id": {"registry"},
    "shape": {"config", "memory"},
    "weights": {"listing", "arithmetic"},
    "sampling": {"config", "memory"},
}
SAMPLING = {"temperature", "top_p", "top_k", "repetition_penalty"}
each_model = pytest.mark.parametrize("model", models().values(), ids=lambda model: model.id)


@each_model
def test_an_entry_says_how_each_of_its_numbers_was_known(model: Model) -> None:
    assert model.checked.keys() == HOW_KNOWN.keys()
    assert all(how in HOW_KNOWN[what] for what, how in model.checked.items())


@each_model
def test_an_entry_describes_itself_in_both_languages(model: Model) -> None:
    assert model.description.keys() == {"en", "zh"}
    assert all(0 < len(line) <= 80 for line in model.description.values())
    assert re.search(r"[\u4e00-\u9fff]", model.description["zh"])


@each_model
def test_the_numbers_of_an_entry_can_be_meant(model: Model) -> None:
    numbers = [getattr(model, each.name) for each in fields(Model) if each.type == "int"]
    assert all(type(number) is int and number >= 0 for number in numbers)
    assert model.heads % model.kv_heads == 0
    assert 0 <= model.attention_layers < model.layers
    assert 2048 <= model.context <= model.native_length
    assert model.intermediate % model.group_size == model.hidden % model.group_size == 0
    assert model.quantization in ("awq", "gptq")
    assert model.cuda_major in (12, 13)
    assert all(0 <= token < model.vocab for token in model.stop_token_ids)


@each_model
def test_the_weights_are_those_of_the_shape(model: Model) -> None:
    if model.attention_layers:
        assert model.checked["weights"] == "listing"  # no formula for layers of another kind
        return
    width = model.heads * model.head_dim
    attention = 2 * model.hidden * (width + model.kv_heads * model.head_dim)
    linear = model.layers * (attention + 3 * model.hidden * model.intermediate)
    expected = linear * (0.5 + 2.5 / model.group_size) + 2 * 2 * model.vocab * model.hidden
    assert model.weight_bytes == pytest.approx(expected, rel=0.05)


@each_model
def test_a_model_that_thinks_has_a_parser_for_its_thoughts(model: Model) -> None:
    assert model.thinking in ("never", "always", "switch")
    assert bool(model.reasoning_parser) is (model.thinking != "never")


@each_model
def test_sampling_is_in_the_engines_own_terms(model: Model) -> None:
    sampling = model.sampling or {}
    assert sampling.keys() <= SAMPLING
    assert 0 < sampling.get("temperature", 1) <= 1
    assert 0 < sampling.get("top_p", 1) <= 1


@each_model
def test_the_host_takes_what_the_catalogue_tells_it(model: Model) -> None:
    spec.parse(
        {
            "model": model.id,
            "api_key": "k",
            "revision": model.revision,
            "dtype": model.dtype,
            "reasoning_parser": model.reasoning_parser,
            "chat_template": model.chat_template,
        }
    )


def test_there_is_a_choice_for_a_card_of_24_gb_in_every_size() -> None:
    room = 21.4 * (1 << 30)  # of such a card at 0.9
    fitting = [model for model in models().values() if model.needed(4096) <= room]
    assert len(fitting) >= 12
    assert {model.quantization for model in fitting} >= {"awq"}
