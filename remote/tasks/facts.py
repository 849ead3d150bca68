"""The names under which the preflight's findings are told; PROTOCOL.md lists them for people.

Bytes are integers, and what is not known is null: a reader tells "no" from "nobody knows".
"""

import os
import platform
from typing import Optional, Sequence

from remote.engine.choice import Engine
from remote.engine.fit import Fit
from remote.host import compilers, disks, gpus, memory
from remote.host.disks import Room
from remote.host.gpus import Gpu, Gpus
from remote.host.providers import Provider
from remote.packages.places import Places
from remote.task import Context


def tell_system(ctx: Context) -> None:
    """Tell Python, the C library, the memory and the compilers."""
    ctx.fact("python.version", platform.python_version())
    ctx.fact("glibc", platform.libc_ver()[1])
    limits = memory.look()
    ctx.fact("memory.limit", limits.limit)
    ctx.fact("memory.available", limits.available)
    ctx.fact("compiler", compilers.c_compiler(os.environ))
    ctx.fact("nvcc", compilers.nvcc(os.environ))


def tell_disk(ctx: Context, provider: Provider, at: Places) -> Room:
    """Tell whose host it is and where our things go; return what the disk there still takes."""
    ctx.fact("provider", provider.name)
    ctx.fact("data_dir", str(at.data_dir))
    room = disks.room(at.home)
    ctx.fact("disk.free", room.free)
    ctx.fact("disk.inodes_free", room.inodes)
    return room


def tell_cards(ctx: Context, found: Gpus, no_gpu_boot: bool) -> None:
    """Tell the cards one by one, and the driver."""
    ctx.fact("gpu.count", len(found.cards))
    for index, card in enumerate(found.cards):
        ctx.fact("gpu.%d.name" % index, card.name)
        ctx.fact("gpu.%d.memory_total" % index, card.memory_total)
        ctx.fact("gpu.%d.memory_free" % index, card.memory_free)
        ctx.fact("gpu.%d.capability" % index, card.capability and "%d.%d" % card.capability)
        ctx.fact("gpu.%d.holders" % index, gpus.describe_holders(card.holders))
    if found.problem:
        ctx.fact("gpu.problem", found.problem)
    ctx.fact("driver.version", found.driver)
    ctx.fact("driver.cuda_major", found.cuda_major)
    ctx.fact("no_gpu_boot", no_gpu_boot)


def tell_engine(ctx: Context, engines: Sequence[Engine]) -> None:
    """Tell the best engine; all of them stay among us, for the one that does not resolve."""
    ctx.fact("engine.candidates", [one.requirement for one in engines], private=True)
    ctx.fact("engine.requirement", engines[0].requirement if engines else None)


def tell_fit(ctx: Context, fit: Optional[Fit], cards: Sequence[Gpu], weight_bytes: int) -> None:
    """Tell how the model is put on the cards; without a fit at least how large its files are."""
    ctx.fact("model.weights", fit.weights if fit else weight_bytes or None)
    ctx.fact("model.kv_per_token", fit.kv_per_token if fit else None)
    ctx.fact("model.max_model_len", fit.max_model_len if fit else None)
    ctx.fact("model.fits", fit.fits if fit else None)
    used = [str(cards[place].number) for place in fit.cards] if fit else []
    ctx.fact("engine.cards", ",".join(used) if fit else None)
    ctx.fact("engine.tensor_parallel", fit.tensor_parallel if fit else None)
    ctx.fact("engine.pipeline_parallel", fit.pipeline_parallel if fit else None)
    ctx.fact("engine.kv_cache_dtype", fit.kv_cache_dtype if fit else None)
