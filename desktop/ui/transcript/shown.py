"""What the transcript is given to show: one message, and what a person can do to it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Literal

from desktop.core.chat.conversation import Attachment
from desktop.core.explain import Explanation

Role = Literal["user", "assistant", "system"]


class Action(Enum):
    """Something that a person can do to a message; the value names its icon and its text."""

    COPY = "copy"
    QUOTE = "quote"
    EDIT = "edit"
    REGENERATE = "regenerate"
    CONTINUE = "continue"
    DELETE = "delete"
    PREVIOUS = "previous"
    NEXT = "next"


@dataclass(frozen=True, slots=True)
class Shown:
    """One message as it is to be shown.

    Attributes:
        id: names it; what has the same id keeps its place and its blocks.
        role: whose words they are.
        text: Markdown of a reply, plain text of the others; all of it, as copying gives it.
        typed: what of the text a person typed themselves, where files go with it.
        files: what is quoted in the text, and shown folded.
        reasoning: what the model thought before it answered.
        reasoning_s: how long it thought, in seconds; None while it does or where nobody counted.
        figures: a ready-made line under a reply: time to first token, speed, tokens, cost.
        note: what broke it.
        branch: which of how many versions it is, both counted from 1.
        actions: what can be done to it.
        streaming: more is to come.
    """

    id: str
    role: Role
    text: str = ""
    typed: str = ""
    files: tuple[Attachment, ...] = ()
    reasoning: str = ""
    reasoning_s: float | None = None
    figures: str = ""
    note: Explanation | None = None
    branch: tuple[int, int] = (1, 1)
    actions: frozenset[Action] = frozenset()
    streaming: bool = False
