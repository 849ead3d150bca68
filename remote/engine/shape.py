"""A model's numbers, as its own config.json tells them: what fits where depends on nothing else."""

from typing import Any, Mapping, NamedTuple, Optional


class Shape(NamedTuple):
    """What decides how much memory a model takes and how it can be split.

    Attributes:
        architecture: the first of `architectures`.
        layers: hidden layers.
        heads: attention heads.
        kv_heads: heads of the KV cache.
        head_dim: numbers per head.
        hidden: the model's width.
        intermediate: the width inside an MLP.
        vocab: tokens in the vocabulary.
        native_length: the longest context that it was made for, in tokens.
        group_size: of the quantization, 0 where there is none.
        weight_bytes: of the files with weights.
        dtype: "float16" or "bfloat16", as the checkpoint says; "" where it does not.
        needs_code: whether its own Python code would have to be trusted (`auto_map`).
    """

    architecture: str
    layers: int
    heads: int
    kv_heads: int
    head_dim: int
    hidden: int
    intermediate: int
    vocab: int
    native_length: int
    group_size: int
    weight_bytes: int
    dtype: str = ""
    needs_code: bool = False


def read(config: Mapping[str, Any], weight_bytes: int) -> Optional[Shape]:
    """Return the shape in a config.json, or None where it does not tell enough."""
    raise NotImplementedError
