"""The door: `paperkite` and `python -m desktop`."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line and exit with its status."""
    from desktop.cli.commands import run  # noqa: PLC0415 - keeps `import desktop.__main__` free

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
