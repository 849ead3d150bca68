"""The tokenizer and generation files that transformers reads, from the metadata in a GGUF file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

_NORMAL, _CONTROL = 1, 3  # values of `tokenizer.ggml.token_type` in the GGUF specification


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What a GGUF file says about its byte-level BPE tokenizer.

    Attributes:
        tokens: in the order of their ids.
        token_types: one of the GGUF specification's numbers for each token.
        merges: in the order of their rank, two tokens with a space between.
        bos: id of the token that begins a text.
        eos: id of the token that ends a reply.
        pad: id of the token that fills a batch.
        unknown: id of the token for what has none.
        chat_template: Jinja source.
    """

    tokens: list[str]
    token_types: list[int]
    merges: list[str]
    bos: int
    eos: int
    pad: int
    unknown: int
    chat_template: str


def tokenizer_json(vocabulary: Vocabulary) -> dict[str, Any]:
    """Return `tokenizer.json`: byte-level BPE that splits digits one by one, as SmolLM's does."""
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [_added(vocabulary, token) for token in _special(vocabulary)],
        "normalizer": None,
        "pre_tokenizer": {
            "type": "Sequence",
            "pretokenizers": [
                {"type": "Digits", "individual_digits": True},
                {**byte_level, "use_regex": True},
            ],
        },
        "post_processor": None,
        "decoder": {**byte_level, "add_prefix_space": True, "use_regex": True},
        "model": _bpe(vocabulary),
    }


def tokenizer_config(vocabulary: Vocabulary, context: int) -> dict[str, Any]:
    """Return `tokenizer_config.json`, the chat template in it."""
    tokens = vocabulary.tokens
    return {
        # The class that takes `tokenizer.json` as it is; GPT2Tokenizer would build its own rules.
        "tokenizer_class": "PreTrainedTokenizerFast",
        "add_prefix_space": False,
        "clean_up_tokenization_spaces": False,
        "model_max_length": context,
        "bos_token": tokens[vocabulary.bos],
        "eos_token": tokens[vocabulary.eos],
        "pad_token": tokens[vocabulary.pad],
        "unk_token": tokens[vocabulary.unknown],
        "additional_special_tokens": [tokens[vocabulary.bos], tokens[vocabulary.eos]],
        "chat_template": vocabulary.chat_template,
    }


def _bpe(vocabulary: Vocabulary) -> dict[str, Any]:
    return {
        "type": "BPE",
        "dropout": None,
        "unk_token": None,
        "continuing_subword_prefix": None,
        "end_of_word_suffix": None,
        "fuse_unk": False,
        "byte_fallback": False,
        "ignore_merges": False,
        "vocab": {token: number for number, token in enumerate(vocabulary.tokens)},
        "merges": [merge.split(" ", 1) for merge in vocabulary.merges],
    }


def _special(vocabulary: Vocabulary) -> list[int]:
    return [number for number, kind in enumerate(vocabulary.token_types) if kind == _CONTROL]


def _added(vocabulary: Vocabulary, number: int) -> dict[str, Any]:
    return {
        "id": number,
        "content": vocabulary.tokens[number],
        "single_word": False,
        "lstrip": False,
        "rstrip": False,
        "normalized": False,
        "special": True,
    }
