"""What is known about a model by its name: `assets/models.toml`."""

from __future__ import annotations

import tomllib
from functools import cache
from typing import Any

from desktop.core.assets import asset


@cache
def models() -> dict[str, dict[str, Any]]:
    """Return the catalogue: `OWNER/NAME` → what is known of it."""
    return tomllib.loads(asset("models.toml").read_text(encoding="utf-8"))


def stop_token_ids(model: str) -> list[int]:
    """Return the token ids at which a reply of this model must end, beyond its own EOS."""
    return list(models().get(model, {}).get("stop_token_ids", []))
