"""What a request asks, checked and counted as vLLM 0.32 does, in words that it was seen to use."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    Fields = Mapping[str, Any]

_MARKS = 2  # tokens around each message: who says it, and its end
_BEGIN_OF_REPLY = 2  # what add_generation_prompt puts after the last one
_TOKEN = re.compile(r"\s?[\u3400-\u9fff]|\s*\w{1,6}|\s*[^\w\s]|\s+")
_BOTH = "Cannot set both `continue_final_message` and `add_generation_prompt` to True."
_NOT_COMPATIBLE = (
    "continue_final_message and add_generation_prompt are not compatible. Use "
    "continue_final_message when you want the model to continue the final message, and "
    "add_generation_prompt when you want to add a header that will prompt it to start a new "
    "assistant message instead."
)
_NO_MESSAGES = "Cannot apply chat template to an empty conversation. Provide at least one message."
_NO_PROMPT = "Either prompt or prompt_embeds must be provided and non-empty. (parameter=prompt)"


class Refused(Exception):
    """A request is answered with an error, in vLLM's shape.

    Attributes:
        status: of HTTP.
        body: of the answer.
        is_late: found out by the engine itself, when the head of a stream is gone already: the
            answer is then an event in the stream.
    """

    def __init__(
        self,
        status: int,
        text: str,
        kind: str = "BadRequestError",
        param: str | None = None,
        *,
        is_late: bool = False,
    ) -> None:
        super().__init__(text)
        self.status = status
        self.is_late = is_late
        self.body = {"error": {"message": text, "type": kind, "param": param, "code": status}}


def split(text: str) -> list[str]:
    """Return the pieces that count as tokens here; joined they are the text."""
    return _TOKEN.findall(text)


def count(fields: Fields) -> int:
    """Return the tokens of a request's messages, with the template's marks, or of its prompt.

    Raises:
        Refused: it has neither, or wants its last message both ended and gone on with.
    """
    messages = fields.get("messages")
    if messages is None:
        return len(split(str(fields.get("prompt", ""))))
    if not isinstance(messages, list) or not all(isinstance(item, dict) for item in messages):
        raise Refused(400, "messages: Input should be a valid list", param="messages")
    if not messages:
        raise Refused(400, _NO_MESSAGES)
    tokens = sum(len(split(content(message))) + _MARKS for message in messages)
    if is_continued(fields):
        return tokens - 1  # the last one has no end
    return tokens + (_BEGIN_OF_REPLY if fields.get("add_generation_prompt", True) else 0)


def is_continued(fields: Fields) -> bool:
    """Tell whether the last message is to go on; raises Refused where it is to end too."""
    if not fields.get("continue_final_message"):
        return False
    if fields.get("add_generation_prompt", True):
        raise Refused(400, _BOTH if "add_generation_prompt" in fields else _NOT_COMPATIBLE)
    return True


def check_prompt(prompt: object) -> None:
    """Raise Refused for a prompt with nothing in it; in a list only the engine itself notices."""
    if prompt == "":
        raise Refused(400, _NO_PROMPT, param="prompt")
    if prompt == []:
        raise Refused(400, "You must pass at least one prompt")
    if isinstance(prompt, list) and not all(prompt):
        raise Refused(400, "The decoder prompt cannot be empty", is_late=True)


def check_sampling(fields: Fields) -> None:
    """Raise Refused for what no sampler takes; `seed` and the others may be anything."""
    temperature, top_p = fields.get("temperature"), fields.get("top_p")
    if temperature is not None and float(temperature) < 0:
        text = f"temperature must be non-negative, got {float(temperature)}."
        raise no_good("temperature", float(temperature), text)
    if top_p is not None and not 0 < float(top_p) <= 1:
        raise no_good("top_p", float(top_p), f"top_p must be in (0, 1], got {float(top_p)}.")


def no_good(name: str, value: float, text: str) -> Refused:
    """Return the refusal of a field's value."""
    return Refused(400, f"{text} (parameter={name}, value={value})", param=name)


def question(messages: list[Fields]) -> str:
    """Return what the user said last."""
    asked = (message for message in reversed(messages) if message.get("role") == "user")
    return content(next(asked, {}))


def content(message: Fields) -> str:
    """Return a message's text, also where it comes in parts."""
    value = message.get("content") or ""
    if isinstance(value, list):
        return "".join(str(part.get("text", "")) for part in value if isinstance(part, dict))
    return str(value)
