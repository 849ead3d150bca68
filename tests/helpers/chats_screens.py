"""Scenes of the conversations: the list, the settings, editing, files, finding, waiting."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtWidgets import QApplication

from desktop.core.chat.conversation import Attachment, Conversation, Message, Outcome, Sampling
from desktop.core.events import Counted, Usage
from desktop.ui.intents import Target
from desktop.ui.transcript.shown import Action
from tests.helpers.chatting import act, exchange
from tests.helpers.screens import (
    NOBODY,
    RENTED,
    TARGET,
    Scene,
    Stage,
    preparing,
    ready,
    talk,
    windows,
)

_DAY = 86_400.0
_TITLES = {
    "zh": (
        "AWQ 为什么快",
        "周末去潍坊看风筝",
        "把这段 Python 改成异步",
        "读书笔记：控制论",
        "租卡省钱的办法",
    ),
    "en": (
        "Why AWQ is fast",
        "A weekend at sea",
        "Make this Python async",
        "Notes on cybernetics",
        "Saving on GPUs",
    ),
}


def fill(stage: Stage) -> None:
    """Put some conversations of the last weeks into the store."""
    store, now = stage.talk.store, stage.talk.chats.clock()
    for number, title in enumerate(_TITLES[stage.texts.language]):
        at = now - (0.4, 1.1, 3, 12, 70)[number] * _DAY
        name = f"old-{number}"
        store.save(Conversation(name, title, at, at, leaf=f"{name}-b", pinned=number == 3))
        store.add(Message(f"{name}-a", name, "", "user", title, at))
        outcome = Outcome("stop", usage=Usage(20, 300), ttft_s=0.3, tokens_per_s=41.0)
        text = f"{title} ⋅ 纸鸢 kite. " * 6
        store.add(Message(f"{name}-b", name, f"{name}-a", "assistant", text, at, outcome=outcome))
    stage.window._shelf.refresh()
    stage.window._follow()


def _listed(stage: Stage) -> None:
    fill(stage)
    stage.talk.prices.append((0.031, "CNY"))
    talk(stage)
    _count(stage, 1312)


def _count(stage: Stage, tokens: int) -> None:
    meter = stage.window.desk._meter
    meter._ask()
    numbers = list(stage.talk.replies.counted)
    for number in numbers:
        ask = stage.talk.replies.counted[number]
        size = sum(len(turn.content) for turn in ask.turns) // 3
        counted = tokens if number == meter._whole else size
        meter.counted(Counted(number, counted, 4096))


def _tuned(stage: Stage) -> None:
    _listed(stage)
    stage.window._toggle_setup()
    setup = stage.window.desk.setup
    stage.window.desk.choose_setup(
        replace(
            setup,
            system="你是一位耐心的老师。",
            sampling=Sampling(temperature=0.6, top_p=0.8, max_tokens=200),
        )
    )
    stage.window._show_setup()


def _editing(stage: Stage) -> None:
    fill(stage)
    stage.play(ready())
    exchange(stage, "用一句话介绍纸鸢。", "纸鸢就是风筝：竹骨为架，薄纸为面。")
    exchange(stage, "再短一点。", "会飞的纸。")
    act(stage, 2, Action.EDIT)


def _branched(stage: Stage) -> None:
    fill(stage)
    stage.play(ready())
    exchange(stage, "用一句话介绍纸鸢。", "纸鸢就是风筝：竹骨为架，薄纸为面。", "length")
    act(stage, 1, Action.REGENERATE)
    exchange_end(stage)
    act(stage, 1, Action.DELETE)
    stage.window.desk.transcript.hover(1)


def exchange_end(stage: Stage) -> None:
    from tests.helpers.chatting import reply

    reply(stage, max(stage.talk.replies.asked), "一线牵着，薄纸与竹，上了天。")


def _files(stage: Stage) -> None:
    fill(stage)
    stage.play(ready())
    composer = stage.window.desk.composer
    composer.fill(
        "这两个文件有什么不同？",
        (Attachment("服务器日志.txt", "line\n" * 800), Attachment("config.toml", "a = 1\n" * 90)),
    )
    _count(stage, 3720)


def _waiting(stage: Stage) -> None:
    fill(stage)
    stage.play(preparing())
    stage.window._read()
    stage.say("准备好以后，先讲讲你自己。")


def _finding(stage: Stage) -> None:
    _listed(stage)
    stage.window.desk._find.seek("量化")
    stage.window._sidebar.search.setText("纸鸢")
    stage.window._shelf._seek("纸鸢")
    QApplication.processEvents()


def _without_host(stage: Stage) -> None:
    fill(stage)
    stage.window.desk.open("old-0")
    stage.window._read()


def _menu(stage: Stage) -> None:
    _listed(stage)
    sidebar = stage.window._sidebar
    QApplication.processEvents()  # the rows are where they are
    row = next(row for row in sidebar.rows.rows if row.pinned)
    place = sidebar.list.visualRect(sidebar.rows.find(row.conversation)).center()
    sidebar.menu_of(row).popup(sidebar.list.viewport().mapToGlobal(place))


SCENES: dict[str, tuple[Target, Scene]] = {
    "chats": (RENTED, _listed),
    "chats-tuned": (RENTED, _tuned),
    "chats-editing": (TARGET, _editing),
    "chats-branched": (TARGET, _branched),
    "chats-files": (TARGET, _files),
    "chats-waiting": (TARGET, _waiting),
    "chats-finding": (TARGET, _finding),
    "chats-menu": (RENTED, _menu),
    "chats-without-host": (NOBODY, _without_host),
}
PICTURES = windows(SCENES)
