"""Every screen of the window from scripted events; `python -m tests.helpers.screens DIR` draws.

The tests assert on what is shown; people look at the pictures, in both themes and languages.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QApplication, QDialog, QWidget

from desktop.core.errors import AgentRefused, AppError, ConnectionLost, ReplyFailed
from desktop.core.events import (
    Delta,
    Ended,
    Endpoint,
    Event,
    Fact,
    PhaseChanged,
    Progress,
    Ready,
    Reasoning,
    ReplyBroken,
    ReplyDone,
    ReplyStarted,
    Restarting,
    Retrying,
    TaskChanged,
    Usage,
)
from desktop.core.explain import Language
from desktop.core.phases import Phase
from desktop.core.ssh.prompts import HostKeyQuestion, SecretQuestion
from desktop.core.texts import Texts
from desktop.ui.app import application
from desktop.ui.dialogs import HostKeyDialog, SecretDialog
from desktop.ui.intents import Target
from desktop.ui.style import style_sheet
from desktop.ui.theme import Theme, palette
from desktop.ui.window import Window

MODEL = "01ai/Yi-34B-Chat-4bits"
TARGET = Target(
    host="root@connect.westb.seetacloud.com:12345",
    model=MODEL,
    host_text="ssh -p 12345 root@connect.westb.seetacloud.com",
)
NOBODY = Target(host="", model=MODEL)
ENDPOINT = Endpoint("http://127.0.0.1:8000/v1", "pk-secret", MODEL, 4096, "run", "0.19.1")
FINGERPRINT = "SHA256:p2QAMXNIC1TJYWeIOttrVc98/R1BUFWu3/LiyKgUfQM"


@dataclass
class RecordingIntents:
    """Intents that only remember what was asked; `problem` is what `start` answers."""

    calls: list[tuple[object, ...]] = field(default_factory=list)
    problem: AppError | None = None
    accepts: bool = True

    def start(self, host: str, model: str) -> AppError | None:
        self.calls.append(("start", host, model))
        return self.problem

    def retry(self) -> None:
        self.calls.append(("retry",))

    def stop(self) -> None:
        self.calls.append(("stop",))

    def send(self, text: str) -> bool:
        self.calls.append(("send", text))
        return self.accepts

    def cancel(self) -> None:
        self.calls.append(("cancel",))

    def quit(self) -> None:
        self.calls.append(("quit",))


@dataclass
class Clock:
    """A clock that goes when it is told to."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


# -- scripts -------------------------------------------------------------------------------------


A_4090 = {
    "gpu.count": 1,
    "gpu.0.name": "NVIDIA GeForce RTX 4090",
    "gpu.0.memory_total": 24 << 30,
    "gpu.0.memory_free": 24_114 << 20,
    "driver.version": "580.65.06",
    "driver.cuda_major": 13,
    "engine.requirement": "vllm==0.33.0",
}


def preparing() -> list[tuple[float, Event]]:
    """Connected and checked; both branches under way."""
    return [
        (0.0, PhaseChanged(Phase.CONNECTING)),
        (0.0, TaskChanged("connect", "running")),
        (1.4, TaskChanged("connect", "done")),
        (0.0, PhaseChanged(Phase.CHECKING)),
        (0.0, TaskChanged("deploy", "running")),
        (0.8, TaskChanged("deploy", "done")),
        (0.0, TaskChanged("preflight", "running")),
        *((0.0, Fact(name, value)) for name, value in A_4090.items()),
        (1.1, TaskChanged("preflight", "done")),
        (0.0, PhaseChanged(Phase.PREPARING)),
        (0.0, TaskChanged("engine-environment", "running")),
        (0.0, TaskChanged("hub-environment", "running")),
        (9.0, TaskChanged("hub-environment", "done")),
        (0.0, TaskChanged("model-files", "running")),
        (62.0, Progress("engine-environment", 3.1e9, 5.4e9, "bytes", "install", 4.5e7, 51.0)),
        (0.0, Progress("model-files", 7.24e9, 19.23e9, "bytes", "fetch", 6.2e7, 193.0)),
    ]


def restarting() -> list[tuple[float, Event]]:
    """The engine ran out of memory, and the host starts it again."""
    crash = AgentRefused("engine.out-of-memory")
    return [*ready(), (60.0, PhaseChanged(Phase.LOADING)), (0.0, Restarting(crash))]


def ended() -> list[tuple[float, Event]]:
    """The host stopped the model by itself."""
    return [*ready(), (1800.0, Ended("stopped", "idle")), (0.0, PhaseChanged(Phase.OFF))]


