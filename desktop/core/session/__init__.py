"""The story from a click to ready, and its phases."""
