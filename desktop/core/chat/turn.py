"""What the engine gets of a conversation: turns, each said by one role, oldest first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from desktop.core.chat.conversation import Attachment, Message, Role, Setup

_FENCE = "````"  # one longer than what files mostly hold themselves


@dataclass(frozen=True, slots=True)
class Turn:
    """Who said what."""

    role: Role
    content: str


def turns_of(path: Iterable[Message], setup: Setup) -> tuple[Turn, ...]:
    """Return the turns of a path of messages, the system prompt first where there is one.

    What a model thought is not said to it again, and a reply of which nothing came is left out. Two
    turns of one role become one: many chat templates refuse them (Llama's and Mistral's do). The
    turns of a completion are one text as they stand.
    """
    is_chat = setup.kind == "chat"
    turns = [Turn("system", setup.system)] if is_chat and setup.system.strip() else []
    for message in path:
        content = quoting(message.content, message.attachments)
        if not content:
            continue
        if is_chat and turns and turns[-1].role == message.role:
            turns[-1] = replace(turns[-1], content=f"{turns[-1].content}\n\n{content}")
        else:
            turns.append(Turn(message.role, content))
    return tuple(turns)


def quoting(content: str, attachments: Sequence[Attachment]) -> str:
    """Return what was typed, with the attached files quoted over it under their names."""
    quoted = [f"{each.name}\n{_fenced(each.text)}" for each in attachments]
    return "\n\n".join([*quoted, content] if content else quoted)


def _fenced(text: str) -> str:
    fence = _FENCE
    while fence in text:
        fence += "`"
    return f"{fence}\n{text.rstrip()}\n{fence}"
