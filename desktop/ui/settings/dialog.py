"""The settings: pages at the left, rows at the right. What is changed holds at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QFontDatabase
from PySide6.QtWidgets import (
    QDialog,
    QFrame,
    QHBoxLayout,
    QLineEdit,
    QListWidget,
    QScrollArea,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from desktop.core.local_ports import LAST_PORT
from desktop.core.settings import Settings
from desktop.core.texts import Texts
from desktop.ui.labels import Elided, button, label
from desktop.ui.settings.rows import Chosen, Rows
from desktop.ui.settings.shown import Shown
from desktop.ui.theme import Theme

Change = Callable[[Settings], Settings]

_LANGUAGES = ("zh", "en")
_MOST_MINUTES = 24 * 60
_LARGEST_FONT = 32
_PAGES = ("general", "looks", "guards", "network", "advanced", "data")


class SettingsDialog(QDialog):
    """Not modal: one can look at what a change does.

    Signals:
        changed: a function from settings to settings; to be kept, and to hold from now on.
        login_start_chosen: whether to start at login.
        token_given: the hub's token, "" to forget it.
        folder_wanted: the folder of our own files is to be shown.
    """

    changed = Signal(object)
    login_start_chosen = Signal(bool)
    token_given = Signal(str)
    folder_wanted = Signal()

    def __init__(self, parent: QWidget, theme: Theme, texts: Texts, shown: Shown) -> None:
        super().__init__(parent)
        self.setObjectName("settingsDialog")
        self.setWindowTitle(texts["settings.title"])
        self.resize(760, 560)
        self.setMinimumSize(560, 400)
        self._theme, self._texts, self._shown = theme, texts, shown
        self._pages = QStackedWidget()
        self._list = QListWidget()
        self._list.setObjectName("settingsPages")
        self._list.setAccessibleName(texts["settings.title"])
        self._list.setFixedWidth(164)
        self._list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        for name in _PAGES:
            self._list.addItem(texts[f"settings.page.{name}"])
            self._list.item(self._list.count() - 1).setSizeHint(QSize(0, 36))
            self._pages.addWidget(self._page(name))
        self._list.currentRowChanged.connect(self._pages.setCurrentIndex)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._list)
        layout.addWidget(self._pages, 1)
        self.show_page("general")

    @property
    def page(self) -> str:
        """The name of the page in front."""
        return _PAGES[self._pages.currentIndex()]

    def show_page(self, name: str) -> None:
        """Bring a page to the front, by its name in `_PAGES`."""
        self._list.setCurrentRow(_PAGES.index(name))
        self._list.setFocus()

    # -- pages -------------------------------------------------------------------------------------

    def _page(self, name: str) -> QWidget:
        inside = QWidget()
        inside.setObjectName("settingsInside")
        column = QVBoxLayout(inside)
        column.setContentsMargins(28, 24, 28, 24)
        column.setSpacing(5)
        column.addWidget(label(self._texts[f"settings.page.{name}"], size=1.35, bold=True))
        column.addSpacing(12)
        fill: dict[str, Callable[[Rows, QVBoxLayout], None]] = {
            "general": self._fill_general,
            "looks": self._fill_looks,
            "guards": self._fill_guards,
            "network": self._fill_network,
            "advanced": self._fill_advanced,
            "data": self._fill_data,
        }
        fill[name](Rows(column, self._theme, self._texts), column)
        column.addStretch(1)
        page = QScrollArea()
        page.setProperty("page", "true")
        page.setFrameShape(QFrame.Shape.NoFrame)
        page.setWidgetResizable(True)
        page.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        page.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        page.setWidget(inside)
        return page

    def _fill_general(self, rows: Rows, _column: QVBoxLayout) -> None:
        settings = self._shown.settings
        rows.choice(
            "language",
            self._options("language", _LANGUAGES),
            settings.language,
            self._keeps("language"),
        )
        starts = self._shown.starts_at_login
        rows.switch("login-start", starts, self.login_start_chosen.emit)
        rows.switch("notifications", settings.notifications, self._keeps("notifications"))

    def _fill_looks(self, rows: Rows, _column: QVBoxLayout) -> None:
        settings, texts = self._shown.settings, self._texts
        themes = self._options("theme", ("light", "dark"))
        rows.choice("theme", themes, settings.theme, self._keeps("theme"))
        families = [
            name for name in QFontDatabase.families() if not QFontDatabase.isPrivateFamily(name)
        ]
        fonts = [("", texts["settings.as-system"]), *((name, name) for name in families)]
        rows.choice("font", fonts, settings.font, self._keeps("font"))
        rows.number("font_size", settings.font_size, _LARGEST_FONT, self._keeps("font_size"))

    def _fill_guards(self, rows: Rows, _column: QVBoxLayout) -> None:
        settings = self._shown.settings
        for name in ("idle_prompt_minutes", "idle_minutes", "lease_minutes", "limit_minutes"):
            rows.number(name, getattr(settings, name), _MOST_MINUTES, self._keeps(name))
        rows.switch("power_off", settings.power_off, self._keeps("power_off"))

    def _fill_network(self, rows: Rows, column: QVBoxLayout) -> None:
        settings = self._shown.settings
        rows.text("hub", settings.hub, self._keeps("hub"))
        self._add_token(column)
        rows.text("proxy", settings.proxy, self._keeps("proxy"))
        rows.switch("share_endpoint", settings.share_endpoint, self._keeps("share_endpoint"))
        rows.number("local_port", settings.local_port, LAST_PORT, self._keeps("local_port"))

    def _fill_advanced(self, rows: Rows, _column: QVBoxLayout) -> None:
        settings = self._shown.settings
        for name in ("data_dir", "engine", "engine_env"):
            rows.text(name, getattr(settings, name), self._keeps(name))

    def _fill_data(self, _rows: Rows, column: QVBoxLayout) -> None:
        texts = self._texts
        column.addWidget(label(texts["settings.folder"]))
        where = Elided(Qt.TextElideMode.ElideMiddle)
        where.setProperty("tone", "quiet")
        where.say(self._shown.folder)
        column.addWidget(where)
        open_ = button(texts["settings.open-folder"], "link", "folderButton")
        open_.clicked.connect(self.folder_wanted)
        column.addWidget(open_, 0, Qt.AlignmentFlag.AlignLeft)
        column.addSpacing(14)
        column.addWidget(label(texts("settings.version", version=self._shown.version)))
        column.addWidget(label(texts["settings.promises"], tone="quiet", wrap=True))

    def _add_token(self, column: QVBoxLayout) -> None:
        """Add the field for the hub's token, which is never shown again."""
        texts, kept = self._texts, self._shown.settings.hub_token_kept
        title = label(texts["settings.token"])
        field = QLineEdit()
        field.setObjectName("tokenField")
        field.setProperty("dense", "true")
        field.setEchoMode(QLineEdit.EchoMode.Password)
        field.setAccessibleName(texts["settings.token"])
        field.setAccessibleDescription(texts["settings.token-help"])
        field.setFixedWidth(250)
        title.setBuddy(field)
        forget = button(texts["settings.token-forget"], "link", "forgetTokenButton")
        forget.setVisible(kept)
        about = texts["settings.token-kept" if kept else "settings.token-help"]
        said = label(about, tone="quiet", size=0.92, wrap=True)

        def give(token: str) -> None:
            self.token_given.emit(token)
            field.clear()
            forget.setVisible(bool(token))
            said.setText(texts["settings.token-kept" if token else "settings.token-help"])

        field.editingFinished.connect(lambda: give(field.text().strip()) if field.text() else None)
        forget.clicked.connect(lambda: give(""))
        line = QHBoxLayout()
        line.addWidget(title, 1)
        line.addWidget(field)
        column.addLayout(line)
        column.addWidget(said)
        column.addWidget(forget, 0, Qt.AlignmentFlag.AlignLeft)
        column.addSpacing(10)

    def _options(self, name: str, values: Sequence[str]) -> list[tuple[str, str]]:
        """Return the choices of a row with their words, the system's first."""
        own = [(value, self._texts[f"settings.{name}-{value}"]) for value in values]
        return [("", self._texts["settings.as-system"]), *own]

    def _keeps(self, name: str) -> Chosen:
        """Return what keeps a value under a name of the settings."""

        def keep(value: object) -> None:
            self.changed.emit(lambda settings: replace(settings, **{name: value}))

        return keep
