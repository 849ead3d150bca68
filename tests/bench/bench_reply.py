"""A reply on its whole way: an engine in another process, the client, the bridge, the window.

The app is the app, in a home of its own. A token counts as on screen in the turn of the loop after
the paint that showed it, and as arrived when the engine put it on the wire: both are read from
the one monotonic clock of the machine (Linux). The heartbeat is a timer of 4 ms in the window's
thread; its lateness is what came between two beats beyond that, and the CPU of that thread
between two beats is what one turn cost.
"""

from __future__ import annotations

import math
import os
import sys
import tempfile
import time
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import accumulate, cycle, pairwise
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))
os.environ["QT_QPA_PLATFORM"] = "xcb" if "DISPLAY" in os.environ else "offscreen"

from PySide6.QtCore import QEventLoop, QPoint, QPointF, Qt, QTimer
from PySide6.QtGui import QGuiApplication, QPaintEvent, QWheelEvent
from PySide6.QtWidgets import QApplication

from desktop.core.paths import paths
from desktop.core.phases import Phase
from desktop.core.settings import Settings
from desktop.ui import run as app
from desktop.ui.chats.chats import Front
from desktop.ui.intents import HostKey
from desktop.ui.transcript.canvas import Canvas
from desktop.ui.transcript.view import Transcript
from tests.bench.bench_memory import keep_conversation
from tests.bench.bench_transcript import CHARS_PER_TOKEN, MIXED, STREAMS
from tests.bench.figures import Figure, median, quantile, show
from tests.bench.reciting import Reciting, reciting, tokens_of

BEAT_MS = 4
STEP_MS = 16  # between two moves of a wheel or of the bar
NOTCH = QPoint(0, 120)  # of a wheel, in eighths of a degree
DEADLINE_S = 120.0
LAST_TOKENS = 20  # replies
SHORT = MIXED[: round(300 * CHARS_PER_TOKEN)]
MIDDLE = (MIXED * 20)[: round(5_000 * CHARS_PER_TOKEN)]
SLOW = (MIXED * 9)[: round(2_500 * CHARS_PER_TOKEN)]
ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Painted:
    """One paint of the transcript: when it was on screen, and of how many characters."""

    at: float
    characters: int


@dataclass(frozen=True, slots=True)
class Spent:
    """What had been spent at a time: seconds of the wall, the window's thread, the process."""

    wall: float
    gui: float
    process: float

    @classmethod
    def now(cls) -> Spent:
        return cls(time.monotonic(), time.thread_time(), time.process_time())


@dataclass
class Beat:
    """What came between two beats, in milliseconds: lateness, and CPU of the window's thread."""

    late: float
    spent: float


@dataclass
class Watch:
    """What was noticed of one reply."""

    length: int  # of the text
    paints: list[Painted] = field(default_factory=list)
    beats: list[tuple[float, float]] = field(default_factory=list)  # when, and CPU by then
    begin: Spent | None = None
    end: Spent | None = None

    def paint(self, characters: int) -> None:
        """Take down a paint that is on screen now."""
        self.paints.append(Painted(time.monotonic(), characters))
        if self.begin is None:
            self.begin = Spent.now()
        if self.end is None and characters >= self.length:
            self.end = Spent.now()

    def beat(self) -> None:
        self.beats.append((time.monotonic(), time.thread_time()))

    def between(self, begin: float, end: float) -> list[Beat]:
        """Return the beats of a time."""
        return [
            Beat(max((now[0] - before[0]) * 1000 - BEAT_MS, 0.0), (now[1] - before[1]) * 1000)
            for before, now in pairwise(self.beats)
            if begin <= now[0] <= end
        ]


@dataclass(frozen=True)
class Shown:
    """How one reply came to be shown.

    Attributes:
        waits: of each token, milliseconds from the engine's socket to the screen.
        beats: between the first token and the last.
        gui: share of a core that the window's thread took, in percent.
        process: the same of the whole app.
        missing: characters that were sent and are not in the transcript.
    """

    waits: list[float]
    beats: list[Beat]
    gui: float
    process: float
    missing: int


