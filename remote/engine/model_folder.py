"""What lies in a model's folder that decides how it is served: read before the engine does."""

import json
from pathlib import Path
from typing import Any, Dict, NamedTuple, Optional

_LARGEST = 16 * 1024 * 1024
_WEIGHTS = (".safetensors", ".bin")
# Without one of them transformers 5 makes up an empty tokenizer, or fails in a way nobody reads.
_TOKENIZERS = ("tokenizer.json", "tokenizer.model", "vocab.json", "vocab.txt", "tekken.json")
_TEMPLATES = ("chat_template.jinja", "chat_template.json")


class ModelFolder(NamedTuple):
    """A model on the disk.

    Attributes:
        config: its config.json, None where there is none to read.
        weight_bytes: of the files with weights.
        has_tokenizer: whether there is anything that a tokenizer is made of.
        has_template: whether its tokenizer brings a chat template.
        has_old_quantization: whether only a quant_config.json tells of its quantization.
    """

    config: Optional[Dict[str, Any]]
    weight_bytes: int
    has_tokenizer: bool
    has_template: bool
    has_old_quantization: bool


def read(folder: Path) -> ModelFolder:
    """Return what a folder holds; what cannot be read is not there."""
    sizes = _sizes(folder)
    config = _object(folder / "config.json")
    tokenizer = _object(folder / "tokenizer_config.json") or {}
    is_told = bool(config and config.get("quantization_config"))
    return ModelFolder(
        config=config,
        weight_bytes=sum(size for name, size in sizes.items() if name.endswith(_WEIGHTS)),
        has_tokenizer=any(name in _TOKENIZERS or name.endswith(".tiktoken") for name in sizes),
        has_template=bool(tokenizer.get("chat_template")) or any(map(sizes.get, _TEMPLATES)),
        has_old_quantization="quant_config.json" in sizes and not is_told,
    )


def _sizes(folder: Path) -> Dict[str, int]:
    try:
        return {path.name: path.stat().st_size for path in folder.iterdir() if path.is_file()}
    except OSError:
        return {}


def _object(path: Path) -> Optional[Dict[str, Any]]:
    try:
        with path.open("rb") as file:
            fields = json.loads(file.read(_LARGEST).decode("utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return fields if isinstance(fields, dict) else None
