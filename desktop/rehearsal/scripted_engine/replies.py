"""What is answered: a reply that says it is scripted, cut and continued as vLLM 0.32 would."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from desktop.rehearsal.scripted_engine.requests import (
    Refused,
    check_prompt,
    check_sampling,
    content,
    count,
    is_continued,
    no_good,
    question,
    split,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    Fields = Mapping[str, Any]

_CHINESE = re.compile("[\u3400-\u9fff]")
_COMPLETION_TOKENS = 16  # default of /v1/completions; a chat gets all that is left
_QUOTED = 200  # characters of the question that are repeated


@dataclass(frozen=True)
class Reply:
    """What one request gets.

    Attributes:
        is_chat: of /v1/chat/completions, not /v1/completions.
        is_stream: as server-sent events.
        with_usage: a stream that ends with the counts.
        with_every_usage: each piece of it has the counts so far.
        prompt_tokens: how many tokens the request had.
        reasoning: tokens before the reply itself.
        tokens: the reply.
        finish_reason: "stop" or "length".
    """

    is_chat: bool
    is_stream: bool
    with_usage: bool
    with_every_usage: bool
    prompt_tokens: int
    reasoning: list[str]
    tokens: list[str]
    finish_reason: str

    @property
    def size(self) -> int:
        """How many tokens it has in all."""
        return len(self.reasoning) + len(self.tokens)

    def usage(self, sent: int) -> dict[str, Any]:
        """Return the counts after `sent` tokens."""
        return {
            "prompt_tokens": self.prompt_tokens,
            "total_tokens": self.prompt_tokens + sent,
            "completion_tokens": sent,
            "prompt_tokens_details": None,
        }


@dataclass(frozen=True)
class Script:
    """What decides a reply, besides the request."""

    model: str
    max_model_len: int
    reply_tokens: int
    reasoning_tokens: int

    def count(self, fields: Fields) -> int:
        """Return what /tokenize answers; raises Refused as vLLM would."""
        self._check_model(fields.get("model") or self.model)
        return count(fields)

    def reply(self, fields: Fields, *, is_chat: bool) -> Reply:
        """Return the reply to a request; raises Refused as vLLM would."""
        prompt_tokens = self.count(fields)
        if not is_chat:
            check_prompt(fields["prompt"])
        self._check_length(prompt_tokens)
        check_sampling(fields)
        limit = min(self._limit(fields, is_chat), self.max_model_len - prompt_tokens)
        whole = self._chat_tokens(fields) if is_chat else self._tokens(str(fields["prompt"]))
        stream_options = fields.get("stream_options") or {}
        with_usage = bool(stream_options.get("include_usage"))
        return Reply(
            is_chat=is_chat,
            is_stream=bool(fields.get("stream")),
            with_usage=with_usage,
            with_every_usage=with_usage and bool(stream_options.get("continuous_usage_stats")),
            prompt_tokens=prompt_tokens,
            reasoning=["(thinking) "] * self._thoughts(fields, is_chat),
            tokens=whole[:limit],
            finish_reason="length" if len(whole) > limit else "stop",
        )

    def _thoughts(self, fields: Fields, is_chat: bool) -> int:
        return self.reasoning_tokens if is_chat and not is_continued(fields) else 0

    def _chat_tokens(self, fields: Fields) -> list[str]:
        messages = fields["messages"]
        tokens = self._tokens(question(messages))
        if not is_continued(fields):
            return tokens
        begun, text = content(messages[-1]), "".join(tokens)
        return split(text[len(begun) :]) if text.startswith(begun) else tokens

    def _tokens(self, asked: str) -> list[str]:
        """Return the whole reply: what this is, what was asked, and numbered sentences."""
        quoted = asked.strip()[:_QUOTED]
        text = f"This is a scripted stand-in; no model is behind it. You said: “{quoted}”."
        filler = " This is sentence {}."
        if _CHINESE.search(asked):
            text, filler = f"这是排练用的替身，背后没有模型。你说：“{quoted}”。", "这是第 {} 句。"
        tokens, number = split(text), 0
        while len(tokens) < self.reply_tokens:
            number += 1
            tokens += split(filler.format(number))
        return tokens[: self.reply_tokens]

    def _check_model(self, name: str) -> None:
        if name != self.model:
            text = f"The model `{name}` does not exist. Valid aliases: {self.model}."
            raise Refused(404, text, kind="NotFoundError", param="model")

    def _check_length(self, prompt_tokens: int) -> None:
        length = self.max_model_len
        if prompt_tokens > length:
            raise Refused(
                400,
                f"This model's maximum context length is {length} tokens. However, your prompt "
                f"contains at least {length + 1} input tokens, which exceeds this limit even "
                "without any output tokens. Please reduce the length of the input prompt. "
                f"(parameter=input_tokens, value={length + 1})",
                param="input_tokens",
            )

    def _limit(self, fields: Fields, is_chat: bool) -> int:
        default = self.max_model_len if is_chat else _COMPLETION_TOKENS
        wished = fields.get("max_completion_tokens", fields.get("max_tokens"))
        limit = default if wished is None else int(wished)
        if limit < 1:
            raise no_good("max_tokens", limit, f"max_tokens must be at least 1, got {limit}.")
        if limit > self.max_model_len:
            text = f"max_tokens={limit} cannot be greater than max_model_len={self.max_model_len}."
            raise no_good("max_tokens", limit, f"{text} Please request fewer output tokens.")
        return limit
