"""An environment of its own for the ModelScope client: about 120 MB, ready in seconds.

Apart from the engine's, so that the model's download starts while vLLM is still being installed.
"""

from pathlib import Path

from remote.hub import ledger
from remote.packages import record
from remote.packages.environment import Plan, make, told_when_full
from remote.packages.installer import python_of
from remote.packages.places import Places
from remote.packages.programs import PLAIN_PYTHON, ask
from remote.packages.record import Record
from remote.task import Context, TaskFailed

# Before modelscope-hub 0.5.1 a failed download could report success.
REQUIREMENTS = ("modelscope>=1.40,<2", "modelscope-hub>=0.5.1,<1")
PYTHONS = ((3, 10), (3, 15))
EXPECTED_BYTES = 120 * 10**6  # measured

_CHECK = (
    "from importlib.metadata import version; from modelscope_hub import HubApi;"
    "print(version('modelscope'))"
)


def run(ctx: Context) -> bool:
    """Make the hub environment unless it is complete; leaves the private fact `hub.python`.

    Where the model is complete nobody will ask the client for anything: then it is not looked at
    either, which takes a quarter of a second.

    Raises:
        TaskFailed: one of `environment.*`.
    """
    places = Places(Path(ctx.facts["data_dir"]))
    python = python_of(places.hub)
    ctx.fact("hub.python", python, private=True)
    folder = places.model(ctx.spec.model, ctx.spec.revision)
    if ledger.read(folder).complete(folder, ctx.spec.trust_remote_code):
        return True
    made = record.read(places.hub)
    if made is not None and made.requirements == REQUIREMENTS and _version(python):
        return True
    plan = Plan("hub", places.hub, REQUIREMENTS, PYTHONS, EXPECTED_BYTES)
    make(ctx, plan, places)
    ctx.progress(EXPECTED_BYTES, EXPECTED_BYTES, "bytes", "check")
    version = _version(python)
    if not version:
        raise TaskFailed("environment.check-failed", environment="hub")
    with told_when_full(plan):
        record.write(places.hub, Record(version=version, requirements=REQUIREMENTS))
    return False


def _version(python: str) -> str:
    return (ask([python, "-c", _CHECK], 60.0, PLAIN_PYTHON) or "").strip()
