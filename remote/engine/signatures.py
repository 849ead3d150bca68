"""What the engine's last words mean: one table, most telling first, from a line to a code.

The wording is vLLM's of 0.6 to 0.33 (and torch's, NCCL's, Triton's below it); measured or read at
the source, see the facts' "errors to translate". Many wordings share a code: a person needs to know
what to do, not which of five places in the engine noticed.

Named groups are the facts: digits become integers, decimals floats. Every pattern is linear: no
repetition stands beside another that can match the same characters, and all are bounded.
"""

import re
from typing import Dict, NamedTuple, Optional, Pattern, Sequence, Tuple, Union

# What we try by ourselves; `remedies` knows how.
NEXT_PORT = "next-port"
LISTEN_AGAIN = "listen-again"
NAMED_LENGTH = "named-length"
LESS_MEMORY = "less-memory"
SAME_AGAIN = "same-again"
FEWER_SEQUENCES = "fewer-sequences"
WITHOUT_NVCC = "without-nvcc"
EAGER = "eager"
HALF = "half"
PLAIN_CACHE = "plain-cache"
WITHOUT_ARGUMENT = "without-argument"

PORT_TAKEN = "engine.port-taken"

Fact = Union[int, float, str]


class Signature(NamedTuple):
    """One wording, and what it means.

    Attributes:
        pattern: searched in one line.
        code: one of PROTOCOL.md's.
        remedy: what is tried once before it becomes a failure, "" for nothing.
    """

    pattern: Pattern[str]
    code: str
    remedy: str = ""


class Found(NamedTuple):
    """What a log says: the line, its meaning and its facts."""

    line: int  # index
    code: str
    remedy: str
    facts: Dict[str, Fact]


_PATH = "(?P<path>[^'\"`]{1,200})"
_GIB = r"\d{1,9}(?:\.\d{1,4})?"
_SIZE = _GIB + " [KMG]iB"


def _says(code: str, pattern: str, remedy: str = "") -> Signature:
    return Signature(re.compile(pattern), code, remedy)


