from __future__ import annotations

from typing import Any

import pytest

from remote.engine.shape import LARGEST, Shape, needs_code, read
from tests.unit.remote_tasks.shapes import LINEAR, config

NO_COUNTS: tuple[Any, ...] = (None, 0, -1, True, "4096", 1.5, LARGEST + 1, [], {})


def shape_of(**fields: Any) -> Shape:
    found = read(config(**fields), 1000)
    assert found is not None
    return found


def test_the_whole_shape_of_the_default_model() -> None:
    assert read(config(), 19_230_000_000) == Shape(
        layers=60,
        attention_layers=60,
        heads=56,
        kv_heads=8,
        head_dim=128,
        hidden=7168,
        intermediate=20480,
        vocab=64000,
        native_length=4096,
        group_size=128,
        weight_bytes=19_230_000_000,
        bits=4,
        cut=(7168, 20480),
        sees=False,
    )


def test_a_head_may_be_wider_than_the_models_width_says() -> None:
    qwen3 = shape_of(hidden_size=5120, num_attention_heads=64, head_dim=128)
    assert (qwen3.head_dim, qwen3.cut[0]) == (128, 8192)
    assert shape_of(head_dim=None).head_dim == 128


def test_without_kv_heads_every_head_has_its_own() -> None:
    assert shape_of(num_key_value_heads=None).kv_heads == 56


def test_experts_count_as_many_as_a_token_visits() -> None:
    qwen3_moe = shape_of(
        intermediate_size=6144,
        moe_intermediate_size=768,
        num_experts=128,
        num_experts_per_tok=8,
        hidden_size=2048,
        num_attention_heads=32,
        head_dim=128,
    )
    assert qwen3_moe.intermediate == 8 * 768
    assert qwen3_moe.cut == (4096, 6144, 768)
    mixtral = shape_of(intermediate_size=14336, num_local_experts=8, num_experts_per_tok=2)
    assert mixtral.intermediate == 2 * 14336
    assert shape_of(moe_intermediate_size=512, num_experts_per_tok=10**6).intermediate <= 64 * 512


def test_the_text_part_of_a_model_that_sees_goes_before_the_rest() -> None:
    whole: dict[str, Any] = {
        "architectures": ["Gemma3ForConditionalGeneration"],
        "model_type": "gemma3",
        "text_config": config(model_type="gemma3_text", head_dim=256),
        "vision_config": {"hidden_size": 1152},
    }
    found = read(whole, 1)
    assert found is not None
    assert (found.head_dim, found.sees, found.bits) == (256, True, 4)


@pytest.mark.parametrize(
    ("fields", "length"),
    [
        ({}, 4096),
        ({"max_position_embeddings": 32768, "seq_length": 8192}, 8192),
        ({"rope_scaling": {"type": "linear", "factor": 4.0}}, 16384),
        ({"rope_scaling": {"rope_type": "dynamic", "factor": 2}}, 8192),
        ({"rope_scaling": {"rope_type": "llama3", "factor": 8.0}}, 4096),
        ({"rope_parameters": {"rope_type": "default", "rope_theta": 1e6}}, 4096),
        (  # DeepSeek's files have the stretched length already
            {
                "max_position_embeddings": 163840,
                "rope_scaling": {
                    "type": "yarn",
                    "factor": 40,
                    "original_max_position_embeddings": 4096,
                },
            },
            163840,
        ),
        (  # written by hand: 0.19 would stretch it, 0.32 does not
            {
                "max_position_embeddings": 32768,
                "rope_scaling": {
                    "type": "yarn",
                    "factor": 4.0,
                    "original_max_position_embeddings": 32768,
                },
            },
            32768,
        ),
        (
            {
                "max_position_embeddings": 131072,
                "original_max_position_embeddings": 4096,
                "rope_scaling": {"type": "longrope", "long_factor": [1.0]},
            },
            4096,
        ),
        ({"model_type": "gemma3_text", "rope_scaling": {"type": "linear", "factor": 8}}, 4096),
        ({"rope_scaling": {"type": "linear", "factor": None}}, 4096),
        ({"rope_scaling": None}, 4096),
    ],
)
def test_the_length_is_the_one_that_the_engine_derives(fields: dict[str, Any], length: int) -> None:
    assert shape_of(**fields).native_length == length


