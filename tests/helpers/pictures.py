"""Every screen as a picture, for people: `python -m tests.helpers.pictures DIR [NAME…]`.

Each in both languages and both looks; the window at 900 × 600 and at 1440 × 900, and, in folders of
their own, everything at 200 %. NAMEs are parts of scenes' names; without one it is all of them.
"""

from __future__ import annotations

import os
import pkgutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from importlib import import_module
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")


from desktop.ui import fonts
from desktop.ui.application import application
from tests.helpers.scenes import Look, Picture, Size, grab

SMALL, LARGE = (900, 600), (1440, 900)
LOOKS = tuple(Look(language, theme) for language in ("zh", "en") for theme in ("light", "dark"))
_SCALE = "QT_SCALE_FACTOR"


def pictures() -> dict[str, Picture]:
    """Return every scene that there is, by name."""
    found: dict[str, Picture] = {}
    for module in pkgutil.iter_modules([str(Path(__file__).parent)]):
        if module.name.endswith("screens"):
            made = import_module(f"tests.helpers.{module.name}").PICTURES
            assert not found.keys() & made.keys(), found.keys() & made.keys()
            found |= made
    return found


def draw(folder: Path, names: Sequence[str] = (), sizes: Sequence[Size] = (SMALL, LARGE)) -> None:
    """Draw the scenes with one of these in their names; a window in every size."""
    chosen = {
        name: picture
        for name, picture in pictures().items()
        if not names or any(part in name for part in names)
    }
    for name, picture in chosen.items():
        for path, look in _views(name, picture, sizes):
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            application().setFont(fonts.interface(is_chinese=look.language == "zh"))
            with picture.show(look) as shown:
                grab(shown).save(str(folder / path))


def _views(name: str, picture: Picture, sizes: Sequence[Size]) -> Iterator[tuple[Path, Look]]:
    for look in LOOKS:
        file = f"{name}-{look.language}-{look.theme}.png"
        if not picture.is_window:
            yield Path("dialogs", file), look
            continue
        for width, height in sizes:
            yield Path(f"{width}x{height}", file), replace(look, size=(width, height))


def main(arguments: Sequence[str]) -> None:
    """Draw here, and the same on a dense screen in a process of its own."""
    folder, *names = arguments
    keep = application()
    if keep.devicePixelRatio() > 1:
        draw(Path(folder), names, (SMALL,))
        return
    draw(Path(folder), names)
    dense = [sys.executable, "-m", "tests.helpers.pictures", str(Path(folder, "200%")), *names]
    subprocess.run(dense, env={**os.environ, _SCALE: "2"}, check=True)


if __name__ == "__main__":
    main(sys.argv[1:])
