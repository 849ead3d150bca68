"""The one place where the openai client's exceptions become ours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from desktop.core.errors import ReplyFailed
from desktop.core.events import Endpoint

_UNAUTHORIZED = 401
_TOO_LONG = "maximum context length"


@contextmanager
def converted(endpoint: Endpoint) -> Iterator[None]:
    """Turn the client's exceptions into ReplyFailed; cancellation passes.

    Codes: `reply-unreachable` (nothing answers), `reply-cut` (it broke in the middle),
    `reply-unauthorized`, `reply-too-long`, `reply-refused` (status and the engine's message).
    """
    import httpx2  # noqa: PLC0415 - loaded with the client, in the replies' thread
    import openai  # noqa: PLC0415

    try:
        yield
    except openai.APIConnectionError as error:
        raise ReplyFailed("reply-unreachable", base_url=endpoint.base_url) from error
    except openai.APIStatusError as error:
        raise _refused(error.status_code, error.message) from error
    except (openai.APIError, httpx2.HTTPError, ValueError) as error:
        raise ReplyFailed("reply-cut", detail=str(error)[:300]) from error


def _refused(status: int, message: str) -> ReplyFailed:
    if status == _UNAUTHORIZED:
        return ReplyFailed("reply-unauthorized")
    code = "reply-too-long" if _TOO_LONG in message else "reply-refused"
    return ReplyFailed(code, status=status, detail=message[:500])
