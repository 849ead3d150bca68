"""The choice of a model for a host: what fits its card, said before anything is downloaded."""
