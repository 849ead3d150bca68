"""The cost diary on screen."""
