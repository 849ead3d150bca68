"""`up GROUP`: several hosts at once, until the head answers."""

from __future__ import annotations

from contextlib import ExitStack

from desktop.cli.events import EventQueue
from desktop.cli.invocation import Invocation
from desktop.cli.output import Output
from desktop.cli.session import opened_session, session_dialler, until_ready
from desktop.cli.wishes import wishes
from desktop.core.errors import AppError
from desktop.core.events import PhaseChanged
from desktop.core.phases import Phase
from desktop.core.saved import Group
from desktop.core.session.group import Member, nodes


def bring_group_up(call: Invocation, group: Group, output: Output) -> int:
    """Start or join the run on every host; 0 when the model answers through the head."""
    events = EventQueue()
    wished = [wishes(call, host) for host in group.hosts]
    head, *others = nodes(wished, group.head_address)
    members = [Member(each, session_dialler(call, each, events)) for each in others]
    with ExitStack() as stack:
        session = stack.enter_context(opened_session(call, head, events))
        for member in members:
            stack.callback(member.close)
            member.start(lambda error: events.put(PhaseChanged(Phase.FAILED, error)))
        try:
            until_ready(session, events, output)
        except AppError as error:
            failed = next((each.wishes for each in members if each.error is error), head)
            output.say("node-failed", host=failed.destination)
            raise
    return 0
