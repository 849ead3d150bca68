"""`paperkite rehearse`: the whole main job on this computer, in the window or in the terminal."""

from __future__ import annotations

from contextlib import closing, suppress
from dataclasses import replace

from desktop.cli.app import has_screen, open_app
from desktop.cli.chat import ask
from desktop.cli.events import EventQueue
from desktop.cli.invocation import Invocation
from desktop.cli.output import Output
from desktop.cli.session import (
    opened_connection,
    opened_session,
    until_over,
    until_ready,
)
from desktop.core.agent.deploy import deploy
from desktop.core.chat.replies import Replies
from desktop.core.chat.turn import Turn
from desktop.core.errors import AppError
from desktop.core.events import Progress
from desktop.core.session.session import Session
from desktop.core.session.wishes import Wishes
from desktop.rehearsal.rehearsal import Rehearsal
from remote import wire

PROMPT = "What is the capital of France? Answer in one sentence."


def rehearse_here(
    call: Invocation,
    output: Output,
    *,
    stop_only: bool,
    keep: bool,
    terminal: bool,
    prompt: str | None,
) -> int:
    """Run the rehearsal; the engine is stopped at the end unless it is to be kept."""

    def report(step: str, done: float, total: float | None) -> None:
        output.event(Progress("rehearsal", done, total, "steps", step))

    with Rehearsal(call.paths.rehearsal, report) as rehearsal:
        wished = rehearsal.wishes()
        if stop_only:
            return _stop(call, wished, output)
        output.say("rehearsal-kept" if keep else "rehearsal", folder=call.paths.rehearsal)
        if rehearsal.scripted_reason:
            output.record("fact", name="rehearsal.engine", value="scripted")
            output.say("scripted")
        if has_screen() and not terminal and not call.options.json and prompt is None:
            return _in_window(call, wished, output, keep=keep)
        return _in_terminal(call, wished, output, prompt or PROMPT, keep=keep)


def _in_window(call: Invocation, wished: Wishes, output: Output, *, keep: bool) -> int:
    status = open_app(call, wished, start_now=True)
    if not keep:
        _stop(call, wished, output)
    return status


def _in_terminal(
    call: Invocation, wished: Wishes, output: Output, prompt: str, *, keep: bool
) -> int:
    events = EventQueue()
    try:
        with closing(Replies(events.put)) as replies, opened_session(call, wished, events) as up:
            endpoint = until_ready(up, events, output)
            replies.warm_up()
            output.say("prompt", text=prompt)
            ask(replies, endpoint, [Turn("user", prompt)], events, output)
            if not keep:
                until_stopped(up, events, output)
    except Exception:
        if not keep:
            with suppress(AppError):  # the first error is the one to tell
                _ask_to_stop(call, wished)
        raise
    return 0


def until_stopped(session: Session, events: EventQueue, output: Output) -> None:
    """Stop the session's run; raises AppError where that could not be done."""
    session.stop()
    until_over(events, output)
    output.say("rehearsal-stopped")


def _stop(call: Invocation, wished: Wishes, output: Output) -> int:
    was_running = _ask_to_stop(call, wished)
    output.record("ended", reason=wire.RUN_STOPPED if was_running else "nothing-running")
    output.say("rehearsal-stopped" if was_running else "nothing-stopped")
    return 0


def _ask_to_stop(call: Invocation, wished: Wishes) -> bool:
    """Stop the run, over a connection of its own; returns whether there was one."""
    with opened_connection(replace(call, password=None), wished) as connection:
        return deploy(connection).stop().was_running
