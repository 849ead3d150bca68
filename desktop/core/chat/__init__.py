"""Streaming replies from the forwarded endpoint."""
