"""The openai client's types, each imported when it is asked for: most of it never is.

`openai.types` and the packages below it do nothing but name what their modules hold, in 470 modules
of which a chat needs 60: as they are, they cost 10 MB and 0.15 s (`tests/bench/bench_memory.py`).
Here such a package is read, not run, and imports a module at the first use of a name from it
(PEP 562). What is not of that plain form, and what another importer finds, is imported as ever.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from importlib.abc import InspectLoader, Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType

Names = Mapping[str, tuple[str, str]]  # a name of the package: its module there, its name in it


def import_on_demand(package: str) -> None:
    """Have this package, and those in it, import their modules when they are asked for.

    Once is enough; what was imported before stays as it is.
    """
    if not any(isinstance(each, _Finder) and each.package == package for each in sys.meta_path):
        sys.meta_path.insert(0, _Finder(package))


def re_exported(source: str) -> Names | None:
    """Return what a package names from its own modules, or None where it does anything else."""
    names: dict[str, tuple[str, str]] = {}
    for statement in ast.parse(source).body:
        if not isinstance(statement, ast.ImportFrom):
            return None
        if statement.module == "__future__":
            continue
        if statement.level != 1 or statement.module is None:
            return None
        for each in statement.names:
            names[each.asname or each.name] = (statement.module, each.name)
    return None if "*" in names else names


class _Finder(MetaPathFinder):
    """Finds the packages that only name, before Python's own finder does."""

    def __init__(self, package: str) -> None:
        self.package = package

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return where a package's names are; None leaves the module to the other finders."""
        if fullname != self.package and not fullname.startswith(f"{self.package}."):
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is None or spec.submodule_search_locations is None:
            return None
        names = _names(spec.loader, fullname)
        if names is None:
            return None
        spec.loader = _OnDemand(names)
        return spec


def _names(loader: Loader | None, fullname: str) -> Names | None:
    source = loader.get_source(fullname) if isinstance(loader, InspectLoader) else None
    return None if source is None else re_exported(source)


class _OnDemand(Loader):
    """Makes the package without its modules."""

    def __init__(self, names: Names) -> None:
        self._names = names

    def exec_module(self, module: ModuleType) -> None:
        """Give the package the function that imports what it is asked for."""
        names, own = self._names, module.__name__
        modules = {inside.partition(".")[0] for inside, _ in names.values()}

        def value_of(name: str) -> object:
            if name in names:
                inside, there = names[name]
                value: object = getattr(import_module(f"{own}.{inside}"), there)
                setattr(module, name, value)  # asked for once
                return value
            if name in modules:
                return import_module(f"{own}.{name}")
            raise AttributeError(f"module {own!r} has no attribute {name!r}")

        module.__dict__.update(__all__=list(names), __getattr__=value_of)
