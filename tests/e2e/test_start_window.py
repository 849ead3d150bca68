"""The start sheet in a real window on a real sshd: cancelled, gone on with, failed, looked into."""

from __future__ import annotations

import pytest
from PySide6.QtGui import QGuiApplication

from desktop.rehearsal.faults import Faults
from tests.e2e.conftest import MakeBox
from tests.e2e.test_window import sit_down
from tests.helpers.laptop import Laptop


@pytest.mark.parametrize(
    ("step", "words"), [("download", "downloading ⋅"), ("load", "starting the engine")]
)
def test_a_start_is_cancelled_and_gone_on_with_by_clicks(
    laptop: Laptop, make_box: MakeBox, step: str, words: str
) -> None:
    slow = Faults(bytes_per_s=2_000_000)
    box = make_box("--scripted-startup-s", "3", faults=slow if step == "download" else None)
    user = sit_down(laptop, box)
    user.first_run(box)
    user.until_sees(words)
    user.clicks("cancelStartButton")
    user.until_state("off")
    assert user.sees("What was installed and downloaded stays")
    user.until(lambda: box.processes == [], 10)

    user.clicks("startButton")
    user.until_state("ready")
    assert "You said: “Hello there”" in user.asks("Hello there")


def test_the_log_is_followed_in_its_own_window_and_the_report_names_nobody(
    laptop: Laptop, make_box: MakeBox
) -> None:
    box = make_box("--scripted-fail", "traceback")
    user = sit_down(laptop, box)
    user.first_run(box)
    user.until_state("failed")
    user.until_sees("Copy a redacted report", 5)
    user.clicks("logOfHostButton")
    opened = user.dialog("logsDialog")
    user.until(lambda: user.sees("Traceback", opened))

    user.clicks("copyReportButton", opened)
    told = QGuiApplication.clipboard().text()
    assert "error: engine." in told
    for private in (str(box.sshd.destination.port), str(box.home)):
        assert private not in told, private
    opened.close()
