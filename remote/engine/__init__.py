"""vLLM on the host: which build, which command line, what its log says, why it ended."""
