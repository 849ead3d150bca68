"""A program that starts, talks and fails like vLLM's server, for the tests of `serve`.

    toy_engine.py BEHAVIOUR serve MODEL --port N --max-model-len L …

BEHAVIOUR: `good`; `taken` and `taken-thrice` (the first port is in use, or three are),
`taken-always`; `deaf` (another program listens first on its first port, and it does not notice),
`deaf-always`; `late` (answers when it has worked for a while); `long` (only 2048 fits); `oom`;
`dies`; `silent` (neither a word nor an answer); `waits` (says for ever that it waits); `busy`
(another holds the card's memory, the first time); `hangs` (fails, and does not end); `slow` (dies
once, well on its way); `joins` (a node without HTTP). It writes its argv and API key beside itself.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

behaviour, argv = sys.argv[1], sys.argv[2:]
port = int(argv[argv.index("--port") + 1])
length = argv[argv.index("--max-model-len") + 1]
note = Path(argv[1]) / "starts.jsonl"
with note.open("a") as file:
    file.write(json.dumps({"argv": argv, "key": os.environ.get("VLLM_API_KEY")}) + "\n")
starts = len(note.read_text().splitlines())

WRAPPER = "RuntimeError: Engine core initialization failed. See root cause above. Failed: {}"


def end(*lines: str) -> None:
    for line in (*lines, WRAPPER):
        print(line, flush=True)
    sys.exit(1)


MODEL = {"id": argv[argv.index("--served-model-name") + 1], "max_model_len": 4096}


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        allowed = self.headers.get("Authorization") == "Bearer " + os.environ["VLLM_API_KEY"]
        answers = {
            "/health": (200, b""),
            "/version": (200, b'{"version": "0.32.0"}'),
            "/v1/models": (200 if allowed else 401, json.dumps({"data": [MODEL]}).encode()),
        }
        status, body = answers.get(self.path, (404, b""))
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if behaviour == "silent":
    time.sleep(600)
print("(Worker pid=1) INFO 11-22 22:25:40 [x.py:1] Starting to load model /m...", flush=True)
if starts <= {"taken": 1, "taken-thrice": 3, "taken-always": 99}.get(behaviour, 0):
    end("OSError: [Errno 98] Address already in use")
if behaviour == "long" and length != "2048":
    end(
        "ValueError: To serve at least one request with the model's max seq len (8192), (2.0 GiB "
        "KV cache is needed, which is larger than the available memory (0.5 GiB). Based on "
        "the available memory, the estimated maximum model length is 2048."
    )
if behaviour == "oom":
    end("torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB.", "  frame #1")
if behaviour == "dies":
    end("(EngineCore pid=7) ERROR 11-22 22:25:40 [core.py:1] KeyError: 'no such layer'", "tail")
if behaviour == "busy" and starts == 1:
    end(
        "ValueError: Free memory on device (12.0/24.0 GiB) on startup is less than desired GPU "
        "memory utilization (0.9, 21.6 GiB). Decrease GPU memory utilization"
    )
if behaviour == "hangs":
    print("(EngineCore pid=7) ERROR 11-22 22:25:40 [core.py:1] EngineCore failed to start.")
    print("RuntimeError: Could not find nvcc", flush=True)
    time.sleep(600)
if behaviour == "slow" and starts == 1:
    print("Capturing CUDA graphs (decode, FULL):  50%|##| 1/2", flush=True)
    time.sleep(0.2)
    end("AssertionError: Error in memory profiling. Initial free memory 1.0 GiB, current 2.0")
while behaviour == "waits":
    print(
        "(EngineCore pid=9) INFO 08-13 11:27:02 [shm_broadcast.py:802] No available shared memory "
        "broadcast block found in 60 seconds. This typically happens when some processes are "
        "hanging or doing some time-consuming work (e.g. compilation).",
        flush=True,
    )
    time.sleep(0.01)
if behaviour == "joins":
    print(
        "(Worker pid=1) INFO 11-22 22:25:40 [p.py:1] world_size=2 rank=1 local_rank=0", flush=True
    )
    print("(Worker pid=1) INFO 11-22 22:25:41 [p.py:1] rank 1 in world size 2 is assigned as DP")
    sys.stdout.flush()
    time.sleep(600)
print("INFO:     Application startup complete.", flush=True)
if starts <= {"deaf": 1, "deaf-always": 99}.get(behaviour, 0):
    with socket.socket() as ours, socket.socket() as others:
        for each in (ours, others):  # as long as nobody listens, both may bind
            each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            each.bind(("127.0.0.1", port))
        others.listen()
        try:
            ours.listen()
        except OSError:  # uvloop says nothing of it
            time.sleep(600)
while behaviour == "late" and time.process_time() < 1:
    pass
HTTPServer(("127.0.0.1", port), Handler).serve_forever()
