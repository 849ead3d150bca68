"""What names a conversation, and each message."""

from __future__ import annotations

import uuid


def new_id() -> str:
    """Return a name that nothing else has."""
    return uuid.uuid4().hex
