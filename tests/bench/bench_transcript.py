"""What the transcript alone costs the GUI's thread: streams, and a long conversation.

CPU time of the thread that lays out and paints, which other load on the machine disturbs least. A
stream comes as the bridge delivers it: one batch per tick.
"""

from __future__ import annotations

import gc
import os
import random
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QEvent
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication

from desktop.core.texts import Texts
from desktop.ui.application import application
from desktop.ui.bridge import TICK_MS
from desktop.ui.style import style_sheet
from desktop.ui.theme import LIGHT, Theme
from desktop.ui.transcript.shown import Action, Shown
from desktop.ui.transcript.view import Transcript
from tests.bench.figures import Figure, quantile, show
from tests.helpers.chat_screens import EN, ZH

CHARS_PER_TOKEN = 2.5  # of mixed Chinese and English
MIXED = f"{ZH}\n{EN}\n"


def mixed(tokens: int) -> str:
    """Return a reply of about so many tokens that holds everything there is."""
    return MIXED * round(tokens * CHARS_PER_TOKEN / len(MIXED))


STREAMS = {
    "mixed 8k tokens": mixed(8_000),
    "mixed 16k tokens": mixed(16_000),
    "code 2000 lines": "```python\n{}\n```".format(
        "\n".join(f"    value_{i} = compute({i}, 'text')  # 第 {i} 行" for i in range(2000))
    ),
    "paragraph 23 KB": "一段很长的文字，没有换行。Some words here too. " * 600,
    "list 500 items": "\n".join(f"- item **{i}** with some 文字 in it" for i in range(500)),
    "table 500 rows": "| a | b | c |\n|---|---|---|\n"
    + "\n".join(f"| {i} | 单元格 | value |" for i in range(500)),
}
ODD = {
    "5,000 brackets": "[" * 5_000,
    "3,000 images that never end": "![" * 3_000,
    "3,000 stars": "*a_" * 3_000,
    "10,000 formulas in a paragraph": " ".join(f"$x_{{{n}}}$" for n in range(10_000)),
    "10,000 formulas apart": "\n\n".join(f"$x_{{{n}}}$" for n in range(10_000)),
    "300 levels of items": "\n".join("  " * depth + "- x" for depth in range(300)),
    "100 levels of quotes": "\n".join(">" * (n % 100) + " x" for n in range(500)),
    "5,000 short lines": "a\n" * 5_000,
    "a table of 200 columns": f"{'|c' * 200}|\n{'|---' * 200}|\n" + f"{'|v' * 200}|\n" * 20,
    "a line of 1 MB": "x" * 1_000_000,
}
FRAME_S = 0.016
OPEN_MS = {500: 50, 2000: 100}
ACTIONS = frozenset({Action.COPY, Action.QUOTE, Action.REGENERATE})


def view() -> Transcript:
    made = Transcript(Theme("light"), Texts("en"))
    made.setStyleSheet(style_sheet(LIGHT))  # Fusion's own scroll bar costs more than the text
    made.resize(900, 700)
    made.show()
    return made


def close(made: Transcript) -> None:
    made.close()
    made.deleteLater()
    QApplication.sendPostedEvents(made, QEvent.Type.DeferredDelete)


def cpu(action: Callable[[], object]) -> float:
    """Return the milliseconds of this thread's CPU for an action and what follows from it."""
    began = time.thread_time()
    action()
    QApplication.processEvents()
    return (time.thread_time() - began) * 1000


def rest() -> None:
    """Let the rest of a frame of 60 Hz go by: the view uses it for what can wait."""
    until = time.monotonic() + FRAME_S
    while time.monotonic() < until:
        QApplication.processEvents()
        time.sleep(0.001)


def paced(action: Callable[[], object]) -> float:
    """Return the milliseconds of an action that comes once in a frame, as a person's do."""
    spent = cpu(action)
    rest()
    return spent


def stream(text: str, per_s: int, before: list[Shown] | None = None) -> list[float]:
    """Stream a reply; return the milliseconds of each update."""
    made = view()
    messages = [*(before or []), Shown("reply", "assistant", streaming=True)]
    made.present(messages)
    made.to_end()
    for _ in range(200):
        QApplication.processEvents()
    gc.collect()
    gc.freeze()  # as the app does once it is on screen
    step = max(round(per_s * CHARS_PER_TOKEN * TICK_MS / 1000), 1)
    pieces = [text[at : at + step] for at in range(0, len(text), step)]
    spent = [cpu(lambda piece=piece: made.append("reply", piece)) for piece in pieces]
    close(made)
    return spent


