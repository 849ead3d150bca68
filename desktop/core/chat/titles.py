"""What a conversation is called: its first line, or what a model proposed. Pure."""

from __future__ import annotations

from desktop.core.catalogue import find
from desktop.core.chat.ask import Ask
from desktop.core.chat.conversation import Sampling, Setup
from desktop.core.chat.turn import Turn

_LONGEST = 40  # characters: one line of the list
_TOKENS = 32
_READ = 500  # characters of each side that the model reads for it: it fits into 2,048 tokens
_WISH = (
    "Give the conversation above a title of at most six words, in the language of its first "
    "message. Answer with the title only."
)
_QUOTES = "\"'“”‘’「」《》*#` \t.。"


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