@pytest.mark.parametrize(
    ("quantization", "bits", "group"),
    [
        (None, 16, 0),
        ({"bits": 4, "group_size": 32}, 4, 32),
        ({"w_bit": 4, "q_group_size": 128}, 4, 128),
        ({"bits": 4, "group_size": -1}, 4, 0),
        ({"quant_method": "fp8"}, 8, 0),
        ({"config_groups": {"group_0": {"weights": {"num_bits": 4, "group_size": 64}}}}, 4, 64),
        ({"config_groups": {"group_0": 7}}, 8, 0),
        ("awq", 16, 0),
    ],
)
def test_the_quantization(quantization: Any, bits: int, group: int) -> None:
    found = shape_of(quantization_config=quantization)
    assert (found.bits, found.group_size) == (bits, group)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, False),
        ({"auto_map": {"AutoConfig": "configuration_internlm2.InternLM2Config"}}, False),
        ({"auto_map": {"AutoConfig": "x.Y"}, "model_type": "internlm2"}, True),
        ({"auto_map": {"AutoConfig": "x.Y"}, "model_type": None}, True),
        ({"auto_map": {}, "model_type": "internlm2"}, False),
        ({"auto_map": "x", "model_type": "internlm2"}, False),
    ],
)
def test_code_is_needed_where_nobody_else_knows_the_kind(
    fields: dict[str, Any], expected: bool
) -> None:
    assert needs_code(config(**fields)) is expected


@pytest.mark.parametrize(
    "fields",
    [
        {"kv_lora_rank": 512},
        {"layer_types": ["linear_attention", "full_attention"]},  # a state of unknown size
        {"layer_types": ["full_attention", "something_new"]},
        {"layer_types": ["full_attention", {}]},
        {**LINEAR, "layer_types": ["linear_attention"] * 60},
        {**LINEAR, "layer_types": None},
        {**LINEAR, "layer_types": None, "full_attention_interval": 61},
        {"layers_block_type": ["mamba", "attention"]},
        {"mamba_d_state": 128},
        *(
            {name: value}
            for name in (
                "hidden_size",
                "intermediate_size",
                "num_hidden_layers",
                "num_attention_heads",
                "vocab_size",
                "max_position_embeddings",
            )
            for value in NO_COUNTS
        ),
        {"rope_scaling": {"type": "linear", "factor": 1e300}},
        {"rope_scaling": {"type": "linear", "factor": float("nan")}},
        {"rope_scaling": {"type": "linear", "factor": float("inf")}},
        {"rope_scaling": {"type": "yarn", "factor": -1}},
    ],
)
def test_what_is_missing_or_unusual_makes_the_shape_unknown(fields: dict[str, Any]) -> None:
    assert read(config(**fields), 1) is None


def test_layers_of_linear_attention_keep_a_state_in_place_of_keys_and_values() -> None:
    found = shape_of(num_hidden_layers=4, head_dim=128, **LINEAR)
    assert (found.layers, found.attention_layers) == (4, 1)
    assert found.state == 3 * (48 * 128 * 128 + (2 * 16 * 128 + 48 * 128) * 4)
    assert found.cut == (7168, 20480, 2048, 6144)
    told = {**LINEAR, "layer_types": None, "full_attention_interval": 4}
    assert shape_of(num_hidden_layers=60, **told).attention_layers == 15


def test_without_a_file_of_weights_nothing_is_known() -> None:
    """GGUF, or a listing without sizes: a plan would take the model for one that weighs nothing."""
    assert read(config(), 0) is None
    assert read(config(), -1) is None


def test_a_sliding_window_is_taken_for_the_whole() -> None:
    kinds = ["sliding_attention", "full_attention"] * 30
    assert shape_of(layer_types=kinds, sliding_window=512).kv_heads == 8


def test_an_empty_file_is_unknown() -> None:
    assert read({}, 0) is None
