"""What a reply that streams costs the window, and how soon a stop acts.

The window gets its events as the bridge delivers them: one batch per tick, at 500 tokens a second.
CPU is the GUI thread's own, for taking a batch in and painting it. The stop is measured in prefill,
where it is hardest: the engine is told by nothing but the closed connection.
"""

from __future__ import annotations

import gc
import os
import queue
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication

from desktop.core.chat.ask import Ask
from desktop.core.chat.replies import Replies
from desktop.core.chat.turn import Turn
from desktop.core.events import Delta, Endpoint, Event, ReplyDone, ReplyStarted
from desktop.rehearsal.scripted_engine.options import parse
from desktop.rehearsal.scripted_engine.server import EngineServer
from desktop.rehearsal.scripted_engine.traffic import Request, Traffic
from desktop.ui.bridge import TICK_MS
from tests.bench.figures import Figure, median, quantile, show
from tests.helpers.screens import REPLY, close, ready, set_stage

CHARS_PER_TOKEN = 2.5  # of mixed Chinese and English
TOKENS_PER_S = 500
CHARS_PER_TICK = round(TOKENS_PER_S * CHARS_PER_TOKEN * TICK_MS / 1000)
TOKENS = 16_000
STREAMS = {
    "mixed 16k tokens": REPLY * round(TOKENS * CHARS_PER_TOKEN / len(REPLY)),
    "code 2000 lines": "```python\n{}\n```".format(
        "\n".join(f"    value_{i} = compute({i}, 'text')" for i in range(2000))
    ),
    "paragraph 23 KB": "一段很长的文字，没有换行。Some words here too. " * 600,
    "list 500 items": "\n".join(f"- item **{i}** with some 文字 in it" for i in range(500)),
    "table 500 rows": "| a | b | c |\n|---|---|---|\n"
    + "\n".join(f"| {i} | 单元格 | value |" for i in range(500)),
}
CANCELS = 20
DEADLINE_S = 10.0


def updates(text: str) -> list[float]:
    """Stream a text into a new window; return the milliseconds of CPU of each update."""
    stage = set_stage("en", "light")
    stage.window.resize(900, 700)
    stage.window.show()
    stage.play(ready())
    stage.say("go")
    stage.play([(0.0, ReplyStarted(1))])
    QApplication.processEvents()
    gc.collect()
    gc.freeze()  # as the app does once it is on screen
    spent = []
    for at in range(0, len(text), CHARS_PER_TICK):
        began = time.thread_time()
        stage.window.desk.hear([Delta(1, text[at : at + CHARS_PER_TICK])])
        QApplication.processEvents()
        spent.append((time.thread_time() - began) * 1000)
    close(stage)
    return spent


def figures_of(name: str, spent: list[float]) -> list[Figure]:
    share = 100 * sum(spent) / (len(spent) * TICK_MS)
    return [
        Figure(f"{name}: p50 ({share:.0f} % of a core)", quantile(spent, 0.5), "ms"),
        Figure(f"{name}: p99", quantile(spent, 0.99), "ms", 8),
        Figure(f"{name}: worst of {len(spent)}", max(spent), "ms", 16),
    ]


class HeardTraffic(Traffic):
    """Traffic that tells when a request comes and when it goes."""

    def __init__(self, seen: queue.SimpleQueue[float], whole: Traffic) -> None:
        super().__init__(seats=whole.seats, room=whole.room)
        self._seen = seen

    def arrive(self, prompt_tokens: int) -> Request:
        self._seen.put(time.monotonic())
        return super().arrive(prompt_tokens)

    def leave(self, request: Request, *, whole: bool) -> None:
        super().leave(request, whole=whole)
        self._seen.put(time.monotonic())


class ListeningEngine(EngineServer):
    """The scripted engine in its prefill for ever; `seen` gets the times of what it notices."""

    def __init__(self) -> None:
        options = parse(["serve", "--host", "127.0.0.1", "--port", "0", "--scripted-prefill-s=600"])
        super().__init__(options, 8192)
        self.seen: queue.SimpleQueue[float] = queue.SimpleQueue()
        self.traffic = HeardTraffic(self.seen, self.traffic)


@contextmanager
def listening_engine() -> Iterator[ListeningEngine]:
    with ListeningEngine() as engine:
        engine.server_activate()
        serving = threading.Thread(target=engine.serve_forever)
        serving.start()
        try:
            yield engine
        finally:
            engine.shutdown()
            serving.join()


def cancels() -> tuple[list[float], list[float]]:
    """Return the milliseconds from a stop to its event, and to the engine's noticing it."""
    told: list[float] = []
    noticed: list[float] = []
    done: queue.SimpleQueue[float] = queue.SimpleQueue()

    def hear(event: Event) -> None:
        if isinstance(event, ReplyDone):
            done.put(time.monotonic())

    with listening_engine() as engine, closing(Replies(hear)) as replies:
        url = f"http://127.0.0.1:{engine.server_address[1]}/v1"
        endpoint = Endpoint(url, "pk-bench", engine.script.model, 8192, "run", "")
        for _ in range(CANCELS):
            number = replies.send(endpoint, Ask((Turn("user", "Hello?"),)))
            engine.seen.get(timeout=DEADLINE_S)
            began = time.monotonic()
            replies.cancel(number)
            told.append((done.get(timeout=DEADLINE_S) - began) * 1000)
            noticed.append((engine.seen.get(timeout=DEADLINE_S) - began) * 1000)
    return told, noticed


def bench() -> None:
    keep = set_stage("en", "light")  # fonts and faces, which the first window of a process loads
    updates(REPLY)
    figures = [
        figure for name, text in STREAMS.items() for figure in figures_of(name, updates(text))
    ]
    close(keep)
    show(
        f"GUI CPU per update at {TOKENS_PER_S} tokens/s, {QGuiApplication.platformName()}", figures
    )
    told, noticed = cancels()
    show(
        f"Stop in prefill, {CANCELS} times",
        [
            median("until the window is told", told, "ms", 50),
            median("until the engine has noticed", noticed, "ms", 50),
        ],
    )


if __name__ == "__main__":
    bench()
