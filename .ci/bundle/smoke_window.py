"""The app's window from outside: its pictures, clicks on it, and its orderly end."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Self

Picture = bytes  # three bytes a pixel: red, green, blue

_BETWEEN_S = 0.1
_MANY = 2000  # bytes that differ: more than a caret, less than a line of text
_COLOURS = 50  # a window that is not painted has one; text on paper has hundreds


class Window:
    """The app on screen while it is entered; then Ctrl-C ends it, with status 0."""

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str], seconds: float
    ) -> None:
        self._command, self._environment, self._seconds = command, environment, seconds
        self._name = ""

    def __enter__(self) -> Self:
        self._app = subprocess.Popen(self._command, env=self._environment)
        search = ["xdotool", "search", "--sync", "--onlyvisible", "--pid", str(self._app.pid)]
        try:
            self._name = subprocess.check_output(search, timeout=self._seconds, text=True).split()[
                0
            ]
        except BaseException:
            self._app.kill()
            self._app.wait()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._app.send_signal(signal.SIGINT)
        status = self._app.wait(self._seconds)
        assert kind is not None or status == 0, status

    def click(self, x: int, y: int) -> None:
        """Click there, once it is painted."""
        self.picture()
        where = ["mousemove", "--window", self._name, str(x), str(y)]
        subprocess.run(["xdotool", *where, "click", "1"], check=True)

    def picture(self) -> Picture:
        """Return a picture of it, once it is painted and stands still."""
        seen = [self._picture()]

        def stands_still(picture: Picture) -> bool:
            seen.append(picture)
            return _is_painted(picture) and not differs(*seen[-2:])

        return self.wait_for(stands_still)

    def wait_for(self, is_so: Callable[[Picture], bool]) -> Picture:
        """Return the first picture of which it is so."""
        until = time.monotonic() + self._seconds
        while not is_so(picture := self._picture()):
            assert time.monotonic() < until, f"never seen: {self._command}"
            time.sleep(_BETWEEN_S)
        return picture

    def _picture(self) -> Picture:
        command = ["import", "-silent", "-window", self._name, "-depth", "8", "rgb:-"]
        return subprocess.check_output(command, timeout=self._seconds)


def differs(one: Picture, other: Picture) -> bool:
    """Tell whether two pictures show something else."""
    return len(one) != len(other) or sum(map(int.__ne__, one, other)) > _MANY


def has_colour(picture: Picture, colour: str) -> bool:
    """Tell whether a picture has a pixel of `rrggbb`."""
    return bytes.fromhex(colour) in picture


def _is_painted(picture: Picture) -> bool:
    return len({picture[at : at + 3] for at in range(0, len(picture), 3)}) > _COLOURS
