"""How long until ready: what is known is put together, what is not is not made up."""

import pytest

from desktop.core.forecast import LOAD_SECONDS, Leg, seconds_to_ready
from remote import wire
from remote.engine.log_phases import Loading

WAITING, RUNNING = Leg(), Leg(wire.RUNNING)
DONE = Leg(wire.DONE)


def test_the_longer_branch_counts_and_loading_comes_after() -> None:
    assert seconds_to_ready(Leg(wire.RUNNING, 51), Leg(wire.RUNNING, 193), WAITING, 100) == 293
    assert seconds_to_ready(Leg(wire.RUNNING, 251), Leg(wire.RUNNING, 193), WAITING, 100) == 351


def test_what_is_done_takes_no_more_time() -> None:
    assert seconds_to_ready(DONE, Leg(wire.SKIPPED), WAITING, 100) == 100
    assert seconds_to_ready(DONE, Leg(wire.RUNNING, 7), WAITING, 100) == 107


def test_while_it_loads_the_host_knows_better() -> None:
    assert seconds_to_ready(DONE, DONE, Leg(wire.RUNNING, 40), 100) == 40
    assert seconds_to_ready(DONE, DONE, DONE) == 0


@pytest.mark.parametrize(
    ("install", "download", "load"),
    [
        (WAITING, WAITING, WAITING),
        (RUNNING, Leg(wire.RUNNING, 5), WAITING),
        (Leg(wire.RUNNING, 5), WAITING, WAITING),
        (Leg(wire.FAILED, 5), DONE, WAITING),
        (DONE, DONE, RUNNING),
    ],
)
def test_where_one_part_cannot_tell_nobody_can(install: Leg, download: Leg, load: Leg) -> None:
    assert seconds_to_ready(install, download, load) is None


def test_the_usual_time_to_load_is_the_agents_own() -> None:
    assert Loading().total == LOAD_SECONDS
