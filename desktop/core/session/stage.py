"""Where a session stands, and what it says: one lock, so that phases and events come in order.

The story's thread and the one that stops it both speak; whoever listens must return at once and
call nothing of the session (see `events.Emit`).
"""

from __future__ import annotations

import threading

from desktop.core.errors import AppError
from desktop.core.events import Emit, Event, PhaseChanged
from desktop.core.phases import Phase, may_follow


class Stage:
    """The phase of one session, and its voice.

    Attributes:
        phase: where it stands; changes only together with a PhaseChanged event.
    """

    def __init__(self, emit: Emit) -> None:
        self.phase = Phase.OFF
        self._emit = emit
        self._telling = False
        self._silent = False
        self._turn = threading.Lock()

    def begin(self) -> bool:
        """Take the stage for a story; return False while another is being told."""
        with self._turn:
            if self._telling:
                return False
            self._telling = True
            return True

    def end(self, phase: Phase, error: AppError | None) -> None:
        """Leave the stage in this last phase: whoever hears of it may begin again at once."""
        with self._turn:
            self._telling = False
            self._change(phase, error)

    def enter(self, phase: Phase, error: AppError | None = None) -> None:
        """Go to a phase; out of STOPPING only where the table allows it."""
        with self._turn:
            if may_follow(self.phase, phase):
                self._change(phase, error)
            else:
                # `stop` came from another thread meanwhile; anything else would be a bug of ours.
                assert self.phase in (phase, Phase.STOPPING), f"{self.phase} -> {phase}"

    def enter_stopping(self) -> bool:
        """Go to STOPPING while a story is being told; return whether one is."""
        with self._turn:
            if self._telling and may_follow(self.phase, Phase.STOPPING):
                self._change(Phase.STOPPING, None)
            return self._telling

    def say(self, event: Event) -> None:
        """Tell an event."""
        with self._turn:
            if not self._silent:
                self._emit(event)

    def silence(self) -> None:
        """Say nothing any more: somebody else speaks now."""
        with self._turn:
            self._silent = True

    def _change(self, phase: Phase, error: AppError | None) -> None:
        if phase is self.phase:
            return
        self.phase = phase
        if not self._silent:
            self._emit(PhaseChanged(phase, error))
