"""Tells the desktop what happened to a host while the window is not in front."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from desktop.core.events import Event
from desktop.core.explain import explain
from desktop.core.notices import News, Watch, follow
from desktop.core.texts import Texts
from desktop.ui.intents import HostKey

# A title, a text, and the host that it is about.
Show = Callable[[str, str, HostKey], None]


class Notifier:
    """Follows all hosts; shows what is news where somebody would miss it."""

    def __init__(
        self,
        texts: Texts,
        wanted: Callable[[], bool],
        show: Show,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take the words, whether news is to be shown just now, and what shows it."""
        self._texts, self._wanted, self._show, self._clock = texts, wanted, show, clock
        self._watches: dict[HostKey, Watch] = {}

    def hear(self, host: HostKey, name: str, events: Sequence[Event]) -> None:
        """Keep up with a host, which people call `name`."""
        for event in events:
            watch = self._watches.get(host, Watch())
            self._watches[host], news = follow(watch, event, self._clock())
            if news is not None and self._wanted():
                self._show(*self._said(news, name), host)

    def _said(self, news: News, name: str) -> tuple[str, str]:
        texts = self._texts
        title = texts(f"news.{news.kind}", host=name)
        if news.kind == "failed":
            why = explain(news.error, texts.language) if news.error is not None else None
            return title, why.title if why else ""
        if news.kind == "ended":
            return title, texts.word("ended", news.because)
        return title, texts(f"news.{news.kind}-text", host=name)