def loading() -> list[tuple[float, Event]]:
    """Both branches done; the engine loads."""
    return [
        *preparing(),
        (50.0, TaskChanged("engine-environment", "done")),
        (80.0, TaskChanged("model-files", "skipped")),
        (0.0, PhaseChanged(Phase.LOADING)),
        (0.0, TaskChanged("serve", "running")),
        (21.0, Progress("serve", 3, 7, "steps", "weights", None, 40.0)),
    ]


def ready() -> list[tuple[float, Event]]:
    """The model answers."""
    return [
        *loading(),
        (40.0, TaskChanged("serve", "done")),
        (0.0, PhaseChanged(Phase.READY)),
        (0.0, Ready(ENDPOINT)),
    ]


def failed() -> list[tuple[float, Event]]:
    """The download found no such model."""
    error = AgentRefused(
        "model.not-found",
        model="01ai/Yi-34B-Chat-4bit",
        hub="https://www.modelscope.cn",
        last_lines=[
            "[12:01:07] GET /api/v1/models/01ai/Yi-34B-Chat-4bit/revisions",
            "[12:01:07] 404 Not Found",
            "modelscope_hub.errors.NotExistError: the model does not exist, or is private",
        ],
    )
    return [
        *preparing(),
        (1.0, TaskChanged("model-files", "failed")),
        (0.0, PhaseChanged(Phase.FAILED, error)),
    ]


def reconnecting() -> list[tuple[float, Event]]:
    """The cable was cut while it prepared."""
    return [
        *preparing(),
        (0.0, PhaseChanged(Phase.RECONNECTING, ConnectionLost("connection-lost", host="host"))),
        (0.0, Retrying(3, 8.0)),
        (2.0, Progress("nobody", 0, None, "bytes")),
    ]


QUESTION = "Explain AWQ quantisation to me, 最好中英对照，并给一段可以直接运行的代码。"
REPLY = """\
## AWQ 量化：用 4 比特装下一个大模型

**AWQ**（Activation-aware Weight Quantization）的**核心思想：**并不是所有权重都同样重要。\
It keeps the *salient* 1 % of the weights accurate — found by looking at the **activations**, \
not at the weights — and quantises the rest to `int4`.

做法可以概括为三步：

1. **收集激活值**：用一小批校准数据跑一遍模型，记录每个通道的平均幅度；
2. **搜索缩放系数**：对重要的通道乘以 $s$，使它们在量化时损失更小：
   - 缩放之后再量化，误差按 $1/s$ 缩小；
   - 反向的缩放并入前一层，推理时没有额外开销；
3. **按组量化**：每 128 个权重共用一个 scale 和 zero point。

> 一句话：与其平均地损失一点精度，不如保护好真正重要的那 1%。

| 模型 | FP16 | AWQ 4-bit | 24 GB 显卡 |
| --- | ---: | ---: | :---: |
| Yi-6B-Chat | 12.1 GB | 4.0 GB | ✓ |
| Yi-34B-Chat | 68.8 GB | 19.2 GB | ✓ |
| Qwen2.5-72B | 145.4 GB | 41.6 GB | 两张卡 |

A few lines are enough to try it:

```python
from openai import OpenAI

client = OpenAI(base_url="http://127.0.0.1:8000/v1", api_key="pk-…")
reply = client.chat.completions.create(
    model="01ai/Yi-34B-Chat-4bits",
    messages=[{"role": "user", "content": "用一句话介绍纸鸢。"}],  # 中文注释也要对齐
    stream=True,
)
for chunk in reply:
    print(chunk.choices[0].delta.content or "", end="", flush=True)
```

更多细节见 [论文](https://arxiv.org/abs/2306.00978)，"""


def talking() -> list[tuple[float, Event]]:
    """A finished exchange, and a long mixed reply that streams."""
    first = [Delta(1, "纸鸢就是风筝：竹骨为架，薄纸为面，一线牵着，便能上天。")]
    pieces = [REPLY[at : at + 7] for at in range(0, len(REPLY), 7)]
    return [
        (0.0, ReplyStarted(1)),
        *((0.03, event) for event in first),
        (0.0, ReplyDone(1, "stop", Usage(21, 26), 0.31, 41.7)),
        (0.0, ReplyStarted(2)),
        *((0.03, Delta(2, piece)) for piece in pieces),
    ]


def broken() -> list[tuple[float, Event]]:
    """A reply with reasoning that the network cut."""
    return [
        (0.0, ReplyStarted(3)),
        (0.1, Reasoning(3, "The user asks for a haiku.\nKite, string, wind.")),
        (0.1, Delta(3, "一线牵云影，\n春风")),
        (0.1, ReplyBroken(3, ReplyFailed("reply-interrupted", detail="connection reset"))),
    ]


# -- scenes --------------------------------------------------------------------------------------


