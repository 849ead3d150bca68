"""Of the client's types, what is not asked for is not imported; what is asked for is as ever."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from desktop.core.chat.on_demand import import_on_demand, re_exported

_CLIENT = """
import sys
from desktop.core.chat.on_demand import import_on_demand

import_on_demand("openai.types")
import openai
import openai.resources.chat.completions
import openai.resources.completions

print(sum(name.startswith("openai.types.") for name in sys.modules))
from openai.types import responses, shared_params
from openai.types.chat import ChatCompletionChunk
from openai.types.chat.chat_completion_chunk import ChatCompletionChunk as there

assert ChatCompletionChunk is there
assert responses.Response.__name__ == "Response"
assert shared_params.Metadata is not None
for name in openai.types.__all__:
    getattr(openai.types, name)
for name in responses.__all__:
    getattr(responses, name)
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package `kite`, imported on demand; its __init__.py is the test's."""
    folder = tmp_path / "kite"
    folder.mkdir()
    (folder / "tail.py").write_text("Tail = 'long'\nRibbon = 'red'\n", encoding="utf-8")
    (folder / "frame.py").write_text("raise RuntimeError('it was imported')\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    import_on_demand("kite")
    yield folder
    for name in [name for name in sys.modules if name.split(".")[0] == "kite"]:
        del sys.modules[name]


def test_a_package_that_only_names_is_read_and_its_modules_wait(package: Path) -> None:
    source = "from .tail import Tail as Tail, Ribbon as Red\nfrom .frame import Spar\n"
    (package / "__init__.py").write_text(source, encoding="utf-8")
    kite = import_module("kite")
    assert "kite.tail" not in sys.modules
    assert (kite.Tail, kite.Red, kite.tail.Ribbon) == ("long", "red", "red")
    assert kite.__all__ == ["Tail", "Red", "Spar"]
    with pytest.raises(RuntimeError, match="it was imported"):
        _ = kite.Spar
    with pytest.raises(AttributeError, match="no attribute 'Bow'"):
        _ = kite.Bow


def test_a_package_that_does_more_is_run_as_ever(package: Path) -> None:
    source = "from .tail import Tail\nlength = len(Tail)\n"
    (package / "__init__.py").write_text(source, encoding="utf-8")
    assert import_module("kite").length == 4
    assert "kite.tail" in sys.modules


def test_asking_twice_changes_nothing(package: Path) -> None:
    finders = list(sys.meta_path)
    import_on_demand("kite")
    assert sys.meta_path == finders


@pytest.mark.parametrize(
    "source",
    ["import os", "from . import tail", "from ..kite import Tail", "from .tail import *", "x = 1"],
)
def test_only_plain_names_from_own_modules_count(source: str) -> None:
    assert re_exported(f"from .tail import Tail\n{source}\n") is None


def test_the_future_is_no_name() -> None:
    source = "from __future__ import annotations\nfrom .tail.end import Tail as End\n"
    assert re_exported(source) == {"End": ("tail.end", "Tail")}


def test_a_chat_imports_an_eighth_of_the_clients_types_and_finds_the_others() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", _CLIENT], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 120  # of 467 in openai 3.54
