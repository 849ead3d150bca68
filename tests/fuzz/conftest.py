"""How many inputs each test makes up: a few hundred, the same ones each time, in the suite.

    PAPERKITE_FUZZ=100000 pytest -o timeout=0 -o faulthandler_timeout=0 tests/fuzz

makes up so many for each target, other ones each time. A test that runs a program per input makes
up fewer (`share`). Nothing is kept: no folder `.hypothesis` is left behind.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.configuration import set_hypothesis_home_dir

_SUITE = 250
_WISHED = int(os.environ.get("PAPERKITE_FUZZ", "0"))

settings.register_profile(
    "paperkite",
    max_examples=_WISHED or _SUITE,
    derandomize=not _WISHED,
    database=None,
    deadline=None,  # the machine may be busy with something else
    print_blob=bool(_WISHED),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.load_profile("paperkite")
_FOLDER = tempfile.TemporaryDirectory(prefix="paperkite-fuzz-")
set_hypothesis_home_dir(_FOLDER.name)


def pytest_unconfigure() -> None:
    """Take hypothesis' own folder away at the end."""
    _FOLDER.cleanup()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all inputs of a test share."""
    return tmp_path_factory.mktemp("fuzz")
