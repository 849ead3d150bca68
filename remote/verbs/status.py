"""`status`: where the newest run stands."""

from remote import runs, wire
from remote.status import status_of
from remote.verbs import Request
from remote.verbs.channel import say


def run(_: Request) -> int:
    """Print `status`."""
    say("status", **status_of(runs.newest(runs.runs_folder())))
    return wire.EXIT_OK
