"""The style sheet of the window's controls in a look's colours. The transcript paints itself."""

from __future__ import annotations

from pathlib import Path
from string import Template

from desktop.core.assets import asset
from desktop.ui.theme import DARK, Colours

_SHEET = Template("""
QWidget#window, QWidget#startColumn, QScrollArea[page="true"] { background: $window; }
QToolTip { background: $surface; color: $text; border: 1px solid $line; padding: 4px 6px; }

QLabel { color: $text; background: transparent; }
QLabel[tone="quiet"] { color: $quiet; }
QLabel[tone="good"] { color: $good; }
QLabel[tone="busy"] { color: $busy; }
QLabel[tone="bad"] { color: $bad; }
QLabel[cap="true"] { background: $surface; border: 1px solid $line; border-radius: 5px;
    padding: 1px 7px; }

QFrame#header { background: $surface; border: none; border-bottom: 1px solid $line; }
QFrame#banner { background: $sunken; border: none; border-bottom: 1px solid $line; }
QFrame[card="true"] { background: $surface; border: 1px solid $line; border-radius: 10px; }
QFrame[card="bad"] { background: $surface; border: 1px solid $bad; border-radius: 10px; }
QFrame[card="busy"] { background: $surface; border: 1px solid $busy; border-radius: 10px; }

QPushButton { background: $surface; color: $text; border: 1px solid $line; border-radius: 7px;
    padding: 6px 14px; }
QPushButton:hover { background: $sunken; }
QPushButton:pressed { background: $line; }
QPushButton:focus { border: 1px solid $accent; }
QPushButton:disabled { color: $quiet; background: $sunken; }
QPushButton[kind="primary"] { background: $accent; color: $on_accent; border: 1px solid $accent;
    font-weight: 600; }
QPushButton[kind="primary"]:focus { border: 2px solid $text; padding: 5px 13px; }
QPushButton[kind="primary"]:disabled { background: $line; border-color: $line; color: $quiet; }
QPushButton[kind="big"] { background: $accent; color: $on_accent; border: 1px solid $accent;
    border-radius: 9px; padding: 11px 30px; font-weight: 600; }
QPushButton[kind="big"]:focus { border: 2px solid $text; padding: 10px 29px; }
QPushButton[kind="link"] { background: transparent; border: none; color: $accent; padding: 4px 0;
    text-align: left; }
QPushButton[kind="link"]:focus, QPushButton[kind="link"]:hover { text-decoration: underline; }
QPushButton#sendButton { border-radius: 16px; padding: 0; background: $accent; border: none; }
QPushButton#sendButton:focus { border: 2px solid $text; }
QPushButton#sendButton:disabled { background: $line; }
QPushButton#toEndButton { border-radius: 17px; padding: 0; background: $surface;
    border: 1px solid $line; }
QPushButton#toEndButton:focus { border: 2px solid $accent; }

QPushButton[kind="rung"] { background: $surface; border: 1px solid $line; border-radius: 10px;
    padding: 0; text-align: left; }
QPushButton[kind="rung"]:hover { background: $sunken; }
QPushButton[kind="rung"]:pressed { background: $line; }
QPushButton[kind="rung"]:focus { border: 2px solid $accent; }
QPushButton[kind="rung"]:disabled { background: transparent; }
QPushButton[kind="host"] { background: transparent; border: 1px solid transparent;
    border-radius: 6px; padding: 1px 6px; text-align: left; }
QPushButton[kind="host"]:hover { background: $sunken; }
QPushButton[kind="host"]:pressed { background: $line; }
QPushButton[kind="host"]:focus { border: 1px solid $accent; }
QPushButton[kind="host"]::menu-indicator { width: 0; height: 0; }

QToolButton[kind="tool"] { background: transparent; border: 1px solid transparent;
    border-radius: 7px; padding: 0; }
QToolButton[kind="tool"]:hover { background: $sunken; }
QToolButton[kind="tool"]:pressed { background: $line; }
QToolButton[kind="tool"]:focus { border: 1px solid $accent; }
QFrame#sidebar { background: $sunken; border: none; border-right: 1px solid $line; }
QFrame#sidebar QToolButton[kind="tool"]:hover { background: $line; }
QFrame#sidebar QLineEdit { padding: 5px 7px; border-radius: 7px; }
QListView#chatList { background: transparent; border: none; outline: 0; }
QListView#chatList QLineEdit { padding: 2px 5px; border-radius: 5px; }
QFrame#setupPanel { background: $surface; border: none; border-left: 1px solid $line; }
QFrame#setupPanel QScrollArea, QWidget#setupInside { background: $surface; }
QFrame#findBar { background: $surface; border: none; border-bottom: 1px solid $line; }
QFrame#findBar QLineEdit, QLineEdit[dense="true"] { padding: 5px 8px; border-radius: 7px; }
QLineEdit[wrong="true"] { border: 2px solid $bad; padding: 4px 7px; }
QFrame#toast { background: $surface; border: 1px solid $line; border-radius: 10px; }
QFrame#chip { background: $sunken; border: 1px solid $line; border-radius: 8px; }
QPlainTextEdit[field="true"] { background: $surface; color: $text; border: 1px solid $line;
    border-radius: 7px; padding: 3px 4px; selection-background-color: $selected;
    selection-color: $text; }
QPlainTextEdit[field="true"]:focus { border: 1px solid $accent; }
QComboBox { background: $surface; color: $text; border: 1px solid $line; border-radius: 7px;
    padding: 5px 8px; }
QComboBox::drop-down { border: none; width: 22px; }
QComboBox:focus { border: 1px solid $accent; }
QComboBox QAbstractItemView { background: $surface; color: $text; border: 1px solid $line;
    selection-background-color: $tint; selection-color: $text; outline: 0; }

QLineEdit { background: $surface; color: $text; border: 1px solid $line; border-radius: 8px;
    padding: 9px 11px; selection-background-color: $selected; selection-color: $text; }
QLineEdit:focus { border: 1px solid $accent; }
QFrame#composerFrame { background: $surface; border: 1px solid $line; border-radius: 14px; }
QFrame#composerFrame[focused="true"] { border: 1px solid $accent; }
QPlainTextEdit#composer { background: transparent; border: none; color: $text;
    selection-background-color: $selected; selection-color: $text; }
QSpinBox { background: $surface; color: $text; border: 1px solid $line; border-radius: 7px;
    padding: 3px 6px; selection-background-color: $selected; selection-color: $text; }
QLineEdit#qt_spinbox_lineedit { background: transparent; border: none; padding: 0 7px; }
QSpinBox:focus { border: 1px solid $accent; }
QSpinBox::up-button, QSpinBox::down-button { width: 0; border: none; }
QListView#modelList { background: $surface; border: 1px solid $line; border-radius: 10px;
    padding: 3px; outline: 0; }
QListWidget#settingsPages { background: $sunken; border: none; border-right: 1px solid $line;
    padding: 12px 8px; outline: 0; }
QListWidget#settingsPages::item { color: $text; padding-left: 10px; border-radius: 6px;
    border: 1px solid transparent; }
QListWidget#settingsPages::item:hover { background: $line; }
QListWidget#settingsPages::item:selected { background: $tint; color: $text; }
QListWidget#settingsPages::item:focus { border: 1px solid $accent; }
QWidget#settingsInside { background: $window; }
QTableView#diaryTable { background: $surface; color: $text; border: 1px solid $line;
    border-radius: 7px; selection-background-color: $tint; selection-color: $text; outline: 0; }
QTableView#diaryTable:focus { border: 1px solid $accent; }
QTableView#diaryTable::item { padding: 0 5px; border: none; }
QTableView#diaryTable QHeaderView { background: $surface; }
QTableView#diaryTable QHeaderView::section { background: $surface; color: $quiet; border: none;
    border-bottom: 1px solid $line; padding: 6px 7px; }
QFrame#idleBar { background: $tint; border: none; border-bottom: 1px solid $line; }
QPlainTextEdit#logLines { background: $sunken; border: 1px solid $line; border-radius: 7px;
    color: $text; padding: 6px; }

QMenu { background: $surface; color: $text; border: 1px solid $line; padding: 5px; }
QMenu::item { padding: 6px 22px 6px 14px; border-radius: 5px; }
QMenu::icon { padding-left: 10px; }
QMenu#hostMenu::item { padding: 7px 16px 7px 8px; }
QMenu::item:selected { background: $tint; }
QMenu::item:disabled { color: $quiet; }
QMenu::separator { height: 1px; background: $line; margin: 5px 8px; }

QScrollBar:vertical { background: transparent; width: 12px; margin: 0; }
QScrollBar::handle:vertical { background: $line; border-radius: 4px; min-height: 36px;
    margin: 2px; }
QScrollBar::handle:vertical:hover { background: $quiet; }
QScrollBar:horizontal { background: transparent; height: 12px; margin: 0; }
QScrollBar::handle:horizontal { background: $line; border-radius: 4px; min-width: 36px;
    margin: 2px; }
QScrollBar::handle:horizontal:hover { background: $quiet; }
QScrollBar::add-line, QScrollBar::sub-line { height: 0; width: 0; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }
QDialog { background: $window; }
QCheckBox { color: $text; spacing: 8px; }
QCheckBox::indicator { width: 13px; height: 13px; border: 1px solid $quiet; border-radius: 3px;
    background: $surface; }
QCheckBox::indicator:checked { border-color: $accent; background: $accent; image: url("$checked"); }
QCheckBox::indicator:focus { width: 11px; height: 11px; border: 2px solid $accent; }
QCheckBox::indicator:checked:focus { border-color: $text; }
QCheckBox::indicator:disabled { background: $line; border-color: $line; }
""")


def style_sheet(colours: Colours) -> str:
    """Return the application's style sheet in these colours."""
    named = {name: getattr(colours, name) for name in colours.__dataclass_fields__}
    mark = asset("icons", f"checked-{'dark' if colours is DARK else 'light'}.svg")
    return _SHEET.substitute(named, checked=Path(str(mark)).as_posix())
