"""Conversations in a real store in a folder of its own, with replies that only remember."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from desktop.core.chat.ask import Ask
from desktop.core.chat.conversations import Conversations
from desktop.core.chat.store.store import Store, open_store
from desktop.core.chat.store.writer import Writer
from desktop.core.events import Endpoint
from desktop.ui.chats.chats import Chats
from desktop.ui.chats.remembered import Remembered

_A_TITLES = 32  # tokens: so short are only the requests for a title


@dataclass
class FakeReplies:
    """Replies that never come; the numbers of those that a person waits for are 1, 2, 3, …

    Attributes:
        asked: what the model was asked, by number.
        titles: the same of requests for a title, which have numbers from 1001.
        counted: what was to be counted, by number from 5001.
        cancelled: the numbers of those that were stopped.
    """

    asked: dict[int, Ask] = field(default_factory=dict)
    titles: dict[int, Ask] = field(default_factory=dict)
    counted: dict[int, Ask] = field(default_factory=dict)
    cancelled: list[int] = field(default_factory=list)

    def send(self, endpoint: Endpoint, ask: Ask) -> int:
        mine, first = self.asked, 1
        if ask.setup.sampling.max_tokens == _A_TITLES:
            mine, first = self.titles, 1001
        mine[first + len(mine)] = ask
        return first + len(mine) - 1

    def count(self, endpoint: Endpoint, ask: Ask) -> int:
        number = 5001 + len(self.counted)
        self.counted[number] = ask
        return number

    def cancel(self, number: int) -> None:
        self.cancelled.append(number)

    @property
    def said(self) -> list[str]:
        """The last thing said in each question."""
        return [ask.turns[-1].content for ask in self.asked.values()]


@dataclass
class Talk:
    """What a window's conversations are made of."""

    folder: tempfile.TemporaryDirectory[str]
    store: Store
    writer: Writer
    replies: FakeReplies
    chats: Chats
    remembered: Remembered
    prices: list[tuple[float, str]] = field(default_factory=list)

    @classmethod
    def begin(cls, folder: tempfile.TemporaryDirectory[str] | None = None) -> Talk:
        """Open the store in a folder, or in a new one."""
        there = folder or tempfile.TemporaryDirectory(prefix="talk-")
        store = open_store(Path(there.name) / "chats.sqlite")
        writer, replies = Writer(store), FakeReplies()
        prices: list[tuple[float, str]] = []
        use = cast("Any", lambda: replies)
        kept = Conversations(
            store, writer, use, lambda _endpoint, _seconds: prices[0] if prices else None
        )
        remembered = Remembered(Path(there.name) / "window.json")
        chats = Chats(kept, store, use)
        return cls(there, store, writer, replies, chats, remembered, prices)

    def end(self, *, keep: bool = False) -> None:
        """Close the file; `keep` leaves the folder for another beginning."""
        self.writer.close()
        self.store.close()
        if not keep:
            self.folder.cleanup()
