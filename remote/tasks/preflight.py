"""Look at the host before anything is written or paid for: cards, driver, disk, Python.

It writes nothing, so `doctor` runs it as it is. What it finds is left as facts for the other tasks.
"""

import platform
from pathlib import Path

from remote.engine import choice
from remote.engine.choice import Engine
from remote.host import gpus
from remote.host.gpus import Gpus
from remote.packages import record
from remote.packages.places import (
    Places,
    choose_data_dir,
    existing_parent,
    free_bytes,
    is_writable_folder,
)
from remote.task import Context, TaskFailed


def run(ctx: Context) -> bool:
    """Find out the facts; never skipped.

    Raises:
        TaskFailed: `preflight.not-writable`, `.disk-full`, `.driver-too-old`.
    """
    ctx.fact("python.version", platform.python_version())
    ctx.fact("glibc", platform.libc_ver()[1])
    places = Places(choose_data_dir(ctx.spec.data_dir, Path.home(), is_writable_folder))
    ctx.fact("data_dir", str(places.data_dir))
    ctx.fact("disk.free", free_bytes(places.home))
    found = gpus.look()
    _tell(ctx, found)
    _check_writable(places)
    engine = choice.choose(ctx.spec.engine, len(found.cards), found.cuda_major, found.driver)
    ctx.fact("engine.requirement", engine.requirement)
    _check_room(ctx, places, engine)
    return False


def _tell(ctx: Context, found: Gpus) -> None:
    ctx.fact("gpu.count", len(found.cards))
    for index, card in enumerate(found.cards):
        ctx.fact("gpu.%d.name" % index, card.name)
        ctx.fact("gpu.%d.memory_total" % index, card.memory_total)
        ctx.fact("gpu.%d.memory_free" % index, card.memory_free)
    if found.cards:
        ctx.fact("driver.version", found.driver)
        ctx.fact("driver.cuda_major", found.cuda_major)


def _check_writable(places: Places) -> None:
    folder = existing_parent(places.home)
    if not is_writable_folder(folder):
        raise TaskFailed("preflight.not-writable", path=str(folder))


def _check_room(ctx: Context, places: Places, engine: Engine) -> None:
    """An engine that is there already, or was brought, needs no room."""
    if ctx.spec.engine_env or record.read(places.engine(engine.name)) is not None:
        return
    free, needed = free_bytes(places.home), engine.room
    if free < needed:
        raise TaskFailed("preflight.disk-full", path=str(places.data_dir), free=free, needed=needed)
