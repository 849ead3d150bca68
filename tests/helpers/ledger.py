"""The diary without its file and thread: folds what a host says at once."""

from __future__ import annotations

from collections.abc import Callable

from desktop.core.diary import fold
from desktop.core.diary.entry import About, Entry
from desktop.core.events import Event


class Ledger:
    """The newest entry of each host, by its name."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._entries: dict[str, Entry] = {}

    def hear(self, host: str, about: About, event: Event) -> None:
        at = self._clock()
        if fold.begins(event):
            self._entries[host] = fold.begun(host, host, about, at)
        if (entry := self._entries.get(host)) is not None:
            self._entries[host] = fold.after(fold.priced(entry, about), event, at)

    def entry(self, host: str) -> Entry | None:
        return self._entries.get(host)
