"""The list of conversations as rows: pinned ones, then by day, the youngest first. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from desktop.core.chat.conversation import Conversation
from desktop.core.chat.titles import first_line
from desktop.core.texts import Texts

_DAYS = 7
_MONTH = 30


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the list.

    Attributes:
        text: the title, or a heading's words.
        conversation: its id; "" for a heading.
        message: the id of the message that was found, or "".
        snippet: what was found, around the match; or "".
        matches: where in `snippet` the match stands, as (start, end).
        pinned: whether it is pinned.
        archived: whether it is put away.
        streaming: whether a reply comes into it just now.
        draft: whether something is typed in it that was not sent.
    """

    text: str
    conversation: str = ""
    message: str = ""
    snippet: str = ""
    matches: tuple[tuple[int, int], ...] = ()
    pinned: bool = False
    archived: bool = False
    streaming: bool = False
    draft: bool = False

    @property
    def is_heading(self) -> bool:
        """Whether it only divides the list."""
        return not self.conversation


def title_of(conversation: Conversation, texts: Texts) -> str:
    """Return what a conversation is called: its title, or what is typed, or "new"."""
    return conversation.title or first_line(conversation.draft) or texts["chats.untitled"]


def by_time(
    conversations: Iterable[Conversation],
    streaming: Sequence[str],
    now: float,
    texts: Texts,
) -> list[Row]:
    """Return the rows, with a heading over each group.

    Args:
        conversations: in the store's order: pinned first, then the youngest first.
        streaming: ids of those into which a reply comes.
        now: Unix seconds.
        texts: of the language.
    """
    rows: list[Row] = []
    before = ""
    today = datetime.fromtimestamp(now).date()
    for each in conversations:
        heading = _heading(each, today, texts)
        if heading != before:
            rows.append(Row(heading))
            before = heading
        rows.append(
            Row(
                title_of(each, texts),
                each.id,
                pinned=each.pinned,
                archived=each.archived,
                streaming=each.id in streaming,
                draft=bool(each.draft),
            )
        )
    return rows


def _heading(conversation: Conversation, today: date, texts: Texts) -> str:
    if conversation.archived:
        return texts["chats.archived"]
    if conversation.pinned:
        return texts["chats.pinned"]
    day = _day(conversation.updated)
    if day is None:
        return texts["chats.undated"]
    if day >= today:
        return texts["chats.today"]
    if day == today - timedelta(days=1):
        return texts["chats.yesterday"]
    if day > today - timedelta(days=_DAYS):
        return texts["chats.week"]
    if day > today - timedelta(days=_MONTH):
        return texts["chats.month"]
    return texts("chats.of-month", year=day.year, month=day.month)


def _day(seconds: float) -> date | None:
    """Return the day, or None where a calendar has none: an imported file says any number."""
    try:
        return datetime.fromtimestamp(seconds).date()
    except (ValueError, OverflowError, OSError):
        return None
