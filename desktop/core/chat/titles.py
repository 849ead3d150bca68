"""A conversation's title: the first line that was typed, until the model proposes a better one."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from desktop.core.catalogue import find
from desktop.core.chat.ask import Ask
from desktop.core.chat.conversation import Sampling, Setup
from desktop.core.chat.turn import Turn
from desktop.core.events import Delta, Endpoint, Event, ReplyBroken, ReplyDone

if TYPE_CHECKING:
    from desktop.core.chat.replies import Replies

_LONGEST = 40  # characters: one line of the list
_TOKENS = 32
_READ = 500  # characters of each side that the model reads for it: it fits into 2,048 tokens
_HEARD = 400  # characters that are listened to: an engine need not stop after _TOKENS
_WISH = (
    "Give the conversation above a title of at most six words, in the language of its first "
    "message. Answer with the title only."
)
_QUOTES = "\"'“”‘’「」《》*#` \t.。"


class Titling:
    """Asks the model for titles; its answers are heard like any reply, and shown nowhere."""

    def __init__(self, replies: Callable[[], Replies]) -> None:
        self._replies = replies
        self._untitled: set[str] = set()
        self._asked: dict[int, tuple[str, str]] = {}  # number → conversation, what was said

    def want(self, conversation: str) -> None:
        """Ask for a title of this conversation once there is a reply to it."""
        self._untitled.add(conversation)

    def wants(self, conversation: str) -> bool:
        """Tell whether a title is still to be asked for."""
        return conversation in self._untitled

    def ask(self, conversation: str, question: str, answer: str, endpoint: Endpoint) -> None:
        """Ask, once."""
        self._untitled.discard(conversation)
        ask = proposal(endpoint.model, question, answer)
        if ask is not None:
            self._asked[self._replies().send(endpoint, ask)] = (conversation, "")

    def hear(self, event: Event) -> tuple[str, str] | None:
        """Return a conversation and its title once the model has proposed one."""
        match event:
            case Delta(number, text) if number in self._asked:
                conversation, said = self._asked[number]
                self._asked[number] = (conversation, (said + text)[:_HEARD])
            case ReplyBroken(number):
                self._asked.pop(number, None)
            case ReplyDone(number) if number in self._asked:
                conversation, said = self._asked.pop(number)
                title = proposed(said)
                return (conversation, title) if title else None
        return None


def first_line(text: str) -> str:
    """Return what stands for a title until there is one."""
    line = next((line.strip(_QUOTES) for line in text.splitlines() if line.strip(_QUOTES)), "")
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1].rstrip() + "…"


def proposal(model: str, question: str, answer: str) -> Ask | None:
    """Return the request for a title, or None for a model that would think for minutes about it."""
    known = find(model)
    if known is not None and known.thinking == "always":
        return None
    said = f"{question[:_READ]}\n\n---\n\n{answer[:_READ]}\n\n---\n\n{_WISH}"
    sampling = Sampling(temperature=0.2, max_tokens=_TOKENS)
    return Ask((Turn("user", said),), Setup(thinking=False, sampling=sampling))


def proposed(text: str) -> str:
    """Return the title in a model's answer, or "" where it said something else."""
    lines = [line for line in text.splitlines() if line.strip(_QUOTES)]
    if len(lines) != 1:
        return ""
    label, colon, rest = lines[0].partition(":")
    return first_line(rest if colon and label.strip(_QUOTES).lower() == "title" else lines[0])
