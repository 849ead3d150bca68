"""What goes wrong with a reply: the openai client's exceptions become ours here, and are kept."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from desktop.core.chat.conversation import Outcome
from desktop.core.errors import AppError, ReplyFailed
from desktop.core.events import Endpoint

_UNAUTHORIZED = 401
_TOO_LONG = "maximum context length"
_LONGEST = 500  # characters of a fact that is kept
_CUT = ("reply-cut", "reply-unreachable")  # the connection's doing, or the engine's end
_ENGINES_FAULT = 500  # from here on a status says that the request was all right


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
        raise _refused(error.status_code, _words(error.body) or error.message) from error
    except openai.APIError as error:
        raise _said_in_the_stream(error.body, str(error)) from error
    except (httpx2.HTTPError, ValueError) as error:
        raise ReplyFailed("reply-cut", detail=str(error)[:300]) from error


def _said_in_the_stream(body: Any, message: str) -> ReplyFailed:
    """Return the refusal that an engine sent as an event, after its status 200."""
    status = body.get("code") if isinstance(body, dict) else None
    if isinstance(status, int) and 400 <= status < 500:
        return _refused(status, _words(body) or message)
    return ReplyFailed("reply-cut", detail=message[:300])


def _words(body: Any) -> str:
    """Return what an engine says about a refusal, or "" where it is in no form that we know."""
    words = body.get("message") if isinstance(body, dict) else body
    return words if isinstance(words, str) else ""


def _refused(status: int, message: str) -> ReplyFailed:
    if status == _UNAUTHORIZED:
        return ReplyFailed("reply-unauthorized")
    code = "reply-too-long" if _TOO_LONG in message else "reply-refused"
    return ReplyFailed(code, status=status, detail=message[:_LONGEST])


def may_go_on(error: AppError) -> bool:
    """Tell whether the same request will be answered once the host is there again."""
    status = error.facts.get("status")
    return error.code in _CUT or (isinstance(status, int) and status >= _ENGINES_FAULT)


def outcome_of_failure(error: AppError, *, came: bool) -> Outcome:
    """Return what is kept of a reply that broke: enough to explain it later.

    Args:
        error: why it broke.
        came: whether something of it came before.
    """
    facts = {name: str(value)[:_LONGEST] for name, value in error.facts.items()}
    detail = facts.pop("detail", "")
    finish = "cut" if came else "failed"
    return Outcome(finish, error=error.code, detail=detail, facts=tuple(facts.items()))


def failure_of(outcome: Outcome) -> ReplyFailed | None:
    """Return why a kept reply broke, for `explain`; None where it did not."""
    if not outcome.error:
        return None
    error = ReplyFailed(outcome.error, detail=outcome.detail)
    # From a file that anybody may have made: a row that is no pair says nothing.
    error.facts.update(pair for pair in outcome.facts if len(pair) == 2)
    return error
