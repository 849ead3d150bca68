"""Is our engine answering, and what does it serve? Asked on loopback, past any proxy.

vLLM listens only when it is ready, so its 200 from /health is never too early. But it binds its
port 15 s after its start, and somebody else's server may have taken it by then (seen): only one
that takes our key and names our model is ours.
"""

import json
import socket
from typing import Any, Collection, NamedTuple, Optional

from remote import loopback

SECONDS = 5.0
LARGEST_ANSWER = 1024 * 1024
_MOST_TOKENS = 10**9  # no model has such a context


class Served(NamedTuple):
    """What the engine says about itself."""

    max_model_len: Optional[int]
    version: str


def served(port: int, api_key: str, names: Collection[str]) -> Optional[Served]:
    """Return what the engine serves once it is healthy; None before, and for a stranger.

    Args:
        port: where it is to listen.
        api_key: what it was started with.
        names: the model's name and its folder; ours serves one of them.
    """
    if _get(port, "/health", "") is None:
        return None
    models = _json(_get(port, "/v1/models", api_key))
    entries = models.get("data") if isinstance(models, dict) else None
    for entry in entries if isinstance(entries, list) else []:
        if isinstance(entry, dict) and (entry.get("id") in names or entry.get("root") in names):
            length = entry.get("max_model_len")
            known = isinstance(length, int) and 0 < length < _MOST_TOKENS
            return Served(length if known else None, _version(port))
    return None


def _version(port: int) -> str:
    answer = _json(_get(port, "/version", ""))
    text = answer.get("version") if isinstance(answer, dict) else None
    return text[:40] if isinstance(text, str) else ""


def free_port(first: int, host: str = "127.0.0.1") -> int:
    """Return `first`, or the next port that nobody holds; one the system picks if none is free.

    Held is also what an engine that starts has bound without listening: for one that does not share
    (SO_REUSEADDR) it is not free. A port whose last connections are just over is passed over too.
    """
    for port in [*range(first, min(first + 100, 65536)), 0]:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            try:
                probe.bind((host, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    return first


def _get(port: int, path: str, api_key: str) -> Optional[bytes]:
    headers = {"Authorization": "Bearer " + api_key} if api_key else {}
    answer = loopback.get(port, path, SECONDS, LARGEST_ANSWER, headers)
    return answer.body if answer is not None and answer.status == 200 else None


def _json(body: Optional[bytes]) -> Any:
    try:
        return json.loads(body.decode("utf-8")) if body else None
    except (ValueError, RecursionError):
        return None
