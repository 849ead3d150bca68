"""Replies that a connection cut, until their host is back and they can go on."""

from __future__ import annotations

import time
from collections.abc import Iterable

from desktop.core.chat.conversation import Message
from desktop.core.events import Endpoint


class CutReplies:
    """Which replies wait for which host, and which hosts are back."""

    def __init__(self) -> None:
        self._waiting: dict[str, tuple[Message, Endpoint]] = {}
        self._back: dict[str, tuple[Endpoint, float]] = {}  # by address: when it was ready last

    def wait(self, reply: Message, endpoint: Endpoint, began: float) -> Endpoint | None:
        """Have a reply wait for its host; returns where it can go on at once, or None.

        A connection that stalls is given up when another one stands, and its replies break last:
        one that was asked for before its host came back need not wait for the next time.

        Args:
            reply: as far as it came.
            endpoint: where it came from.
            began: when it was asked for, by `time.monotonic`.
        """
        self._waiting[reply.id] = (reply, endpoint)
        for back, since in self._back.values():
            if since > began and _is_same_host(endpoint, back):
                return back
        return None

    def host_is_back(self, endpoint: Endpoint) -> None:
        """Note that a host is ready from now on."""
        self._back[endpoint.base_url] = (endpoint, time.monotonic())

    def take(self, endpoint: Endpoint) -> list[Message]:
        """Return the replies that waited for this host; they wait no longer."""
        waiting = [name for name, (_, at) in self._waiting.items() if _is_same_host(at, endpoint)]
        return [self._waiting.pop(name)[0] for name in waiting]

    def forget(self, names: Iterable[str]) -> None:
        """Let these go on no more by themselves."""
        for name in names:
            self._waiting.pop(name, None)


def _is_same_host(cut: Endpoint, now: Endpoint) -> bool:
    """Tell whether a host that is back is the one whose reply was cut: by its run, or its port."""
    return cut.model == now.model and (cut.run == now.run or cut.base_url == now.base_url)
