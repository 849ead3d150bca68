"""An output that is made at its first word.

The app says nothing in the terminal unless it fails, and does without rich then: 25 ms before the
first window, and 2 MB for as long as it runs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from desktop.cli.output import Output
from desktop.core.errors import AppError
from desktop.core.events import Event


class LateOutput:
    """Passes on to the output that `make` returns; implements `Output`."""

    def __init__(self, make: Callable[[], Output]) -> None:
        """Take what makes it; called once at most."""
        self._make = make
        self._made: Output | None = None

    def event(self, event: Event) -> None:
        """Show one event."""
        self._output.event(event)

    def error(self, error: AppError) -> None:
        """Show why the command ends."""
        self._output.error(error)

    def record(self, kind: str, **fields: Any) -> None:
        """Show a line that is no event."""
        self._output.record(kind, **fields)

    def say(self, key: str, **facts: object) -> None:
        """Tell people the text `cli.KEY`."""
        self._output.say(key, **facts)

    def account(self) -> None:
        """Tell people what the facts so far amount to."""
        self._output.account()

    def make_way(self) -> None:
        """Take away what is redrawn in place."""
        if self._made is not None:
            self._made.make_way()

    def close(self) -> None:
        """Leave the terminal as it was."""
        if self._made is not None:
            self._made.close()

    @property
    def _output(self) -> Output:
        if self._made is None:
            self._made = self._make()
        return self._made
