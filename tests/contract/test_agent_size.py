"""The agent's size is a promise: it goes over every laptop's slow link before anything else."""

from desktop.core.agent.archive import build_archive


def test_the_archive_stays_below_a_hundred_kilobytes() -> None:
    assert len(build_archive().content) < 100_000
