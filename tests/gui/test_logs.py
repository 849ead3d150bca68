"""The log of a host: followed, filtered, searched, copied, and cheap."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QCheckBox, QComboBox, QLabel, QPlainTextEdit
from pytestqt.qtbot import QtBot

from desktop.core.events import Logged, LogLine, PhaseChanged
from desktop.core.phases import Phase
from desktop.core.redaction import redact
from desktop.core.session import log_stream
from desktop.core.texts import Texts
from desktop.ui.logs.dialog import LogsDialog
from desktop.ui.logs.kept import LOGS, MOST_LINES
from tests.helpers.screens import TARGET, Stage, key_of
from tests.helpers.start_screens import log_lines
from tests.helpers.window import child, click

HOST = key_of(TARGET)
EN = Texts("en")


@pytest.fixture
def dialog(stage: Callable[..., Stage], qtbot: QtBot) -> Iterator[LogsDialog]:
    made = stage()
    opened = LogsDialog(
        made.window, made.theme, made.texts, HOST, partial(redact, names=("lilei",))
    )
    with qtbot.waitExposed(opened):
        opened.show()
    yield opened
    opened.close()


def say(dialog: LogsDialog, *lines: LogLine, anew: bool = False, live: bool = True) -> None:
    dialog.hear([Logged(lines, anew=anew, live=live)])


def view(dialog: LogsDialog) -> QPlainTextEdit:
    found = child(dialog, "logLines")
    assert isinstance(found, QPlainTextEdit)
    return found


def text_of(dialog: LogsDialog) -> str:
    return view(dialog).toPlainText()


def state(dialog: LogsDialog) -> str:
    found = child(dialog, "logState")
    assert isinstance(found, QLabel)
    return found.text()


def follows(dialog: LogsDialog) -> QCheckBox:
    found = child(dialog, "followLog")
    assert isinstance(found, QCheckBox)
    return found


def at_end(dialog: LogsDialog) -> bool:
    bar = view(dialog).verticalScrollBar()
    return bar.value() == bar.maximum() > 0


def many(count: int, task: str = "engine") -> tuple[LogLine, ...]:
    return tuple(LogLine(task, f"line {number}") for number in range(count))


def test_of_what_a_host_says_the_log_is_shown(qtbot: QtBot, dialog: LogsDialog) -> None:
    dialog.hear([PhaseChanged(Phase.LOADING), Logged((LogLine("engine", "here"),))])
    qtbot.waitUntil(lambda: "here" in text_of(dialog))
    assert text_of(dialog).startswith("Engine\there")


def test_it_asks_for_the_log_while_it_is_open(stage: Callable[..., Stage], qtbot: QtBot) -> None:
    made = stage()
    opened = LogsDialog(made.window, made.theme, made.texts, HOST, redact)
    asked: list[bool] = []
    opened.followed.connect(asked.append)
    with qtbot.waitExposed(opened):
        opened.show()
    QTest.keyClick(opened, Qt.Key.Key_Escape)
    assert asked == [True, False]


def test_one_log_is_picked_out(qtbot: QtBot, dialog: LogsDialog) -> None:
    say(dialog, *log_lines(), anew=True)
    which = child(dialog, "whichLog")
    assert isinstance(which, QComboBox)
    assert [which.itemData(n) for n in range(which.count())] == list(LOGS)
    which.setCurrentIndex(which.findData("download"))
    assert text_of(dialog) == "model-00001-of-00002.safetensors: 7.2 / 9.9 GB"
    say(dialog, LogLine("engine", "elsewhere"), LogLine("model-files", "and this"))
    qtbot.waitUntil(lambda: text_of(dialog).endswith("and this"))
    assert "elsewhere" not in text_of(dialog)
    dialog.choose("all")
    assert "elsewhere" in text_of(dialog)


def test_it_follows_the_end_until_one_scrolls_up(qtbot: QtBot, dialog: LogsDialog) -> None:
    say(dialog, *many(500), anew=True)
    qtbot.waitUntil(lambda: at_end(dialog))
    QTest.keyClick(view(dialog), Qt.Key.Key_PageUp)
    qtbot.waitUntil(lambda: not follows(dialog).isChecked())
    before = view(dialog).verticalScrollBar().value()
    say(dialog, LogLine("engine", "newest"))
    qtbot.waitUntil(lambda: "newest" in text_of(dialog))
    assert view(dialog).verticalScrollBar().value() == before
    follows(dialog).click()
    assert at_end(dialog)


def test_what_is_read_stays_where_it_is_when_old_lines_go(qtbot: QtBot, dialog: LogsDialog) -> None:
    say(dialog, *many(MOST_LINES), anew=True)
    qtbot.waitUntil(lambda: at_end(dialog))
    follows(dialog).setChecked(False)
    bar = view(dialog).verticalScrollBar()
    bar.setValue(2000)
    top = view(dialog).firstVisibleBlock().text()
    say(dialog, *(LogLine("engine", f"new {number}") for number in range(300)))
    qtbot.waitUntil(lambda: "new 299" in text_of(dialog))
    assert view(dialog).firstVisibleBlock().text() == top
    assert view(dialog).blockCount() == MOST_LINES


def test_words_are_found_from_the_end_upwards(dialog: LogsDialog) -> None:
    say(dialog, *many(30), LogLine("engine", "AWQ here"), *many(5), anew=True)
    field = child(dialog, "findInLog")
    QTest.keyClicks(field, "line 1")
    first = view(dialog).textCursor()
    assert first.selectedText() == "line 1"
    assert first.blockNumber() == 32
    QTest.keyClick(field, Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    assert view(dialog).textCursor().blockNumber() == 19
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert view(dialog).textCursor().blockNumber() == 32
    QTest.keyClicks(field, "000")
    assert EN["logs.not-found"] in [each.text() for each in dialog.findChildren(QLabel)]


def test_copying_takes_out_who_and_where(dialog: LogsDialog) -> None:
    say(
        dialog,
        LogLine("engine", "loaded /home/lilei/m by lilei on 10.0.0.7"),
        LogLine("supervisor", "token: abcdef"),
        anew=True,
    )
    dialog.choose("engine")
    click(dialog, "copyLogButton")
    assert QGuiApplication.clipboard().text() == (
        "[engine] loaded /home/<user>/m by <user> on <address>\n[supervisor] token: <key>"
    )
    assert state(dialog) == EN["logs.copied"]


def test_a_report_is_asked_for_and_copied(qtbot: QtBot, dialog: LogsDialog) -> None:
    with qtbot.waitSignal(dialog.report_wanted):
        click(dialog, "copyReportButton")
    dialog.copy("the report")
    assert QGuiApplication.clipboard().text() == "the report"


def test_it_says_whether_more_comes(qtbot: QtBot, dialog: LogsDialog) -> None:
    assert state(dialog) == EN["logs.waiting"]
    say(dialog, live=False)
    qtbot.waitUntil(lambda: state(dialog) == EN["logs.nothing"])
    say(dialog, *log_lines(), anew=True)
    qtbot.waitUntil(lambda: state(dialog) == EN["logs.live"])
    say(dialog, live=False)
    qtbot.waitUntil(lambda: state(dialog) == EN["logs.last-known"])
    assert "torch" in text_of(dialog), "the last lines stay"


def test_everything_is_reached_by_keys_and_has_a_name(dialog: LogsDialog) -> None:
    named = [
        child(dialog, name).accessibleName() or child(dialog, name).property("text")
        for name in (
            "whichLog",
            "findInLog",
            "previousLineButton",
            "nextLineButton",
            "followLog",
            "logLines",
            "copyLogButton",
            "copyReportButton",
            "closeLogButton",
        )
    ]
    assert all(named)
    child(dialog, "whichLog").setFocus()
    seen = []
    for _ in range(9):
        seen.append(dialog.focusWidget().objectName())
        QTest.keyClick(dialog.focusWidget(), Qt.Key.Key_Tab)
    assert seen[:2] == ["whichLog", "findInLog"]
    assert set(seen) >= {"followLog", "logLines", "copyLogButton", "closeLogButton"}


def test_lines_are_shown_in_batches_however_fast_they_come(
    qtbot: QtBot, dialog: LogsDialog
) -> None:
    say(dialog, *many(MOST_LINES), anew=True)
    shown: list[None] = []
    view(dialog).textChanged.connect(lambda: shown.append(None))
    for line in many(1000):
        say(dialog, line)
    qtbot.waitUntil(lambda: text_of(dialog).endswith("line 999"))
    assert len(shown) < 20, "one change for each batch, not for each line"
    assert view(dialog).blockCount() == MOST_LINES


def test_both_ends_keep_as_many_lines() -> None:
    assert log_stream.MOST_LINES == MOST_LINES
