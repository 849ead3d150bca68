"""Exact token counts from the engine's own tokenizer, and a request cut so that it fits.

`/tokenize` (facts on vLLM, §5.1) lies beside `/v1`, applies the chat template, and answers in
milliseconds. Where it gives no answer the request goes as it is: the engine then has the last word.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from desktop.core.chat.ask import Ask, counting
from desktop.core.chat.context import most_tokens, shortened, surely_fits
from desktop.core.errors import ReplyFailed
from desktop.core.events import Endpoint

if TYPE_CHECKING:
    from openai import AsyncOpenAI

_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Fit:
    """A request that fits.

    Attributes:
        ask: what to send.
        left_out: how many of the oldest turns are not in it.
        room: tokens that the context has left for the reply; None where nobody counted.
    """

    ask: Ask
    left_out: int = 0
    room: int | None = None


async def fitted(client: AsyncOpenAI, endpoint: Endpoint, ask: Ask) -> Fit:
    """Return the request, without its oldest turns where it would not fit.

    Raises:
        ReplyFailed: `prompt-too-long`, with `tokens` and `limit`: the last turn alone is too much;
            `nothing-asked`: there is no turn to reply to.
    """
    if all(turn.role == "system" or not turn.content for turn in ask.turns):
        raise ReplyFailed("nothing-asked")
    sampling = ask.setup.sampling
    most = most_tokens(endpoint.max_model_len, sampling.max_tokens)
    must_count = sampling.max_tokens is not None or ask.setup.kind == "completion"
    if not must_count and surely_fits(ask, most):
        return Fit(ask)
    whole, tokens = len(ask.turns), await measured(client, endpoint, ask)
    while tokens is not None and tokens > most and (less := shortened(ask, tokens, most)):
        ask, tokens = less, await measured(client, endpoint, less)
    if tokens is None:
        return Fit(ask, whole - len(ask.turns))
    room = endpoint.max_model_len - tokens
    if room < 1:
        raise ReplyFailed("prompt-too-long", tokens=tokens, limit=endpoint.max_model_len)
    return Fit(ask, whole - len(ask.turns), room)


async def measured(client: AsyncOpenAI, endpoint: Endpoint, ask: Ask) -> int | None:
    """Return how many tokens this puts into the context, or None where there is no answer."""
    import openai  # noqa: PLC0415 - loaded with the client, in the replies' thread

    url = endpoint.base_url.removesuffix("/v1") + "/tokenize"
    try:
        answer = await client.with_options(timeout=_SECONDS).post(
            url, body=counting(endpoint, ask), cast_to=object
        )
    except (openai.OpenAIError, ValueError):
        return None
    count = answer.get("count") if isinstance(answer, dict) else None
    return count if type(count) is int and count >= 0 else None
