"""How often an engine that crashed is started again: once, until it has served well."""

from typing import NamedTuple

EARNED_AFTER_SECONDS = 1800.0  # of serving


class Budget(NamedTuple):
    """The restarts that are left."""

    left: int = 1

    def after_serving(self, seconds: float) -> "Budget":
        """Return the budget after the engine served for so long."""
        return Budget() if seconds >= EARNED_AFTER_SECONDS else self

    def spent(self) -> "Budget":
        """Return the budget with one restart less."""
        return Budget(self.left - 1)
