"""What leaves this repository: wheel and sdist hold all that is needed, and nothing else."""

import re
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from email import message_from_string
from pathlib import Path, PurePosixPath

import pytest
from hatchling import build

from desktop.core.agent.archive import build_archive

ROOT = Path(__file__).parents[2]
PROGRAM = {".py", ".toml", ".svg"}
PAGES = ("README.md", "assets/README.zh.md")
# Made by the build itself.
BUILT = {"pyproject.toml", "PKG-INFO", ".gitignore", "LICENSE", "README.md"}
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")


def files(*folders: str) -> Iterator[PurePosixPath]:
    for folder in folders:
        for path in (ROOT / folder).rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                yield PurePosixPath(path.relative_to(ROOT).as_posix())


def packaged(path: PurePosixPath) -> str:
    """Return where a file of the repository is in the wheel."""
    return f"desktop/{path}" if path.parts[0] == "assets" else str(path)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[zipfile.ZipFile]:
    folder = tmp_path_factory.mktemp("wheel")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)  # as PEP 517 has it
        name = build.build_wheel(str(folder))
    with zipfile.ZipFile(folder / name) as opened:
        yield opened


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    folder = tmp_path_factory.mktemp("sdist")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        name = build.build_sdist(str(folder))
    with tarfile.open(folder / name) as opened:
        return {name.partition("/")[2] for name in opened.getnames()}


def test_the_wheel_holds_the_program_with_its_assets_and_nothing_else(
    wheel: zipfile.ZipFile,
) -> None:
    shipped = {name for name in wheel.namelist() if ".dist-info/" not in name}
    wanted = {
        packaged(path) for path in files("desktop", "remote", "assets") if path.suffix in PROGRAM
    }
    assert shipped == wanted
    assert {"desktop/assets/texts/zh.toml", "remote/bootstrap.py"} <= shipped


def test_the_sdist_holds_the_program_and_its_pages_and_nothing_else(sdist: set[str]) -> None:
    assert sdist == {str(path) for path in files("desktop", "remote", "assets")} | BUILT


@pytest.mark.parametrize("page", PAGES)
def test_all_that_the_pages_link_to_is_there_and_is_shipped(page: str, sdist: set[str]) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    local = {link for link in LINK.findall(text) if "://" not in link}
    named = {str(((ROOT / page).parent / link).resolve().relative_to(ROOT)) for link in local}
    assert PAGES[page == PAGES[0]] in named, "each language leads to the other one"
    assert named <= sdist, "linked, and not there"


def test_both_pages_have_the_same_pictures_and_as_many_chapters() -> None:
    english, chinese = ((ROOT / page).read_text(encoding="utf-8") for page in PAGES)

    def chapters(text: str) -> list[int]:
        return [len(marks) for marks in re.findall(r"^(#+) ", text, re.MULTILINE)]

    assert chapters(english) == chapters(chinese)
    assert len(re.findall(r"!\[", english)) == len(re.findall(r"!\[", chinese))


def test_the_wheel_says_what_it_is(wheel: zipfile.ZipFile) -> None:
    (name,) = (name for name in wheel.namelist() if name.endswith("dist-info/METADATA"))
    said = message_from_string(wheel.read(name).decode("utf-8"))
    assert said["Requires-Python"] == ">=3.11"
    assert said["License-Expression"] == "Apache-2.0"
    assert said["Description-Content-Type"] == "text/markdown"
    assert "paperkite rehearse" in said.get_payload()


def said_by(code: str, installed: Path, *words: str) -> str:
    """Return what Python says with an installation of ours in front of all others."""
    script = f"import sys; sys.path.insert(0, sys.argv.pop(1)); {code}"
    command = [sys.executable, "-P", "-c", script, str(installed), *words]
    return subprocess.check_output(command, stderr=subprocess.STDOUT, text=True, cwd=installed)


def test_what_the_wheel_installs_speaks_chinese_and_sends_the_same_agent(
    wheel: zipfile.ZipFile, tmp_path: Path
) -> None:
    wheel.extractall(tmp_path)
    (entries,) = tmp_path.glob("*.dist-info/entry_points.txt")
    (entry,) = re.findall(r"^paperkite = ([\w.]+):(\w+)$", entries.read_text(), re.MULTILINE)
    module, function = entry
    line = "ssh -p 12345 root@connect.westb.seetacloud.com"
    command = ["--lang", "zh", "hosts", "save", "box", line]
    assert "已保存" in said_by(f"import {module} as m; m.{function}()", tmp_path, *command)
    digest = "from desktop.core.agent.archive import build_archive as b; print(b().digest)"
    assert said_by(digest, tmp_path).strip() == build_archive().digest
    assert str(tmp_path) in said_by("import remote; print(remote.__file__)", tmp_path)
