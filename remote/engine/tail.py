"""Follow a log that another process writes, line by line."""

import os
import re
from collections import deque
from pathlib import Path
from typing import Deque, List

# The cause of a failure stands well above the last line: each of up to eight workers repeats a
# traceback of some sixty lines.
KEPT_LINES = 1000
LARGEST_READ = 4 * 1024 * 1024
LONGEST_LINE = 4000
# tqdm redraws its bars with carriage returns.
_ENDS = re.compile("[\r\n]+")


class Tail:
    """Reads what was appended to a file since the last look.

    Attributes:
        offset: the bytes read so far.
        last: the last lines seen.
    """

    def __init__(self, path: str, offset: int = 0) -> None:
        self._path = Path(path)
        self.offset = offset
        self._rest = ""
        self.last: Deque[str] = deque(maxlen=KEPT_LINES)

    def new_lines(self) -> List[str]:
        """Return the complete lines that came since the last call.

        A file that became shorter was emptied by somebody: it is read from its beginning.
        """
        try:
            with self._path.open("rb") as file:
                if os.fstat(file.fileno()).st_size < self.offset:
                    self.offset, self._rest = 0, ""
                file.seek(self.offset)
                data = file.read(LARGEST_READ)
        except OSError:
            return []
        self.offset += len(data)
        parts = _ENDS.split(self._rest + data.decode("utf-8", "replace"))
        self._rest = parts.pop()[-LONGEST_LINE:]
        lines = [part[:LONGEST_LINE] for part in parts if part.strip()]
        self.last.extend(lines)
        return lines

    def all_that_is_left(self) -> List[str]:
        """Return the last lines, an unfinished one among them: the writer is gone."""
        while self.new_lines():
            pass
        return [*self.last, self._rest] if self._rest.strip() else list(self.last)