def figures_of(name: str, spent: list[float], bar_share: float | None = None) -> list[Figure]:
    share = 100 * sum(spent) / (len(spent) * TICK_MS)
    return [
        Figure(f"{name}: p50", quantile(spent, 0.5), "ms"),
        Figure(f"{name}: p99", quantile(spent, 0.99), "ms", 8),
        Figure(f"{name}: worst of {len(spent)}", max(spent), "ms", 16),
        Figure(f"{name}: % of a core", share, "", bar_share),
    ]


def conversation(count: int) -> list[Shown]:
    """Return messages as a long talk has them: 448 KB for 500, as measured before, or more."""
    rng = random.Random(5)
    parts = [part for part in MIXED.split("\n\n") if part.strip()]
    messages = []
    for number in range(count):
        if number % 2:
            text = "\n\n".join(rng.choice(parts) for _ in range(12))
            messages.append(Shown(str(number), "assistant", text, actions=ACTIONS, figures="9 t/s"))
        else:
            messages.append(Shown(str(number), "user", f"Question {number}? 请解释一下。"))
    return messages


def history(count: int) -> list[Figure]:
    """Open a long conversation, scroll, jump and resize it."""
    made = view()
    QApplication.processEvents()
    messages = conversation(count)
    size = sum(len(message.text.encode()) for message in messages) // 1024
    opened = cpu(lambda: made.present(messages))
    for _ in range(400):
        QApplication.processEvents()
    bar = made.verticalScrollBar()
    scrolls = [paced(lambda: bar.setValue(bar.value() - 120)) for _ in range(300)]
    rng = random.Random(7)
    jumps: list[float] = []
    for _ in range(60):
        jumps.append(cpu(lambda: bar.setValue(rng.randrange(max(bar.maximum(), 1)))))
        jumps += [paced(lambda: None) for _ in range(6)]
    widths = [900 - 12 * (i % 30) for i in range(90)]
    resizes = [paced(lambda width=width: made.resize(width, 700)) for width in widths]
    everything = cpu(lambda: (made.select_all(), made.copy()))
    finds = [cpu(lambda: made.find_text("softmax"))]
    while made.searching:
        finds.append(cpu(lambda: None))
    close(made)
    return [
        Figure(f"{count} messages, {size} KB: open and paint", opened, "ms", OPEN_MS[count]),
        Figure(f"{count}: scroll 120 px, p99", quantile(scrolls, 0.99), "ms", 8),
        Figure(f"{count}: far jump, p99 of a turn", quantile(jumps, 0.99), "ms", 16),
        Figure(f"{count}: far jump, worst turn", max(jumps), "ms", 16),
        Figure(f"{count}: resize step, p50", quantile(resizes, 0.5), "ms"),
        Figure(f"{count}: resize step, p99", quantile(resizes, 0.99), "ms", 8),
        Figure(f"{count}: select all and copy", everything, "ms"),
        Figure(f"{count}: first find, worst turn", max(finds), "ms", 16),
        Figure(f"{count}: first find, all turns", sum(finds), "ms"),
    ]


def odd(name: str, text: str) -> list[Figure]:
    """Open what no sane model writes, and let the beginning of it stream."""
    made = view()
    QApplication.processEvents()
    turns = [cpu(lambda: made.present([Shown("odd", "assistant", text)]))]
    turns += [paced(lambda: None) for _ in range(40)]
    close(made)
    spent = stream(text[:12_000], 500)
    return [
        Figure(f"{name}: open, worst turn", max(turns), "ms", 16),
        Figure(f"{name}: stream, p99 of an update", quantile(spent, 0.99), "ms", 16),
        Figure(f"{name}: stream, worst update", max(spent), "ms", 16),
    ]


def bench() -> None:
    keep = application()
    stream(MIXED, 500)  # fonts and faces, lexers, the maths process
    for rate in (500, 100):
        figures = [
            figure
            for name, text in STREAMS.items()
            for figure in figures_of(name, stream(text, rate), 8 if rate == 100 else None)
            if rate == 500 or "mixed" in name
        ]
        show(f"GUI CPU per update at {rate} tokens/s, {QGuiApplication.platformName()}", figures)
    after = stream(STREAMS["mixed 16k tokens"], 500, conversation(500))
    show("After 500 messages, 500 tokens/s", figures_of("mixed 16k tokens", after))
    show("A long conversation", [*history(500), *history(2000)])
    show("Odd input", [figure for name, text in ODD.items() for figure in odd(name, text)])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak resident memory of it all: {peak:.0f} MB")
    del keep


if __name__ == "__main__":
    bench()
