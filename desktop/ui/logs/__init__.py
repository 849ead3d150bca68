"""The log of a host, as it grows."""
