"""A model's numbers, as its own config.json tells them: what fits where depends on nothing else.

The file comes from a stranger: every number is bounded, and whatever is missing or unusual makes
the shape unknown, not wrong.
"""

from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Tuple

LARGEST = 1 << 24  # of any one number: a vocabulary has 2^18, a context 2^21

# Attention that keeps something else than keys and values per head and token: how much memory it
# takes is the engine's business.
_OTHER_ATTENTION = (
    "kv_lora_rank",  # DeepSeek's MLA
    "mamba_d_state",
    "ssm_cfg",
    "layer_group_size",
)
# The kinds of layers that keep keys and values, and the one that keeps a state of fixed size in
# their place (Qwen3-Next, Qwen3.5 and 3.6). A sliding window counts as the whole: it takes less.
_ATTENTION = ("full_attention", "sliding_attention", "chunked_attention", "attention")
_LINEAR = "linear_attention"

# vLLM takes the smallest of them (`derive_max_model_len_and_key`, 0.32).
_LENGTHS = ("max_position_embeddings", "seq_length", "max_sequence_length", "max_seq_len")
# With these the length in the file is the scaled one already (`_get_and_verify_max_len`, 0.32).
_SCALED_ALREADY = ("", "default", "su", "longrope", "llama3", "yarn", "deepseek_yarn", "mrope")
# Kinds that transformers 4.57 and 5 know, and whose repositories often carry code nevertheless.
_KNOWN_KINDS = (
    *("llama", "mistral", "mixtral", "gemma", "gemma2", "gemma3", "gemma3_text", "phi", "phi3"),
    *("qwen2", "qwen2_moe", "qwen2_vl", "qwen2_5_vl", "qwen3", "qwen3_moe", "qwen3_next"),
    *("deepseek_v2", "deepseek_v3", "glm", "glm4", "glm4_moe", "falcon", "mpt", "starcoder2"),
)


class Shape(NamedTuple):
    """What decides how much memory a model takes and how it can be split.

    Attributes:
        layers: hidden layers.
        attention_layers: those of them that keep keys and values for each token.
        heads: attention heads.
        kv_heads: heads of the KV cache.
        head_dim: numbers per head.
        hidden: the model's width.
        intermediate: the width inside an MLP; all experts that one token visits together.
        vocab: tokens in the vocabulary.
        native_length: the longest context that it was made for, in tokens.
        group_size: of the quantization, 0 where there is none or a group is a whole column.
        weight_bytes: of the files with weights.
        bits: of a quantized weight, 16 where there is no quantization.
        cut: the input widths that tensor parallelism cuts (o_proj's, down_proj's), each of which
            must stay a multiple of the group.
        sees: whether it reads pictures too.
        state: numbers that the other layers keep for each sequence, all together.
    """

    layers: int
    attention_layers: int
    heads: int
    kv_heads: int
    head_dim: int
    hidden: int
    intermediate: int
    vocab: int
    native_length: int
    group_size: int
    weight_bytes: int
    bits: int = 16
    cut: Tuple[int, ...] = ()
    sees: bool = False
    state: int = 0


def read(config: Mapping[str, Any], weight_bytes: int) -> Optional[Shape]:
    """Return the shape in a config.json, or None where it does not tell enough.

    Args:
        config: the decoded file; a part `text_config` goes before the rest.
        weight_bytes: of the repository's files with weights.
    """
    text = {**config, **_part(config, "text_config")}
    layers, heads, hidden, dense, vocab = (
        _count(text, name)
        for name in (
            "num_hidden_layers",
            "num_attention_heads",
            "hidden_size",
            "intermediate_size",
            "vocab_size",
        )
    )
    length = _native_length(text)
    experts = _experts(text)
    shared = _count(text, "shared_expert_intermediate_size")
    inner = max(sum(experts) + shared, dense)
    attention_layers = _attention_layers(text, layers)
    if not (attention_layers and heads and hidden and inner and vocab and length):
        return None
    if weight_bytes <= 0:  # of a kind that vLLM does not read, or not told
        return None
    head_dim = _count(text, "head_dim") or hidden // heads or 1
    bits, group = _quantization(_part(text, "quantization_config"))
    return Shape(
        layers=layers,
        attention_layers=attention_layers,
        heads=heads,
        kv_heads=min(heads, _count(text, "num_key_value_heads") or heads),
        head_dim=head_dim,
        hidden=hidden,
        intermediate=inner,
        vocab=vocab,
        native_length=length,
        group_size=group,
        weight_bytes=weight_bytes,
        bits=bits,
        cut=_distinct([heads * head_dim, dense, shared, *experts[:1], *_linear_widths(text)]),
        sees=bool(_part(config, "vision_config")),
        state=(layers - attention_layers) * _state(text),
    )


