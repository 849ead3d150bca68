"""The real agent with small tasks: `toy_agent.py SCENARIO VERB [OPTIONS]`, run as a program.

The scenario decides what the tasks do; files in HOME are the test's signals to them.
"""

from __future__ import annotations

import socket
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from remote import children, locks, processes, wire
from remote.__main__ import main
from remote.task import Cancelled, Context, Task, TaskFailed

# An engine that dies with its file, and one that a polite signal does not impress.
ENGINE = "import os, sys, time\nwhile os.path.exists(sys.argv[1]): time.sleep(0.02)\nsys.exit(3)"
ENGINE_ONCE = "import sys; sys.exit(3)"
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
ESCAPING = (
    "import subprocess, time; subprocess.Popen(['sleep', '600'], start_new_session=True);"
    "time.sleep(600)"
)
# One that speaks HTTP: /health, and in /metrics what the test has written into HOME/metrics.
ANSWERING = """
import http.server, os, pathlib, sys
life, port = pathlib.Path(sys.argv[1]), int(sys.argv[2])
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        metrics = life.with_name('metrics')
        body = metrics.read_bytes() if self.path == '/metrics' and metrics.exists() else b''
        self.send_response(503 if life.with_name('dead').exists() else 200)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *args):
        pass
server = http.server.HTTPServer(('127.0.0.1', port), Handler)
server.timeout = 0.02
while life.exists():
    server.handle_request()
"""
DEADLINE_SECONDS = 20.0
FASTER = 10.0  # the terms are whole seconds, and their clock runs so much faster here


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


def serve_http(ctx: Context) -> bool:
    life = Path.home() / "life"
    life.touch()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    ctx.spawn([sys.executable, "-c", ANSWERING, str(life), str(port)], {}, "engine.log")
    from remote import loopback

    deadline = time.monotonic() + DEADLINE_SECONDS
    while loopback.get(port, "/health", 1.0) is None:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    ctx.facts.update({"engine.port": port, "engine.version": "1", "engine.max_model_len": 1})
    return False


def tell_token(ctx: Context) -> bool:
    (Path.home() / "token-length").write_text(str(len(ctx.spec.hub_token)))
    ctx.log("the token is " + ctx.spec.hub_token)
    return serve_with(ENGINE)(ctx)


def serve_once(ctx: Context) -> bool:
    if (Path.home() / "life").exists():
        raise TaskFailed("engine.out-of-memory", "not twice")
    return serve_with(ENGINE_ONCE)(ctx)


def serve_slowly_again(ctx: Context) -> bool:
    """Serve; the second time only once the test says so."""
    again = Path.home() / "again"
    while again.exists() and not (Path.home() / "go-on").exists():
        if ctx.cancelled.wait(0.02):
            raise Cancelled
    again.touch()
    return serve_with(ENGINE)(ctx)


def say_and_end(ctx: Context) -> bool:
    program = "import sys; print('key is sk-secret-of-the-test'); print('the end'); sys.exit(3)"
    ctx.spawn([sys.executable, "-c", program], {}, "engine.log")
    ctx.facts.update({"engine.port": 1, "engine.version": "1", "engine.max_model_len": 1})
    return False


def fail(ctx: Context) -> bool:
    ctx.log("the last thing that was tried, with sk-secret-of-the-test")
    raise TaskFailed("model.not-found", "no such model", model="a/b", hub="here")


def fail_later(ctx: Context) -> bool:
    while not (Path.home() / "go-on").exists():
        if ctx.cancelled.wait(0.02):
            raise Cancelled
    return fail(ctx)


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
    "answers": serve_http,
    "freezes": serve_http,
    "serves-once": serve_once,
    "tells-token": tell_token,
    "slow-again": serve_slowly_again,
    "dies": say_and_end,
    "fails": fail,
    "fails-later": fail_later,
    "stumbles": stumble,
    "blocks": block,
    "spins": spin,
    "deaf": be_deaf,
    "forgets": lambda _: False,
}


def hurry(verb: str) -> None:
    """Shorten what the host side waits between two looks: nothing here is as slow as an engine.

    Only what a verb needs is imported: most of a call's time goes into that.
    """
    children._POLL_SECONDS = locks._POLL_SECONDS = processes._POLL_SECONDS = 0.01
    if verb == "start":
        from remote import power, pulse, supervisor
        from remote.guards import Guards

        fast = partial(Guards, clock=lambda: FASTER * time.monotonic())
        supervisor.Guards = fast  # type: ignore[assignment, attr-defined]
        supervisor._RETRY_SECONDS = supervisor._ENGINE_LOOK_SECONDS = 0.02
        supervisor._CRASHED_GRACE_SECONDS = 0.3
        power._PARTING_SECONDS, power._POLL_SECONDS = 0.1, 0.02
        if sys.argv[1] == "freezes":
            pulse.LOOK_SECONDS, pulse.FROZEN_SECONDS, pulse._ANSWER_SECONDS = 0.05, 0.5, 0.2
    elif verb == "stop":
        from remote import power
        from remote.verbs import stop

        power.ANSWER_SECONDS, stop._POLL_SECONDS = 0.2, 0.01
    elif verb == "watch":
        from remote import monitor

        monitor.SECONDS, wire.KEEPALIVE_SECONDS = 0.1, 0.5


if __name__ == "__main__":
    hurry(sys.argv[2])
    graph = (
        Task("preflight", (), look),
        Task("engine-environment", ("preflight",), install),
        Task("serve", ("engine-environment",), SERVES[sys.argv[1]]),
    )
    raise SystemExit(main(sys.argv[2:], graph))
