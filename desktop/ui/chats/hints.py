"""What can be done in the composer just now, and the line below it that says so. Pure."""

from __future__ import annotations

from desktop.core.phases import Phase
from desktop.core.texts import Texts
from desktop.ui.chats.chats import Front
from desktop.ui.composer import State


def state(
    front: Front, texts: Texts, *, streams: bool, waits: bool, edits: bool, one_shot: bool
) -> State:
    """Return the composer's state.

    Args:
        front: the host in front.
        texts: of the language.
        streams: a reply comes into the conversation.
        waits: a message waits in it.
        edits: a message that was said is worded anew.
        one_shot: it is a completion.
    """
    return State(
        sendable=not streams and (front.is_ready or front.is_coming),
        later=not front.is_ready,
        streaming=streams,
        waiting=waits,
        hint=_hint(front, texts, waits=waits, edits=edits),
        one_shot=one_shot,
    )


def _hint(front: Front, texts: Texts, *, waits: bool, edits: bool) -> str:
    if waits:
        return texts["composer.waiting"]
    if edits:
        return texts["composer.hint-editing"]
    if front.is_ready:
        return texts["composer.hint"]
    if front.host is None:
        return texts["composer.no-host"]
    phase = Phase.LOADING if front.phase is Phase.READY else front.phase  # no endpoint yet
    return texts[f"composer.not-{phase.value}"]
