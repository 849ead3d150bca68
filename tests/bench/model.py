"""What passes for a model until somebody loads it: enough for the hub, its client and the agent."""

from __future__ import annotations

import os
from pathlib import Path

NAME = "paperkite/bench"


def write_model(folder: Path, weights_bytes: int) -> Path:
    """Write a model's files into a new folder and return it; its weights are noise."""
    folder.mkdir()
    (folder / "config.json").write_text('{"max_position_embeddings": 2048}')
    (folder / "tokenizer.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(os.urandom(weights_bytes))
    return folder
