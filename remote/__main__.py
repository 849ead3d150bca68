"""The agent's command line: a verb per process, the protocol on stdout, text for people on stderr.

The archive's own `__main__.py` calls `main`; `PROTOCOL.md` documents the verbs.
"""

import os
import sys
from typing import TYPE_CHECKING, Optional, Sequence

from remote import verbs, wire

if TYPE_CHECKING:
    from remote.task import Task

_INTERRUPTED = 130
_DETAIL_CHARS = 500


def main(
    arguments: Optional[Sequence[str]] = None, graph: "Optional[Sequence[Task]]" = None
) -> int:
    """Carry out one verb and return the exit status.

    Args:
        arguments: the command line without the program; None means this process's own.
        graph: the tasks that `start` works through; None means the real ones.
    """
    os.umask(0o077)
    try:
        request = verbs.parse(sys.argv[1:] if arguments is None else arguments)
    except verbs.UsageError as error:
        sys.stderr.write("%s\n\n%s" % (error, verbs.USAGE))
        return wire.EXIT_USAGE
    try:
        # On a line of its own, also where a login shell printed words without a line end.
        sys.stdout.write("\n" + wire.MARKER + "\n")
        return verbs.answer(request._replace(graph=graph))
    except BrokenPipeError:
        _forget_stdout()  # the connection was cut: nobody is there to be told
        return wire.EXIT_OK
    except KeyboardInterrupt:
        return _INTERRUPTED
    except Exception as error:  # noqa: BLE001 - the top: the laptop is told about our bugs too
        return _tell_bug(error)


def _tell_bug(error: Exception) -> int:
    """Say on the wire that the mistake is ours, and on stderr where it is."""
    import traceback  # noqa: PLC0415 - needed once in a blue moon

    traceback.print_exc()
    detail = "%s: %s" % (type(error).__name__, str(error)[:_DETAIL_CHARS])
    line = wire.encode({"kind": "refused", "code": "run.bug", "detail": detail})
    try:
        sys.stdout.write(line)
        sys.stdout.flush()
    except BrokenPipeError:
        _forget_stdout()
    return wire.EXIT_REFUSED


def _forget_stdout() -> None:
    """Point stdout at nothing, or else Python's last flush complains."""
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, sys.stdout.fileno())
    os.close(nothing)


if __name__ == "__main__":
    raise SystemExit(main())
