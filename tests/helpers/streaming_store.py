"""A process that streams replies into a store and says what it has shown, until it is killed."""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from pathlib import Path

from desktop.core.chat.conversation import Conversation, Message, Outcome
from desktop.core.chat.store.store import open_store
from desktop.core.chat.store.writer import Writer

CHUNKS = 150  # of a reply; then the next one begins
BETWEEN_S = 0.004


def piece(number: int) -> str:
    return f"{number} 文字 and words; "


def stream(path: Path) -> None:
    """Print `id length seconds` for each state of a message that was put on screen."""
    store = open_store(path)
    writer = Writer(store)
    store.save(Conversation("c", "", 0.0, 0.0))
    reply = 0
    while True:
        reply += 1
        message = Message(f"r{reply}", "c", "", "assistant", "", time.time())
        store.add(message)
        for number in range(CHUNKS):
            message = replace(message, content=message.content + piece(number))
            writer.put(message)
            print(message.id, len(message.content), time.monotonic(), flush=True)
            time.sleep(BETWEEN_S)
        writer.flush()
        store.update(replace(message, outcome=Outcome("stop")))


if __name__ == "__main__":
    stream(Path(sys.argv[1]))
