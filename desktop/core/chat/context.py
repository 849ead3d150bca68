"""Which turns fit into the model's context: the oldest are left out, and it is said how many.

Pure decisions; `replies` counts with the engine's own tokenizer and asks here what to do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from desktop.core.chat.ask import Ask
from desktop.core.chat.turn import Turn

_SHARE_FOR_REPLY = 4  # a quarter of the context is kept free for the reply, but
_MOST_FOR_REPLY = 1024  # no more than so many tokens of it
_TEMPLATE_TOKENS = 512  # more than the marks of any chat template around the first turn,
_TURN_TOKENS = 16  # and around each other one


def most_tokens(max_model_len: int, max_tokens: int | None) -> int:
    """Return how many tokens a prompt may have, so that a reply has room after it."""
    share = max_model_len // _SHARE_FOR_REPLY
    wanted = _MOST_FOR_REPLY if max_tokens is None else max_tokens
    return max_model_len - min(wanted, share)


def surely_fits(ask: Ask, most: int) -> bool:
    """Tell whether it need not be counted: a text has no more tokens than bytes in UTF-8."""
    size = sum(len(turn.content.encode("utf-8", "replace")) for turn in ask.turns)
    return size + _TEMPLATE_TOKENS + _TURN_TOKENS * len(ask.turns) <= most


def shortened(ask: Ask, tokens: int, most: int) -> Ask | None:
    """Return the same without its oldest turns, or None where nothing can be left out.

    The system prompt, the last turn of the user, and what follows it stay. How much has to go is
    estimated from the turns' lengths: count again, and ask again where it was too little.

    Args:
        ask: what was counted.
        tokens: what it takes.
        most: what it may take.
    """
    if ask.setup.kind == "completion":
        return None
    first = _first(ask.turns)
    last = _last_question(ask.turns)
    if last <= first:
        return None
    per_character = tokens / max(sum(len(turn.content) for turn in ask.turns), 1)
    start, over = first, tokens - most
    while start < last and (over > 0 or ask.turns[start].role != "user"):
        over -= round(len(ask.turns[start].content) * per_character)
        start += 1
    return replace(ask, turns=(*ask.turns[:first], *ask.turns[max(start, first + 1) :]))


def _first(turns: Sequence[Turn]) -> int:
    return 1 if turns and turns[0].role == "system" else 0


def _last_question(turns: Sequence[Turn]) -> int:
    return max((index for index, turn in enumerate(turns) if turn.role == "user"), default=0)
