"""Closing a channel whose transport may be gone before it: the same for commands and tunnels."""

from __future__ import annotations

from contextlib import suppress

import paramiko


def close(channel: paramiko.Channel) -> None:
    """Close it, whether or not anybody is left to be told."""
    with suppress(OSError, EOFError):
        channel.close()
