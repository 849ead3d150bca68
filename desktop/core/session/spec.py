"""What the host is asked to do: wishes and what the catalogue knows, as PROTOCOL.md's spec."""

from __future__ import annotations

import secrets
from typing import Any

from desktop.core.session.wishes import Wishes


def spec_fields(wishes: Wishes) -> dict[str, Any]:
    """Return the spec of PROTOCOL.md for these wishes, with a fresh API key in it (a secret)."""
    return {
        "model": wishes.model,
        "revision": wishes.revision,
        "hub": wishes.hub,
        "data_dir": wishes.data_dir,
        "engine": wishes.engine,
        "engine_env": wishes.engine_env,
        "engine_args": list(wishes.engine_args),
        "max_model_len": wishes.max_model_len,
        "api_key": f"pk-{secrets.token_urlsafe(24)}",
    }
