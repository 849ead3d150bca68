"""How long until the model answers: what the branches of the host's work say, put together.

Honest before all: where one part cannot tell how long it takes, nobody can for the whole.
"""

from __future__ import annotations

from dataclasses import dataclass

from remote import wire

# What loading usually takes: a 32B AWQ model on a 4090, by the agent's own table
# (remote/engine/log_phases.py, USUAL_SECONDS). Once the engine starts, the host knows better.
LOAD_SECONDS = 130.0

_OVER = (wire.DONE, wire.SKIPPED)


@dataclass(frozen=True, slots=True)
class Leg:
    """One part of the way.

    Attributes:
        state: one of remote.wire's states of a task.
        left_s: seconds that it still takes once it runs, or None where nobody can tell.
    """

    state: str = wire.WAITING
    left_s: float | None = None


def seconds_to_ready(
    install: Leg, download: Leg, load: Leg, usual_load_s: float = LOAD_SECONDS
) -> float | None:
    """Return the seconds until the model answers, or None where nobody can tell.

    Installing and downloading run side by side, so that the longer one counts; loading comes after.

    Args:
        install: the engine's environment.
        download: the model's files.
        load: the engine's start.
        usual_load_s: what loading takes, before the host says it.
    """
    if load.state in _OVER:
        return 0.0
    if load.state == wire.RUNNING:
        return load.left_s
    one, other = _left(install), _left(download)
    return None if one is None or other is None else max(one, other) + usual_load_s


def _left(leg: Leg) -> float | None:
    if leg.state in _OVER:
        return 0.0
    return leg.left_s if leg.state == wire.RUNNING else None
