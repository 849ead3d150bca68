"""`vllm serve`, played: bind at once, tell the phases, answer until SIGTERM."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Sequence

from desktop.rehearsal.scripted_engine.options import parse
from desktop.rehearsal.scripted_engine.server import EngineServer
from desktop.rehearsal.scripted_engine.start_up import PAUSES, bar, start_up


def main(argv: Sequence[str]) -> None:
    """Serve until SIGTERM, which ends it with status 0."""
    options = parse(argv)
    signal.signal(signal.SIGTERM, lambda _number, _frame: os._exit(0))
    length = options.context_length()
    server = EngineServer(options, length)
    start_up(options, length, lambda: time.sleep(options.scripted_startup_s / PAUSES))
    server.server_activate()
    bar("INFO:     Application startup complete.")
    server.serve_forever()


if __name__ == "__main__":
    main(sys.argv[1:])
