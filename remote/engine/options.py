"""Reading vLLM's command-line options among the arguments that the user wrote.

vLLM takes `--max-model-len 1`, `--max-model-len=1`, `--max_model_len=1` and `--no-…` of a switch.
"""

from typing import Optional, Sequence, Tuple

Option = Tuple[str, ...]  # a name and its values

_LONG = {
    "-tp": "--tensor-parallel-size",
    "-pp": "--pipeline-parallel-size",
    "-q": "--quantization",
    "-n": "--nnodes",
    "-r": "--node-rank",
    "-O": "--optimization-level",
}


def name(argument: str) -> str:
    """Return the long name of the option that an argument is, "" where it is none."""
    if not argument.startswith("-"):
        return ""
    option = argument.partition("=")[0].replace("_", "-")
    return _LONG.get(option, option).replace("--no-", "--", 1)


def is_given(arguments: Sequence[str], option: str) -> bool:
    """Tell whether the user set an option, in whatever spelling."""
    return any(name(argument) == option for argument in arguments)


def value(arguments: Sequence[str], option: str) -> Optional[str]:
    """Return what the user set an option to, the last one; None where it is not there."""
    found = None
    for index, argument in enumerate(arguments):
        if name(argument) == option:
            _, given, behind = argument.partition("=")
            found = behind if given else next(iter(arguments[index + 1 : index + 2]), "")
    return found


def number(arguments: Sequence[str], option: str) -> Optional[float]:
    """Return a positive number that the user set an option to, else None."""
    try:
        found = float(value(arguments, option) or "")
    except ValueError:
        return None
    return found if 0 < found < 1e9 else None
