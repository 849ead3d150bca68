from __future__ import annotations

import importlib
import importlib.util
import pkgutil
import sys
import traceback
from collections.abc import Iterator

import pytest

from remote.bootstrap import Sources

FILES = {
    "paper/__init__.py": "colour = 'red'\n",
    "paper/kite.py": "from paper import colour\n\ndef crash():\n    raise ValueError(colour)\n",
    "paper/tail/__init__.py": "",
    "paper/tail/knots.py": "count = 7\n",
}


@pytest.fixture(autouse=True)
def packed() -> Iterator[None]:
    sources = Sources("/agent.pyz", FILES)
    sys.meta_path.insert(0, sources)
    yield
    sys.meta_path.remove(sources)
    for name in [name for name in sys.modules if name.partition(".")[0] == "paper"]:
        del sys.modules[name]


def test_modules_and_packages_are_imported_out_of_memory() -> None:
    knots = importlib.import_module("paper.tail.knots")
    assert knots.count == 7
    assert knots.__file__ == "/agent.pyz/paper/tail/knots.py"
    assert importlib.import_module("paper").__path__ is not None


def test_a_traceback_shows_the_lines() -> None:
    kite = importlib.import_module("paper.kite")
    try:
        kite.crash()
    except ValueError:
        shown = traceback.format_exc()
    assert 'File "/agent.pyz/paper/kite.py", line 4, in crash' in shown
    assert "raise ValueError(colour)" in shown


def test_a_file_is_read_as_data() -> None:
    assert pkgutil.get_data("paper.tail", "knots.py") == b"count = 7\n"
    with pytest.raises(OSError, match="no such file"):
        pkgutil.get_data("paper.tail", "bows.py")


def test_what_is_not_packed_is_somebody_elses() -> None:
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("paper.glue")
    assert importlib.util.find_spec("json") is not None
    with pytest.raises(ImportError):
        Sources("/agent.pyz", FILES).get_filename("json")
