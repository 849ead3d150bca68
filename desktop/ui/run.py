"""The app from its first paint to its end.

first the window is on screen → then what is slow to import is imported, in a thread
→ then, if asked for, the session starts
"""

from __future__ import annotations

import gc
from collections.abc import Callable

from desktop.core.explain import Language
from desktop.core.paths import Paths
from desktop.core.session.wishes import Wishes
from desktop.core.settings import Settings
from desktop.system.single_instance import SingleInstance
from desktop.ui.app import App
from desktop.ui.application import application
from desktop.ui.interrupt import Interrupt


def run(
    wishes: Wishes | None,
    *,
    start_now: bool,
    paths: Paths,
    settings: Settings,
    language: Language,
    hidden: bool = False,
    instance: SingleInstance | None = None,
    on_first_paint: Callable[[], None] | None = None,
) -> int:
    """Show the app until it is quit.

    Args:
        wishes: the host and what is to run there; None: the saved host, or ask for one.
        start_now: begin at once, as if Start had been clicked.
        paths: our own files.
        settings: the user's choices.
        language: of everything that is shown.
        hidden: stay in the tray at first, where there is one.
        instance: tells when the app is started once more.
        on_first_paint: called when the window is on screen.

    Returns:
        The exit status.
    """
    qt = application(is_chinese=language == "zh")
    app = App(wishes, paths=paths, settings=settings, language=language)

    def begin() -> None:
        if on_first_paint is not None:
            on_first_paint()
        app.warm_up()
        first = app.controller.first()
        if start_now and first is not None:
            app.controller.host(first).begin()
        gc.collect()
        gc.freeze()  # a full collection over what never goes away costs a frame

    if instance is not None:
        instance.when_raised(app.raise_from_elsewhere)
    with Interrupt(lambda: qt.exit(0)):
        app.show(begin, hidden=hidden)
        status = qt.exec()
        app.close()
    return status
