"""Which files of a repository vLLM reads: a repository that ships two formats is twice as large."""

import fnmatch
import re
from typing import Any, Dict, Iterable, List, NamedTuple, Optional, Sequence, Tuple

# Only the top folder is read: `original/`, `onnx/` and the like hold the same weights once more.
_ALWAYS = (
    "config*.json",
    "generation_config.json",
    "quant*_config.json",
    "*preprocessor_config.json",
    "processor_config.json",
    "tokenizer*",
    "special_tokens_map.json",
    "added_tokens.json",
    "tekken.json",
    "*.tiktoken",
    "*.model",
    "vocab*",
    "merges*.txt",
    "chat_template*",
)
_SAFETENSORS = ("*.safetensors", "*.safetensors.index.json")
# Where there is no safetensors file at all.
_PICKLES = ("pytorch_model*.bin", "pytorch_model*.bin.index.json")
# The same weights in the publisher's own format, beside "model-*.safetensors".
_DOUBLES = ("consolidated*",)
_CODE = ("*.py",)
_NEVER = (*_CODE, "*.md", "*.gguf", "*.onnx", "*.pt", "*.pth", "*.ckpt", "*.h5", "*.msgpack")

_TOKENIZERS = ("tokenizer.json", "*.model", "vocab.json", "vocab.txt", "*.tiktoken", "tekken.json")


class HubFile(NamedTuple):
    """One file of a repository; `sha256` is "" where the hub lists none."""

    path: str
    size: int
    sha256: str = ""


def parse(entry: Dict[str, Any]) -> Optional[HubFile]:
    """Return the file in one entry of a listing, or None when it is no plain file with a sane name.

    The hub is not trusted: a path that leaves its folder would be written where we never look.
    """
    path, size, sha256 = entry.get("path"), entry.get("size"), entry.get("sha256")
    if not isinstance(path, str) or not 0 < len(path) <= 255 or not path.isprintable():
        return None
    if path.startswith(("/", "~")) or "\\" in path or ".." in path.split("/"):
        return None
    if isinstance(size, bool) or not isinstance(size, int) or size < 0:
        return None
    is_hash = isinstance(sha256, str) and re.fullmatch("[0-9a-fA-F]{64}", sha256)
    return HubFile(path, size, str(sha256).lower() if is_hash else "")


def choose(listing: Iterable[HubFile], with_code: bool = False) -> Tuple[HubFile, ...]:
    """Return the files of a listing that vLLM reads, by path.

    Args:
        listing: of the whole repository.
        with_code: whether the model's own Python is trusted, and so needed.
    """
    here = [file for file in listing if "/" not in file.path]
    top = [file for file in here if not _is(file, _NEVER)]
    weights = [file for file in top if _is(file, _SAFETENSORS)]
    if any(file.path.endswith(".safetensors") for file in weights):
        own = [file for file in weights if not _is(file, _DOUBLES)]
        weights = own or weights
    else:
        weights = [file for file in top if _is(file, _PICKLES)]
    code = [file for file in here if with_code and _is(file, _CODE)]
    chosen = {file for file in top if _is(file, _ALWAYS)} | set(weights) | set(code)
    return tuple(sorted(chosen))


def missing(paths: Sequence[str]) -> List[str]:
    """Return what a model folder lacks to be served.

    vLLM starts without a tokenizer, and answers garbage (seen with 0.32): so it is asked here.
    """
    lacks: List[str] = []
    if "config.json" not in paths:
        lacks.append("config.json")
    if not any(path.endswith((".safetensors", ".bin")) for path in paths):
        lacks.append("*.safetensors")
    if not any(fnmatch.fnmatchcase(path, name) for path in paths for name in _TOKENIZERS):
        lacks.append("tokenizer.json")
    return lacks


def total(files: Iterable[HubFile]) -> int:
    """Return the bytes of all files together."""
    return sum(file.size for file in files)


def _is(file: HubFile, patterns: Sequence[str]) -> bool:
    return any(fnmatch.fnmatchcase(file.path, pattern) for pattern in patterns)
