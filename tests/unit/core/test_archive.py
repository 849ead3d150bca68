import ast
import json
import subprocess
import sys
import zipfile
from io import BytesIO
from pathlib import Path

import pytest

from desktop.core.agent import archive
from desktop.core.agent.archive import build_archive, stripped
from tests.helpers.command import ROOT

DIGEST = "from desktop.core.agent.archive import build_archive as b; print(b().digest)"
Documented = ast.Module | ast.ClassDef | ast.FunctionDef

# This one in a new process, and whichever others are here.
PYTHONS = [Path(sys.executable), *Path.home().glob(".pyenv/versions/3.1[1-9].*/bin/python")]


def modules() -> dict[str, str]:
    """Return the sources in the archive, by their path in the repository."""
    agent = zipfile.ZipFile(BytesIO(build_archive().content))
    packed: dict[str, str] = json.loads(agent.read("sources.json"))
    return {"remote/bootstrap.py": agent.read("__main__.py").decode(), **packed}


def documented(tree: ast.AST) -> list[Documented]:
    """Return what has a docstring, be it an empty one."""
    return [
        node
        for node in ast.walk(tree)
        if isinstance(node, Documented) and ast.get_docstring(node, clean=False) is not None
    ]


def without_docstrings(source: str) -> str:
    tree = ast.parse(source)
    for node in documented(tree):
        del node.body[0]
    return ast.dump(tree)


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def test_the_same_sources_give_the_same_bytes() -> None:
    assert archive._archive.__wrapped__() == build_archive()


@pytest.mark.parametrize("python", PYTHONS, ids=lambda path: path.parts[-3])
def test_every_laptop_builds_the_same_bytes(python: Path) -> None:
    done = subprocess.run(
        [python, "-c", DIGEST], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == build_archive().digest


def test_the_archive_holds_the_agent_and_nothing_else() -> None:
    names = zipfile.ZipFile(BytesIO(build_archive().content)).namelist()
    assert names == ["__main__.py", "sources.json"]
    here = {str(path.relative_to(ROOT)) for path in (ROOT / "remote").rglob("*.py")}
    assert set(modules()) == here


def test_docstrings_stay_at_home_and_nothing_else_does() -> None:
    for name, sent in modules().items():
        assert without_docstrings(read(name)) == without_docstrings(sent), name
        assert not [node for node in documented(ast.parse(sent)) if ast.get_docstring(node)], name


def test_every_line_of_code_keeps_its_number() -> None:
    for name, sent in modules().items():
        for here, there in zip(read(name).split("\n"), sent.split("\n"), strict=True):
            assert there.strip() in ("", '""') or here.startswith(there), name


def test_what_is_sent_is_python_3_8() -> None:
    for name, sent in modules().items():
        ast.parse(sent, name, feature_version=(3, 8))


@pytest.mark.parametrize(
    ("source", "sent"),
    [
        ('"""Doc."""\nx = 1\n', '""\nx = 1\n'),
        ('"""One\n\ntwo."""  # why\nx = "#"  # so\n', '""\n\n\nx = "#"\n'),
        ('def f():\n    # here\n    """D"""\n', 'def f():\n\n    ""\n'),
        ("class A:\n    x: int  # n\n\n    'D'\n", 'class A:\n    x: int\n\n    ""\n'),
        ('x = (\n    "a"\n    "b"\n)\n', 'x = (\n    "a"\n    "b"\n)\n'),
        ('f(\n    # no\n    "a",\n)\n', 'f(\n\n    "a",\n)\n'),
        ('x = """\n# text  \n"""\n', 'x = """\n# text  \n"""\n'),
        ('if x:\n    y()\n"""odd"""\nz = "é"  # é\n', 'if x:\n    y()\n""\nz = "é"\n'),
    ],
)
def test_only_what_says_nothing_to_python_is_dropped(source: str, sent: str) -> None:
    assert stripped(source) == sent


def test_the_archive_runs(tmp_path: Path) -> None:
    agent = tmp_path / "agent.pyz"
    agent.write_bytes(build_archive().content)
    done = subprocess.run(
        [sys.executable, "-I", agent, "hello"],
        env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    assert '"kind":"hello"' in done.stdout
