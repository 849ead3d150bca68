"""What is answered: a request as vLLM 0.32 checks it, and a reply that says it is scripted."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    Fields = Mapping[str, Any]

_TOKENS_PER_MESSAGE = 4  # the role and the marks of a chat template, roughly
_TOKEN = re.compile(r"\s?[\u3400-\u9fff]|\s*\w{1,6}|\s*[^\w\s]|\s+")
_CHINESE = re.compile("[\u3400-\u9fff]")
_COMPLETION_TOKENS = 16  # default of /v1/completions; a chat gets all that is left
_QUOTED = 200  # characters of the question that are repeated


class Refused(Exception):
    """A request is answered with an error, in vLLM's shape."""

    def __init__(
        self, status: int, text: str, kind: str = "BadRequestError", param: str | None = None
    ) -> None:
        super().__init__(text)
        self.status = status
        self.body = {"error": {"message": text, "type": kind, "param": param, "code": status}}


@dataclass(frozen=True)
class Reply:
    """What one request gets.

    Attributes:
        is_chat: of /v1/chat/completions, not /v1/completions.
        is_stream: as server-sent events.
        with_usage: a stream that ends with the counts.
        prompt_tokens: how many tokens the request had.
        reasoning: tokens before the reply itself.
        tokens: the reply.
        finish_reason: "stop" or "length".
    """

    is_chat: bool
    is_stream: bool
    with_usage: bool
    prompt_tokens: int
    reasoning: list[str]
    tokens: list[str]
    finish_reason: str

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

    def reply(self, fields: Fields, *, is_chat: bool) -> Reply:
        """Return the reply to a request; raises Refused as vLLM would."""
        self._check_model(fields.get("model") or self.model)
        prompt_tokens = count(fields)
        self._check_prompt(prompt_tokens)
        limit = min(self._limit(fields, is_chat), self.max_model_len - prompt_tokens)
        whole = self._chat_tokens(fields) if is_chat else self._tokens(str(fields["prompt"]))
        stream_options = fields.get("stream_options") or {}
        return Reply(
            is_chat=is_chat,
            is_stream=bool(fields.get("stream")),
            with_usage=bool(stream_options.get("include_usage")),
            prompt_tokens=prompt_tokens,
            reasoning=["(thinking) "] * (self.reasoning_tokens if is_chat else 0),
            tokens=whole[:limit],
            finish_reason="length" if len(whole) > limit else "stop",
        )

    def _chat_tokens(self, fields: Fields) -> list[str]:
        messages = fields["messages"]
        tokens = self._tokens(_question(messages))
        if not fields.get("continue_final_message"):
            return tokens
        if fields.get("add_generation_prompt", True):
            text = "Cannot set both `continue_final_message` and `add_generation_prompt` to True."
            raise Refused(400, text)
        begun, text = _content(messages[-1]), "".join(tokens)
        return split(text[len(begun) :]) if text.startswith(begun) else tokens

    def _tokens(self, question: str) -> list[str]:
        """Return the whole reply: what this is, what was asked, and numbered sentences."""
        quoted = question.strip()[:_QUOTED]
        text = f"This is a scripted stand-in; no model is behind it. You said: “{quoted}”."
        filler = " This is sentence {}."
        if _CHINESE.search(question):
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

    def _check_prompt(self, prompt_tokens: int) -> None:
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
        limit = int(fields.get("max_completion_tokens") or fields.get("max_tokens") or default)
        if limit > self.max_model_len:
            text = f"max_tokens={limit} cannot be greater than max_model_len={self.max_model_len}."
            raise Refused(400, text, param="max_tokens")
        return limit


def split(text: str) -> list[str]:
    """Return the pieces that count as tokens here; joined they are the text."""
    return _TOKEN.findall(text)


def count(fields: Fields) -> int:
    """Return the tokens of a request's messages or prompt; raises Refused where it has neither."""
    messages = fields.get("messages")
    if messages is None:
        return len(split(str(fields.get("prompt", ""))))
    if not isinstance(messages, list) or not all(isinstance(item, dict) for item in messages):
        raise Refused(400, "messages: Input should be a valid list", param="messages")
    return sum(len(split(_content(message))) + _TOKENS_PER_MESSAGE for message in messages)


def _question(messages: list[Fields]) -> str:
    asked = (message for message in reversed(messages) if message.get("role") == "user")
    return _content(next(asked, {}))


def _content(message: Fields) -> str:
    value = message.get("content") or ""
    if isinstance(value, list):
        return "".join(str(part.get("text", "")) for part in value if isinstance(part, dict))
    return str(value)