class Reader:
    """A person before the window."""

    def __init__(self, seen: app.App) -> None:
        self._desk = seen.window.desk
        self._watch = Watch(0)
        seen.window.resize(980, 760)

    @property
    def view(self) -> Transcript:
        return self._desk.transcript

    def note_paint(self, canvas: Canvas) -> None:
        """Take down what a paint has shown, once it is on screen."""
        sections = canvas.flow.sections
        last = sections[-1].shown.role if sections and canvas._whole else "user"
        if last == "assistant" and (characters := len(sections[-1].text)):
            watch = self._watch
            QTimer.singleShot(0, lambda: watch.paint(characters))

    def open(self, conversation: str) -> None:
        self._desk.open(conversation)
        wait(0.5)

    def rest(self, seconds: float) -> list[Beat]:
        """Return the heartbeat while nothing happens: what the machine itself does to it."""
        watch = Watch(0)
        beat = timer(BEAT_MS, watch.beat)
        beat.start()
        wait(seconds)
        beat.stop()
        return watch.between(0.0, math.inf)

    def ask(self, engine: Reciting, text: str, *, beats: bool, move: Move | None = None) -> Shown:
        """Ask for the text and see it come; `move` is made all the time meanwhile."""
        self._desk.show_front(Front(HostKey("bench"), Phase.READY, engine.endpoint, "model"))
        self._watch = watch = Watch(len(text))
        beat = timer(BEAT_MS, watch.beat)
        moving = timer(STEP_MS, (lambda: None) if move is None else lambda: move(self.view))
        self._desk.send("Go on.")
        if beats:
            beat.start()
        if move is not None:
            moving.start()
        wait_until(lambda: not self._desk.streams)
        moving.stop()
        self.view.to_end()
        wait(0.2)
        beat.stop()
        return self._shown(watch, engine, text)

    def _shown(self, watch: Watch, engine: Reciting, text: str) -> Shown:
        tokens = tokens_of(text)
        sent = engine.sent(len(tokens))
        ends = list(accumulate(map(len, tokens)))
        reached = [each.characters for each in watch.paints]
        waits = [
            (watch.paints[place].at - at) * 1000 if place < len(reached) else math.inf
            for at, place in zip(sent, (bisect_left(reached, end) for end in ends), strict=True)
        ]
        first, last = watch.begin or Spent.now(), watch.end or Spent.now()
        wall = (last.wall - first.wall) / 100
        return Shown(
            waits,
            watch.between(first.wall, last.wall),
            (last.gui - first.gui) / wall,
            (last.process - first.process) / wall,
            abs(len(text) - len(self.view.flow.sections[-1].text)),
        )


Move = Callable[[Transcript], None]


def wheel(page: int) -> Move:
    """Return a wheel that is turned up, then down, for so many notches each."""
    turns = cycle([NOTCH] * page + [-NOTCH] * page)

    def move(view: Transcript) -> None:
        place = QPointF(view.viewport().rect().center())
        event = QWheelEvent(
            place,
            view.viewport().mapToGlobal(place),
            QPoint(),
            next(turns),
            Qt.MouseButton.NoButton,
            Qt.KeyboardModifier.NoModifier,
            Qt.ScrollPhase.NoScrollPhase,
            False,
        )
        QApplication.sendEvent(view.viewport(), event)

    return move


