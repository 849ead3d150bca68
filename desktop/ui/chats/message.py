"""How a message of a conversation is shown: its figures in words, and what can be done to it."""

from __future__ import annotations

from desktop.core.bill import money
from desktop.core.chat.conversation import Message, Outcome
from desktop.core.chat.failures import failure_of
from desktop.core.chat.turn import quoting
from desktop.core.explain import Explanation, explain
from desktop.core.texts import Texts
from desktop.ui.transcript.shown import Action, Shown

SYSTEM = "system"  # the id of the system prompt where it is shown
_GROWS = ("length", "cut", "failed", "cancelled")  # what can be continued from where it stopped
_CENT = 0.005
_OF_REPLY = frozenset({Action.COPY, Action.QUOTE, Action.REGENERATE, Action.DELETE})
_OF_PERSON = frozenset({Action.COPY, Action.QUOTE, Action.EDIT, Action.DELETE})


def shown(
    message: Message,
    texts: Texts,
    *,
    branch: tuple[int, int] = (1, 1),
    streaming: bool = False,
    may: frozenset[Action] = frozenset(Action),
) -> Shown:
    """Return a message as the transcript shows it.

    Args:
        message: as it is kept.
        texts: of the language.
        branch: which of how many versions it is.
        streaming: a reply that grows just now.
        may: what can be done just now to any message at its place.
    """
    is_reply = message.role == "assistant"
    text = message.content if is_reply else quoting(message.content, message.attachments)
    return Shown(
        id=message.id,
        role=message.role,
        text=text,
        typed=message.content if message.attachments else "",
        files=message.attachments,
        reasoning=message.reasoning,
        reasoning_s=message.reasoning_s,
        figures=figures(message, texts) if is_reply else "",
        note=None if streaming else note(message, texts),
        branch=branch,
        actions=frozenset() if streaming else _actions(message, branch) & may,
        streaming=streaming,
    )


def system_shown(prompt: str) -> Shown:
    """Return the system prompt as the transcript shows it, over the first message."""
    return Shown(SYSTEM, "system", prompt)


def figures(message: Message, texts: Texts) -> str:
    """Return the line under a reply: how it ended where that is news, and what was measured."""
    outcome = message.outcome
    left_out = message.left_out
    parts = [texts("chat.trimmed", count=left_out)] if left_out else []
    if outcome is None:
        return " ⋅ ".join(parts)
    if outcome.finish_reason not in ("stop", "failed"):
        parts.append(texts.word("finish", outcome.finish_reason) or outcome.finish_reason)
    if outcome.usage is not None and outcome.usage.completion_tokens:
        parts.append(texts("reply.tokens", count=f"{outcome.usage.completion_tokens:,}"))
    if outcome.tokens_per_s is not None:
        parts.append(texts("reply.speed", rate=f"{outcome.tokens_per_s:.1f}"))
    if outcome.ttft_s is not None:
        parts.append(texts("reply.ttft", time=f"{outcome.ttft_s:.2f}"))
    if outcome.cost is not None:
        parts.append(_cost(outcome, texts))
    return " ⋅ ".join(parts)


def _cost(outcome: Outcome, texts: Texts) -> str:
    cost = outcome.cost or 0.0
    if cost < _CENT:
        return texts("chat.cost-less", money=money(0.01, outcome.currency))
    return texts("chat.cost", money=money(cost, outcome.currency))


def note(message: Message, texts: Texts) -> Explanation | None:
    """Return what broke a reply, in words, or None."""
    error = None if message.outcome is None else failure_of(message.outcome)
    return None if error is None else explain(error, texts.language)


def _actions(message: Message, branch: tuple[int, int]) -> frozenset[Action]:
    possible = set(_OF_REPLY if message.role == "assistant" else _OF_PERSON)
    outcome = message.outcome
    if outcome is not None and outcome.finish_reason in _GROWS:
        possible.add(Action.CONTINUE)
    if branch[0] > 1:
        possible.add(Action.PREVIOUS)
    if branch[0] < branch[1]:
        possible.add(Action.NEXT)
    return frozenset(possible)


def quoted(text: str) -> str:
    """Return a text as a Markdown quote, with room after it to write."""
    lines = [f"> {line}" if line else ">" for line in text.strip().splitlines()]
    return "\n".join([*lines, "", ""]) if lines else ""
