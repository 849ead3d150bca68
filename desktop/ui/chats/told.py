"""What the disk refuses is said, and stops nobody from reading on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from desktop.core.amounts import joined
from desktop.core.errors import StorageError
from desktop.core.explain import explain
from desktop.core.texts import Texts
from desktop.ui.chats.toast import Toast


@contextmanager
def told(toast: Toast, texts: Texts) -> Iterator[None]:
    """Say a StorageError in the toast instead of raising it."""
    try:
        yield
    except StorageError as error:
        why = explain(error, texts.language)
        toast.say(joined(why.title, why.detail))
