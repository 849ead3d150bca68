"""The conversation as it is read: a flat list of blocks that are laid out once and left alone."""
