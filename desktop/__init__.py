"""Paperkite on the laptop: the tray app and the command line over one Qt-free core."""

__version__ = "0.1.0"
