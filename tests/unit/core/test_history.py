"""The last hour of a host, and how it is put into columns."""

from hypothesis import given
from hypothesis import strategies as st

from desktop.core.events import Card, Sample
from desktop.core.history import HOUR, History, buckets, moment

GIB = 1 << 30


def sample(*cards: Card, running: int = 0) -> Sample:
    return Sample(cards, 0.5, running, 0, None, None)


def test_several_cards_are_one_mean_and_one_sum() -> None:
    found = moment(sample(Card(100, 20 * GIB, 24 * GIB), Card(50, 4 * GIB, 24 * GIB)), 1.0)
    assert found.use == 0.75
    assert found.memory == 0.5


def test_what_the_driver_does_not_tell_is_not_known() -> None:
    found = moment(sample(Card(None, None, None)), 1.0)
    assert (found.use, found.memory) == (None, None)


def test_more_than_an_hour_is_forgotten() -> None:
    history = History()
    for step in range(10_000):
        history.add(sample(running=step), 2.0 * step)
    assert len(history.since(0.0)) < 3000
    assert history.since(20_000.0 - HOUR)[0].at <= 20_000.0 - HOUR + 2
    assert history.newest is not None
    history.rest()
    assert history.newest is None
    assert history.since(0.0)  # what was, was


def test_a_column_shows_the_largest_of_its_time() -> None:
    points = [(0.0, 1.0), (0.4, 9.0), (0.6, 2.0), (2.0, None), (3.9, 4.0), (4.0, 99.0)]
    assert buckets(points, 0.0, 4.0, 4) == [9.0, None, None, 4.0]


@given(
    st.lists(st.tuples(st.floats(-10, 110), st.none() | st.floats(0, 1e9)), max_size=50),
    st.integers(1, 400),
)
def test_no_point_leaves_the_columns(points: list[tuple[float, float | None]], count: int) -> None:
    found = buckets(points, 0.0, 100.0, count)
    assert len(found) == count
    known = [v for at, v in points if v is not None and 0 <= at < 100.0]
    assert max((v for v in found if v is not None), default=-1.0) == max(known, default=-1.0)
