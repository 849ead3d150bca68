"""The door: `paperkite` and `python -m desktop`."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line and exit with its status.

    A bundle has no Python beside it that could run a script: it is its own helper process.
    """
    if getattr(sys, "frozen", False) and sys.argv[1:] == ["--formula-worker"]:
        from desktop.ui.maths.worker import main as serve_formulas  # noqa: PLC0415

        return serve_formulas()
    # Here, and not above: `import desktop.__main__` stays free.
    from desktop.cli.door import enter  # noqa: PLC0415
    from desktop.system.heaps import share_one_heap  # noqa: PLC0415

    share_one_heap()
    sys.exit(enter(sys.argv[1:]))


if __name__ == "__main__":
    main()
