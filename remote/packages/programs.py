"""Short questions to programs on the host: their version, their settings.

`Context.run` writes what a child prints to the task's log. These answers may hold credentials (a
mirror's URL) and are needed as a whole, so they are asked here and written nowhere.
"""

import os
import subprocess
from typing import Dict, Mapping, Optional, Sequence

# Python's own variables of the agent's surroundings would lead another Python astray. Set but
# empty counts as unset for CPython.
PLAIN_PYTHON = {
    "PYTHONPATH": "",
    "PYTHONHOME": "",
    "PYTHONNOUSERSITE": "1",
    "PYTHONDONTWRITEBYTECODE": "",
    "PYTHONSAFEPATH": "",
}


def ask(
    argv: Sequence[str], seconds: float = 10.0, env: Optional[Mapping[str, str]] = None
) -> Optional[str]:
    """Return what the program prints on stdout, or None when it fails, hangs or is not there."""
    variables: Dict[str, str] = dict(os.environ)
    variables.update(env or {})
    try:
        answer = subprocess.run(
            list(argv),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=variables,
            timeout=seconds,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout.decode("utf-8", "replace") if answer.returncode == 0 else None
