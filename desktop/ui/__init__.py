"""The PySide6 app: renders the events of the core and sends intents down."""

from desktop.ui.plain_imports import import_plainly

import_plainly()  # here, because it must come before every other import of the app
