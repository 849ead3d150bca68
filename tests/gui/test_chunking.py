"""Any chunking of any document gives the blocks of one parse.

A few hundred documents in the ordinary run, always the same ones. Ten thousand, each time others:
`PAPERKITE_DOCUMENTS=10000 python -m pytest tests/gui/test_chunking.py`
"""

import os

from hypothesis import HealthCheck, given, settings
from PySide6.QtWidgets import QApplication

from desktop.core.texts import Texts
from desktop.ui.maths.formulas import Formulas
from desktop.ui.theme import LIGHT
from desktop.ui.transcript.look import make_look
from desktop.ui.transcript.section import Section
from desktop.ui.transcript.segments import Splitter, split
from desktop.ui.transcript.shown import Shown
from tests.helpers.markdown_documents import chunked, documents

MANY = int(os.environ.get("PAPERKITE_DOCUMENTS", "0"))
EASY = settings(
    max_examples=MANY or 300,
    derandomize=not MANY,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
FEWER = settings(EASY, max_examples=max(MANY // 10, 60))


@EASY
@given(chunked())
def test_chunking_changes_no_segment(case: tuple[str, list[str]]) -> None:
    text, chunks = case
    splitter = Splitter()
    for chunk in chunks:
        before = splitter.segments
        unchanged = splitter.feed(chunk)
        assert splitter.segments[:unchanged] == before[:unchanged]
    splitter.finish()
    assert splitter.segments == split(text)


@EASY
@given(documents)
def test_segments_lose_nothing_that_can_be_read(text: str) -> None:
    text = text.replace("`", "").replace("~", "")  # what stands behind a fence is not shown
    whole = "".join(segment.head + segment.language + segment.source for segment in split(text))
    for letter in "词她字xwordكسلام😀":
        assert whole.count(letter) >= text.count(letter)


@FEWER
@given(chunked())
def test_a_streamed_message_has_the_blocks_of_a_whole_one(
    qapp: QApplication, case: tuple[str, list[str]]
) -> None:
    text, chunks = case
    look = make_look(LIGHT, qapp.font(), Texts("en"), Formulas(["/nonexistent"]))
    streamed = Section(look, Shown("a", "assistant", streaming=True))
    streamed.open()
    for chunk in chunks:
        streamed.append(chunk)
    streamed.update(Shown("a", "assistant", text))
    whole = Section(look, Shown("a", "assistant", text))
    whole.open()
    for one, other in zip(streamed.column.blocks, whole.column.blocks, strict=True):
        assert type(one) is type(other)
        assert (one.source(), one.visible(), one.gap) == (
            other.source(),
            other.visible(),
            other.gap,
        )
