"""Model files from a ModelScope hub: which files, from where, and whether they are right."""
