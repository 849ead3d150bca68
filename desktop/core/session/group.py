"""Several hosts that serve one model together, started side by side.

The head is a session like any other: it has the endpoint, and is ready when all have joined. The
others only have to join it; from then on they need no laptop.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace

from desktop.core.agent.answers import refusal
from desktop.core.agent.client import Agent
from desktop.core.agent.deploy import deploy
from desktop.core.errors import AppError, Cancelled
from desktop.core.session.dial import Dial
from desktop.core.session.spec import spec_fields
from desktop.core.session.wishes import Wishes
from desktop.core.ssh.attempt import Abandon, Attempt
from desktop.core.ssh.connection import Connection

_CLOSING_GRACE_S = 5.0


def nodes(wishes: Sequence[Wishes], head_address: str) -> list[Wishes]:
    """Return the wishes of each host of a group, the head's first.

    All have the same terms. Only the head sees requests, so that a lease and idle time count on the
    others once their engines have ended, as they do without a head.
    """
    return [
        replace(each, node_count=len(wishes), node_rank=rank, head_address=head_address)
        for rank, each in enumerate(wishes)
    ]


class Member:
    """One host of a group that is not its head.

    Attributes:
        wishes: what is to run there.
        error: why it did not join, once that is so.
    """

    def __init__(
        self, wishes: Wishes, dial: Dial, deploy: Callable[[Connection], Agent] = deploy
    ) -> None:
        """Take what is needed; nothing happens before `start`."""
        self.wishes = wishes
        self.error: AppError | None = None
        self._dial = dial
        self._deploy = deploy
        self._closing = Abandon()
        self._connection: Connection | None = None
        self._thread = threading.Thread(target=self._run, name="member", daemon=True)
        self._on_failure: Callable[[AppError], None] = lambda _error: None

    def start(self, on_failure: Callable[[AppError], None]) -> None:
        """Begin on a thread of its own; `on_failure` is called there, unless it was closed."""
        self._on_failure = on_failure
        self._thread.start()

    def close(self) -> None:
        """Leave the host as it is."""
        self._closing.fire()
        connection = self._connection
        if connection is not None:
            connection.close()
        if self._thread.ident is not None:  # it was started
            self._thread.join(_CLOSING_GRACE_S)

    def _run(self) -> None:
        try:
            self._join()
        except Cancelled:
            return
        except AppError as error:
            self._fail(error)
        except Exception as error:  # noqa: BLE001 - the top of the thread: a bug is shown, not lost
            self._fail(AppError("unexpected", detail=repr(error)))

    def _fail(self, error: AppError) -> None:
        if not self._closing.is_fired:
            self.error = error
            self._on_failure(error)

    def _join(self) -> None:
        with closing(self._dial(Attempt(abandon=self._closing))) as connection:
            self._connection = connection
            self._closing.check()
            agent = self._deploy(connection)
            run = agent.start(spec_fields(self.wishes)).run
            for message in agent.watch(run, 0):
                if message["kind"] == "ready":
                    return
                if message["kind"] == "failed":
                    raise refusal(message)
            raise AppError("run-lost")
