"""`hello`: who answers, and where the newest run stands."""

import os
import platform
import sys
from pathlib import Path

from remote import __version__, runs, wire
from remote.status import status_of
from remote.verbs import Request
from remote.verbs.channel import say


def run(_: Request) -> int:
    """Print `hello`; nothing is written on the host."""
    newest = runs.newest(runs.runs_folder())
    say(
        "hello",
        protocol=wire.PROTOCOL,
        agent=__version__,
        python=platform.python_version(),
        platform="%s-%s" % (sys.platform, os.uname().machine),
        home=str(Path.home()),
        pid=os.getpid(),
        run=None if newest is None else status_of(newest),
    )
    return wire.EXIT_OK
