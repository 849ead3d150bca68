"""The monitor: what a host does just now, and did in the last hour."""
