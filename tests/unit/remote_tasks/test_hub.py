"""The model's files, as far as no hub is needed: which, which are right, what the worker says."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path
from typing import Any

import pytest

from remote.hub import client, copies, files, ledger, worker
from remote.hub.client import Answer, Problem
from remote.hub.files import HubFile
from remote.hub.ledger import Ledger
from remote.packages.meter import Meter
from remote.packages.places import Places, folders_with_models
from remote.spec import Spec
from remote.task import Cancelled, TaskFailed
from remote.tasks import model_files
from tests.unit.remote_tasks.standin import StandIn

SHA = "a" * 64
SPEC = Spec(model="kite/Tiny", api_key="k")


def chosen(*names: str) -> list[str]:
    return [file.path for file in files.choose(HubFile(name, 1) for name in names)]


def test_a_repository_with_two_formats_is_fetched_once() -> None:
    assert chosen(
        "README.md",
        "config.json",
        "configuration.json",
        "generation_config.json",
        "model-00001-of-00002.safetensors",
        "model-00002-of-00002.safetensors",
        "model.safetensors.index.json",
        "pytorch_model.bin",
        "consolidated.safetensors",
        "original/consolidated.00.pth",
        "modeling_yi.py",
        "tokenizer.model",
        "tokenizer_config.json",
        "special_tokens_map.json",
        "chat_template.jinja",
        "model.gguf",
        ".gitattributes",
    ) == [
        "chat_template.jinja",
        "config.json",
        "configuration.json",
        "generation_config.json",
        "model-00001-of-00002.safetensors",
        "model-00002-of-00002.safetensors",
        "model.safetensors.index.json",
        "special_tokens_map.json",
        "tokenizer.model",
        "tokenizer_config.json",
    ]


def test_pickles_are_fetched_only_where_there_is_nothing_else() -> None:
    pickles = ["pytorch_model-1-of-1.bin", "pytorch_model.bin.index.json"]
    assert chosen(*pickles) == pickles
    assert chosen(*pickles, "model.safetensors") == ["model.safetensors"]
    assert chosen("training_args.bin") == []
    assert chosen("consolidated.safetensors") == ["consolidated.safetensors"]


@pytest.mark.parametrize(
    ("names", "lacks"),
    [
        (["config.json", "model.safetensors", "tokenizer.json"], []),
        (["config.json", "model.safetensors", "vocab.json", "merges.txt"], []),
        (["config.json", "model.safetensors", "tokenizer_config.json"], ["tokenizer.json"]),
        (["tokenizer.model"], ["config.json", "*.safetensors"]),
    ],
)
def test_a_folder_without_a_tokenizer_is_not_servable(names: list[str], lacks: list[str]) -> None:
    assert files.missing(names) == lacks


@pytest.mark.parametrize(
    "entry",
    [
        {"path": "../../.ssh/authorized_keys", "size": 1},
        {"path": "/etc/passwd", "size": 1},
        {"path": "a\\b", "size": 1},
        {"path": "a\nb", "size": 1},
        {"path": "", "size": 1},
        {"path": "x" * 300, "size": 1},
        {"path": "a", "size": -1},
        {"path": "a", "size": True},
        {"path": "a", "size": "1"},
        {"size": 1},
    ],
)
def test_an_entry_that_cannot_be_right_is_no_file(entry: dict[str, Any]) -> None:
    assert files.parse(entry) is None


def test_a_hash_that_is_none_is_left_out() -> None:
    assert files.parse({"path": "a", "size": 0, "sha256": SHA.upper()}) == HubFile("a", 0, SHA)
    assert files.parse({"path": "a", "size": 0, "sha256": "x"}) == HubFile("a", 0, "")
    assert files.parse({"path": "a", "size": 0, "sha256": None}) == HubFile("a", 0, "")


def test_a_verified_file_is_right_until_it_changes(tmp_path: Path) -> None:
    file = HubFile("a", 5, SHA)
    (tmp_path / "a").write_text("hello")
    known = Ledger().expecting([file])
    assert known.lacking(tmp_path) == [file]
    known = known.with_verified(tmp_path, file)
    ledger.write(tmp_path, known)
    assert ledger.read(tmp_path) == known
    assert known.complete(tmp_path)

    os.utime(str(tmp_path / "a"), ns=(1, 1))
    assert not known.complete(tmp_path)


def test_a_file_that_the_hub_lists_differently_now_is_lacking_again(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("hello")
    old = HubFile("a", 5, SHA)
    known = Ledger().expecting([old]).with_verified(tmp_path, old)
    assert known.expecting([old]).complete(tmp_path)
    new = HubFile("a", 5, "b" * 64)
    assert known.expecting([new]).lacking(tmp_path) == [new]


@pytest.mark.parametrize(
    "text", ["", "[]", "{", "[" * 100_000, '{"files": [1, {"path": "../x", "size": 1}]}']
)
def test_a_damaged_ledger_is_an_empty_one(tmp_path: Path, text: str) -> None:
    (tmp_path / ledger.NAME).write_text(text)
    assert ledger.read(tmp_path) == Ledger()
    assert not Ledger().complete(tmp_path)


def test_copies_are_looked_for_in_every_layout(tmp_path: Path) -> None:
    layouts = [
        "models/kite--Tiny-1.5B/snapshots/master",
        "kite/Tiny-1___5B",
        "hub/models/kite/Tiny-1___5B",
        "hub/kite/Tiny-1.5B",
    ]
    for layout in layouts:
        (tmp_path / layout).mkdir(parents=True)
    (tmp_path / "models/kite--Tiny-1.5B/snapshots/v2").mkdir()
    found = copies.candidates("kite/Tiny-1.5B", "master", [tmp_path, tmp_path / "none"])
    assert sorted(found) == sorted(tmp_path / layout for layout in layouts)


def test_the_clients_own_cache_and_the_data_disk_are_looked_into(tmp_path: Path) -> None:
    cache, data, home = (tmp_path / name for name in ("cache", "data", "home"))
    for folder in (cache, data, home / ".cache" / "modelscope"):
        folder.mkdir(parents=True)
    folders = folders_with_models(data, home, {"MODELSCOPE_CACHE": str(cache)})
    assert folders[:2] == [cache, data]
    assert folders[-1] == home / ".cache" / "modelscope"


def test_a_copy_on_another_disk_becomes_a_symbolic_link(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a").write_text("hello")
    copies.link(tmp_path / "a", tmp_path / "b")
    assert (tmp_path / "b").stat().st_ino == (tmp_path / "a").stat().st_ino

    def refuse(_source: str, _target: str) -> None:
        raise OSError(errno.EXDEV, "another disk")

    monkeypatch.setattr(os, "link", refuse)
    copies.link(tmp_path / "a", tmp_path / "b")
    assert (tmp_path / "b").is_symlink()
    copies.discard(tmp_path / "b")
    assert (tmp_path / "a").read_text() == "hello"


class FileIntegrityError(Exception):
    """Named as the client's own."""


