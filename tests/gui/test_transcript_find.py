"""Finding what markup cuts and what is folded away."""

import pytest

from desktop.ui.transcript.shown import Shown
from desktop.ui.transcript.view import Transcript


@pytest.mark.parametrize(
    "source",
    [
        "a **ne**edle", "*need*le", "[need](https://example.com)le", "ne~~ed~~le", "needl&#101;",
        "| a |\n|---|\n| ne**edle** |", "```\nNeedle\n```", "nee\\dle"[:3] + "dle",
    ],
)  # fmt: skip
def test_text_that_markup_cuts_is_found(view: Transcript, source: str) -> None:
    view.present([Shown("a", "assistant", source)])
    assert view.find_text("needle") == 1
    match = view._finding.current
    assert match is not None
    assert view._finding.span(match) is not None


def test_signs_of_markup_can_be_found_in_code(view: Transcript) -> None:
    view.present([Shown("a", "assistant", "```\na[i](x) ** b\n```")])
    assert view.find_text("](x) **") == 1


def test_what_stands_in_folded_reasoning_is_found_and_unfolded(view: Transcript) -> None:
    messages = [Shown(str(n), "assistant", "a needle", reasoning="hm") for n in range(20)]
    messages[9] = Shown("9", "assistant", "no", reasoning="the **need**le\n\nand a needle")
    view.present(messages)
    view.verticalScrollBar().setValue(0)
    assert view.find_text("needle") == 21
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
    assert view.find_text("needle") == 2
    view.change(Shown("a", "assistant", "another"))
    assert view.find_next(1) == 2
