"""The string: destination, host keys, connection and local forward."""
