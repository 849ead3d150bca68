"""Conversations in the window: the list at the left, the one that is read, and where one writes."""
