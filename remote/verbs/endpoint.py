"""`endpoint`: where the engine answers and with which key; the only way of the key off the host."""

from remote import runs, wire
from remote.status import status_of
from remote.verbs import Request
from remote.verbs.channel import refuse, say


def run(_: Request) -> int:
    """Print `endpoint`, or that nothing is running."""
    newest = runs.newest(runs.runs_folder())
    fields = None
    if newest is not None and status_of(newest)["state"] == wire.RUN_READY:
        fields = runs.read_object(newest.endpoint)
    if fields is None:
        return refuse("nothing-running")
    say("endpoint", **fields)
    return wire.EXIT_OK
