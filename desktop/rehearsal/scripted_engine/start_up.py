"""What an engine logs on its way up, and how it fails there: vLLM 0.32's own words."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from typing import NoReturn

from desktop.rehearsal.scripted_engine import VERSION
from desktop.rehearsal.scripted_engine.options import Options

_API, _CORE, _WORKER = "APIServer", "EngineCore", "Worker"
_SHARDS = 4
ROOM_IN_LENGTHS = 4  # the cache holds so many requests of full length, unless it is told otherwise
PAUSES = 8  # how often a start that is not eager calls `pause`

_TOO_LONG = (
    "ValueError: To serve at least one request with the model's max seq len ({length}), (2.00 GiB "
    "KV cache is needed, which is larger than the available KV cache memory (1.00 GiB). Based on "
    "the available memory, the estimated maximum model length is {room}. Try increasing "
    "`gpu_memory_utilization` or decreasing `max_model_len` when initializing the engine."
)
_OUT_OF_MEMORY = (
    "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.20 GiB. GPU 0 has a total "
    "capacity of 23.52 GiB of which 1.10 GiB is free."
)
_LAST_LINE = (
    "RuntimeError: Engine core initialization failed. See root cause above. Failed core proc(s): "
    "{'EngineCore': 1}"
)


def say(process: str, source: str, message: str, level: str = "INFO") -> None:
    """Print one line as vLLM's logger does since 0.19: to stdout."""
    stamp = time.strftime("%m-%d %H:%M:%S")
    sys.stdout.write(f"({process} pid={os.getpid()}) {level} {stamp} [{source}] {message}\n")
    sys.stdout.flush()


def bar(text: str, end: str = "\n") -> None:
    """Print a line of a progress bar or of uvicorn: to stderr."""
    sys.stderr.write(text + end)
    sys.stderr.flush()


def start_up(options: Options, length: int, pause: Callable[[], None]) -> None:
    """Tell the phases of a start; `pause` lets a share of its time pass.

    Raises:
        SystemExit: status 1, where it was asked to fail.
    """
    say(_API, "api_utils.py:347", f"   █▄█▀ █     █     █     █  version {VERSION}")
    say(_API, "api_utils.py:347", f"    ▀▀  ▀▀▀▀▀ ▀▀▀▀▀ ▀     ▀   model   {options.model}")
    say(_API, "model.py:733", "Resolved architecture: LlamaForCausalLM")
    say(_API, "model.py:2152", f"Using max model len {length}")
    if options.enforce_eager:
        say(_API, "vllm.py:1703", "Enforce eager set, disabling torch.compile", "WARNING")
    pause()
    say(_CORE, "core.py:133", f"Initializing a V1 LLM engine (v{VERSION}) with config: …")
    _fail_as_asked(options.scripted_fail)
    _load(options.model, pause)
    if not options.enforce_eager:
        _compile_and_capture(pause)
    _make_room(options.scripted_room, length)
    say(_CORE, "core.py:402", "init engine (profile, create kv cache, warmup model) took 2.77 s")
    pause()
    address = f"http://{options.host}:{options.port}"
    say(_API, "entry.py:140", f"Starting vLLM server on {address}")
    bar(f"INFO:     Started server process [{os.getpid()}]")
    bar("INFO:     Waiting for application startup.")


def _load(model: str, pause: Callable[[], None]) -> None:
    say(_WORKER, "cpu_model_runner.py:68", f"Starting to load model {model}...")
    for done in range(_SHARDS + 1):
        share = f"{done * 100 // _SHARDS:3d}% Completed | {done}/{_SHARDS}"
        bar(f"Loading safetensors checkpoint shards: {share} [00:00<00:00,  9.10it/s]")
        pause()
    say(_WORKER, "default_loader.py:501", "Loading weights took 0.30 seconds")


def _compile_and_capture(pause: Callable[[], None]) -> None:
    say(_WORKER, "backends.py:1188", "Dynamo bytecode transform time: 4.21 s")
    say(_WORKER, "monitor.py:20", "torch.compile took 11.02 s in total")
    for done in (0, 1, 2):
        text = f"\rCapturing CUDA graphs (decode, FULL): {done * 50:3d}%|     | {done}/2"
        bar(text, end="" if done < 2 else "\n")
    pause()
    say(_WORKER, "gpu_model_runner.py:6517", "Graph capturing finished in 3 secs, took 0.21 GiB")


def _make_room(room: int, length: int) -> None:
    say(_WORKER, "gpu_worker.py:773", "Available KV cache memory: 1.00 GiB")
    if room and length > room:
        _fail(_TOO_LONG.format(length=length, room=room))
    tokens = room or length * ROOM_IN_LENGTHS
    times = f"{length:,} tokens per request: {tokens / length:.2f}x"
    text = f"CPU KV cache size: {tokens:,} tokens, Maximum concurrency for {times}"
    say(_CORE, "kv_cache_utils.py:2327", text)


def _fail_as_asked(how: str) -> None:
    if how == "traceback":
        _fail("RuntimeError: a scripted fault")
    if how == "oom":
        _fail(_OUT_OF_MEMORY)
    while how == "hang":
        time.sleep(60)


def _fail(cause: str) -> NoReturn:
    """End as a failed start does: the cause first, the useless line last."""
    say(_CORE, "core.py:1178", "EngineCore failed to start.", "ERROR")
    say(_CORE, "core.py:1178", "Traceback (most recent call last):", "ERROR")
    say(_CORE, "core.py:1178", cause, "ERROR")
    bar("Traceback (most recent call last):")
    bar('  File "/opt/engine/bin/vllm", line 8, in <module>')
    bar(_LAST_LINE)
    sys.exit(1)
