"""The style sheet of the window's controls in a look's colours. The transcript paints itself."""

from __future__ import annotations

from string import Template

from desktop.ui.theme import Colours

_SHEET = Template("""
QWidget#window, QWidget#startColumn, QScrollArea[page="true"] { background: $window; }
QToolTip { background: $surface; color: $text; border: 1px solid $line; padding: 4px 6px; }

QLabel { color: $text; background: transparent; }
QLabel[tone="quiet"] { color: $quiet; }
QLabel[tone="good"] { color: $good; }
QLabel[tone="busy"] { color: $busy; }
QLabel[tone="bad"] { color: $bad; }

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
QPushButton[kind="link"] { background: transparent; border: none; color: $accent; padding: 4px 2px;
    text-align: left; }
QPushButton[kind="link"]:focus, QPushButton[kind="link"]:hover { text-decoration: underline; }
QPushButton#sendButton { border-radius: 16px; padding: 0; background: $accent; border: none; }
QPushButton#sendButton:focus { border: 2px solid $text; }
QPushButton#sendButton:disabled { background: $line; }
QPushButton#toEndButton { border-radius: 17px; padding: 0; background: $surface;
    border: 1px solid $line; }

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
QScrollBar::add-line, QScrollBar::sub-line { height: 0; width: 0; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }
QDialog { background: $window; }
QCheckBox { color: $text; spacing: 8px; }
QCheckBox::indicator:unchecked { width: 13px; height: 13px; background: $surface;
    border: 1px solid $quiet; border-radius: 3px; }
""")


def style_sheet(colours: Colours) -> str:
    """Return the application's style sheet in these colours."""
    return _SHEET.substitute(
        {name: getattr(colours, name) for name in colours.__dataclass_fields__}
    )