def drag(steps: int) -> Move:
    """Return a drag of the scroll bar: to the top and down again, in so many steps each."""
    shares = cycle([*range(steps, 0, -1), *range(steps)])

    def move(view: Transcript) -> None:
        bar = view.verticalScrollBar()
        bar.setSliderDown(True)
        bar.setSliderPosition(bar.maximum() * next(shares) // steps)
        bar.setSliderDown(False)

    return move


def timer(interval_ms: int, then: Callable[[], None]) -> QTimer:
    made = QTimer(interval=interval_ms, timerType=Qt.TimerType.PreciseTimer)
    made.timeout.connect(then)
    return made


def wait(seconds: float) -> None:
    loop = QEventLoop()
    QTimer.singleShot(round(seconds * 1000), loop.quit)
    loop.exec()


def wait_until(reached: Callable[[], bool]) -> None:
    loop, until = QEventLoop(), time.monotonic() + DEADLINE_S
    look = timer(50, lambda: loop.quit() if reached() or time.monotonic() > until else None)
    look.start()
    loop.exec()


def of_stream(name: str, shown: Shown) -> list[Figure]:
    spent = [each.spent for each in shown.beats]
    return [
        Figure(f"{name}: CPU of a turn, p99", quantile(spent, 0.99), "ms", 8),
        Figure(f"{name}: CPU of a turn, worst", max(spent), "ms", 16),
        Figure(f"{name}: characters dropped", shown.missing, "", 0),
        Figure(f"{name}: a token on screen, p99", quantile(shown.waits, 0.99), "ms"),
        Figure(f"{name}: the last one", shown.waits[-1], "ms", 50),
    ]


def streams(reader: Reader) -> None:
    figures = []
    for name, text in STREAMS.items():
        reader.open("")
        with reciting(text, 500) as engine:
            figures += of_stream(name, reader.ask(engine, text, beats=True))
    show(f"A reply of 500 tokens/s, {QGuiApplication.platformName()}", figures)


def last_tokens(reader: Reader) -> None:
    waits, missing = [], 0
    reader.open("long")
    with reciting(SHORT, 500) as engine:
        for _ in range(LAST_TOKENS):
            shown = reader.ask(engine, SHORT, beats=False)
            waits.append(shown.waits[-1])
            missing += shown.missing
    figures = [
        median("the last token on screen", waits, "ms", 50),
        Figure("the last token on screen, worst", max(waits), "ms", 50),
        Figure("characters dropped", missing, "", 0),
    ]
    show(f"{LAST_TOKENS} replies of 500 tokens/s after 500 messages", figures)


def scrolls(reader: Reader) -> None:
    moves: dict[str, Move | None] = {"nobody": None, "wheel": wheel(150), "drag": drag(150)}
    figures = of_heartbeats("no stream, nobody scrolls", [reader.rest(5.0)], None)
    with reciting(MIDDLE, 500) as engine:
        for name, move in moves.items():
            rounds = []
            for _ in range(ROUNDS):
                reader.open("")
                reader.open("long")
                rounds.append(reader.ask(engine, MIDDLE, beats=True, move=move).beats)
            figures += of_heartbeats(f"{name} scrolls", rounds, 16)
    show("500 messages, 500 tokens/s, scrolled every 16 ms", figures)


def of_heartbeats(name: str, rounds: list[list[Beat]], bar: float | None) -> list[Figure]:
    late = [[each.late for each in beats] for beats in rounds]
    spent = [[each.spent for each in beats] for beats in rounds]
    return [
        median(f"{name}: lateness p99", [quantile(each, 0.99) for each in late], "ms", bar),
        median(f"{name}: lateness, worst", [max(each) for each in late], "ms"),
        median(f"{name}: CPU of a turn, p99", [quantile(each, 0.99) for each in spent], "ms"),
        median(f"{name}: CPU of a turn, worst", [max(each) for each in spent], "ms"),
    ]


def shares(reader: Reader) -> None:
    found = []
    with reciting(SLOW, 100) as engine:
        for _ in range(ROUNDS):
            reader.open("")
            found.append(reader.ask(engine, SLOW, beats=False))
    figures = [
        median("the window's thread, % of a core", [each.gui for each in found], "", 8),
        median("the whole app, % of a core", [each.process for each in found], ""),
        median("a token on screen", [wait for each in found for wait in each.waits], "ms"),
    ]
    show(f"A mixed reply of 100 tokens/s, {QGuiApplication.platformName()}", figures)


PARTS = {"last": last_tokens, "scroll": scrolls, "share": shares, "streams": streams}


def bench(parts: list[str]) -> None:
    """Start the app and measure in it; `parts` are names of PARTS."""
    readers: list[Reader] = []
    paint = Canvas.paintEvent

    def painted(canvas: Canvas, event: QPaintEvent) -> None:
        paint(canvas, event)
        readers[0].note_paint(canvas)

    class Watched(app.App):
        def __init__(self, *values: Any, **options: Any) -> None:
            super().__init__(*values, **options)
            readers.append(Reader(self))

    def measure() -> None:
        wait(3.0)  # what is slow is imported
        try:
            for part in parts:
                PARTS[part](readers[0])
        finally:
            QApplication.quit()

    Canvas.paintEvent = painted  # type: ignore[method-assign, assignment]
    app.App = Watched  # type: ignore[misc]
    with tempfile.TemporaryDirectory() as home:
        os.environ["PAPERKITE_HOME"] = home
        keep_conversation()
        app.run(
            None,
            start_now=False,
            paths=paths(),
            settings=Settings(),
            language="en",
            on_first_paint=lambda: QTimer.singleShot(0, measure),
        )


if __name__ == "__main__":
    bench(sys.argv[1:] or list(PARTS))
