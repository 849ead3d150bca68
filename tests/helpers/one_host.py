"""The whole app with one saved host that has a price; what its session says is played to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from desktop.core.events import Event
from desktop.core.paths import paths
from desktop.core.saved import SavedHost
from desktop.core.settings import Settings
from desktop.system.keyring import Keyring
from desktop.ui.app import App
from desktop.ui.intents import FromHost, HostKey
from tests.helpers.memory_keyring import MemoryKeyring

BOX = HostKey("box")


@contextmanager
def apps() -> Iterator[Callable[[str], App]]:
    """Give what starts the app for the host of a line; all are closed afterwards."""
    made: list[App] = []

    def start(line: str) -> App:
        settings = Settings(
            host="box", hosts={"box": SavedHost(line, rate=1.98, currency="CNY")}, language="en"
        )
        keyring = Keyring(MemoryKeyring())
        made.append(App(None, paths=paths(), settings=settings, language="en", keyring=keyring))
        made[-1].window.show()
        return made[-1]

    yield start
    for each in made:
        each.close()
        each.window.deleteLater()


def hear(app: App, *events: Event) -> None:
    """Have the session of the host say something."""
    app._deliver([FromHost(BOX, event) for event in events])
