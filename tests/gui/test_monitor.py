"""The monitor: what stands above its plots, and that it rests while nobody looks."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from PySide6.QtCore import QPointF
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from desktop.core.history import History
from desktop.ui.monitor.dialog import MonitorDialog
from desktop.ui.monitor.plot import Plot, runs
from desktop.ui.theme import Theme
from tests.helpers.monitor_screens import NOW, an_hour, monitor, sample

Make = Callable[[History], MonitorDialog]


@pytest.fixture
def make(qtbot: QtBot) -> Iterator[Make]:
    parent = QWidget()

    def made(history: History) -> MonitorDialog:
        dialog = monitor(parent, "en", Theme("light"), history)
        dialog.show()
        return dialog

    yield made
    parent.deleteLater()


def said(dialog: MonitorDialog, name: str) -> str:
    plot = dialog.findChild(Plot, f"{name}Plot")
    assert plot is not None
    return plot.accessibleName()


def test_each_plot_says_its_newest_value_in_words(make: Make) -> None:
    dialog = make(an_hour(cards=2))
    last = sample(NOW - 2)
    assert last.tokens_per_s is not None
    assert said(dialog, "tokens").startswith(f"Writing: {last.tokens_per_s:,.0f} tokens/s")
    assert said(dialog, "requests") == (
        f"Requests: {last.running} running, 2 connections of other programs"
    )
    assert "mean of 2 cards" in said(dialog, "gpu")
    assert said(dialog, "memory").endswith("44.2 GiB / 48.0 GiB")


def test_a_host_that_never_ran_shows_nothing_that_it_does_not_know(make: Make) -> None:
    dialog = make(History())
    assert said(dialog, "tokens") == "Writing: —"
    assert said(dialog, "memory") == "GPU memory: —"


def test_once_the_model_rests_no_old_figure_looks_new(make: Make) -> None:
    history = an_hour()
    dialog = make(history)
    history.rest()
    dialog.draw()
    assert said(dialog, "gpu") == "GPU in use: —"


def test_it_draws_only_while_it_is_seen(make: Make) -> None:
    dialog = make(an_hour())
    assert dialog._ticker.isActive()
    dialog.hide()
    assert not dialog._ticker.isActive()


def test_a_line_is_cut_where_nothing_is_known() -> None:
    one, two, three = QPointF(0, 0), QPointF(1, 1), QPointF(2, 2)
    assert runs([None, one, two, None, None, three]) == [[one, two], [three]]
