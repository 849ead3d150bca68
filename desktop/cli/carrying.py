"""One command carried out: its errors shown, its interruption told, its status returned.

The app is opened through here too, and holds none of what reads a command line.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import traceback
from collections.abc import Callable
from types import FrameType
from typing import Any

from desktop.cli.invocation import Invocation, invocation
from desktop.cli.late import LateOutput
from desktop.cli.output import JsonLines, Output
from desktop.core.errors import AppError, Cancelled, ExitStatus
from desktop.core.language import system_language

Work = Callable[[Invocation, Output], int]


def carry_out(typed: dict[str, Any], work: Work, *, interrupted: str = "interrupted") -> int:
    """Do the work of one command and return its exit status; errors are shown in its output.

    `interrupted` is the text, `cli.KEY`, that tells people what Ctrl-C leaves behind.
    """
    language = typed.get("lang") or system_language()
    output = _output(json=typed.get("json", False), language=language)
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        call = invocation(**typed)
        output = _output(json=call.options.json, language=call.language)
        return work(call, output)
    except AppError as error:
        output.error(error)
        return error.exit_status
    except Cancelled:
        return ExitStatus.DONE
    except KeyboardInterrupt:
        output.close()
        output.say(interrupted)
        return ExitStatus.INTERRUPTED
    except BrokenPipeError:
        _abandon_stdout()
        return ExitStatus.OTHER
    except Exception as error:  # noqa: BLE001 - the top of the command: a bug is shown, in words
        if os.environ.get("PAPERKITE_DEBUG"):
            traceback.print_exc()
        output.error(AppError("unexpected", detail=repr(error)))
        return ExitStatus.OTHER
    finally:
        output.close()


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _abandon_stdout() -> None:
    """Let what is still buffered go nowhere: the interpreter flushes stdout when it ends."""
    with contextlib.suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _output(*, json: bool, language: Any) -> Output:
    if json:
        return JsonLines(language)

    def terminal() -> Output:
        from desktop.cli.terminal import Terminal  # noqa: PLC0415 - rich: not for the app

        return Terminal(language)

    return LateOutput(terminal)


def open_for_person(lang: str | None, *, hidden: bool) -> int:
    """Open the app, in this language or that of the settings; returns the exit status."""

    def work(call: Invocation, _output: Output) -> int:
        from desktop.cli.app import open_app  # noqa: PLC0415 - the only way to Qt

        return open_app(call, hidden=hidden)

    return carry_out({"lang": lang}, work)
