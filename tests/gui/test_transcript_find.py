"""Finding what markup cuts and what is folded away."""

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from desktop.ui.transcript.shown import Shown
from desktop.ui.transcript.view import Transcript
from tests.helpers.chat_screens import search, settle


@pytest.mark.parametrize(
    "source",
    [
        "a **ne**edle", "*need*le", "[need](https://example.com)le", "ne~~ed~~le", "needl&#101;",
        "| a |\n|---|\n| ne**edle** |", "```\nNeedle\n```", "nee\\dle"[:3] + "dle",
    ],
)  # fmt: skip
def test_text_that_markup_cuts_is_found(view: Transcript, source: str) -> None:
    view.present([Shown("a", "assistant", source)])
    assert search(view, "needle") == 1
    match = view._finding.current
    assert match is not None
    assert view._finding.span(match) is not None


def test_signs_of_markup_can_be_found_in_code(view: Transcript) -> None:
    view.present([Shown("a", "assistant", "```\na[i](x) ** b\n```")])
    assert search(view, "](x) **") == 1


def test_what_stands_in_folded_reasoning_is_found_and_unfolded(view: Transcript) -> None:
    messages = [Shown(str(n), "assistant", "a needle", reasoning="hm") for n in range(20)]
    messages[9] = Shown("9", "assistant", "no", reasoning="the **need**le\n\nand a needle")
    view.present(messages)
    view.verticalScrollBar().setValue(0)
    assert search(view, "needle") == 21
    assert view.find_next(0) == 1
    assert sum(section.column.blocks[0].open for section in view.flow.sections) == 0  # type: ignore[attr-defined]
    for _ in range(9):
        view.find_next(1)
    match = view._finding.current
    assert match is not None
    assert match.section == 9
    assert match.block in view.flow.sections[9].column.blocks
    assert any(seen.block is match.block for seen in view._seen())
    assert [view.find_next(1) for _ in range(12)][-1] == 1


def test_a_search_outlives_the_blocks_that_it_found(view: Transcript) -> None:
    view.present([Shown("a", "assistant", "needle and needle", streaming=True)])
    assert search(view, "needle") == 2
    view.change(Shown("a", "assistant", "another"))
    assert view.find_next(1) == 2


def test_a_long_conversation_is_searched_in_turns_from_what_is_read_on(
    qtbot: QtBot, view: Transcript
) -> None:
    messages = [Shown(str(n), "assistant", f"{n} needle\n\n" * 40) for n in range(60)]
    view.present(messages)
    view.verticalScrollBar().setValue(0)
    settle(view)
    with qtbot.waitSignal(view.found):
        view.find_text("needle")
    assert view.searching
    assert view.matches < 1000
    assert view.find_next(0) == 1
    assert not view.flow.sections[40].opened
    while view.searching:
        QApplication.processEvents()
    assert view.matches == 1000
    assert view.find_next(0) == 1


def test_what_stands_only_above_is_gone_to_when_the_search_has_come_around(
    view: Transcript,
) -> None:
    messages = [Shown(str(n), "assistant", "a needle" if n == 2 else "no") for n in range(30)]
    view.present(messages)
    assert search(view, "needle") == 1
    match = view._finding.current
    assert match is not None
    assert match.section == 2
    assert any(seen.block is match.block for seen in view._seen())


def test_a_search_that_goes_on_leaves_what_is_read_where_it_is(view: Transcript) -> None:
    messages = [Shown(str(n), "assistant", "some text " * n) for n in range(120)]
    messages[60] = Shown("60", "assistant", "the needle")
    view.present(messages)
    view.verticalScrollBar().setValue(round(view.flow.top(60)))
    settle(view)
    view.find_text("e")
    while not view.find_next(0):  # it is gone to the first place once that is known
        QApplication.processEvents()
    before = [(seen.block, seen.top - view.verticalScrollBar().value()) for seen in view._seen()]
    while view.searching:
        QApplication.processEvents()
    after = {seen.block: seen.top - view.verticalScrollBar().value() for seen in view._seen()}
    assert all(abs(after[block] - top) < 1.5 for block, top in before if block in after)
    assert before[0][0] in after
