"""From the packaged GGUF file to a model folder that vLLM serves with `-q awq`.

The embeddings stay float16 (Q8_0 in the source), every linear layer is re-quantised from Q4_1
(blocks of 32, each with its own scale and minimum) to AWQ. Same input, same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import gguf
import numpy as np
import numpy.typing as npt

from desktop.rehearsal import awq, safetensors
from desktop.rehearsal.tokenizer import Vocabulary, tokenizer_config, tokenizer_json

WEIGHTS = "model.safetensors"

# llama.cpp's names of a block's parts, and the ones of a transformers checkpoint.
_LINEAR = {
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}
_NORMS = {"attn_norm": "input_layernorm", "ffn_norm": "post_attention_layernorm"}

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Shape:
    """The sizes of a llama-like model, as its GGUF file gives them."""

    layers: int
    hidden: int
    intermediate: int
    heads: int
    kv_heads: int
    context: int
    rope_theta: float
    rms_eps: float


class GgufModel:
    """A GGUF file, read lazily: its shape, its vocabulary and its tensors by name."""

    def __init__(self, path: Path) -> None:
        self._reader = gguf.GGUFReader(path)
        self._tensors = {tensor.name: tensor for tensor in self._reader.tensors}

    def shape(self) -> Shape:
        """Return the sizes."""
        return Shape(
            layers=self._value("llama.block_count"),
            hidden=self._value("llama.embedding_length"),
            intermediate=self._value("llama.feed_forward_length"),
            heads=self._value("llama.attention.head_count"),
            kv_heads=self._value("llama.attention.head_count_kv"),
            context=self._value("llama.context_length"),
            rope_theta=self._value("llama.rope.freq_base"),
            rms_eps=float(f"{self._value('llama.attention.layer_norm_rms_epsilon'):.3g}"),
        )

    def vocabulary(self) -> Vocabulary:
        """Return the tokenizer's data."""
        return Vocabulary(
            tokens=self._value("tokenizer.ggml.tokens"),
            token_types=self._value("tokenizer.ggml.token_type"),
            merges=self._value("tokenizer.ggml.merges"),
            bos=self._value("tokenizer.ggml.bos_token_id"),
            eos=self._value("tokenizer.ggml.eos_token_id"),
            pad=self._value("tokenizer.ggml.padding_token_id"),
            unknown=self._value("tokenizer.ggml.unknown_token_id"),
            chat_template=self._value("tokenizer.chat_template"),
        )

    def floats(self, name: str) -> Floats:
        """Return one tensor as float32, `[outputs, inputs]`."""
        tensor = self._tensors[name]
        return cast("Floats", gguf.quants.dequantize(tensor.data, tensor.tensor_type))

    def _value(self, key: str) -> Any:
        return self._reader.fields[key].contents()


def convert(source: Path, folder: Path, report: Callable[[float, float], None]) -> None:
    """Write the model folder's files; `report` gets the layers done and their number."""
    model = GgufModel(source)
    shape, vocabulary = model.shape(), model.vocabulary()
    tensors: dict[str, npt.NDArray[Any]] = {
        "model.embed_tokens.weight": _half(model.floats("token_embd.weight"))
    }
    for layer in range(shape.layers):
        report(layer, shape.layers)
        tensors.update(_layer(model, shape, layer))
    tensors["model.norm.weight"] = _half(model.floats("output_norm.weight"))
    safetensors.write(folder / WEIGHTS, tensors)
    _write_json(folder / "config.json", _config(shape, vocabulary))
    _write_json(folder / "generation_config.json", _generation_config(vocabulary))
    _write_json(folder / "tokenizer.json", tokenizer_json(vocabulary))
    _write_json(folder / "tokenizer_config.json", tokenizer_config(vocabulary, shape.context))
    report(shape.layers, shape.layers)


def _layer(model: GgufModel, shape: Shape, layer: int) -> Iterator[tuple[str, npt.NDArray[Any]]]:
    prefix = f"model.layers.{layer}"
    for source, name in _NORMS.items():
        yield f"{prefix}.{name}.weight", _half(model.floats(f"blk.{layer}.{source}.weight"))
    for source, name in _LINEAR.items():
        weight = model.floats(f"blk.{layer}.{source}.weight")
        if source in ("attn_q", "attn_k"):
            weight = unpermuted(weight, shape.heads if source == "attn_q" else shape.kv_heads)
        packed = awq.quantise(weight)
        yield f"{prefix}.{name}.qweight", packed.qweight
        yield f"{prefix}.{name}.qzeros", packed.qzeros
        yield f"{prefix}.{name}.scales", packed.scales


def unpermuted(weight: Floats, heads: int) -> Floats:
    """Return a query or key weight with its rotary halves apart again: GGUF interleaves them."""
    outputs, inputs = weight.shape
    pairs = weight.reshape(heads, outputs // heads // 2, 2, inputs)
    return np.ascontiguousarray(pairs.swapaxes(1, 2)).reshape(outputs, inputs)


def _half(values: Floats) -> npt.NDArray[np.float16]:
    return values.astype(np.float16)


def _config(shape: Shape, vocabulary: Vocabulary) -> dict[str, Any]:
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "attention_bias": False,
        "attention_dropout": 0.0,
        "bos_token_id": vocabulary.bos,
        "eos_token_id": vocabulary.eos,
        "pad_token_id": vocabulary.pad,
        "head_dim": shape.hidden // shape.heads,
        "hidden_act": "silu",
        "hidden_size": shape.hidden,
        "initializer_range": 0.02,
        "intermediate_size": shape.intermediate,
        "max_position_embeddings": shape.context,
        "mlp_bias": False,
        "num_attention_heads": shape.heads,
        "num_hidden_layers": shape.layers,
        "num_key_value_heads": shape.kv_heads,
        "quantization_config": {
            "quant_method": "awq",
            "bits": awq.BITS,
            "group_size": awq.GROUP,
            "zero_point": True,
            "version": "gemm",
            "modules_to_not_convert": ["lm_head"],
        },
        "rms_norm_eps": shape.rms_eps,
        "rope_scaling": None,
        "rope_theta": shape.rope_theta,
        "tie_word_embeddings": True,
        "torch_dtype": "float16",
        "use_cache": True,
        "vocab_size": len(vocabulary.tokens),
    }


def _generation_config(vocabulary: Vocabulary) -> dict[str, Any]:
    """Return the defaults of a request: so small a model turns in circles without a penalty."""
    return {
        "do_sample": True,
        "temperature": 0.2,
        "top_p": 0.9,
        "repetition_penalty": 1.1,
        "bos_token_id": vocabulary.bos,
        "eos_token_id": vocabulary.eos,
        "pad_token_id": vocabulary.pad,
    }


def _write_json(path: Path, fields: dict[str, Any]) -> None:
    text = json.dumps(fields, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
    path.write_text(text, encoding="utf-8", newline="\n")
