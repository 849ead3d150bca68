"""Which language the system speaks: zh or en."""

from __future__ import annotations

import locale
import os

from desktop.core.explain import Language


def system_language() -> Language:
    """Return "zh" for a Chinese system, "en" for any other."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        value = os.environ.get(name)
        if value:
            return "zh" if value.lower().startswith("zh") else "en"
    code = locale.getlocale()[0] or ""
    return "zh" if code.lower().startswith(("zh", "chinese")) else "en"
