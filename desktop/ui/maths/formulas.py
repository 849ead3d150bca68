"""Formulas for painting: asked for by their TeX, typeset by the helper process, kept.

The process is started by the first formula, ends when none was asked for in a while, and is
started again after it crashed or was killed because one formula took too long. Until a formula is
there, and for ever where there is no picture of it, its TeX is shown.
"""

from __future__ import annotations

import json
import math
import sys
from collections import OrderedDict, deque
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PySide6.QtCore import QByteArray, QObject, QProcess, QRectF, QTimer, Signal
from PySide6.QtGui import QFont, QImage, QPainter

FORMULA_WORKER = "--formula-worker"  # the bundle's only argument, once it is the helper
_WORKER = Path(__file__).with_name("worker.py")
_WORKER_EM = 24.0  # the worker's SIZE
_START_MS = 20_000  # importing the typesetter on a slow disk
_FORMULA_MS = 3_000  # 100 times the slowest of 47 that were measured
_IDLE_MS = 60_000
_MOST_KEPT = 2_000
_MOST_IMAGES = 300
_MOST_CRASHES = 3  # in a row, with no formula in between: something is broken, not a formula
_LONGEST_LINE = 1 << 20
_LARGEST = 10_000.0  # square ems: 20 MB for a picture

Key = tuple[str, bool]  # TeX, displayed


@dataclass(frozen=True, slots=True)
class Formula:
    """A formula that can be painted; lengths are in ems.

    Attributes:
        svg: the drawing, in black; Chinese in it as letters without a font.
        width: of the whole.
        ascent: from the top to the baseline.
        descent: from the baseline to the bottom.
    """

    svg: str
    width: float
    ascent: float
    descent: float


def worker_command() -> list[str]:
    """Return what starts the helper process: Python with its script, or the bundle that we are."""
    if getattr(sys, "frozen", False):
        return [sys.executable, FORMULA_WORKER]
    return [sys.executable, "-P", str(_WORKER)]


