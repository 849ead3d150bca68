"""Start the engine and wait until it answers; on the way say what it is doing.

The plan is made here once more, from the files that are there and the cards as they are now: what
preflight knew of the model came from the hub, and the cards' memory may have changed hands since.
An attempt may be followed by others, each for a reason of its own: see `remote.engine.remedies`.
"""

import os
import random
import time
from pathlib import Path
from typing import Optional, Sequence, Tuple

from remote.engine import (
    choice,
    command,
    endpoint,
    failures,
    fit,
    model_folder,
    nodes,
    options,
    remedies,
    shape,
    versions,
)
from remote.engine.attempt import Attempt, Road
from remote.engine.endpoint import Served
from remote.engine.fit import Fit
from remote.engine.model_folder import ModelFolder
from remote.engine.serving import Serving, serving
from remote.host import gpus
from remote.host.gpus import Gpu
from remote.spec import Spec
from remote.task import Cancelled, Context, TaskFailed

# A card whose last engine was just ended shows its memory as held for some seconds.
SECONDS_FOR_MEMORY = 20.0
SECONDS_BETWEEN_CARDS = 2.0
PORTS_APART = 50  # the next port is one of so many, so that two who look seldom meet again


def run(ctx: Context) -> bool:
    """Bring the engine to its first 200 from /health; leaves `engine.port` and what it serves.

    A node that is not the head has no endpoint: it is ready when it has joined, with port 0.

    Raises:
        TaskFailed: one of `engine.*`; `preflight.boot-with-gpu` on a host without its cards;
            what `fit.check` raises; `model.not-servable`, `model.needs-code`.
        Cancelled: the run is being stopped; the engine has been ended.
    """
    if ctx.facts.get("no_gpu_boot"):
        raise TaskFailed("preflight.boot-with-gpu")
    model = model_folder.read(Path(ctx.facts["model.path"]))
    check(ctx.spec, model)
    what = _serving(ctx, model)
    _write_template(what, ctx.spec)
    road: Optional[Road] = None
    while True:
        attempt = Attempt(ctx, what, road)
        found = attempt.wait()
        if isinstance(found, Served):
            _tell(ctx, what.port, found)
            return False
        following = remedies.following(what, found, ctx.spec.engine_args)
        if following is None:
            raise _failure(ctx.spec, found, attempt.lines)
        ctx.log("another try (%s): %s" % (following.remedies[-1], found.cause))
        ctx.fact("engine.retry", following.remedies[-1])
        what, road = with_free_port(following, what.port), attempt.road.again()


def check(spec: Spec, model: ModelFolder) -> None:
    """Raise what the engine would notice only after minutes, or never.

    Raises:
        TaskFailed: `model.not-servable` {model, missing}, `engine.bad-argument` {argument}.
    """
    if not model.has_tokenizer and not spec.trust_remote_code:
        raise TaskFailed("model.not-servable", model=spec.model, missing="tokenizer.json")
    template = options.value(spec.engine_args, "--chat-template")
    if template and not set("{}\n") & set(template) and not _is_file(template):
        argument, why = "--chat-template %s" % template, "there is no such file on the host"
        raise TaskFailed("engine.bad-argument", why, argument=argument, last_lines=[])


def _is_file(name: str) -> bool:
    return os.path.isfile(name)  # noqa: PTH113 - pathlib raises for a closed folder, a long name


def _serving(ctx: Context, model: ModelFolder) -> Serving:
    cards, planned = _planned(ctx, model)
    port = endpoint.free_port(ctx.spec.port)
    return serving(ctx.facts, port, cards, planned)._replace(
        has_template=model.has_template,
        has_old_quantization=model.has_old_quantization,
        own_address=nodes.own_address(ctx.spec),
    )


def _planned(ctx: Context, model: ModelFolder) -> Tuple[Sequence[Gpu], Optional[Fit]]:
    """Return the cards and how the model is put on them, None where its shape is unknown."""
    found = shape.read(model.config, model.weight_bytes) if model.config else None
    engine = choice.parse(ctx.facts.get("engine.requirement") or "vllm")
    engine = engine._replace(version=versions.numbers(ctx.facts.get("engine.version") or ""))
    until = time.monotonic() + SECONDS_FOR_MEMORY
    while True:
        cards = gpus.look().cards
        if found is None:
            return cards, None
        planned = fit.plan(found, cards, engine, ctx.spec)
        if planned.fits or not planned.held or time.monotonic() >= until:
            fit.check(planned, cards, ctx.spec)
            return cards, planned
        ctx.log("waiting for the memory of the cards %s" % (planned.held,))
        if ctx.cancelled.wait(SECONDS_BETWEEN_CARDS):
            raise Cancelled


def _write_template(what: Serving, spec: Spec) -> None:
    """Put the catalogue's chat template where the command line says it is."""
    path = command.template_path(what, spec)
    if path is None:
        return
    part = path.with_name("%s.%d" % (path.name, os.getpid()))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(str(part), "w", encoding="utf-8", opener=_private) as file:
            file.write(spec.chat_template)
        part.replace(path)
    except OSError as error:
        raise failures.not_started(error) from error


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_CLOEXEC, 0o600)


def with_free_port(what: Serving, before: int) -> Serving:
    """Return the next attempt, on a port that is free now where it is not to be `before`."""
    if what.port == before:
        return what
    # Whoever took the port may be looking for the next one too, at this moment.
    first = what.port + random.randrange(PORTS_APART)  # noqa: S311 - keeps two apart, no secret
    return what._replace(port=endpoint.free_port(first))


def _failure(spec: Spec, end: failures.Ending, lines: Sequence[str]) -> TaskFailed:
    failed = failures.failure(end, lines)
    failed.facts.setdefault("model", spec.model)
    return failed


def _tell(ctx: Context, port: int, served: Served) -> None:
    ctx.fact("engine.port", 0 if ctx.spec.node_rank else port)
    ctx.fact("engine.version", served.version or ctx.facts.get("engine.version") or "")
    ctx.fact("engine.max_model_len", served.max_model_len or 0)
