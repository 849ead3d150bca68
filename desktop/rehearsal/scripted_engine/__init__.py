"""A stand-in for `vllm serve`: the same command line, log lines and HTTP, and no model behind it.

It is run as an archive of its own (Python 3.8, standard library only) where vLLM cannot be had, and
by tests that need an engine in half a second. What it logs, answers and refuses was taken from
vLLM 0.32.0; its replies say that they come from no model.
"""

VERSION = "0.32.0+scripted"
