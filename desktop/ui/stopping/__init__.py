"""The questions before something is stopped, and what was seen of it afterwards."""
