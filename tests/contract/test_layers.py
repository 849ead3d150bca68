"""What a machine holds the shape of the code to, beyond import-linter's contracts."""

import ast
import sys
import tomllib
from pathlib import Path

import pytest

from tests.helpers.command import ROOT

SOURCES = sorted(path for folder in ("desktop", "remote") for path in (ROOT / folder).rglob("*.py"))
REMOTE = [path for path in SOURCES if path.is_relative_to(ROOT / "remote")]


def imported(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add((node.module or "").partition(".")[0])
    return names


@pytest.mark.parametrize("path", REMOTE, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_host_side_imports_only_the_standard_library(path: Path) -> None:
    # The download worker runs in the hub environment, where the modelscope client is.
    allowed = {"remote", *sys.stdlib_module_names}
    if path.name == "download_worker.py":
        allowed |= {"modelscope", "modelscope_hub"}
    assert imported(path) <= allowed


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_and_functions_stay_small(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 600
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert (node.end_lineno or 0) - node.lineno < 60, node.name


def test_no_file_is_a_bin() -> None:
    bins = {"utils", "util", "helpers", "helper", "manager", "common", "misc", "base"}
    assert not [path for path in SOURCES if path.stem in bins]


def test_all_of_the_host_side_but_the_wire_is_forbidden_to_the_laptop() -> None:
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    forbidden = next(
        contract["forbidden_modules"]
        for contract in pyproject["tool"]["importlinter"]["contracts"]
        if contract["name"] == "Of the host side, the laptop imports only the wire"
    )
    modules = {path.relative_to(ROOT).with_suffix("").parts[:2] for path in REMOTE}
    names = {".".join(parts) for parts in modules} - {"remote.__init__", "remote.wire"}
    assert set(forbidden) == names
