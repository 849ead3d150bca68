"""The settings: pages of rows, each of which is kept as soon as it is changed."""
