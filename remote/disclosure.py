"""What may leave a task's hands: bounded plain JSON values with the run's secrets taken out."""

from typing import Any, Iterable, List

from remote import lines

_MAX_TEXT = 2000
_MAX_ITEMS = 200
_MAX_DEPTH = 5
_MIN_SECRET = 8  # a shorter one would be found in every other word
_HIDDEN = "***"


class Disclosure:
    """Knows a run's secrets, and gives out nothing that contains them."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self._secrets = [secret for secret in secrets if len(secret) >= _MIN_SECRET]

    def text(self, value: str, limit: int = _MAX_TEXT) -> str:
        """Return `value` without secrets, cut to `limit` characters."""
        for secret in self._secrets:
            value = value.replace(secret, _HIDDEN)
        return value[:limit]

    def last_lines(self, found: Iterable[Any]) -> List[str]:
        """Return the last 40 lines of at most 500 characters each."""
        kept = [str(line) for line in found][-lines.LAST_LINES :]
        return [self.text(line, lines.LINE_CHARS) for line in kept]

    def value(self, value: Any, depth: int = 0) -> Any:
        """Return `value` as plain JSON: bounded, finite, and anything foreign as its text."""
        if value is None or isinstance(value, (bool, int)):
            return value
        if isinstance(value, float):
            return value if abs(value) < float("inf") else None
        if depth < _MAX_DEPTH and isinstance(value, dict):
            some = list(value.items())[:_MAX_ITEMS]
            return {self.text(str(key)): self.value(item, depth + 1) for key, item in some}
        if depth < _MAX_DEPTH and isinstance(value, (list, tuple)):
            return [self.value(item, depth + 1) for item in value[:_MAX_ITEMS]]
        return self.text(str(value))
