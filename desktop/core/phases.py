"""The phases of a session: one enum, one transition table."""

from __future__ import annotations

from enum import Enum


class Phase(Enum):
    """Where a session stands, as people understand it."""

    OFF = "off"
    CONNECTING = "connecting"
    CHECKING = "checking"
    PREPARING = "preparing"
    LOADING = "loading"
    READY = "ready"
    RECONNECTING = "reconnecting"
    STOPPING = "stopping"
    FAILED = "failed"


_WORKING = {Phase.CHECKING, Phase.PREPARING, Phase.LOADING, Phase.READY}
_ALWAYS = {Phase.OFF, Phase.STOPPING, Phase.FAILED, Phase.RECONNECTING}

# From each phase to those that may follow it. Work may jump forward (what is true is skipped)
# and fall back to LOADING (the engine was restarted).
TRANSITIONS: dict[Phase, set[Phase]] = {
    Phase.OFF: {Phase.CONNECTING, Phase.STOPPING},
    Phase.CONNECTING: {Phase.CHECKING, Phase.RECONNECTING, Phase.OFF, Phase.STOPPING, Phase.FAILED},
    Phase.CHECKING: _WORKING | _ALWAYS,
    Phase.PREPARING: _WORKING | _ALWAYS,
    Phase.LOADING: _WORKING | _ALWAYS,
    Phase.READY: {Phase.LOADING} | _ALWAYS,
    Phase.RECONNECTING: _WORKING | _ALWAYS,
    Phase.STOPPING: {Phase.OFF, Phase.FAILED, Phase.RECONNECTING},
    Phase.FAILED: {Phase.CONNECTING, Phase.STOPPING, Phase.OFF},
}


def may_follow(current: Phase, following: Phase) -> bool:
    """Tell whether `following` is a legal next phase after `current`."""
    return following in TRANSITIONS[current]
