"""A session of this process with a rented box on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from desktop.core.phases import Phase
from desktop.core.session.dial import dialler
from desktop.core.session.session import Session
from desktop.core.session.wishes import Wishes
from tests.e2e.conftest import Box
from tests.helpers.person import Person
from tests.helpers.story import Heard
from tests.helpers.waiting import until

_READY_SECONDS = 120.0  # the first one on a machine installs the hub's client


def wishes_for(box: Box, **terms: Any) -> Wishes:
    """Return the wishes for the box's model, under these terms."""
    wishes = Wishes(
        destination=box.sshd.destination,
        model=box.model,
        hub=box.hub.url,
        data_dir=str(box.data),
        engine_env=str(box.engine),
        identity=box.sshd.identity,
        accept_new_host_key=True,
    )
    return replace(wishes, **terms)


@contextmanager
def ready_session(box: Box, **terms: Any) -> Iterator[tuple[Session, Heard]]:
    """Give a session whose model answers, and what it has told."""
    wishes, heard = wishes_for(box, **terms), Heard()
    session = Session(wishes, heard, dialler(wishes, Person(), box.sshd.known_hosts()))
    try:
        session.start()
        until(lambda: heard.phases[-1:] == [Phase.READY], _READY_SECONDS)
        yield session, heard
    finally:
        session.close()
