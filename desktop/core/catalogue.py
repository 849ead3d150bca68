"""What is known about a model by its name: `assets/models.toml`.

A hub id that is not in it works too: the host then reads everything from the model's config.json.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from itertools import takewhile
from typing import Any

from desktop.core.assets import asset

DEFAULT_MODEL = "01ai/Yi-34B-Chat-4bits"

_LOADED_PER_FILE = 1.03  # vLLM loads Yi-34B's 17.90 GiB as 18.41: buffers and repacked scales
_KV_BYTES = 2  # of one number in the KV cache, fp16 or bf16
_ABOUT_AS_LARGE = 0.9
_SHORTEST_USEFUL = 2048  # tokens of context below which nobody can talk


@dataclass(frozen=True, slots=True)
class Model:
    """One model of the catalogue. Sizes are bytes, lengths are tokens.

    Attributes:
        id: `OWNER/NAME` at the hub.
        description: one line for people, by language.
        licence: as SPDX writes it, in small letters.
        weight_bytes: of the files with weights.
        layers: hidden layers.
        heads: attention heads.
        kv_heads: heads of the KV cache.
        head_dim: numbers per head.
        hidden: the model's width.
        intermediate: the width inside an MLP.
        vocab: tokens in the vocabulary.
        native_length: the longest context that it was made for.
        context: what a chat with it wants, and a 24 GB card mostly has.
        checked: how each of these was known, see the file's head.
        revision: at the hub.
        quantization: "awq" or "gptq".
        group_size: of the quantization.
        attention_layers: layers that have a KV cache; 0 = all of them.
        state: numbers that the other layers keep for each sequence, all together.
        sees: whether it reads pictures too.
        dtype: what the engine is told, or "" for what the checkpoint says.
        cuda_major: the lowest CUDA whose newest engine knows the model.
        stop_token_ids: where a reply must end, beyond the model's own EOS.
        reasoning_parser: vLLM's name of it, or "".
        thinking: "never", "always", or "switch" (by `enable_thinking` of the chat template).
        chat_template: Jinja, for a tokenizer that brings none; or "".
        trust_remote_code: whether the model runs Python code of its own.
        sampling: `temperature`, `top_p`, … of the model's generation config; the engine's default.
    """

    id: str
    description: Mapping[str, str]
    licence: str
    weight_bytes: int
    layers: int
    heads: int
    kv_heads: int
    head_dim: int
    hidden: int
    intermediate: int
    vocab: int
    native_length: int
    context: int
    checked: Mapping[str, str]
    revision: str = "master"
    quantization: str = "awq"
    group_size: int = 128
    attention_layers: int = 0
    state: int = 0
    sees: bool = False
    dtype: str = "half"
    cuda_major: int = 12
    stop_token_ids: tuple[int, ...] = ()
    reasoning_parser: str = ""
    thinking: str = "never"
    chat_template: str = ""
    trust_remote_code: bool = False
    sampling: Mapping[str, float] | None = None

    @property
    def kv_per_token(self) -> int:
        """Bytes of KV cache for one token of context, in half precision."""
        layers = self.attention_layers or self.layers
        return 2 * layers * self.kv_heads * self.head_dim * _KV_BYTES

    def needed(self, length: int) -> int:
        """Return the bytes that weights and a context of this length take on the cards."""
        return round(self.weight_bytes * _LOADED_PER_FILE) + length * self.kv_per_token


@cache
def models() -> dict[str, Model]:
    """Return the catalogue by id, in its own order."""
    table = tomllib.loads(asset("models.toml").read_text(encoding="utf-8"))
    return {
        name: _model(name, entry, table["templates"]) for name, entry in table["models"].items()
    }


def _model(name: str, entry: dict[str, Any], templates: dict[str, str]) -> Model:
    fields = dict(entry)
    fields["stop_token_ids"] = tuple(entry.get("stop_token_ids", ()))
    if template := entry.get("chat_template"):
        fields["chat_template"] = templates[template]
    return Model(id=name, **fields)


def find(model: str) -> Model | None:
    """Return what is known of a model, or None where the catalogue does not have it."""
    return models().get(model)


def nearest_that_fits(model: str, room: int, cuda_major: int = 12) -> Model | None:
    """Return the catalogue's model to take instead of one that does not fit, or None.

    The largest that fits; of those about as large, the one whose name begins most alike.

    Args:
        model: the hub id that does not fit.
        room: bytes that the cards could give to weights and KV cache.
        cuda_major: of the host's driver; 12 where it is not known.
    """
    fitting = [
        each
        for each in models().values()
        if each.id != model
        and each.cuda_major <= cuda_major
        and each.needed(_SHORTEST_USEFUL) <= room
    ]
    largest = max((each.weight_bytes for each in fitting), default=0)
    alike = [each for each in fitting if each.weight_bytes >= _ABOUT_AS_LARGE * largest]
    return max(alike, key=lambda each: (_likeness(model, each.id), each.weight_bytes), default=None)


def _likeness(one: str, other: str) -> int:
    """Return how many characters two models' names begin with alike, whoever publishes them."""
    pairs = zip(one.rpartition("/")[2], other.rpartition("/")[2], strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def stop_token_ids(model: str) -> list[int]:
    """Return the token ids at which a reply of this model must end, beyond its own EOS."""
    known = find(model)
    return list(known.stop_token_ids) if known else []
