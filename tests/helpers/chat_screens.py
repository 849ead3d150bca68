"""A rich conversation: everything that a reply may hold, in Chinese and in English."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PySide6.QtCore import QEvent, QPointF
from PySide6.QtWidgets import QApplication, QWidget

from desktop.core.chat.conversation import Attachment, Message
from desktop.core.explain import Explanation, Language
from desktop.core.texts import Texts
from desktop.ui.chats.message import shown
from desktop.ui.transcript.lexing import LEXERS
from desktop.ui.transcript.shown import Action, Shown
from desktop.ui.transcript.view import Transcript
from tests.helpers.scenes import Look, Picture, dress

DEADLINE_S = 20.0
ALL = frozenset({Action.COPY, Action.QUOTE, Action.REGENERATE, Action.DELETE})
_DATA = Path(__file__).parents[1] / "data" / "conversation"
EDITABLE = frozenset({Action.COPY, Action.QUOTE, Action.EDIT, Action.DELETE})


ZH = (_DATA / "rich-zh.md").read_text(encoding="utf-8")
EN = (_DATA / "rich-en.md").read_text(encoding="utf-8")
QUESTIONS = {
    "zh": "给我讲讲注意力机制，要有公式和可以直接运行的代码。",
    "en": "Explain attention to me, with formulas and code that runs.",
}
REPLIES = {"zh": ZH, "en": EN}
THOUGHTS = {
    "zh": "用户想要公式和代码。先给公式，再解释缩放因子，最后给 PyTorch 实现。",
    "en": "They want formulas and code. Formula first, then the code.",
}
FIGURES = {
    "zh": "首词 0.42 s ⋅ 48.3 词元/s ⋅ 812 词元 ⋅ ¥0.02",
    "en": "first token 0.42 s ⋅ 48.3 tokens/s ⋅ 812 tokens ⋅ ¥0.02",
}
NOTES = {
    "zh": Explanation("连接断了", "主机在 20 秒内没有回应。", "连接恢复后可以从断开处继续。"),
    "en": Explanation(
        "Connection lost", "The host was silent for 20 s.", "Continue once it is back."
    ),
}
AGAIN = {"zh": "再短一点。", "en": "Shorter, please."}
SHORT = {
    "zh": "注意力 = 用相似度加权平均。查询与键的**点积**给出权重，值按权重",
    "en": "Attention is a weighted mean. The **dot product** of query and key gives the",
}
ASKED = {"zh": "这个日志里哪里出错了？", "en": "What went wrong in this log?"}
FOUND = {
    "zh": "第 780 行：显存不够，引擎退出了。",
    "en": "Line 780: the card ran out of memory, and the engine ended.",
}
LOG = Attachment(
    "server.log",
    "".join(
        f"2026-01-01 12:00:{number % 60:02d} "
        + ("ERROR CUDA out of memory" if number == 779 else f"INFO request {number} done")
        + "\n"
        for number in range(800)
    ),
)
SCRIPT = Attachment("serve.py", "import sys\n\n\ndef main() -> int:\n    return 0\n")


def with_files(language: Language) -> list[Shown]:
    """Return a question about a long log, and its answer."""
    asked = Message("1", "", "", "user", ASKED[language], 0.0, attachments=(LOG, SCRIPT))
    return [
        shown(asked, Texts(language), may=EDITABLE),
        Shown("2", "assistant", FOUND[language], figures=FIGURES[language], actions=ALL),
    ]


def conversation(language: Language) -> list[Shown]:
    """Return messages that hold everything there is."""
    return [
        Shown("1", "user", QUESTIONS[language], branch=(2, 3), actions=EDITABLE),
        Shown(
            "2",
            "assistant",
            REPLIES[language],
            reasoning=THOUGHTS[language],
            reasoning_s=7.4,
            figures=FIGURES[language],
            branch=(1, 2),
            actions=ALL,
        ),
        Shown("3", "user", AGAIN[language], actions=EDITABLE),
        Shown(
            "4",
            "assistant",
            SHORT[language],
            note=NOTES[language],
            actions=ALL | {Action.CONTINUE},
        ),
    ]


def settle(view: Transcript) -> None:
    """Wait until formulas and colours are there."""
    deadline = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline:
        QApplication.processEvents()
        formulas = view._formulas
        busy = formulas._queue or formulas._asked is not None or view._typeset.isActive()
        if not busy and not view._idle.isActive():
            return


def search(view: Transcript, text: str) -> int:
    """Look for a text to the end; returns how many places there are."""
    view.find_text(text)
    while view.searching:
        QApplication.processEvents()
    return view.matches


def close(view: Transcript) -> None:
    view.close()
    view.deleteLater()
    QApplication.sendPostedEvents(view, QEvent.Type.DeferredDelete)


@contextmanager
def _reading(look: Look, height: int, messages: list[Shown]) -> Iterator[Transcript]:
    """Give a transcript of these messages; the colours of Python code are there from the start."""
    LEXERS.get("python")
    view = Transcript(dress(look.theme), Texts(look.language))
    view.resize(900, height)
    view.show()
    view.present(messages)
    try:
        yield view
    finally:
        close(view)


def _page(number: int) -> Picture:
    @contextmanager
    def show(look: Look) -> Iterator[QWidget]:
        with _reading(look, 1000, conversation(look.language)) as view:
            settle(view)
            view.verticalScrollBar().setValue(0)
            for page in range(1, number + 1):
                view.verticalScrollBar().setValue(page * 940)
                settle(view)
            view.hover(1 if number else 0)
            yield view

    return Picture(show)


def _files(*opened: int) -> Picture:
    @contextmanager
    def show(look: Look) -> Iterator[QWidget]:
        with _reading(look, 600, with_files(look.language)) as view:
            for index in opened:
                line = view.flow.sections[0].files[index].line
                view.activate(next(each for each in view._seen() if each.block is line), QPointF())
            settle(view)
            yield view

    return Picture(show)


PICTURES = {f"transcript-{number}": _page(number) for number in range(3)}
PICTURES |= {"files": _files(), "files-script": _files(1), "files-log": _files(0)}
