"""The files that ship beside the code: texts, icons, the catalogue."""

from __future__ import annotations

from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path


def asset(*parts: str) -> Traversable:
    """Return one file of `assets/`: packaged inside `desktop`, or beside it in a checkout."""
    packaged = files("desktop") / "assets"
    root: Traversable = packaged if packaged.is_dir() else Path(__file__).parents[2] / "assets"
    return root.joinpath(*parts)
