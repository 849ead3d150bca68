"""The work on the host as a graph: two branches that meet where the engine is started.

    preflight ─┬─ engine environment ───────────────┬─ serve
               └─ hub environment ── model files ───┘

`doctor` runs the preflight alone, which therefore writes nothing.
"""

from typing import Tuple

from remote import wire
from remote.task import Task
from remote.tasks import engine_environment, hub_environment, model_files, preflight, serve

TASK_GRAPH: Tuple[Task, ...] = (
    Task(wire.PREFLIGHT, (), preflight.run),
    Task(wire.ENGINE_ENVIRONMENT, (wire.PREFLIGHT,), engine_environment.run),
    Task(wire.HUB_ENVIRONMENT, (wire.PREFLIGHT,), hub_environment.run),
    Task(wire.MODEL_FILES, (wire.HUB_ENVIRONMENT,), model_files.run),
    Task(wire.SERVE, (wire.ENGINE_ENVIRONMENT, wire.MODEL_FILES), serve.run),
)

__all__ = ["TASK_GRAPH"]
