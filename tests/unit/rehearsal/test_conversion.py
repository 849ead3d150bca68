"""From a small GGUF file, written here, to a model folder."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest

from desktop.rehearsal import awq
from desktop.rehearsal.conversion import convert, unpermuted

HIDDEN, INTERMEDIATE, HEADS, KV_HEADS, LAYERS, VOCABULARY = 64, 96, 4, 2, 2, 8
TOKENS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "a", "b", "ab", "Ġ", "1"]


def permuted(weight: np.ndarray[Any, Any], heads: int) -> np.ndarray[Any, Any]:
    """llama.cpp's own permutation (convert_hf_to_gguf.py, LlamaModel.permute)."""
    half = weight.shape[0] // heads // 2
    return weight.reshape(heads, 2, half, *weight.shape[1:]).swapaxes(1, 2).reshape(weight.shape)


@pytest.fixture(scope="module")
def weights() -> dict[str, np.ndarray[Any, Any]]:
    """The tensors as a transformers checkpoint would have them, under llama.cpp's names."""
    random = np.random.default_rng(7)
    shapes = {"token_embd": (VOCABULARY, HIDDEN), "output_norm": (HIDDEN,)}
    for layer in range(LAYERS):
        kv = HIDDEN // HEADS * KV_HEADS
        shapes |= {
            f"blk.{layer}.{name}": shape
            for name, shape in {
                "attn_norm": (HIDDEN,),
                "ffn_norm": (HIDDEN,),
                "attn_q": (HIDDEN, HIDDEN),
                "attn_k": (kv, HIDDEN),
                "attn_v": (kv, HIDDEN),
                "attn_output": (HIDDEN, HIDDEN),
                "ffn_gate": (INTERMEDIATE, HIDDEN),
                "ffn_up": (INTERMEDIATE, HIDDEN),
                "ffn_down": (HIDDEN, INTERMEDIATE),
            }.items()
        }
    return {name: random.standard_normal(shape, dtype=np.float32) for name, shape in shapes.items()}


@pytest.fixture(scope="module")
def source(
    tmp_path_factory: pytest.TempPathFactory, weights: dict[str, np.ndarray[Any, Any]]
) -> Path:
    path = tmp_path_factory.mktemp("gguf") / "small.gguf"
    writer = gguf.GGUFWriter(str(path), "llama")
    writer.add_block_count(LAYERS)
    writer.add_embedding_length(HIDDEN)
    writer.add_feed_forward_length(INTERMEDIATE)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KV_HEADS)
    writer.add_context_length(512)
    writer.add_rope_freq_base(100000.0)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_token_list(TOKENS)
    writer.add_token_types([3, 3, 3, 1, 1, 1, 1, 1])
    writer.add_token_merges(["a b"])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_pad_token_id(2)
    writer.add_unk_token_id(0)
    writer.add_chat_template("{{ messages }}")
    heads = {"attn_q": HEADS, "attn_k": KV_HEADS}
    for name, weight in weights.items():
        part = name.rpartition(".")[2]
        stored = permuted(weight, heads[part]) if part in heads else weight
        writer.add_tensor(f"{name}.weight", stored)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, source: Path) -> Path:
    made = tmp_path_factory.mktemp("model")
    convert(source, made, lambda done, total: None)
    return made


def tensors_of(path: Path) -> dict[str, np.ndarray[Any, Any]]:
    """Read a safetensors file by its specification."""
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    entries = json.loads(data[8 : 8 + length])
    entries.pop("__metadata__")
    found = {}
    for name, entry in entries.items():
        begin, end = (8 + length + offset for offset in entry["data_offsets"])
        kind = {"F16": np.float16, "I32": np.int32}[entry["dtype"]]
        found[name] = np.frombuffer(data[begin:end], dtype=kind).reshape(entry["shape"])
    assert end == len(data)
    return found


def json_of(path: Path) -> dict[str, Any]:
    fields: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return fields


def test_unpermuted_undoes_what_llama_cpp_did() -> None:
    weight = np.arange(32 * 3, dtype=np.float32).reshape(32, 3)
    assert np.array_equal(unpermuted(permuted(weight, 4), 4), weight)
    assert not np.array_equal(permuted(weight, 4), weight)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("self_attn.q_proj", "attn_q"),
        ("self_attn.k_proj", "attn_k"),
        ("self_attn.v_proj", "attn_v"),
        ("self_attn.o_proj", "attn_output"),
        ("mlp.gate_proj", "ffn_gate"),
        ("mlp.up_proj", "ffn_up"),
        ("mlp.down_proj", "ffn_down"),
    ],
)
def test_every_linear_layer_is_the_quantised_checkpoint_weight(
    folder: Path, weights: dict[str, np.ndarray[Any, Any]], ours: str, theirs: str
) -> None:
    tensors = tensors_of(folder / "model.safetensors")
    wanted = awq.quantise(weights[f"blk.1.{theirs}"])
    for part in ("qweight", "qzeros", "scales"):
        made = tensors[f"model.layers.1.{ours}.{part}"]
        assert np.array_equal(made, getattr(wanted, part)), part


def test_embeddings_and_norms_are_kept_as_float16_and_nothing_else_is_there(
    folder: Path, weights: dict[str, np.ndarray[Any, Any]]
) -> None:
    tensors = tensors_of(folder / "model.safetensors")
    half = weights["token_embd"].astype(np.float16)
    assert np.array_equal(tensors["model.embed_tokens.weight"], half)
    norm = weights["blk.0.ffn_norm"].astype(np.float16)
    assert np.array_equal(tensors["model.layers.0.post_attention_layernorm.weight"], norm)
    assert len(tensors) == 2 + LAYERS * (2 + 7 * 3)


def test_the_config_says_what_vllm_needs(folder: Path) -> None:
    config = json_of(folder / "config.json")
    assert config["architectures"] == ["LlamaForCausalLM"]
    assert (config["hidden_size"], config["head_dim"]) == (HIDDEN, HIDDEN // HEADS)
    assert (config["num_attention_heads"], config["num_key_value_heads"]) == (HEADS, KV_HEADS)
    assert config["rms_norm_eps"] == 1e-5
    assert config["tie_word_embeddings"] is True
    assert config["quantization_config"]["group_size"] == awq.GROUP
    assert json_of(folder / "generation_config.json")["eos_token_id"] == 2


def test_the_tokenizer_splits_digits_and_keeps_special_tokens_whole(folder: Path) -> None:
    tokenizer = json_of(folder / "tokenizer.json")
    first, second = tokenizer["pre_tokenizer"]["pretokenizers"]
    assert first == {"type": "Digits", "individual_digits": True}
    assert second["type"] == "ByteLevel"
    assert [token["content"] for token in tokenizer["added_tokens"]] == TOKENS[:3]
    assert tokenizer["model"]["vocab"]["ab"] == 5
    assert tokenizer["model"]["merges"] == [["a", "b"]]
    config = json_of(folder / "tokenizer_config.json")
    assert (config["bos_token"], config["eos_token"]) == ("<|im_start|>", "<|im_end|>")
    assert config["chat_template"] == "{{ messages }}"


def test_the_same_source_gives_the_same_bytes(tmp_path: Path, folder: Path, source: Path) -> None:
    convert(source, tmp_path, lambda done, total: None)
    for path in folder.iterdir():
        assert (tmp_path / path.name).read_bytes() == path.read_bytes(), path.name
