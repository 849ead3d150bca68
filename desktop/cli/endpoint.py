"""`up` and `forward`: a session until it is ready, or for as long as it is wanted."""

from __future__ import annotations

import sys

from desktop.cli.events import EventQueue
from desktop.cli.group import bring_group_up
from desktop.cli.invocation import Invocation
from desktop.cli.output import Output
from desktop.cli.session import opened_session, until_over, until_ready
from desktop.cli.wishes import group_of, wishes
from desktop.core.session.retrying import BOOT_SECONDS


def bring_up(call: Invocation, output: Output) -> int:
    """Start or join the run, on every host of a group; 0 when the model answers."""
    group = group_of(call)
    if group is not None:
        return bring_group_up(call, group, output)
    events = EventQueue()
    # A script is told at once; a person may just have switched the host on.
    patience_s = BOOT_SECONDS if sys.stderr.isatty() and not call.options.json else 0.0
    with opened_session(call, wishes(call), events, patience_s=patience_s) as session:
        until_ready(session, events, output)
    return 0


def hold(call: Invocation, output: Output) -> int:
    """Join the run and keep its endpoint open until Ctrl-C, or until the run ends."""
    events = EventQueue()
    with opened_session(call, wishes(call), events, join_only=True) as session:
        endpoint = until_ready(session, events, output)
        output.say("endpoint", base_url=endpoint.base_url, api_key=endpoint.api_key)
        until_over(events, output)
    return 0
