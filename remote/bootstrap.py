"""What the archive runs first: the agent's modules are imported out of one packed file.

A zip packs each of its files by itself. As one file the sources take two thirds of the room, and
every host gets them over somebody's home connection. The archive has this file as its `__main__.py`
and beside it `sources.json`: path → source.
"""

import importlib.abc
import importlib.util
import json
import sys
from importlib.machinery import ModuleSpec
from typing import Any, Dict, Optional


class Sources(importlib.abc.MetaPathFinder, importlib.abc.ExecutionLoader):
    """Finds and loads modules by their sources in memory.

    Args:
        root: where they seem to be: before each path in tracebacks.
        files: path below `root`, with slashes → source.
    """

    def __init__(self, root: str, files: Dict[str, str]) -> None:
        self._root = root
        self._files = files

    def find_spec(
        self, fullname: str, path: Any = None, target: Any = None
    ) -> Optional[ModuleSpec]:
        """Return how a module is loaded, None where it is none of ours."""
        if self._path(fullname) is None:
            return None
        return importlib.util.spec_from_loader(fullname, self)

    def is_package(self, fullname: str) -> bool:
        """Tell whether a module of ours is a package."""
        return (self._path(fullname) or "").endswith("/__init__.py")

    def get_filename(self, fullname: str) -> str:
        """Return what `__file__` says; raises ImportError for what is none of ours."""
        path = self._path(fullname)
        if path is None:
            raise ImportError(fullname)
        return "%s/%s" % (self._root, path)

    def get_source(self, fullname: str) -> str:
        """Return a module's source, for its import and for the lines in a traceback."""
        return self._files[self._path(fullname) or ""]

    def get_data(self, path: str) -> bytes:
        """Return a file by what `__file__` says (`pkgutil.get_data`); raises OSError."""
        name = path[len(self._root) + 1 :]
        if name not in self._files:
            raise OSError("no such file in the agent: %s" % path)
        return self._files[name].encode("utf-8")

    def _path(self, fullname: str) -> Optional[str]:
        base = fullname.replace(".", "/")
        names = (base + "/__init__.py", base + ".py")
        return next((name for name in names if name in self._files), None)


def run(root: str, packed: bytes) -> int:
    """Make the packed modules importable, run the agent and return its exit status."""
    sys.meta_path.insert(0, Sources(root, json.loads(packed.decode("utf-8"))))
    from remote.__main__ import main  # noqa: PLC0415 - there was no `remote` before

    return main()


if __name__ == "__main__":
    sys.exit(run(sys.path[0], __loader__.get_data("sources.json")))  # type: ignore[name-defined]