class Formulas(QObject):
    """All formulas of a window.

    Signals:
        drawn: pictures have come that were asked for.
    """

    drawn = Signal()

    def __init__(self, command: list[str] | None = None, limit_ms: int = _FORMULA_MS) -> None:
        """Take the worker's command and how long it may take, both for tests."""
        super().__init__()
        self._command = command or worker_command()
        self._limit_ms = limit_ms
        self._made: OrderedDict[Key, Formula | None] = OrderedDict()
        self._images: OrderedDict[tuple[Key, str, float, float, str], QImage] = OrderedDict()
        self._queue: deque[Key] = deque()
        self._waiting: set[Key] = set()  # what is in the queue
        self._asked: Key | None = None
        self._number = 0  # of the question that is being answered
        self._process: QProcess | None = None
        self._ready = False
        self._crashes = 0
        self._buffer = b""
        self._patience = QTimer(self, singleShot=True)
        self._patience.timeout.connect(self._kill)
        self._idle = QTimer(self, singleShot=True, interval=_IDLE_MS)
        self._idle.timeout.connect(self._rest)

    @property
    def running(self) -> bool:
        """Tell whether the helper process runs."""
        return self._process is not None

    def get(self, tex: str, *, display: bool) -> Formula | None:
        """Return a formula, or None while it is not there; asks for it once."""
        key = (tex, display)
        if key in self._made:
            self._made.move_to_end(key)
            return self._made[key]
        if key not in self._waiting and key != self._asked:
            self._queue.append(key)
            self._waiting.add(key)
            self._next()
        return None

    def waits(self, tex: str, *, display: bool) -> bool:
        """Tell whether a picture may still come."""
        return (tex, display) not in self._made

    def image(
        self, tex: str, *, display: bool, em: float, colour: str, font: QFont, ratio: float
    ) -> QImage | None:
        """Return a formula's picture at a size in pixels, in a colour, for a screen's ratio.

        Args:
            tex: what to draw.
            display: whether it stands on lines of its own.
            em: the size.
            colour: of all of it that has no colour of its own.
            font: of the words around it; its families draw Chinese.
            ratio: of the screen's pixels to ours.
        """
        formula = self.get(tex, display=display)
        if formula is None:
            return None
        name = ((tex, display), colour, em, ratio, ",".join(font.families()))
        if name not in self._images:
            self._images[name] = _raster(formula, em, colour, font, ratio)
            if len(self._images) > _MOST_IMAGES:
                self._images.popitem(last=False)
        return self._images[name]

    def close(self) -> None:
        """End the helper process now."""
        self._queue.clear()
        self._waiting.clear()
        self._idle.stop()
        self._patience.stop()
        process, self._process = self._process, None
        if process is not None:
            process.finished.disconnect(self._ended)
            process.kill()
            process.waitForFinished(1000)
            process.deleteLater()

    # -- the process -------------------------------------------------------------------------

    def _next(self) -> None:
        """Ask for the next formula, one at a time: who hangs is known then."""
        if self._asked is not None or not self._queue:
            return
        if self._process is None:
            self._start()
        if self._ready and self._process is not None:
            self._asked = self._queue.popleft()
            self._waiting.discard(self._asked)
            self._number += 1
            tex, display = self._asked
            line = json.dumps({"key": self._number, "tex": tex, "display": display}) + "\n"
            self._process.write(QByteArray(line.encode()))
            self._patience.start(self._limit_ms)

    def _start(self) -> None:
        self._buffer, self._ready = b"", False
        process = QProcess(self)
        process.setStandardErrorFile(QProcess.nullDevice())
        process.readyReadStandardOutput.connect(self._read)
        process.finished.connect(self._ended)
        process.errorOccurred.connect(self._refused)
        self._process = process
        self._patience.start(_START_MS)
        self._idle.start()
        process.start(self._command[0], self._command[1:])

    def _read(self) -> None:
        if self._process is None:
            return
        self._buffer += bytes(self._process.readAllStandardOutput().data())
        *lines, self._buffer = self._buffer.split(b"\n")
        if len(self._buffer) > _LONGEST_LINE:
            self._kill()
        drawn = [self._take(line) for line in lines]
        self._next()
        if any(drawn):
            self.drawn.emit()

    def _take(self, line: bytes) -> bool:
        """Take one line of the worker's; tells whether a formula is known now."""
        if not self._ready:
            self._ready = True
            return False
        key = self._asked
        if key is None or not answers(line, self._number):
            return False  # it has said something that nobody asked for
        self._asked = None
        self._patience.stop()
        self._idle.start()
        self._crashes = 0
        self._keep(key, formula_of(line))
        return True

    def _keep(self, key: Key, formula: Formula | None) -> None:
        self._made[key] = formula
        if len(self._made) > _MOST_KEPT:
            self._made.popitem(last=False)

    def _forget_process(self) -> None:
        """Let go of the process; it may be the one whose signal is being heard."""
        process, self._process = self._process, None
        self._ready = False
        if process is not None:
            process.deleteLater()

    def _ended(self) -> None:
        """Go on after a crash, or rest."""
        self._forget_process()
        self._patience.stop()
        key, self._asked = self._asked, None
        if key is not None:
            self._keep(key, None)
        if key is not None or self._queue:
            self._crashes += 1
        if self._crashes >= _MOST_CRASHES:
            self._give_up()
        self._next()

    def _give_up(self) -> None:
        self._waiting.clear()
        while self._queue:
            self._keep(self._queue.popleft(), None)
        self._crashes = 0

    def _refused(self, error: QProcess.ProcessError) -> None:
        if error is QProcess.ProcessError.FailedToStart:
            self._forget_process()
            self._patience.stop()
            self._give_up()

    def _kill(self) -> None:
        if self._process is not None:
            self._process.kill()

    def _rest(self) -> None:
        if self._process is not None and self._asked is None and not self._queue:
            self._process.closeWriteChannel()  # it ends by itself


def answers(line: bytes, number: int) -> bool:
    """Tell whether a line is the worker's answer to a question."""
    try:
        made: Any = json.loads(line)
    except (ValueError, RecursionError):
        return False
    return isinstance(made, dict) and made.get("key") == number


def formula_of(line: bytes) -> Formula | None:
    """Return the formula of the worker's answer, or None where there is none."""
    try:
        made: Any = json.loads(line)
        lengths = [float(made[name]) / _WORKER_EM for name in ("width", "ascent", "descent")]
        svg = str(made["svg"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    sane = all(math.isfinite(length) and -4 < length < 400 for length in lengths)
    large = lengths[0] * (lengths[1] + lengths[2]) > _LARGEST
    return Formula(svg, *lengths) if sane and lengths[0] > 0 and not large else None


def _raster(formula: Formula, em: float, colour: str, font: QFont, ratio: float) -> QImage:
    from PySide6.QtSvg import QSvgRenderer  # noqa: PLC0415 - only who sees maths needs it

    width = max(formula.width * em, 1.0)
    height = max((formula.ascent + formula.descent) * em, 1.0)
    image = QImage(
        math.ceil(width * ratio),
        math.ceil(height * ratio),
        QImage.Format.Format_ARGB32_Premultiplied,
    )
    image.fill(0)
    svg = formula.svg.replace("black", colour).replace("currentColor", colour)
    painter = QPainter(image)
    painter.setFont(font)  # a letter in the picture has only a size
    QSvgRenderer(QByteArray(svg.encode())).render(
        painter, QRectF(0, 0, image.width(), image.height())
    )
    painter.end()
    image.setDevicePixelRatio(ratio)
    return image
