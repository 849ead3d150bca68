"""What takes long, in a thread of its own: files that come in and go out. One at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable

from PySide6.QtCore import QObject, Signal

from desktop.core.errors import Cancelled, StorageError

Stopped = Callable[[], bool]  # whether nobody wants it any more
Work = Callable[[Stopped], str]  # returns what was done, in a sentence
# At the app's end: for what is nearly done, and then for what cannot be stopped in the middle.
_TO_FINISH_S, _TO_STOP_S = 3.0, 7.0


class Errand(QObject):
    """Runs one piece of work at a time; how it ended is told in the thread that made this.

    Signals:
        ended: a sentence, the StorageError that it met, or None where it was stopped.
    """

    ended = Signal(object)
    _over = Signal(object)

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._thread: threading.Thread | None = None
        self._stopped = threading.Event()
        self._closed = False
        self._over.connect(self._end)

    @property
    def is_under_way(self) -> bool:
        """Whether there is work that was begun and did not end."""
        return self._thread is not None

    def begin(self, work: Work) -> None:
        """Begin this, unless something else is under way."""
        if self._thread is None:
            self._stopped.clear()
            self._thread = threading.Thread(
                target=self._run, args=(work,), name="errand", daemon=True
            )
            self._thread.start()

    def stop(self) -> None:
        """Have what is under way end as soon as it can."""
        self._stopped.set()

    def close(self) -> None:
        """Let what is under way finish, or stop it if that takes long; nothing more is told."""
        self._closed = True
        if self._thread is not None:
            self._thread.join(_TO_FINISH_S)
            self._stopped.set()
            self._thread.join(_TO_STOP_S)

    def _run(self, work: Work) -> None:
        result: object = None
        try:
            result = work(self._stopped.is_set)
        except StorageError as error:
            result = error
        except Cancelled:
            pass
        finally:  # a bug ends it too
            self._over.emit(result)

    def _end(self, result: object) -> None:
        if self._thread is not None and not self._closed:
            self._thread.join()
            self._thread = None
            self.ended.emit(result)
