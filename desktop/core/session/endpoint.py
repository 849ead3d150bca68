"""The local end of the string: its port, and the proof that the model answers through it."""

from __future__ import annotations

import contextlib
import http.client
import json
import time
from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

from desktop.core.errors import ForwardFailed
from desktop.core.events import Endpoint
from desktop.core.local_ports import first_free
from desktop.core.ssh.forward import LocalForward

ANSWER_SECONDS = 20.0
_BETWEEN_TRIES_S = 0.1
_ONE_TRY_S = 5.0  # three round trips of a bad line, and TCP's first repetitions


def open_forward(wished_port: int, usual_ports: Sequence[int] = ()) -> LocalForward:
    """Return a listening forward.

    A port that was wished for must be free (ForwardFailed `local-port-taken` otherwise); without a
    wish it is the first of the usual ones that is free, so that it is mostly the same each day.
    """
    if wished_port:
        return LocalForward(wished_port)
    for port in usual_ports or first_free(0, ()):
        with contextlib.suppress(ForwardFailed):
            return LocalForward(port)
    return LocalForward(0)


def await_answer(
    endpoint: Endpoint, is_moot: Callable[[], bool], seconds: float = ANSWER_SECONDS
) -> bool:
    """Return True once `/v1/models` answers through the forward, with our key.

    `http.client` knows no proxies, so a system proxy cannot catch our own loopback.

    Args:
        endpoint: where it should answer.
        is_moot: tells between two tries that nobody waits any more: the result is False then.
        seconds: how long to try.

    Raises:
        ForwardFailed: `forward-no-answer`, with the last reason seen.
    """
    deadline = time.monotonic() + seconds
    while not is_moot():
        reason = _try_once(endpoint)
        if reason is None:
            return True
        if time.monotonic() > deadline:
            raise ForwardFailed("forward-no-answer", base_url=endpoint.base_url, reason=reason)
        time.sleep(_BETWEEN_TRIES_S)
    return False


def _try_once(endpoint: Endpoint) -> str | None:
    """Return None when the model is listed, else what was wrong."""
    url = urlsplit(endpoint.base_url)
    connection = http.client.HTTPConnection(url.hostname or "", url.port, timeout=_ONE_TRY_S)
    try:
        headers = {"Authorization": f"Bearer {endpoint.api_key}"}
        connection.request("GET", f"{url.path}/models", headers=headers)
        response = connection.getresponse()
        body = response.read(1_000_000)
        if response.status != http.HTTPStatus.OK:
            return f"HTTP {response.status}"
        names = [entry.get("id") for entry in json.loads(body)["data"]]
        return None if endpoint.model in names else f"models: {names[:5]}"
    except (OSError, http.client.HTTPException, ValueError, KeyError, AttributeError) as error:
        return repr(error)[:200]
    finally:
        connection.close()
