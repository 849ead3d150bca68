import subprocess
import sys
import zipfile
from io import BytesIO
from pathlib import Path

from desktop.core.agent.archive import build_archive


def test_the_same_sources_give_the_same_bytes() -> None:
    first = build_archive()
    build_archive.cache_clear()
    assert build_archive() == first


def test_the_archive_stays_below_its_bound() -> None:
    assert len(build_archive().content) < 100_000


def test_the_archive_holds_the_agent_and_nothing_else() -> None:
    names = zipfile.ZipFile(BytesIO(build_archive().content)).namelist()
    assert names[0] == "__main__.py"
    assert all(name.startswith("remote/") for name in names[1:])
    assert not [name for name in names if "__pycache__" in name or name.endswith(".md")]


def test_the_archive_runs(tmp_path: Path) -> None:
    archive = tmp_path / "agent.pyz"
    archive.write_bytes(build_archive().content)
    done = subprocess.run(
        [sys.executable, "-I", archive, "hello"],
        env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    assert '"kind":"hello"' in done.stdout
