"""What a reply is asked for with, and the request body that says so to the engine.

Sources of the fields: facts on vLLM §5 (streaming, sampling fields, `/tokenize`), and vLLM's own
protocol for `continue_final_message`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from desktop.core.catalogue import find, stop_token_ids
from desktop.core.chat.conversation import Sampling, Setup
from desktop.core.chat.turn import Turn
from desktop.core.events import Endpoint

_PLAIN = ("temperature", "top_p", "max_tokens", "seed")
_OF_VLLM = ("top_k", "min_p", "repetition_penalty")
# With every piece what it came to so far: a reply that is stopped has no end that could say it.
_COUNTED = {"include_usage": True, "continuous_usage_stats": True}


@dataclass(frozen=True, slots=True)
class Ask:
    """One request for a reply.

    Attributes:
        turns: oldest first.
        setup: which kind of request, and how tokens are chosen.
        continued: the last turn is the beginning of the reply, which goes on where it ends.
    """

    turns: tuple[Turn, ...]
    setup: Setup = field(default_factory=Setup)
    continued: bool = False

    @property
    def prompt(self) -> str:
        """The turns as one text: what a completion goes on with."""
        return "".join(turn.content for turn in self.turns)


def request(endpoint: Endpoint, ask: Ask, room: int | None = None) -> dict[str, Any]:
    """Return the arguments for the openai client: a streaming request for a reply.

    Args:
        endpoint: where the model answers.
        ask: what is asked.
        room: tokens that the context has left for the reply, or None where nobody counted. A chat
            without `max_tokens` may take all that is left; a completion without would end after 16.
    """
    fields = _said(ask) | _sampling(ask.setup.sampling, room)
    if ask.setup.kind == "completion" and room and "max_tokens" not in fields:
        fields["max_tokens"] = room
    return {
        "model": endpoint.model,
        "stream": True,
        "stream_options": _COUNTED,
        **fields,
        "extra_body": _extra(endpoint, ask),
    }


def counting(endpoint: Endpoint, ask: Ask) -> dict[str, Any]:
    """Return the body for `/tokenize` that counts what this request would put into the context."""
    said = _said(ask)
    if ask.setup.kind == "chat":
        said |= _template(endpoint, ask) | {"add_generation_prompt": not ask.continued}
    return {"model": endpoint.model, **said}


def _said(ask: Ask) -> dict[str, Any]:
    if ask.setup.kind == "completion":
        return {"prompt": sendable(ask.prompt)}
    return {"messages": [_message(turn) for turn in ask.turns]}


def _message(turn: Turn) -> dict[str, str]:
    return {"role": turn.role, "content": sendable(turn.content)}


def _sampling(sampling: Sampling, room: int | None) -> dict[str, Any]:
    """Return the fields that OpenAI has too; the others travel in `extra_body`."""
    fields = _chosen(sampling, _PLAIN)
    if sampling.stop:
        fields["stop"] = list(sampling.stop)
    if room is not None and "max_tokens" in fields:  # before 0.20 vLLM refuses what does not fit
        fields["max_tokens"] = max(min(fields["max_tokens"], room), 1)
    return fields


def _extra(endpoint: Endpoint, ask: Ask) -> dict[str, Any]:
    extra = _chosen(ask.setup.sampling, _OF_VLLM)
    if stops := stop_token_ids(endpoint.model):
        extra["stop_token_ids"] = stops
    if ask.setup.kind == "chat":
        extra |= _template(endpoint, ask)
        if ask.continued:
            extra["add_generation_prompt"] = False
    return extra


def _template(endpoint: Endpoint, ask: Ask) -> dict[str, Any]:
    """Return what the chat template is told."""
    fields: dict[str, Any] = {}
    if ask.setup.thinking is not None and has_switch(endpoint.model):
        fields["chat_template_kwargs"] = {"enable_thinking": ask.setup.thinking}
    if ask.continued:
        fields["continue_final_message"] = True
    return fields


def has_switch(model: str) -> bool:
    """Tell whether thinking can be switched off and on; of unknown models it is assumed."""
    known = find(model)
    return known is None or known.thinking == "switch"


def _chosen(sampling: Sampling, names: Sequence[str]) -> dict[str, Any]:
    values = {name: getattr(sampling, name) for name in names}
    return {name: value for name, value in values.items() if value is not None}


def sendable(text: str) -> str:
    """Return the text without lone surrogates (a terminal, half an emoji): JSON has none."""
    return text.encode("utf-8", "replace").decode("utf-8")
