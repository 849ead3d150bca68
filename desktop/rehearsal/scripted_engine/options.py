"""The command line: vLLM's options that matter here, and how the stand-in is to behave."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

_GONE = ("--swap-space", "--disable-log-requests")  # vLLM 0.32 refuses them
_DEFAULT_LENGTH = 8192


@dataclass(frozen=True)
class Options:
    """What was asked for.

    Attributes:
        model: folder or name of the model.
        host: address to bind, as vLLM takes it.
        port: port to bind.
        served_model_name: what the model is called in requests.
        max_model_len: a number, "auto" or "".
        max_num_seqs: how many requests are answered at a time; the others wait.
        api_key: what /v1 asks for, or "".
        enforce_eager: whether the log shows no compilation.
        scripted_startup_s: seconds until it answers.
        scripted_prefill_s: seconds before the first token of a reply.
        scripted_tokens_per_s: pace of a reply.
        scripted_reply_tokens: length of a reply.
        scripted_reasoning_tokens: tokens of reasoning before it.
        scripted_room: tokens that fit in its memory; 0 is plenty.
        scripted_fail: how the start fails: "traceback", "oom", "hang", or "" for not at all.
        scripted_refuse: one more flag that it does not know.
    """

    model: str
    host: str
    port: int
    served_model_name: str
    max_model_len: str
    max_num_seqs: int
    api_key: str
    enforce_eager: bool
    scripted_startup_s: float
    scripted_prefill_s: float
    scripted_tokens_per_s: float
    scripted_reply_tokens: int
    scripted_reasoning_tokens: int
    scripted_room: int
    scripted_fail: str
    scripted_refuse: str

    def context_length(self) -> int:
        """Return the length to serve with: what was asked for, or the model's own if it fits."""
        if self.max_model_len not in ("", "auto", "-1"):
            return int(self.max_model_len)
        own = _model_length(Path(self.model))
        if not self.max_model_len or not self.scripted_room:
            return own
        return min(own, self.scripted_room)


def parse(argv: Sequence[str]) -> Options:
    """Return the options; ends the process with status 2 on a bad one, as vLLM does.

    Flags that are not known here are taken for vLLM's and ignored, with their values.
    """
    parser = _parser()
    found, unknown = parser.parse_known_args(argv)
    refused = _refused(unknown, {*_GONE, found.scripted_refuse})
    if refused:
        parser.error(f"unrecognized arguments: {' '.join(refused)}")
    found.model = found.model_tag or found.model or "Qwen/Qwen3-0.6B"
    found.served_model_name = found.served_model_name or found.model
    return Options(**{field.name: getattr(found, field.name) for field in fields(Options)})


def _refused(unknown: Sequence[str], flags: set[str]) -> list[str]:
    """Return those of the unknown arguments that are one of `flags`, each with its values."""
    refused: list[str] = []
    is_value_of_refused = False
    for argument in unknown:
        if argument.startswith("-"):
            is_value_of_refused = argument.split("=")[0] in flags
        if is_value_of_refused:
            refused.append(argument)
    return refused


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="vllm", allow_abbrev=False)
    parser.add_argument("command", choices=("serve",))
    parser.add_argument("model_tag", nargs="?", default="")
    parser.add_argument("--model", default="")
    parser.add_argument("--host", default="0.0.0.0")  # noqa: S104 - vLLM's own default
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--served-model-name", "--served_model_name", default="")
    parser.add_argument("--max-model-len", "--max_model_len", default="")
    parser.add_argument("--max-num-seqs", "--max_num_seqs", type=int, default=256)
    parser.add_argument("--api-key", default=os.environ.get("VLLM_API_KEY", ""))
    parser.add_argument("--enforce-eager", action="store_true")
    parser.add_argument("--scripted-startup-s", type=float, default=0.5)
    parser.add_argument("--scripted-prefill-s", type=float, default=0.0)
    parser.add_argument("--scripted-tokens-per-s", type=float, default=50.0)
    parser.add_argument("--scripted-reply-tokens", type=int, default=60)
    parser.add_argument("--scripted-reasoning-tokens", type=int, default=0)
    parser.add_argument("--scripted-room", type=int, default=0)
    parser.add_argument("--scripted-fail", choices=("", "traceback", "oom", "hang"), default="")
    parser.add_argument("--scripted-refuse", default="")
    return parser


def _model_length(folder: Path) -> int:
    """Return `max_position_embeddings` of the model's config, or a usual length."""
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        return int(config["max_position_embeddings"])
    except (OSError, ValueError, KeyError, TypeError):
        return _DEFAULT_LENGTH
