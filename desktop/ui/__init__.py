"""The PySide6 app: renders the events of the core and sends intents down."""
