"""From what was typed to what carries it out.

Where it is the app and nothing else, which runs all day, what reads command lines is not loaded:
1.4 MB of 130 at rest (`tests/bench/bench_memory.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from desktop.cli.encodings import forgive_encodings
from desktop.core.errors import ExitStatus


@dataclass(frozen=True, slots=True)
class JustTheApp:
    """The app, in this language where one was typed, in the tray where that was."""

    lang: str | None = None
    hidden: bool = False


def enter(argv: Sequence[str]) -> int:
    """Carry out one command line and return its exit status."""
    app = just_the_app(argv)
    if app is None:
        from desktop.cli.commands import run  # noqa: PLC0415 - see above

        return run(list(argv))
    from desktop.cli.carrying import open_for_person  # noqa: PLC0415 - as above

    forgive_encodings(json=False)
    try:
        return open_for_person(app.lang, hidden=app.hidden)
    except KeyboardInterrupt:
        return ExitStatus.INTERRUPTED


def just_the_app(argv: Sequence[str]) -> JustTheApp | None:
    """Return what a command line asks of the app, None where it asks for anything else."""
    lang, hidden, rest = None, False, list(argv)
    while rest:
        first = rest.pop(0)
        if first == "--hidden":
            hidden = True
        elif first == "--lang" and rest and rest[0] in ("zh", "en"):
            lang = rest.pop(0)
        else:
            return None
    return JustTheApp(lang, hidden)
