"""Ctrl-C and a polite kill end the app in order, although Qt's loop knows nothing of signals."""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any

from PySide6.QtCore import QSocketNotifier


class Interrupt:
    """While entered, SIGINT and SIGTERM call `quit_` in the GUI thread.

    Python runs its handlers only when it gets to run bytecode, which Qt's loop may not do for
    hours; the byte that `set_wakeup_fd` writes wakes the loop.
    """

    def __init__(self, quit_: Callable[[], None]) -> None:
        self._quit = quit_
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Interrupt:
        """Take over the signals; does nothing outside the main thread."""
        self._reader, self._writer = socket.socketpair()
        self._reader.setblocking(False)
        self._writer.setblocking(False)
        self._notifier = QSocketNotifier(self._reader.fileno(), QSocketNotifier.Type.Read)
        self._notifier.activated.connect(self._drain)
        if threading.current_thread() is threading.main_thread():
            self._wakeup = signal.set_wakeup_fd(self._writer.fileno())
            for name in (signal.SIGINT, signal.SIGTERM):
                self._before[name] = signal.signal(name, self._interrupted)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Give the signals back."""
        if self._before:
            signal.set_wakeup_fd(self._wakeup)
            for name, handler in self._before.items():
                signal.signal(name, handler)
        self._notifier.setEnabled(False)
        self._reader.close()
        self._writer.close()

    def _drain(self) -> None:
        try:
            self._reader.recv(64)
        except BlockingIOError:
            return

    def _interrupted(self, _number: int, _frame: FrameType | None) -> None:
        self._quit()
