"""`status`, `logs`, `doctor` and `down`: one question to the agent each."""

from __future__ import annotations

from desktop.cli.options import Invocation, wishes
from desktop.cli.output import Output
from desktop.cli.session import opened_connection
from desktop.core.agent.deploy import deploy
from desktop.core.errors import AppError, NothingRunning
from desktop.core.session.spec import spec_fields
from remote import wire


def show_status(call: Invocation, output: Output) -> int:
    """Print the newest run; raises NothingRunning where none is alive."""
    with opened_connection(call, wishes(call)) as connection:
        run = deploy(connection).hello.run
    if run is None:
        raise NothingRunning("nothing-running")
    facts = {
        "run": run.run,
        "state": run.state,
        "model": run.model,
        "port": run.port,
        "engine_version": run.engine_version,
        "max_model_len": run.max_model_len,
        **{f"task.{name}": state for name, state in run.tasks.items()},
        "code": run.code,
        "detail": run.detail,
    }
    for name, value in facts.items():
        if value not in (None, ""):
            output.record("fact", name=name, value=value)
    if not run.alive:
        raise NothingRunning("nothing-running")
    return 0


def show_logs(call: Invocation, output: Output, *, task: str, lines: int, follow: bool) -> int:
    """Print the newest run's log lines."""
    with opened_connection(call, wishes(call)) as connection:
        for line in deploy(connection).logs(task, lines, follow=follow):
            output.record(
                "log",
                task=wire.text(line, "task", 100) or "",
                line=wire.text(line, "line", 10_000) or "",
            )
    return 0


def examine(call: Invocation, output: Output) -> int:
    """Print what the preflight finds; raises AgentRefused where it says no."""
    wished = wishes(call)
    with opened_connection(call, wished) as connection:
        for fact in deploy(connection).doctor(spec_fields(wished)):
            name = wire.text(fact, "name", 100)
            if fact["kind"] == "fact" and name:
                output.record("fact", name=name, value=fact.get("value"))
    return 0


def stop(call: Invocation, output: Output, *, power_off: bool) -> int:
    """Stop the run; done as well when there was none, and says which."""
    if power_off:
        raise AppError("option-not-available", option="--power-off", instead="paperkite down")
    with opened_connection(call, wishes(call)) as connection:
        was_running = deploy(connection).stop()
    output.record("ended", reason=wire.RUN_STOPPED if was_running else "nothing-running")
    output.say("stopped" if was_running else "nothing-stopped")
    return 0
