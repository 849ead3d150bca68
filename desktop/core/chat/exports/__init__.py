"""Conversations as files that leave Paperkite, and come in."""
