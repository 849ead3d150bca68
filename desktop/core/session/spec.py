"""What the host is asked to do: wishes and what the catalogue knows, as PROTOCOL.md's spec."""

from __future__ import annotations

from typing import Any

from desktop.core import catalogue
from desktop.core.api_keys import fresh_key
from desktop.core.session.wishes import Wishes
from desktop.core.spending import Limit, run_limit


def spec_fields(wishes: Wishes, limit: Limit | None = None, api_key: str = "") -> dict[str, Any]:
    """Return the spec of PROTOCOL.md for these wishes.

    There are secrets in it: the API key, and the hub's token where there is one. A model that
    the catalogue does not have is read from its own files on the host.

    Args:
        wishes: what is to run, and until when.
        limit: of the run, where something was spent before it.
        api_key: of the endpoint, where it is not to be a fresh one.
    """
    limit = limit or run_limit(wishes.limit_seconds, wishes.spending_seconds)
    return {
        "model": wishes.model,
        "revision": wishes.revision,
        "hub": wishes.hub,
        "hub_token": wishes.hub_token,
        "data_dir": wishes.data_dir,
        "engine": wishes.engine,
        "engine_env": wishes.engine_env,
        "engine_args": list(wishes.engine_args),
        "max_model_len": wishes.max_model_len,
        "kv_cache_dtype": wishes.kv_cache_dtype,
        "trust_remote_code": wishes.model in wishes.trust_remote_code,
        **_of_the_model(wishes.model),
        "node_count": wishes.node_count,
        "node_rank": wishes.node_rank,
        "head_address": wishes.head_address,
        "lease_seconds": wishes.lease_seconds,
        "idle_seconds": wishes.idle_seconds,
        "limit_seconds": limit.seconds,
        "power_off": wishes.power_off,
        "api_key": api_key or fresh_key(),
    }


def _of_the_model(name: str) -> dict[str, str]:
    model = catalogue.find(name)
    if model is None:
        return {}
    return {
        "dtype": model.dtype,
        "reasoning_parser": model.reasoning_parser,
        "chat_template": model.chat_template,
    }