class APIError(Exception):
    def __init__(self, status_code: int) -> None:
        Exception.__init__(self, "first line\nsecond line")
        self.status_code = status_code


class Collected(Exception):
    def __init__(self, cause: Exception) -> None:
        Exception.__init__(self, "1 of 1 files failed")
        self.failed_files = {"a": cause}


@pytest.mark.parametrize(
    ("error", "problem"),
    [
        (APIError(404), "not-found"),
        (APIError(401), "denied"),
        (Collected(APIError(403)), "denied"),
        (Collected(FileIntegrityError("Hash mismatch")), "hash"),
        (OSError(errno.ENOSPC, "No space left on device"), "disk-full"),
        (Collected(OSError(errno.ENOSPC, "No space left on device")), "disk-full"),
        (ConnectionResetError("reset"), "network"),
        (TimeoutError("slow"), "network"),
        (ValueError("a bug"), "other"),
    ],
)
def test_the_worker_tells_failures_apart(error: Exception, problem: str) -> None:
    found = worker._problem(error)
    assert found["problem"] == problem
    assert "\n" not in found["detail"]


def test_the_worker_is_fed_as_one_program_that_needs_nothing_of_ours() -> None:
    program = client.source("list", {"model": "it's", "text": 'a "quote" \\ and 中文'})
    names: dict[str, Any] = {"__name__": "elsewhere"}
    body, _, call = program.rstrip().rpartition("\n")
    exec(compile(body, "worker", "exec"), names)
    names["main"] = lambda action, request: (action, request)
    assert eval(call, names) == ("list", {"model": "it's", "text": 'a "quote" \\ and 中文'})
    assert "import remote" not in program
    assert "from remote" not in program


def test_the_clients_own_talk_is_no_message() -> None:
    assert client.message(worker.MARK + '{"kind": "listed"}') == ("listed", {"kind": "listed"})
    for line in ("Downloading: 10%", worker.MARK + "{", worker.MARK + "[]", worker.MARK + "{}"):
        assert client.message(line) == ("", {})


