"""The door: `paperkite` and `python -m desktop`."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line and exit with its status."""
    # Here, and not above: `import desktop.__main__` stays free.
    from desktop.cli.commands import run  # noqa: PLC0415
    from desktop.system.heaps import share_one_heap  # noqa: PLC0415

    share_one_heap()
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
