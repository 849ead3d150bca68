"""Which letters the window gets, measured with those that `.ci/run` installs."""

from __future__ import annotations

import pytest
from PySide6.QtGui import QFont, QFontDatabase, QFontMetricsF
from PySide6.QtWidgets import QApplication

from desktop.ui import fonts

CHINESE_FACE = "Noto Sans CJK SC"


@pytest.fixture
def bare(qapp: QApplication, monkeypatch: pytest.MonkeyPatch) -> QFont:
    """The window's font where no desktop chose one and none for desktops is installed."""
    assert CHINESE_FACE in QFontDatabase.families()
    system = QFont("Sans Serif", 9)
    monkeypatch.setattr(QFontDatabase, "systemFont", lambda _role: system)
    there = [CHINESE_FACE, "Noto Sans CJK JP", "DejaVu Sans", "DejaVu Sans Mono"]
    monkeypatch.setattr(QFontDatabase, "families", lambda: there)
    return fonts.interface()


@pytest.mark.parametrize("mark", "“”‘’")
def test_a_quotation_mark_is_as_narrow_as_a_letter(bare: QFont, mark: str) -> None:
    metrics = QFontMetricsF(bare)
    assert metrics.horizontalAdvance(mark) < metrics.horizontalAdvance("n") * 1.1


def test_a_word_is_as_wide_with_either_apostrophe(bare: QFont) -> None:
    metrics = QFontMetricsF(bare)
    curly, straight = (metrics.horizontalAdvance(each) for each in ("don’t", "don't"))
    assert abs(curly - straight) < 2


def test_chinese_is_written_in_the_chinese_face(bare: QFont) -> None:
    alone = QFontMetricsF(QFont(CHINESE_FACE, int(bare.pointSizeF())))
    wide = QFontMetricsF(bare).horizontalAdvance("纸鸢，直角骨")
    assert wide == pytest.approx(alone.horizontalAdvance("纸鸢，直角骨"))
    assert bare.families()[1:] == [CHINESE_FACE]


def test_a_face_for_desktops_comes_before_those_of_a_bare_system(
    bare: QFont, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = [*QFontDatabase.families(), "Liberation Sans", "Noto Sans"]
    monkeypatch.setattr(QFontDatabase, "families", lambda: there)
    assert fonts.interface().families() == ["Noto Sans", CHINESE_FACE]


def test_a_chinese_window_on_a_bare_system_has_marks_as_wide_as_chinese(bare: QFont) -> None:
    metrics = QFontMetricsF(fonts.interface(is_chinese=True))
    assert metrics.horizontalAdvance("“") == pytest.approx(metrics.horizontalAdvance("纸"))
    assert bare.families()[0] == "DejaVu Sans"


def test_the_font_here_has_narrow_marks_too(qapp: QApplication) -> None:
    metrics = QFontMetricsF(fonts.interface())
    assert metrics.horizontalAdvance("’") < metrics.horizontalAdvance("n")
