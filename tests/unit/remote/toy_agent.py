"""The real agent with small tasks: `toy_agent.py SCENARIO VERB [OPTIONS]`, run as a program.

The scenario decides what the tasks do; files in HOME are the test's signals to them.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

from remote.__main__ import main
from remote.task import Context, Task, TaskFailed

# An engine that dies with its file, and one that a polite signal does not impress.
ENGINE = "import os, sys, time\nwhile os.path.exists(sys.argv[1]): time.sleep(0.02)\nsys.exit(3)"
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
ESCAPING = (
    "import subprocess, time; subprocess.Popen(['sleep', '600'], start_new_session=True);"
    "time.sleep(600)"
)


def look(ctx: Context) -> bool:
    ctx.fact("disk.free", 12)
    ctx.fact("private", "hidden", private=True)
    return False


def install(ctx: Context) -> bool:
    status, lines = ctx.run(["sh", "-c", "echo installed; echo $PAPERKITE_RUN"])
    ctx.fact("installed", [status, *lines])
    return True


def serve_with(program: str) -> Callable[[Context], bool]:
    def serve(ctx: Context) -> bool:
        life = Path.home() / "life"
        life.touch()
        ctx.spawn([sys.executable, "-c", program, str(life)], {}, "engine.log")
        ctx.fact("engine.port", 8123)
        ctx.fact("engine.version", "0.32.0")
        ctx.fact("engine.max_model_len", 4096)
        return False

    return serve


def say_and_end(ctx: Context) -> bool:
    program = "import sys; print('key is sk-secret-of-the-test'); print('the end'); sys.exit(3)"
    ctx.spawn([sys.executable, "-c", program], {}, "engine.log")
    ctx.facts.update({"engine.port": 1, "engine.version": "1", "engine.max_model_len": 1})
    return False


def fail(ctx: Context) -> bool:
    ctx.log("the last thing that was tried, with sk-secret-of-the-test")
    raise TaskFailed("model.not-found", "no such model", model="a/b", hub="here")


def stumble(ctx: Context) -> bool:
    return ctx.facts["nobody left this"] is not None


def block(ctx: Context) -> bool:
    ctx.run(["sleep", "600"])
    return False


def spin(ctx: Context) -> bool:
    ctx.cancelled.wait(600)
    return False


def be_deaf(_: Context) -> bool:
    time.sleep(600)
    return False


SERVES: dict[str, Callable[[Context], bool]] = {
    "serves": serve_with(ENGINE),
    "stubborn": serve_with(STUBBORN),
    "escaping": serve_with(ESCAPING),
    "dies": say_and_end,
    "fails": fail,
    "stumbles": stumble,
    "blocks": block,
    "spins": spin,
    "deaf": be_deaf,
    "forgets": lambda _: False,
}

if __name__ == "__main__":
    graph = (
        Task("preflight", (), look),
        Task("engine-environment", ("preflight",), install),
        Task("serve", ("engine-environment",), SERVES[sys.argv[1]]),
    )
    raise SystemExit(main(sys.argv[2:], graph))
