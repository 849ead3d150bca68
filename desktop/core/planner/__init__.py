"""Whether a model fits on a host's cards, worked out on the laptop before anything is paid for."""
