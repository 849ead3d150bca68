"""The command line: the same intents as the app, from a terminal."""
