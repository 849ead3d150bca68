"""For people who use no mouse, see no colours, or see nothing: every scene is held to it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import combinations

import pytest
from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAction, QContextMenuEvent, QIcon, QImage, QPixmap
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QMenu, QPushButton, QTableView, QWidget
from pytestqt.qtbot import QtBot

from desktop.core.events import Delta, Reasoning, ReplyDone, ReplyStarted
from desktop.core.phases import Phase
from desktop.core.texts import Texts
from desktop.ui import icons, shortcuts, states
from desktop.ui.diary.sessions import COLUMNS
from desktop.ui.keyboard.dialog import KeyboardDialog
from desktop.ui.style import style_sheet
from desktop.ui.theme import DARK, LIGHT, Colours
from desktop.ui.transcript.addresses import addresses
from desktop.ui.transcript.look import _EXTRA
from tests.helpers.chatting import exchange, press
from tests.helpers.controls import controls, unexplained, unmarked, unnamed, unreached
from tests.helpers.drawn import contrast
from tests.helpers.pictures import SMALL, pictures
from tests.helpers.scenes import Look
from tests.helpers.screens import Stage
from tests.helpers.window import child

PICTURES = pictures()
BOTH = pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
TONES = ("text", "quiet", "accent", "good", "busy", "bad")
GROUNDS = ("window", "surface", "sunken", "tint")
PHASES = (  # one for each icon
    Phase.OFF,
    Phase.LOADING,
    Phase.READY,
    Phase.RECONNECTING,
    Phase.STOPPING,
    Phase.FAILED,
)
READABLE, VISIBLE = 4.5, 3.0  # WCAG 2.2, 1.4.3 and 1.4.11


# -- names and the keyboard ------------------------------------------------------------------------


@pytest.mark.parametrize("name", list(PICTURES))
def test_every_control_of_a_scene_has_a_name_and_tab_leads_to_it_visibly(
    qtbot: QtBot, name: str
) -> None:
    with PICTURES[name].show(Look("en", "light", SMALL)) as shown:
        assert unnamed(shown) == []
        assert unexplained(shown) == []
        assert unreached(shown) == []
        assert unmarked(shown) == []


@pytest.mark.parametrize("name", ["settings-guards", "endpoint", "rate"])
def test_a_label_leads_to_the_control_beside_it(qtbot: QtBot, name: str) -> None:
    with PICTURES[name].show(Look("en", "light")) as shown:
        led_to = [each.buddy() for each in shown.findChildren(QLabel) if each.buddy()]
        assert led_to
        assert all(each in controls(shown) for each in led_to if each and each.isVisible())


def test_a_control_without_a_name_or_a_ring_is_found(qtbot: QtBot) -> None:
    page = QWidget()
    qtbot.addWidget(page)
    faulty = QPushButton(page, objectName="faulty")
    pixmap = QPixmap(16, 16)
    pixmap.fill(Qt.GlobalColor.black)
    faulty.setIcon(QIcon(pixmap))
    faulty.setStyleSheet(
        "QPushButton:focus { outline: none; border: none; } QPushButton { border: none; }"
    )
    unreachable = QPushButton("hidden from Tab", page)
    unreachable.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
    page.show()
    assert [len(each(page)) for each in (unnamed, unexplained, unreached, unmarked)] == [1, 1, 1, 1]


# -- what the eye needs ----------------------------------------------------------------------------


@BOTH
@pytest.mark.parametrize("ground", GROUNDS)
@pytest.mark.parametrize("tone", TONES)
def test_text_can_be_read_on_every_ground(colours: Colours, tone: str, ground: str) -> None:
    assert contrast(getattr(colours, tone), getattr(colours, ground)) >= READABLE


def rules(colours: Colours) -> Iterator[tuple[str, dict[str, str]]]:
    """Return the selectors of the style sheet and what stands there for them."""
    for selector, body in re.findall(r"([^{}]+)\{([^}]*)\}", style_sheet(colours)):
        said = dict(re.findall(r"([a-z-]+)\s*:\s*([^;]+);", body + ";"))
        yield selector.strip(), said


def pairs(colours: Colours) -> dict[str, tuple[str, str]]:
    """Return text and ground of every rule that names both, by its selector."""
    found = {}
    for selector, said in rules(colours):
        text = said.get("color") or said.get("selection-color")
        ground = said.get("background") or said.get("selection-background-color")
        if text and ground and ground.startswith("#"):
            found[selector] = (text, ground)
    return found


@BOTH
def test_what_the_style_sheet_writes_can_be_read(colours: Colours) -> None:
    found = pairs(colours)
    assert len(found) > 10
    faint = {
        selector: round(contrast(*pair), 2)
        for selector, pair in found.items()
        # WCAG asks nothing of what is disabled; we ask that its shape is seen.
        if contrast(*pair) < (VISIBLE if ":disabled" in selector else READABLE)
    }
    assert faint == {}


@BOTH
def test_what_is_selected_hovered_or_pressed_can_be_read(colours: Colours) -> None:
    for ground in ("selected", "line", "tint"):
        assert contrast(colours.text, getattr(colours, ground)) >= READABLE
    assert contrast(colours.on_accent, colours.accent) >= READABLE


@BOTH
@pytest.mark.parametrize("name", [each for each in _EXTRA if not each.startswith("found")])
def test_code_can_be_read(colours: Colours, name: str) -> None:
    assert contrast(_EXTRA[name][colours is DARK], colours.sunken) >= READABLE


@BOTH
@pytest.mark.parametrize("name", ["found", "found-here"])
def test_what_was_found_can_be_read(colours: Colours, name: str) -> None:
    assert contrast(colours.text, _EXTRA[name][colours is DARK]) >= READABLE


@BOTH
@pytest.mark.parametrize("ground", ["window", "surface", "sunken", "tint", "line"])
def test_the_ring_around_what_has_the_keyboard_is_seen(colours: Colours, ground: str) -> None:
    assert contrast(colours.accent, getattr(colours, ground)) >= VISIBLE


@BOTH
def test_the_mark_in_a_box_is_of_the_colour_of_text_on_its_ground(colours: Colours) -> None:
    name = "checked-dark" if colours is DARK else "checked-light"
    assert colours.on_accent in icons._drawing(name)
    assert contrast(colours.quiet, colours.window) >= VISIBLE  # the edge of an empty one


@pytest.mark.parametrize(("dark", "panel"), [(True, "#3c3c3c"), (False, "#e8e8e8")])
@pytest.mark.parametrize("phase", PHASES)
def test_the_icon_in_the_tray_is_seen_on_its_panel(phase: Phase, dark: bool, panel: str) -> None:
    drawn = icons.tray(phase, dark=dark).pixmap(QSize(48, 48), 1.0).toImage()
    solid = [
        colour
        for colour in (drawn.pixelColor(x, y) for x in range(48) for y in range(48))
        if colour.alphaF() > 0.9
    ]
    seen = [colour for colour in solid if contrast(colour.name(), panel) >= VISIBLE]
    assert len(seen) > 0.4 * len(solid)  # the rest is colour, which nobody has to see


# -- never by colour alone -------------------------------------------------------------------------

TRAY = ("off", "working", "ready", "reconnecting", "stopping", "failed")
STEPS = ("waiting", "running", "done", "skipped", "failed", "cancelled")


def silhouette(name: str, size: int) -> QImage:
    return (
        icons.pixmap(name, "#000000", size).toImage().convertToFormat(QImage.Format.Format_Alpha8)
    )


def difference(one: QImage, other: QImage) -> float:
    """Return how much of the ink of two shapes is in one of them only, from 0 to 1."""
    places = [(x, y) for x in range(one.width()) for y in range(one.height())]
    alphas = [(one.pixelColor(*at).alphaF(), other.pixelColor(*at).alphaF()) for at in places]
    return sum(abs(a - b) for a, b in alphas) / max(sum(max(pair) for pair in alphas), 1.0)


@pytest.mark.parametrize(("kind", "names", "size"), [("tray", TRAY, 16), ("step", STEPS, 15)])
def test_states_differ_in_shape(kind: str, names: tuple[str, ...], size: int) -> None:
    drawn = {name: silhouette(f"{kind}-{name}", size) for name in names}
    alike = {
        (one, other): round(difference(drawn[one], drawn[other]), 2)
        for one, other in combinations(names, 2)
        if difference(drawn[one], drawn[other]) < 0.15
    }
    assert alike == {}
    assert set(icons._TRAY.values()) == set(TRAY)
    assert {name for name, _colour in states._STATES.values()} <= set(STEPS)


# -- the keys --------------------------------------------------------------------------------------


def test_no_two_things_are_done_by_the_same_keys() -> None:
    keys = [each for line in shortcuts.ANYWHERE for each in line.keys]
    assert len(keys) == len(set(keys))


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_list_of_keys_has_every_key_of_the_table(qtbot: QtBot, language: str) -> None:
    page = QWidget()
    qtbot.addWidget(page)
    dialog = KeyboardDialog(page, Texts("zh" if language == "zh" else "en"))
    told = {each.text() for each in dialog.findChildren(QLabel)}
    lines = [*shortcuts.ANYWHERE, *(line for part in shortcuts.IN_PARTS.values() for line in part)]
    assert {shortcuts.shown(keys) for line in lines for keys in line.keys} <= told


def test_what_nobody_does_cannot_be_installed(qtbot: QtBot) -> None:
    page = QWidget()
    qtbot.addWidget(page)
    with pytest.raises(KeyError):
        shortcuts.install(page, {})


@pytest.mark.parametrize("keys", ["F1", "Ctrl+/"])
def test_the_list_of_keys_is_opened_by_its_keys(qtbot: QtBot, play: Stage, keys: str) -> None:
    with qtbot.waitSignal(play.window.wanted) as wanted:
        press(play.window, keys)
    assert [each.value for each in wanted.args] == ["keyboard"]


def part_of(play: Stage) -> str:
    """Return in which part of the window the keyboard is."""
    held = play.window.focusWidget()
    named = {
        "list": play.window._sidebar,
        "header": play.window._header,
        "conversation": play.window.desk.page,
        "message": play.window.desk.composer,
    }
    return next(name for name, part in named.items() if part.isAncestorOf(held))


def test_f6_goes_through_the_parts_of_the_window_and_back(play: Stage) -> None:
    exchange(play, "question", "answer")
    child(play.window, "composer").setFocus()
    seen = []
    for keys in ("F6", "F6", "F6", "F6", "Shift+F6", "Shift+F6"):
        press(play.window, keys)
        seen.append(part_of(play))
    assert seen == ["list", "header", "conversation", "message", "conversation", "header"]


def test_f6_comes_back_to_where_the_keyboard_was_in_a_part(play: Stage) -> None:
    exchange(play, "question", "answer")
    child(play.window, "tuneButton").setFocus()
    for keys in ("F6", "Shift+F6"):
        press(play.window, keys)
    assert play.window.focusWidget() is child(play.window, "tuneButton")


@pytest.mark.parametrize("name", ["searchField", "chatList", "sidebarButton", "hostButton"])
def test_escape_leads_back_to_the_message(play: Stage, name: str) -> None:
    exchange(play, "question", "answer")
    child(play.window, name).setFocus()
    QTest.keyClick(child(play.window, name), Qt.Key.Key_Escape)
    assert play.window.focusWidget() is child(play.window, "composer")


def test_escape_leads_back_from_the_conversation(play: Stage) -> None:
    exchange(play, "question", "answer")
    view = play.window.desk.transcript
    view.setFocus()
    QTest.keyClick(view, Qt.Key.Key_Up, Qt.KeyboardModifier.AltModifier)
    QTest.keyClick(view, Qt.Key.Key_Escape)
    assert view.current is None
    QTest.keyClick(view, Qt.Key.Key_Escape)
    assert play.window.focusWidget() is child(play.window, "composer")


def test_the_diary_is_sorted_without_a_mouse(qtbot: QtBot) -> None:
    with PICTURES["diary"].show(Look("en", "light")) as shown:
        table = child(shown, "diaryTable")
        assert isinstance(table, QTableView)
        by_cost = next(each for each in table.actions() if "Cost" in each.text())
        seen = []
        for _ in range(2):
            by_cost.trigger()
            seen.append(table.model().index(0, COLUMNS.index("cost")).data())
    assert seen[0].startswith("¥")
    assert seen[1] == "–"


@contextmanager
def message_menu(play: Stage, number: int) -> Iterator[QMenu]:
    """Choose a message with the keys, and press the menu key."""
    view = play.window.desk.transcript
    view.setFocus()
    for _ in range(9):  # more than there are
        QTest.keyClick(view, Qt.Key.Key_Up, Qt.KeyboardModifier.AltModifier)
    for _ in range(number):
        QTest.keyClick(view, Qt.Key.Key_Down, Qt.KeyboardModifier.AltModifier)
    assert view.current == number
    middle = view.viewport().rect().center()
    where = view.viewport().mapToGlobal(middle)
    asked = QContextMenuEvent(QContextMenuEvent.Reason.Keyboard, middle, where)
    QApplication.sendEvent(view.viewport(), asked)
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    yield menu
    menu.close()


def chosen(menu: QMenu, begins: str) -> QAction:
    return next(each for each in menu.actions() if each.text().startswith(begins))


def test_the_menu_key_is_about_the_message_that_keys_chose(play: Stage) -> None:
    exchange(play, "first question", "first answer")
    exchange(play, "last question", "last answer")
    for number, is_mine in ((0, True), (1, False), (2, True)):
        with message_menu(play, number) as menu:
            offered = [each.text() for each in menu.actions()]
        assert (Texts("en")["message.edit"] in offered) is is_mine


def test_code_links_and_thoughts_are_in_the_menu_of_their_message(
    qtbot: QtBot, play: Stage
) -> None:
    code = "Try:\n\n```python\nprint(1 & 2)\n```\n\nSee [this](https://kite.example.org/a_b)."
    play.say("question")
    play.play([(0.0, ReplyStarted(1)), (0.1, Reasoning(1, "Hm."))])
    play.play([(0.1, Delta(1, code)), (0.1, ReplyDone(1, "stop", None, 0.31, 41.7))])
    with message_menu(play, 1) as menu:
        chosen(menu, "Copy code").trigger()
        assert QApplication.clipboard().text() == "print(1 & 2)"
        with qtbot.waitSignal(play.window.desk.transcript.linked) as linked:
            chosen(menu, "Open https").trigger()
        chosen(menu, "Open: Thought").trigger()
    assert linked.args == ["https://kite.example.org/a_b"]
    with message_menu(play, 1) as menu:
        assert chosen(menu, "Close: Thought")


def test_a_link_ends_where_its_sentence_ends() -> None:
    said = "看 https://a.example.org/x?y=1&z=2。 (https://b.example.org/), https://a.example.org/x?y=1&z=2!"
    assert addresses(said) == ["https://a.example.org/x?y=1&z=2", "https://b.example.org/"]
