"""The diary's dialog: sums, chart, table and file, with keys and clicks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QComboBox, QFileDialog, QLabel, QPushButton, QTableView, QWidget
from pytestqt.qtbot import QtBot

from desktop.core.diary.entry import Entry
from desktop.core.diary.store import read
from desktop.core.errors import AppError
from desktop.core.explain import Language
from desktop.core.texts import Texts
from desktop.ui.diary import wording
from desktop.ui.diary.chart import DaysChart
from desktop.ui.diary.dialog import DiaryDialog
from desktop.ui.diary.export import save_csv
from desktop.ui.diary.sessions import told
from desktop.ui.theme import Theme
from tests.helpers.bill_screens import NOW, in_two_currencies, session, some

HOUR = 3600.0


@pytest.fixture
def opened(qtbot: QtBot) -> Callable[..., DiaryDialog]:
    """Give what opens the diary with some sessions; `written` hears what is exported."""
    ground = QWidget()
    qtbot.addWidget(ground)

    def open_(
        entries: Sequence[Entry],
        export: Callable[[Path, Sequence[Entry]], AppError | None] = lambda *_: None,
        language: Language = "en",
    ) -> DiaryDialog:
        made = DiaryDialog(ground, Theme("light"), Texts(language), entries, export, lambda: NOW)
        made.show()
        return made

    return open_


def table(dialog: DiaryDialog) -> QTableView:
    found = dialog.findChild(QTableView, "diaryTable")
    assert isinstance(found, QTableView)
    return found


def column(dialog: DiaryDialog, title: str) -> list[str]:
    shown = table(dialog).model()
    names = [shown.headerData(n, Qt.Orientation.Horizontal) for n in range(shown.columnCount())]
    at = names.index(title)
    return [shown.index(row, at).data() for row in range(shown.rowCount())]


def card(dialog: DiaryDialog, period: str) -> str:
    found = dialog.findChild(QWidget, f"total-{period}")
    assert isinstance(found, QWidget)
    return found.accessibleName()


def choose(dialog: DiaryDialog, name: str, words: str) -> None:
    box = dialog.findChild(QComboBox, name)
    assert isinstance(box, QComboBox)
    at = box.findText(words)
    assert at >= 0
    box.setCurrentIndex(at)
    box.activated.emit(at)


def test_the_newest_session_is_on_top(opened: Callable[..., DiaryDialog]) -> None:
    dialog = opened(some())
    began = column(dialog, "Began")
    assert began == sorted(began, reverse=True)
    assert column(dialog, "Ended")[0] == "goes on"


def test_a_click_on_a_heading_sorts_by_what_is_meant(
    opened: Callable[..., DiaryDialog], qtbot: QtBot
) -> None:
    days = [session(1, NOW - HOUR, 0.5), session(2, NOW - 9 * HOUR, 6.0), session(3, NOW, 2.0)]
    dialog = opened(days)
    header = table(dialog).horizontalHeader()
    where = QPoint(header.sectionViewportPosition(4) + 12, header.height() // 2)
    qtbot.mouseClick(header.viewport(), Qt.MouseButton.LeftButton, pos=where)
    once = column(dialog, "Cost")
    qtbot.mouseClick(header.viewport(), Qt.MouseButton.LeftButton, pos=where)
    again = column(dialog, "Cost")
    assert {tuple(once), tuple(again)} == {
        ("¥0.99", "¥3.96", "¥11.88"),
        ("¥11.88", "¥3.96", "¥0.99"),
    }


def test_sums_are_those_of_their_periods(opened: Callable[..., DiaryDialog]) -> None:
    dialog = opened([session(1, NOW - HOUR, 1.0), session(2, NOW - 20 * 24 * HOUR, 2.0)])
    assert "¥1.98" in card(dialog, "today")
    assert "¥1.98" in card(dialog, "week")
    assert "¥5.94" in card(dialog, "month")
    assert "¥5.94" in card(dialog, "all")
    assert "4,200 tokens" in card(dialog, "today")
    assert "¥0.47/1k" in card(dialog, "today")
    assert "idle 22 min: ¥0.71" in card(dialog, "today")


def test_two_currencies_stand_beside_each_other(opened: Callable[..., DiaryDialog]) -> None:
    ours = session(1, NOW - HOUR, 1.0)
    theirs = session(2, NOW - HOUR, 1.0, rate=0.5, currency="USD", host="vast")
    dialog = opened([ours, theirs])
    spoken = card(dialog, "all")
    assert "¥1.98" in spoken
    assert "$0.50" in spoken
    assert "2.48" not in spoken
    chart = dialog.findChild(DaysChart)
    assert isinstance(chart, DaysChart)
    assert "¥1.98" in chart.described()
    choose(dialog, "currencyChoice", "USD")
    assert "$0.50" in chart.described()
    assert "¥" not in chart.described()


def test_one_host_is_shown_by_itself_and_exported_by_itself(
    opened: Callable[..., DiaryDialog], tmp_path: Path
) -> None:
    written: list[Entry] = []

    def export(path: Path, shown: Sequence[Entry]) -> None:
        written.extend(shown)

    dialog = opened(in_two_currencies(), export)
    choose(dialog, "hostChoice", "vast-31022")
    assert set(column(dialog, "Host")) == {"vast-31022"}
    assert "¥" not in card(dialog, "all")
    dialog.save(tmp_path / "a.csv")
    assert [entry.host for entry in written] == ["vast-31022"] * 3


def test_a_choice_survives_new_entries(opened: Callable[..., DiaryDialog]) -> None:
    dialog = opened(in_two_currencies())
    choose(dialog, "hostChoice", "vast-31022")
    dialog.show_entries([*in_two_currencies(), session(99, NOW, 1.0)])
    assert set(column(dialog, "Host")) == {"vast-31022"}


def test_without_sessions_it_says_what_will_be_here(opened: Callable[..., DiaryDialog]) -> None:
    dialog = opened([])
    assert not table(dialog).isVisible()
    shown = " ".join(each.text() for each in dialog.findChildren(QLabel) if each.isVisible())
    assert "Nothing was spent yet" in shown
    button = dialog.findChild(QPushButton, "exportButton")
    assert isinstance(button, QPushButton)
    assert not button.isEnabled()
    dialog.show_entries(some())
    assert table(dialog).isVisible()
    assert button.isEnabled()


def test_the_file_is_what_a_spreadsheet_reads(
    opened: Callable[..., DiaryDialog], tmp_path: Path
) -> None:
    texts, path = Texts("zh"), tmp_path / "a.csv"
    dialog = opened(some(), lambda to, shown: save_csv(to, shown, NOW, texts), "zh")
    dialog.save(path)
    content = path.read_bytes().decode("utf-8-sig")
    assert content.splitlines()[0].startswith("主机,模型,显卡")
    assert len(content.splitlines()) == 1 + len(some())
    said = dialog.findChild(QLabel, "exportSaid")
    assert isinstance(said, QLabel)
    assert str(path) in said.text()


def test_a_file_that_cannot_be_written_is_said_in_the_dialog(
    opened: Callable[..., DiaryDialog], tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    dialog = opened(some(), lambda to, shown: save_csv(to, shown, NOW, Texts("en")))
    dialog.save(tmp_path / "file" / "a.csv")
    said = dialog.findChild(QLabel, "exportSaid")
    assert isinstance(said, QLabel)
    assert said.isVisible()
    assert said.property("tone") == "bad"


def test_the_button_asks_for_a_file(opened: Callable[..., DiaryDialog], qtbot: QtBot) -> None:
    dialog = opened(some())
    button = dialog.findChild(QPushButton, "exportButton")
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    asked = dialog.findChild(QFileDialog)
    assert isinstance(asked, QFileDialog)
    assert asked.defaultSuffix() == "csv"
    asked.reject()


def test_arrow_keys_go_from_day_to_day_and_say_each(
    opened: Callable[..., DiaryDialog], qtbot: QtBot
) -> None:
    dialog = opened([session(1, NOW - HOUR, 1.0), session(2, NOW - 25 * HOUR, 2.0)])
    dialog.activateWindow()
    chart = dialog.findChild(DaysChart)
    assert isinstance(chart, DaysChart)
    chart.setFocus()
    qtbot.waitUntil(chart.hasFocus)
    assert chart.accessibleName().endswith("¥1.98")
    qtbot.keyClick(chart, Qt.Key.Key_Left)
    assert chart.accessibleName().endswith("¥3.96")
    for _ in range(40):
        qtbot.keyClick(chart, Qt.Key.Key_Left)
    assert chart.accessibleName().endswith("¥0.00")


def test_escape_closes_it(opened: Callable[..., DiaryDialog], qtbot: QtBot) -> None:
    dialog = opened(some())
    qtbot.keyClick(table(dialog), Qt.Key.Key_Escape)
    assert not dialog.isVisible()


def test_every_control_has_a_name(opened: Callable[..., DiaryDialog]) -> None:
    dialog = opened(in_two_currencies())
    controls = [
        *dialog.findChildren(QPushButton),
        *dialog.findChildren(QComboBox),
        table(dialog),
        *dialog.findChildren(DaysChart),
    ]
    assert len(controls) == 5
    assert all(each.accessibleName() for each in controls)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_what_is_told_of_a_session_says_whether_the_rental_may_go_on(language: Language) -> None:
    texts = Texts(language)
    stopped, off = session(1, NOW, 1.0), session(2, NOW, 1.0, because="powered-off")
    assert texts["diary.may-go-on"] in told(stopped, NOW, texts)
    assert texts["diary.may-go-on"] not in told(off, NOW, texts)


@pytest.mark.parametrize(
    "because",
    ["asked", "lease", "idle", "limit", "spending", "stopped", "failed", "lost", "left", "cut",
     "powered-off"],
)  # fmt: skip
@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_end_has_its_words(because: str, language: Language) -> None:
    ended = session(1, NOW, 1.0, because=because)
    assert wording.end(ended, Texts(language)) == Texts(language)[f"diary.end.{because}"]


def test_the_headers_bill_is_the_diarys_to_the_cent() -> None:
    texts = Texts("en")
    going_on = session(1, NOW - HOUR, 1.0, ended=None, because="", reached=NOW - HOUR)
    assert wording.bill(going_on, NOW, texts) == "about ¥1.98 so far"
    explained = wording.bill_explained(going_on, NOW, texts)
    assert explained.startswith("¥1.98 ⋅ ¥0.47/1k tokens ⋅ idle 22 min: ¥0.71\n¥1.98/h × 1 h 0 min")
    ended = replace(going_on, ended=NOW, because="asked")
    assert wording.bill(ended, NOW + HOUR, texts) == "¥1.98 ⋅ may still be billing"
    off = replace(ended, because="powered-off")
    assert wording.bill(off, NOW + HOUR, texts) == "¥1.98 in all"
    assert wording.bill(None, NOW, texts) == ""
    assert wording.bill_explained(replace(off, rate=0.0), NOW, texts) == ""


@pytest.mark.parametrize(
    ("seconds", "said"), [(20, "20 s"), (59 * 60, "59 min"), (3600, "1 h"), (12_000, "3 h 20 min")]
)
def test_a_time_is_read_to_the_minute(seconds: float, said: str) -> None:
    assert wording.span(seconds, Texts("en")) == said


@pytest.mark.parametrize(("number", "said"), [(0, "0"), (12_340, "12,340"), (1_284_000, "1.28M")])
def test_large_numbers_of_tokens_are_short(number: int, said: str) -> None:
    assert wording.count(number) == said


def test_reading_a_file_that_is_not_there_gives_an_empty_diary(
    opened: Callable[..., DiaryDialog], tmp_path: Path
) -> None:
    assert not table(opened(read(tmp_path / "diary.db"))).isVisible()
