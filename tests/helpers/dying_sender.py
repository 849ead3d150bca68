"""A process that is killed between a person's message and the place of the reply to it."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any, cast

from desktop.core.chat.conversation import Setup
from desktop.core.chat.conversations import Conversations
from desktop.core.chat.store.store import open_store
from desktop.core.chat.store.writer import Writer
from desktop.core.events import Endpoint

ENDPOINT = Endpoint("http://127.0.0.1:8000/v1", "k", "a/b", 2048, "run-1", "0.32.0")


def send(path: Path) -> None:
    """Say something; SQLite itself calls for death in the middle of it."""
    store = open_store(path)
    with store._file.write() as connection:
        connection.create_function("die", 0, lambda: os.kill(os.getpid(), signal.SIGKILL))
        connection.execute(
            "CREATE TEMP TRIGGER deadly BEFORE INSERT ON main.messages"
            " WHEN new.role = 'assistant' BEGIN SELECT die(); END"
        )
    kept = Conversations(store, Writer(store), cast("Any", lambda: None))
    made = kept.begin(Setup())
    kept.send(made.id, "Hello?", ENDPOINT)


if __name__ == "__main__":
    send(Path(sys.argv[1]))
