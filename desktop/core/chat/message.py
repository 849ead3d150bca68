"""One message of a conversation, as the engine wants it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Role = Literal["system", "user", "assistant"]


@dataclass(frozen=True, slots=True)
class Message:
    """Who said what."""

    role: Role
    content: str
