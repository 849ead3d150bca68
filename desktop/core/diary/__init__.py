"""The cost diary: what each session has cost, and what came of it."""
