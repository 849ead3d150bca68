"""What the window's conversations are made of: the seam between what is drawn and what is kept."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from desktop.core.chat.conversations import Conversations
from desktop.core.events import Endpoint
from desktop.core.phases import Phase
from desktop.ui.chats.waiting import WaitingRoom
from desktop.ui.intents import HostKey

if TYPE_CHECKING:
    from desktop.core.chat.replies import Replies
    from desktop.core.chat.store.store import Store


# Phases in which a host will not be ready unless somebody starts it.
NOT_COMING = (Phase.OFF, Phase.FAILED, Phase.STOPPING)


@dataclass(frozen=True, slots=True)
class Chats:
    """The conversations of this laptop, as the window uses them.

    Attributes:
        kept: their story.
        store: where they are kept; reads take milliseconds.
        replies: what asks the model, and counts tokens.
        clock: Unix seconds.
        waiting: what is said once a host is ready.
    """

    kept: Conversations
    store: Store
    replies: Callable[[], Replies]
    clock: Callable[[], float] = time.time
    waiting: WaitingRoom = field(default_factory=WaitingRoom)


@dataclass(frozen=True, slots=True)
class Front:
    """The host in front, to which a message goes.

    Attributes:
        host: which; None where there is none.
        phase: of its session.
        endpoint: where its model answers, while it does.
        model: that runs there, or will.
    """

    host: HostKey | None = None
    phase: Phase = Phase.OFF
    endpoint: Endpoint | None = None
    model: str = ""

    @property
    def is_ready(self) -> bool:
        """Whether it answers now."""
        return self.phase is Phase.READY and self.endpoint is not None

    @property
    def is_coming(self) -> bool:
        """Whether it will answer if nothing goes wrong."""
        return self.host is not None and not self.is_ready and self.phase not in NOT_COMING