@dataclass
class Stage:
    """A window, what it asks for, and the clock it goes by."""

    window: Window
    intents: RecordingIntents
    clock: Clock
    theme: Theme
    texts: Texts

    def play(self, script: list[tuple[float, Event]]) -> None:
        """Let every event come at its time, each as a batch of its own."""
        for wait, event in script:
            self.clock.now += wait
            self.window.apply([event])

    def say(self, text: str) -> None:
        """Type a message and send it."""
        editor = self.window._composer.editor
        editor.setPlainText(text)
        editor.submitted.emit()


def set_stage(language: Language, theme: str, target: Target = TARGET) -> Stage:
    """Return a new window in this language and theme, not shown yet."""
    qt = application()
    look = Theme(theme)
    qt.setPalette(palette(look.colours))
    qt.setStyleSheet(style_sheet(look.colours))
    intents, clock, texts = RecordingIntents(), Clock(), Texts(language)
    return Stage(Window(intents, look, texts, target, clock), intents, clock, look, texts)


def _talk(stage: Stage) -> None:
    stage.play(ready())
    stage.say("用一句话介绍纸鸢。")
    script = talking()
    second = next(at for at, (_, event) in enumerate(script) if event == ReplyStarted(2))
    stage.play(script[:second])
    stage.say(QUESTION)
    stage.play(script[second:])


def _top(stage: Stage) -> None:
    _talk(stage)
    stage.window.show()
    QApplication.processEvents()
    stage.window._conversation.transcript.verticalScrollBar().setValue(0)


def _broken(stage: Stage) -> None:
    stage.play(ready())
    stage.say("写一首关于风筝的俳句。")
    stage.play(broken())
    error = ConnectionLost("connection-lost", host="connect.westb.seetacloud.com")
    stage.play([(0.0, PhaseChanged(Phase.RECONNECTING, error)), (0.0, Retrying(2, 4.0))])


SCENES: dict[str, tuple[Target, Callable[[Stage], None]]] = {
    "first-run": (NOBODY, lambda stage: None),
    "off": (TARGET, lambda stage: None),
    "preparing": (TARGET, lambda stage: stage.play(preparing())),
    "loading": (TARGET, lambda stage: stage.play(loading())),
    "reconnecting": (TARGET, lambda stage: stage.play(reconnecting())),
    "failed": (TARGET, lambda stage: stage.play(failed())),
    "restarting": (TARGET, lambda stage: stage.play(restarting())),
    "ended": (TARGET, lambda stage: stage.play(ended())),
    "ready": (TARGET, lambda stage: stage.play(ready())),
    "talking": (TARGET, _talk),
    "talking-top": (TARGET, _top),
    "broken": (TARGET, _broken),
}
DIALOGS: dict[str, Callable[[QWidget, Texts], QDialog]] = {
    "host-key": lambda parent, texts: HostKeyDialog(
        parent,
        texts,
        HostKeyQuestion("connect.westb.seetacloud.com", 12345, "ssh-ed25519", FINGERPRINT),
    ),
    "password": lambda parent, texts: SecretDialog(
        parent,
        texts,
        SecretQuestion("password", "root", "connect.westb.seetacloud.com", 12345, wrong=True),
        may_remember=True,
    ),
}


def close(stage: Stage) -> None:
    """Delete the window now, not when the loop next runs."""
    stage.window.hide()
    stage.window.deleteLater()
    QApplication.sendPostedEvents(stage.window, QEvent.Type.DeferredDelete)


def draw(folder: Path, size: tuple[int, int] = (980, 760), only: str = "") -> list[Path]:
    """Draw every scene and dialog in both themes and languages; returns the files."""
    folder.mkdir(parents=True, exist_ok=True)
    drawn = []
    languages: tuple[Language, ...] = ("zh", "en")
    for language in languages:
        for theme in ("light", "dark"):
            for name, (target, play) in SCENES.items():
                if only and only != name:
                    continue
                stage = set_stage(language, theme, target)
                stage.window.resize(*size)
                stage.window.show()
                play(stage)
                QApplication.processEvents()
                drawn.append(folder / f"{name}-{language}-{theme}.png")
                stage.window.grab().save(str(drawn[-1]))
                close(stage)
            for name, make in DIALOGS.items():
                if only and only != name:
                    continue
                stage = set_stage(language, theme)
                dialog = make(stage.window, stage.texts)
                dialog.show()
                QApplication.processEvents()
                drawn.append(folder / f"{name}-{language}-{theme}.png")
                dialog.grab().save(str(drawn[-1]))
                close(stage)
    return drawn


if __name__ == "__main__":
    keep = application()
    draw(Path(sys.argv[1]), only=sys.argv[2] if len(sys.argv) > 2 else "")