# The order decides where a log has several: what is certain and outside the engine comes first.
TABLE: Tuple[Signature, ...] = (
    # -- what it was told
    _says(
        "engine.bad-argument",
        r"error: unrecognized arguments?: (?P<argument>.{1,200})",
        WITHOUT_ARGUMENT,
    ),
    _says("engine.bad-argument", r"error: argument (?P<argument>[^:]{1,100}): "),
    _says(
        "engine.bad-argument",
        r"error: (?P<argument>(?:the following arguments|ambiguous option).{1,120})",
    ),
    _says(
        "engine.bad-argument",
        r"chat template string \((?P<argument>[^)]{1,200})\) appears path-like, but doesn't exist",
    ),
    _says("engine.bad-argument", r"(?P<argument>(?:Reasoning|Tool) parser '[^']{1,80}') not found"),
    _says("engine.bad-argument", r"invalid (?P<argument>(?:reasoning|tool call) parser)"),
    # -- the port, the disk
    _says(PORT_TAKEN, r"\[Errno 98\]|[Aa]ddress already in use|EADDRINUSE", NEXT_PORT),
    _says(
        "engine.shared-memory",
        r"Insufficient space in /dev/shm for .{1,100}?: (?P<needed_mib>\d{1,9}) MiB required, "
        r"(?P<free_mib>\d{1,9}) MiB free",
    ),
    _says(
        "engine.shared-memory",
        r"Error while (?:creating|attaching to) shared memory segment /dev/shm/nccl|"
        r"No space left on device: '/(?:dev/shm/)?(?:nccl|psm|torch|sem)|Bus error",
    ),
    _says("engine.disk-full", r"\[Errno 28\]|No space left on device|Disk quota exceeded"),
    _says("engine.disk-full", r"\[Errno 122\]|os error 28"),
    _says("engine.not-writable", r"\[Errno 30\] Read-only file system(?:: '%s)?" % _PATH),
    _says("engine.not-writable", r"\[Errno 13\] Permission denied(?:: '%s)?" % _PATH),
    # -- the driver and the build
    _says(
        "engine.driver-too-old",
        r"driver on your system is too old \(found version (?P<found>\d{4,6})\)",
    ),
    _says(
        "engine.driver-too-old",
        r"provided PTX was compiled with an unsupported toolchain|"
        r"CUDA driver version is insufficient for CUDA runtime version",
    ),
    _says(
        "engine.driver-too-old",
        r"Error 80[34]:|forward compatibility was attempted on non supported HW|"
        r"unsupported display driver / cuda driver combination",
    ),
    _says(
        "engine.no-device",
        r"Failed to infer device type|No CUDA GPUs are available|"
        r"no CUDA-capable device is detected|Found no NVIDIA driver on your system|"
        r"CUDA initialization is blocked|CUDA unknown error|NVMLError_|NVML Shared Library",
    ),
    _says(
        "engine.wrong-build",
        r"(?P<library>lib[\w.+-]{1,60}\.so[.\d]{0,12}): cannot open shared object file",
    ),
    _says("engine.wrong-build", r"undefined symbol: (?P<library>\w{1,200})"),
    _says("engine.wrong-build", r"version `(?P<library>GLIBC(?:XX)?_[\d.]{1,12})' not found"),
    _says("engine.wrong-build", r"no kernel image is available for execution"),
    _says(
        "engine.wrong-build",
        r"operator torchvision::nms does not exist|Could not load this library: ",
    ),
    _says(
        "engine.wrong-build",
        r"requires the (?P<library>protobuf|SentencePiece) library|"
        r"(?:install|need|requires?) `?(?:sentencepiece|tiktoken|protobuf)",
    ),
    _says(
        "engine.wrong-build",
        r"No module named '(?!transformers_modules)(?P<library>[\w.]{1,100})'",
    ),
    _says("engine.wrong-build", r"cannot import name '(?P<library>\w{1,100})' from "),
    # -- compilers
    _says(
        "engine.no-compiler",
        r"Could not find nvcc|nvcc: (?:command )?not found|No such file or directory: 'nvcc'|"
        r"CUDA compiler and CUDA toolkit headers are incompatible|nvcc fatal|"
        r"CUDA_HOME environment variable is not set",
        WITHOUT_NVCC,
    ),
    _says(
        "engine.no-compiler",
        r"Ninja is required|No such file or directory: 'ninja'|ninja: (?:command )?not found|"
        r"\['ninja'.{0,400}returned non-zero exit status|Ninja build failed",
        WITHOUT_NVCC,
    ),
    _says(
        "engine.no-compiler",
        r"Failed to find C compiler|InvalidCxxCompiler|No working C\+\+ compiler found|"
        r"Python\.h: No such file|No such file or directory: '(?:gcc|g\+\+|cc|c\+\+|clang)'",
        EAGER,
    ),
    # -- the cards' memory
    _says(
        "engine.card-busy",
        r"Free memory on device[^(]{0,40}\((?P<free_gib>%s)/(?P<total_gib>%s) GiB\) on startup "
        r"is less than desired GPU memory utilization" % (_GIB, _GIB),
        LESS_MEMORY,
    ),
    _says(
        "engine.card-busy",
        r"Error in memory profiling(?:\. Initial free memory (?P<free_gib>%s))?" % _GIB,
        SAME_AGAIN,
    ),
    _says(
        "engine.length-does-not-fit",
        r"the models?'s max seq len \((?P<asked>\d{1,9})\).{1,300}"
        r"estimated maximum model length is (?P<fits>\d{1,9})",
        NAMED_LENGTH,
    ),
    _says(
        "engine.length-does-not-fit",
        r"model's max seq len \((?P<asked>\d{1,9})\) is larger than the maximum number of tokens "
        r"that can be stored in KV cache \((?P<fits>\d{1,9})\)",
        NAMED_LENGTH,
    ),
    _says(
        "engine.length-does-not-fit",
        r"User-specified max_model_len \((?P<asked>\d{1,9})\) is greater than the derived "
        r"max_model_len \(\w{1,60}=(?P<fits>\d{1,9})",
    ),
    _says(
        "engine.out-of-memory",
        r"CUDA out of memory occurred when warming up sampler with (?P<sequences>\d{1,6}) dummy",
        FEWER_SEQUENCES,
    ),
    _says(
        "engine.out-of-memory",
        r"CUDA out of memory\. Tried to allocate (?P<tried>%s)\. GPU (?P<card>\d{1,3}) has a total "
        r"capac\w{1,5} of (?P<total>%s) of which (?P<free>%s) is free" % (_SIZE, _SIZE, _SIZE),
        FEWER_SEQUENCES,
    ),
    _says(
        "engine.out-of-memory",
        r"CUDA out of memory|OutOfMemoryError|CUDA error: out of memory|"
        r"CUDA_ERROR_OUT_OF_MEMORY|CUBLAS_STATUS_ALLOC_FAILED|not enough GPU memory|"
        r"No available memory for the cache blocks",
        FEWER_SEQUENCES,
    ),
    _says(
        "engine.out-of-memory",
        r"the models?'s max seq len \((?P<asked>\d{1,9})\)|Cannot auto-fit max_model_len",
    ),
    # -- the host's memory
    _says(
        "engine.host-memory",
        r"died unexpectedly \(exit code: -9\)|oom[-_]kill|Out of memory: Killed process|^Killed$|"
        r"[Cc]annot allocate memory|std::bad_alloc|DefaultCPUAllocator|^MemoryError|"
        r"failed to map segment from shared object|less than desired CPU memory utilization|"
        r"can't start new thread|pthread_create failed",
    ),
    # -- several cards
    _says(
        "engine.cards-do-not-divide",
        r"attention heads \((?P<heads>\d{1,5})\) must be divisible by tensor parallel size "
        r"\((?P<cards>\d{1,4})\)",
    ),
    _says(
        "engine.cards-do-not-divide",
        r"World size \((?P<cards>\d{1,4})\) is larger than the number of available GPUs "
        r"\((?P<available>\d{1,4})\)",
    ),
    _says(
        "engine.cards-do-not-divide",
        r"is not divisible by group_size|not aligned with the quantized weight shape|"
        r"^AssertionError: \d{1,9} is not divisible by \d{1,4}$|invalid device ordinal|"
        r"Not enough allowed NUMA nodes",
    ),
    _says(
        "engine.cards-cannot-talk",
        r"NCCL error|nccl(?:System|Internal|UnhandledCuda|Remote)Error|"
        r"Gloo connectFullMesh failed|DistNetworkError|wait timeout after \d",
    ),
    # -- the model
    _says(
        "model.needs-code",
        r"trust_remote_code=True|--trust-remote-code|transformers_modules",
    ),
    _says("engine.files-damaged", r"Cannot find any model weights with [`']%s" % _PATH),
    _says(
        "engine.files-damaged",
        r"Error while deserializing header|MetadataIncompleteBuffer|HeaderTooSmall|InvalidHeader|"
        r"unpack requires a buffer of|Weight files referenced in index but missing|"
        r"PytorchStreamReader failed|size mismatch for |"
        r"Attempted to load weight \(|Following weights were not initialized|"
        r"exceeds dimension size|There is no module or parameter named",
    ),
    _says(
        "engine.files-damaged",
        r"ensure the presence of a 'config\.json'|is not a valid JSON file|JSONDecodeError|"
        r"Repo id must be in the form|LocalEntryNotFoundError|401 Client Error|"
        r"No such file or directory: .{0,300}\.(?:safetensors|json|model)\b",
    ),
    _says(
        "engine.files-damaged",
        r"Can't load tokenizer for|Couldn't instantiate the backend tokenizer|"
        r"Unable to load vocabulary|Error parsing line b'|data did not match any variant|"
        r"is not the path to a directory containing a file named",
    ),
    _says(
        "engine.not-supported",
        r"Model architectures \[(?P<what>[^\]]{1,200})\] (?:are not supported|failed)",
    ),
    _says(
        "engine.not-supported",
        r"model type `(?P<what>[\w.-]{1,80})` but Transformers does not recognize",
    ),
    _says(
        "engine.not-supported",
        r"torch\.bfloat16 is not supported for quantization method (?P<what>\w{1,40})|"
        r"Bfloat16 is only supported on GPUs with compute capability",
        HALF,
    ),
    _says(
        "engine.not-supported",
        r"method specified in the model config \((?P<what>\w{1,40})\) does not match",
    ),
    _says(
        "engine.not-supported",
        r"Unknown quantization method: (?P<what>[\w-]{1,40})|"
        r"[Qq]uantization method (?P<method>[\w-]{1,40}) is not (?:currently )?supported|"
        r"Cannot find any of \[.{1,100}\] in the model's quantization config",
    ),
    _says(
        "engine.not-supported",
        r"output must have the same dtype as inputs\. For FP8 input|"
        r"type fp8e4nv not supported in this architecture|No valid attention backend found|"
        r"(?:[Kk][Vv].?cache|kv_cache_dtype).{0,120}not supported",
        PLAIN_CACHE,
    ),
    _says("engine.bad-argument", r"^(?P<argument>[\w.]{1,80}): (?:Input|Value|Field) "),
    _says("engine.bad-argument", r"validation errors? for (?P<argument>\w{1,60})$"),
)

_INTEGER = re.compile(r"\d{1,18}")
_DECIMAL = re.compile(r"\d{1,9}\.\d{1,9}")


def find(lines: Sequence[str]) -> Optional[Found]:
    """Return what the most telling line means, or None where no line is known.

    Args:
        lines: of the log, in their order, without prefixes.
    """
    for signature in TABLE:
        for index, line in enumerate(lines):
            match = signature.pattern.search(line)
            if match:
                return Found(index, signature.code, signature.remedy, _facts(match.groupdict()))
    return None


def _facts(groups: Dict[str, Optional[str]]) -> Dict[str, Fact]:
    return {name: _value(text.strip()) for name, text in groups.items() if text}


def _value(text: str) -> Fact:
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _DECIMAL.fullmatch(text) else text[:200]