def needs_code(config: Mapping[str, Any]) -> bool:
    """Tell whether a model comes with code of its own that has to be trusted.

    Where transformers knows the kind of model itself, it takes its own code instead and asks nobody
    (`resolve_trust_remote_code`).
    """
    return bool(_part(config, "auto_map")) and config.get("model_type") not in _KNOWN_KINDS


def _part(config: Mapping[str, Any], name: str) -> Dict[str, Any]:
    value = config.get(name)
    return value if isinstance(value, dict) else {}


def _count(config: Mapping[str, Any], name: str) -> int:
    """Return a positive whole number, or 0 where there is none that could be meant."""
    value = config.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= LARGEST:
        return 0
    return value


def _experts(text: Mapping[str, Any]) -> List[int]:
    """Return the inner widths of the experts that one token visits, [] without experts."""
    width = _count(text, "moe_intermediate_size") or (
        _count(text, "intermediate_size") if _count(text, "num_local_experts") else 0
    )
    visited = min(64, _count(text, "num_experts_per_tok"))
    return [width] * visited if width else []


def _attention_layers(text: Mapping[str, Any], layers: int) -> int:
    """Return how many of the layers keep keys and values, 0 where that cannot be told."""
    if any(text.get(name) for name in _OTHER_ATTENTION):
        return 0
    kinds = text.get("layer_types") or text.get("layers_block_type")
    if not isinstance(kinds, list):
        every = _count(text, "full_attention_interval") if _linear_widths(text) else 1
        return layers // every if every else 0
    linear = kinds.count(_LINEAR)
    if any(kind not in (*_ATTENTION, _LINEAR) for kind in kinds) or (linear and not _state(text)):
        return 0
    return max(0, layers - linear)


def _linear_widths(text: Mapping[str, Any]) -> List[int]:
    """Return the widths of keys and values in layers of linear attention, [] without such."""
    sides = (
        _count(text, "linear_num_%s_heads" % side) * _count(text, "linear_%s_head_dim" % side)
        for side in ("key", "value")
    )
    return [width for width in sides if width]


def _state(text: Mapping[str, Any]) -> int:
    """Return the numbers that one layer of linear attention keeps for a sequence, 0 if not known.

    A matrix for each of its value heads, and the last few in- and outputs of its convolution.
    """
    widths = _linear_widths(text)
    if len(widths) < 2:
        return 0
    matrices = widths[1] * _count(text, "linear_key_head_dim")
    return matrices + (2 * widths[0] + widths[1]) * _count(text, "linear_conv_kernel_dim")


def _native_length(text: Mapping[str, Any]) -> int:
    """Return the context length as vLLM derives it from a config.json, 0 where it cannot."""
    length = min(filter(None, (_count(text, name) for name in _LENGTHS)), default=0)
    rope = _part(text, "rope_scaling") or _part(text, "rope_parameters")
    kind = str(rope.get("rope_type") or rope.get("type") or "")
    original = _count(text, "original_max_position_embeddings")
    if kind == "longrope" and original:
        return min(length, original)  # what vLLM takes by itself: longer makes short texts worse
    factor = rope.get("factor")
    if kind == "yarn" and isinstance(factor, (int, float)):
        # 0.19 takes the original length times the factor, 0.32 the length in the file: the smaller
        # of the two is accepted by both.
        stretched = _bounded((_count(rope, "original_max_position_embeddings") or length) * factor)
        return min(length, stretched)
    if kind in _SCALED_ALREADY or "gemma3" in str(text.get("model_type")):
        return length
    return _bounded(length * factor) if isinstance(factor, (int, float)) else length


def _bounded(length: float) -> int:
    return int(length) if 1 <= length <= LARGEST else 0


def _quantization(config: Mapping[str, Any]) -> Tuple[int, int]:
    """Return bits and group size of AWQ, GPTQ or compressed-tensors weights; (16, 0) for none."""
    if not config:
        return 16, 0
    groups = [part for part in _part(config, "config_groups").values() if isinstance(part, dict)]
    weights = _part(groups[0], "weights") if groups else config
    named = ("bits", "w_bit", "num_bits")
    bits = next(filter(None, (_count(weights, name) for name in named)), 8)
    return min(16, bits), _count(weights, "group_size") or _count(weights, "q_group_size")


def _distinct(widths: List[int]) -> Tuple[int, ...]:
    return tuple(dict.fromkeys(width for width in widths if width))
