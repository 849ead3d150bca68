"""A conversation as it is kept: settings, and messages that form a tree. Data only.

Editing a message or asking again makes a sibling; nothing is overwritten. What is read is one path
of the tree, from a first message (whose parent is "") down to the conversation's `leaf`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from desktop.core.events import Usage

Role = Literal["system", "user", "assistant"]
Kind = Literal["chat", "completion"]


@dataclass(frozen=True, slots=True)
class Sampling:
    """How tokens are chosen. None and empty: not sent, so that the model's own defaults hold."""

    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    min_p: float | None = None
    repetition_penalty: float | None = None
    max_tokens: int | None = None
    stop: tuple[str, ...] = ()
    seed: int | None = None


@dataclass(frozen=True, slots=True)
class Setup:
    """What a conversation asks of the model.

    Attributes:
        model: hub id that it was made for, or "" for whatever the host serves.
        kind: "chat" goes to `/v1/chat/completions`; "completion" is one prompt and what follows it,
            at `/v1/completions`, as the blog has it.
        system: the system prompt, or "".
        thinking: on or off where the model's template has a switch; None leaves it alone.
        sampling: how tokens are chosen.
    """

    model: str = ""
    kind: Kind = "chat"
    system: str = ""
    thinking: bool | None = None
    sampling: Sampling = field(default_factory=Sampling)


@dataclass(frozen=True, slots=True)
class Attachment:
    """A text file that was attached: quoted into the message that the model gets."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a reply ended, with what could be measured.

    Attributes:
        finish_reason: the engine's ("stop", "length", …), "cancelled" by the user, "cut" where the
            connection or the app ended in the middle, "failed" where nothing came.
        error: the code of what went wrong, or "".
        detail: the engine's words about it, or "".
        usage: token counts, from the engine.
        ttft_s: seconds to the first token.
        tokens_per_s: from the first token on.
        cost: of the time that it took, in `currency`; None where the host's rate is not known.
        currency: as ISO 4217 has it, or "".
        facts: what else the texts of `error` name, by name; `failures.failure_of` has it whole.
    """

    finish_reason: str
    error: str = ""
    detail: str = ""
    usage: Usage | None = None
    ttft_s: float | None = None
    tokens_per_s: float | None = None
    cost: float | None = None
    currency: str = ""
    facts: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Message:
    """One message of the tree.

    Attributes:
        id: unique over all conversations, for ever.
        conversation: the id of its conversation.
        parent: the message before it, or "" for a first one.
        role: who said it.
        content: what was said, as Markdown; a reply that streams grows.
        created: Unix seconds.
        reasoning: what the model thought before it.
        reasoning_s: seconds that the thinking took; None where there was none.
        attachments: files that go with it.
        model: hub id of the model that replied, or "".
        outcome: of a reply that is over; None while it streams and for what people said.
        left_out: turns before this reply that the model did not read: its context was full.
    """

    id: str
    conversation: str
    parent: str
    role: Role
    content: str
    created: float
    reasoning: str = ""
    reasoning_s: float | None = None
    attachments: tuple[Attachment, ...] = ()
    model: str = ""
    outcome: Outcome | None = None
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class Conversation:
    """One conversation, without its messages.

    Attributes:
        id: unique for ever.
        title: shown in the list; "" until one was given or proposed.
        created: Unix seconds.
        updated: when something was last said; Unix seconds.
        leaf: the last message of the path that is read, or "".
        setup: what it asks of the model.
        draft: what is typed and not sent.
        pinned: listed first.
        archived: not listed, but found.
    """

    id: str
    title: str
    created: float
    updated: float
    leaf: str = ""
    setup: Setup = field(default_factory=Setup)
    draft: str = ""
    pinned: bool = False
    archived: bool = False


@dataclass(frozen=True, slots=True)
class Unsent:
    """What lies in a conversation's composer beside the draft.

    Attributes:
        attachments: files that go with the draft.
        edited: the id of the message that is worded anew, or "".
        wording: its new wording.
    """

    attachments: tuple[Attachment, ...] = ()
    edited: str = ""
    wording: str = ""
