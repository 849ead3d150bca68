"""The endpoint for other programs: where it is, its key, and what to paste where."""
