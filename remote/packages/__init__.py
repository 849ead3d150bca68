"""Environments on the host: which Python, which installer, whose mirrors, what is there."""