@pytest.mark.parametrize(
    ("hub", "token", "told"),
    [
        ("https://www.modelscope.cn", "ms-1", "ms-1"),
        ("https://www.modelscope.cn", "", None),  # the host's own login counts
        ("https://hub.example", "", ""),  # and is told to nobody else
        ("https://notmodelscope.cn", "", ""),
        ("http://127.0.0.1:9000", "t", "t"),
    ],
)
def test_the_token_goes_to_its_own_hub_only(hub: str, token: str, told: str | None) -> None:
    spec = SPEC._replace(hub=hub, hub_token=token)
    assert client.variables(spec, Places(Path("/d")), {}).get("MODELSCOPE_API_TOKEN") == told


def test_a_hub_on_this_machine_is_not_asked_through_a_proxy() -> None:
    places, environ = Places(Path("/d")), {"no_proxy": "a.example"}
    local = client.variables(SPEC._replace(hub="http://127.0.0.1:9000"), places, environ)
    assert local["no_proxy"] == local["NO_PROXY"] == "127.0.0.1,localhost,a.example"
    assert "no_proxy" not in client.variables(SPEC, places, environ)


def closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make every folder one whose parents may not be entered; root may enter all."""

    def refuse(*_args: Any, **_named: Any) -> Any:
        raise PermissionError(errno.EACCES, "closed")

    monkeypatch.setattr(os, "stat", refuse)
    monkeypatch.setattr(Path, "stat", refuse)


STALL = (Problem("", "stall", ""),)


class Hub:
    """Stands for the worker: answers in turn, remembers what was asked for."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
        self.listed = [HubFile("config.json", 2), HubFile("tokenizer.json", 2)]
        self.listed += [HubFile("model.safetensors", 100)]
        self.problems: list[tuple[Problem, ...]] = []
        self.fetched: list[list[str]] = []
        self.folder = folder / "paperkite" / "models" / "kite--tiny" / "master"
        self.ctx = StandIn(folder)
        self.ctx.facts.update({"data_dir": str(folder), "hub.python": "/python"})
        monkeypatch.setattr(client, "list_files", self._list)
        monkeypatch.setattr(client, "fetch", self._fetch)
        monkeypatch.setattr(model_files, "FETCH_PAUSES", (0.0, 0.0))
        monkeypatch.setattr(model_files, "LIST_PAUSES", (0.0,))
        monkeypatch.setenv("HOME", str(folder))

    def _list(self, *_args: Any) -> Answer:
        problems = self.problems.pop(0) if self.problems and not self.fetched else ()
        return Answer(not problems, tuple(self.listed), problems)

    def _fetch(self, *args: Any) -> Answer:
        folder, wanted, hear, stall_seconds = args[3:]
        assert stall_seconds == client.STALL_SECONDS
        self.fetched.append([file.path for file in wanted])
        problems = self.problems.pop(0) if self.problems else ()
        if problems == STALL:
            return Answer(False, stalled=True)
        for file in wanted:
            if file.path not in [problem.path for problem in problems]:
                (folder / file.path).write_bytes(b"x" * file.size)
                hear("fetched", {"path": file.path})
                hear("progress", {"done": file.size})
        return Answer(not problems, (), problems)

    def failure(self) -> TaskFailed:
        with pytest.raises(TaskFailed) as caught:
            model_files.run(self.ctx)
        return caught.value


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Hub:
    return Hub(monkeypatch, tmp_path)


NETWORK = (Problem("model.safetensors", "network", "reset"),)


def test_a_failed_file_is_fetched_again_alone(hub: Hub) -> None:
    hub.listed = [*hub.listed, HubFile("README.md", 5)]
    hub.problems = [(), NETWORK, NETWORK]
    assert model_files.run(hub.ctx) is False
    assert [sorted(paths) for paths in hub.fetched] == [
        ["config.json", "model.safetensors", "tokenizer.json"],
        ["model.safetensors"],
        ["model.safetensors"],
    ]
    assert ledger.read(hub.folder).complete(hub.folder)


def test_a_file_that_never_comes_is_named(hub: Hub) -> None:
    hub.problems = [()] + [NETWORK] * 9
    failed = hub.failure()
    assert failed.code == "model.incomplete"
    assert failed.facts["files"] == ["model.safetensors"]
    assert len(hub.fetched) == 3, "one try after each pause"


def test_a_download_that_stands_still_again_and_again_says_so(hub: Hub) -> None:
    hub.problems = [(), STALL, STALL, STALL]
    failed = hub.failure()
    assert failed.code == "model.incomplete"
    assert failed.detail == "no byte came for 60 s"
    assert hub.ctx.lines == ["no byte came for 60 s"] * 3


