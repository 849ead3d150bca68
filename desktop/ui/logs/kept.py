"""The lines that the log screen keeps, and those of them that are shown."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping

from desktop.core.events import LogLine
from remote import wire

MOST_LINES = 5000

# What people choose among, and the host's logs behind each; "all" is every log there is.
ALL = "all"
LOGS: Mapping[str, tuple[str, ...]] = {
    ALL: (),
    "install": (wire.ENGINE_ENVIRONMENT, wire.HUB_ENVIRONMENT),
    "download": (wire.MODEL_FILES,),
    "engine": ("engine", wire.SERVE),
    "supervisor": ("supervisor", wire.PREFLIGHT),
}
_GROUP_OF = {log: group for group, logs in LOGS.items() for log in logs}


class Kept:
    """The last lines of a host's logs.

    Attributes:
        group: which of them are shown; a key of LOGS.
    """

    def __init__(self, names: Mapping[str, str]) -> None:
        """Take how each group of LOGS is called."""
        self._names = names
        self._lines: deque[LogLine] = deque(maxlen=MOST_LINES)
        self.group = ALL

    def add(self, lines: Iterable[LogLine], *, anew: bool) -> list[str]:
        """Keep more lines, or others in place of them; return those that are to be shown."""
        if anew:
            self._lines.clear()
        new = tuple(lines)
        self._lines.extend(new)
        return [self._shown(line) for line in new if self._belongs(line)]

    def shown(self) -> list[str]:
        """Return all that are to be shown."""
        return [self._shown(line) for line in self._lines if self._belongs(line)]

    def everything(self) -> str:
        """Return all that is kept, whatever is shown, each line with its log."""
        return "\n".join(f"[{line.task}] {line.text}" for line in self._lines)

    def _belongs(self, line: LogLine) -> bool:
        return self.group == ALL or _GROUP_OF.get(line.task) == self.group

    def _shown(self, line: LogLine) -> str:
        """Return a line as it is shown: where there are several logs, with its own in front."""
        if self.group != ALL:
            return line.text
        name = self._names.get(_GROUP_OF.get(line.task, ""), line.task)
        return f"{name}\t{line.text}"
