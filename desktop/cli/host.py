"""`status`, `logs`, `doctor` and `down`: one question to the agent each."""

from __future__ import annotations

import threading
from collections.abc import Callable

from desktop.cli.invocation import Invocation
from desktop.cli.output import Output
from desktop.cli.session import opened_connection
from desktop.cli.wishes import group_of, wishes
from desktop.core import providers
from desktop.core.agent.client import Agent
from desktop.core.agent.deploy import deploy
from desktop.core.amounts import size
from desktop.core.errors import AppError, NothingRunning
from desktop.core.events import Fact
from desktop.core.session.group import nodes
from desktop.core.session.power import power_off
from desktop.core.session.reading import to_event
from desktop.core.session.spec import spec_fields
from desktop.core.session.wishes import Wishes
from desktop.core.ssh.destination import Destination
from desktop.core.ssh.forwarding import forwarding_allowed
from remote import wire


def _on_each(call: Invocation, output: Output, work: Callable[[Wishes], None]) -> int:
    """Do the work for the host, or for every host of a group; returns the exit status.

    One host's trouble is shown and keeps no other host from its turn: each of them costs money.
    """
    group = group_of(call)
    wished = [wishes(call, host) for host in group.hosts] if group else [wishes(call)]
    status = 0
    for each in nodes(wished, group.head_address) if group else wished:
        if group:
            output.say("on-host", host=each.destination)
            output.event(Fact("host", str(each.destination)))
        try:
            work(each)
        except AppError as error:
            output.error(error)
            status = error.exit_status
    return status


def show_status(call: Invocation, output: Output) -> int:
    """Print the newest run of each host; the status says where none is alive."""
    return _on_each(call, output, lambda wished: _show_status(call, wished, output))


def _show_status(call: Invocation, wished: Wishes, output: Output) -> None:
    with opened_connection(call, wished) as connection:
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
    """Print what the preflight finds on each host, and what follows for the model."""
    return _on_each(call, output, lambda wished: _examine(call, wished, output))


def _examine(call: Invocation, wished: Wishes, output: Output) -> None:
    found: dict[str, object] = {}
    try:
        with opened_connection(call, wished) as connection:
            output.event(Fact("forwarding", forwarding_allowed(connection)))
            for message in deploy(connection).doctor(spec_fields(wished)):
                event = to_event(message)
                if isinstance(event, Fact):
                    found[event.name] = event.value
                    output.event(_completed(event, wished.destination))
    finally:
        output.account()
    _conclude(found, wished.model, output)


def _conclude(found: dict[str, object], model: str, output: Output) -> None:
    """Say what a person may do next on a host that was not refused."""
    length = found.get("model.max_model_len")
    if found.get("no_gpu_boot") is True:
        output.say("no-gpu-yet")
    elif found.get("model.fits") is True and isinstance(length, int):
        output.say("fits", model=model, tokens=f"{length:,}")
    else:
        output.say("not-planned", model=model)


def _completed(fact: Fact, where: Destination) -> Fact:
    """Return the fact; a provider that left no mark on the host is known by its address."""
    if fact.name == "provider" and not fact.value:
        provider = providers.of_host(where.host)
        return Fact(fact.name, provider.id if provider else "")
    return fact


def stop(call: Invocation, output: Output, *, switch_off: bool, discard: bool) -> int:
    """Stop the run, on every host of a group; done as well when there was none, and says which.

    Args:
        call: which host.
        output: where it is said.
        switch_off: then power the host off, and return once it was seen to be off.
        discard: then remove what is half fetched and half installed.
    """
    return _on_each(
        call,
        output,
        lambda wished: _stop(call, wished, output, switch_off=switch_off, discard=discard),
    )


def _stop(
    call: Invocation, wished: Wishes, output: Output, *, switch_off: bool, discard: bool
) -> None:
    with opened_connection(call, wished) as connection:
        agent = deploy(connection)
        was_running = agent.stop().was_running
        output.record("ended", reason=wire.RUN_STOPPED if was_running else "nothing-running")
        output.say("stopped" if was_running else "nothing-stopped")
        if discard:
            cleaned = agent.clean()
            output.record("cleaned", bytes=cleaned.bytes, files=cleaned.files)
            if cleaned.files:
                output.say("cleaned", files=cleaned.files, size=size(cleaned.bytes))
            else:
                output.say("nothing-cleaned")
        if switch_off:
            _power_off(agent, wished.destination, output)


def _power_off(agent: Agent, where: Destination, output: Output) -> None:
    """Power the host off; says so only once nobody answers at its SSH port."""
    output.say("powering-off", host=where.host)
    stopped = power_off(agent, where, threading.Event())
    output.record("powered-off", host=where.host, provider=stopped.provider)
    provider = providers.find(stopped.provider) or providers.of_host(where.host)
    if provider is None:
        output.say("powered-off-nowhere", host=where.host)
    else:
        output.say("powered-off", host=where.host, console=provider.console)