def test_a_disk_that_fills_up_under_our_own_small_files_is_told_as_full(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_folder: Path, _ledger: Ledger) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(ledger, "write", refuse)
    assert hub.failure().code == "model.disk-full"


def test_weights_without_a_byte_are_no_weights(hub: Hub) -> None:
    hub.listed = [file._replace(size=0) for file in hub.listed if "model" in file.path]
    hub.listed += [HubFile("config.json", 2), HubFile("tokenizer.json", 2)]
    assert hub.failure().facts["missing"] == ["*.safetensors"]


def test_progress_stands_still_while_something_is_fetched_again(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[int] = [0, 80, 20, 60, 100]

    def fetch(*args: Any) -> Answer:
        for done in told:
            args[5]("progress", {"done": done})
        return hub._fetch(*args)

    monkeypatch.setattr(client, "fetch", fetch)
    model_files.run(hub.ctx)
    done = [report.done for report in hub.ctx.reports if report.step == "fetch"]
    assert done == [0, 0, 80, 80, 80, 100, *done[6:]]


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_the_worker_counts_a_file_that_begins_anew_once(
    capsys: pytest.CaptureFixture[str],
) -> None:
    progress = worker.Progress(Clock())
    for path, sizes in (("a", [100]), ("b", [50, 50]), ("a", [70])):
        progress.begin(path)
        for size in sizes:
            progress.add(path, size)
    progress.tell()
    assert capsys.readouterr().out.splitlines()[-1] == worker.MARK + json.dumps(
        {"done": 170, "kind": "progress"}
    )


def test_what_is_there_already_is_hashed_before_a_byte_is_expected() -> None:
    clock = Clock()
    progress = worker.Progress(clock)
    progress.begin("a")
    clock.now = 10.0
    progress.add("a", 10 * worker.SLOWEST_DISK_BYTES_PER_S)
    assert progress.quiet_until == 20.0
    clock.now = 25.0
    progress.add("a", 0)
    assert progress.quiet_until == 25.0


def test_a_hub_that_answers_late_is_asked_again(hub: Hub) -> None:
    hub.problems = [(Problem("", "network", "refused"),)]
    model_files.run(hub.ctx)
    assert hub.ctx.steps[0] == "list"


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("not-found", "model.not-found"),
        ("denied", "model.access-denied"),
        ("network", "model.hub-unreachable"),
        ("other", "model.hub-unreachable"),
    ],
)
def test_a_repository_that_cannot_be_listed(hub: Hub, kind: str, code: str) -> None:
    hub.problems = [(Problem("", kind, "why"),)] * 2
    failed = hub.failure()
    assert failed.code == code
    assert failed.detail == "why"
    assert failed.facts["model"] == "kite/tiny"
    assert failed.facts["hub"] == hub.ctx.spec.hub


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("hash", "model.hash-mismatch"),
        ("denied", "model.access-denied"),
        ("disk-full", "model.disk-full"),
        ("not-found", "model.incomplete"),
    ],
)
def test_what_another_try_would_not_change_ends_at_once(hub: Hub, kind: str, code: str) -> None:
    hub.problems = [(), (Problem("model.safetensors", kind, "why"),)]
    assert hub.failure().code == code
    assert len(hub.fetched) == 1


def test_a_disk_without_room_is_told_before_anything_is_fetched(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_files, "free_bytes", lambda _path: 1000)
    failed = hub.failure()
    assert failed.code == "model.disk-full"
    assert failed.facts == {
        "path": str(hub.folder),
        "free": 1000,
        "needed": 104 + model_files.RESERVE_BYTES,
    }
    assert hub.fetched == []


def test_a_half_file_counts_as_there(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.folder.mkdir(parents=True)
    (hub.folder / "model.safetensors.incomplete").write_bytes(b"x" * 60)
    room = 44 + model_files.RESERVE_BYTES
    monkeypatch.setattr(model_files, "free_bytes", lambda _path: room)
    model_files.run(hub.ctx)
    assert hub.ctx.reports[1].done == 60


def test_a_repository_without_a_tokenizer_is_refused(hub: Hub) -> None:
    hub.listed = [file for file in hub.listed if file.path != "tokenizer.json"]
    failed = hub.failure()
    assert failed.code == "model.not-servable"
    assert failed.facts["missing"] == ["tokenizer.json"]


def test_a_stopped_run_does_not_fetch_again(hub: Hub) -> None:
    hub.problems = [(), NETWORK]
    hub.ctx.cancelled.set()
    with pytest.raises(Cancelled):
        model_files.run(hub.ctx)
    assert len(hub.fetched) == 1


def test_the_ledger_survives_as_json(hub: Hub) -> None:
    model_files.run(hub.ctx)
    fields = json.loads((hub.folder / ledger.NAME).read_text())
    assert {entry["path"] for entry in fields["files"]} == {file.path for file in hub.listed}


def test_speed_is_that_of_the_last_seconds() -> None:
    now = [0.0]
    meter = Meter(lambda: now[0])
    assert meter.rate(0) is None
    for second in range(1, 31):
        now[0] = float(second)
        rate = meter.rate(second * (100 if second <= 10 else 0) + (1000 if second > 10 else 0))
    assert rate == 0.0
    assert meter.seconds_left(5000) is None, "nothing moves"


def test_the_first_seconds_tell_no_time_left() -> None:
    now, total = [0.0], 20e9
    meter = Meter(lambda: now[0])
    meter.rate(0)
    assert meter.seconds_left(total) is None
    for second in (1.0, 2.0, 5.0):  # the small files
        now[0] = second
        meter.rate(second * 400)
        assert meter.seconds_left(total) is None
    now[0] = 9.0
    rate = meter.rate(4e8)
    assert rate is not None
    assert meter.seconds_left(total) == pytest.approx((total - 4e8) / rate)


def test_a_short_download_tells_its_time_as_soon_as_much_of_it_is_there() -> None:
    now = [0.0]
    meter = Meter(lambda: now[0])
    meter.rate(0)
    now[0] = 0.2
    meter.rate(1e5)
    assert meter.seconds_left(8e6) is None
    now[0] = 0.4
    meter.rate(1.6e6)
    assert meter.seconds_left(8e6) == pytest.approx(1.6)


def test_a_slow_line_is_told_once_the_window_has_passed() -> None:
    now, total = [0.0], 20e9
    meter = Meter(lambda: now[0])
    for second in range(15):
        now[0] = float(second)
        meter.rate(second * 1e5)
        assert meter.seconds_left(total) is None
    now[0] = 15.0
    meter.rate(15e5)
    assert meter.seconds_left(total) == pytest.approx((total - 15e5) / 1e5)


def test_what_goes_on_where_it_was_tells_the_time_of_the_rest() -> None:
    now, total = [100.0], 20e9
    meter = Meter(lambda: now[0])
    meter.rate(19e9)
    now[0] = 104.0
    meter.rate(19.04e9)
    assert meter.seconds_left(total) == pytest.approx(0.96e9 / 1e7)


def test_the_models_own_code_is_fetched_only_where_it_is_trusted() -> None:
    names = ["config.json", "modeling_kite.py", "README.md", "deep/other.py"]
    listing = [HubFile(name, 1) for name in names]
    assert [file.path for file in files.choose(listing)] == ["config.json"]
    trusted = [file.path for file in files.choose(listing, with_code=True)]
    assert trusted == ["config.json", "modeling_kite.py"]


def test_a_model_that_is_trusted_later_gets_its_code_then(hub: Hub) -> None:
    hub.listed = [*hub.listed, HubFile("modeling_kite.py", 5)]
    assert model_files.run(hub.ctx) is False
    assert not (hub.folder / "modeling_kite.py").exists()
    hub.ctx.spec = hub.ctx.spec._replace(trust_remote_code=True)
    assert model_files.run(hub.ctx) is False
    assert hub.fetched[-1] == ["modeling_kite.py"]
    assert model_files.run(hub.ctx) is True
    hub.ctx.spec = hub.ctx.spec._replace(trust_remote_code=False)
    assert model_files.run(hub.ctx) is True, "what is there more is not run"


def test_a_byte_of_another_file_does_not_cut_short_what_is_hashed() -> None:
    clock = Clock()
    progress = worker.Progress(clock)
    progress.begin("a")
    progress.begin("b")
    progress.add("a", 100 * worker.SLOWEST_DISK_BYTES_PER_S)
    clock.now = 1.0
    progress.add("b", 10)
    assert progress.quiet_until == 100.0


def test_each_failure_is_told_in_its_own_words(hub: Hub) -> None:
    hub.problems = [(), (*NETWORK, Problem("config.json", "denied", "no entry"))]
    failed = hub.failure()
    assert (failed.code, failed.detail) == ("model.access-denied", "no entry")


def test_a_closed_folder_hides_a_copy_and_is_no_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    closed(monkeypatch)
    assert copies.candidates("kite/Tiny", "master", [Path("/closed")]) == []
