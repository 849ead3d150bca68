"""The window from scripted events: what the tests assert on, and what people see in pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QApplication, QWidget

from desktop.core.diary.entry import About
from desktop.core.errors import (
    AgentRefused,
    AppError,
    AuthenticationFailed,
    ConnectionLost,
    HostKeyChanged,
    HostUnreachable,
    ReplyFailed,
)
from desktop.core.events import (
    Counted,
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
    ReplyEvent,
    ReplyStarted,
    Restarting,
    Retrying,
    TaskChanged,
    Usage,
)
from desktop.core.explain import Language
from desktop.core.last_checks import LastCheck
from desktop.core.phases import Phase
from desktop.core.redaction import redact
from desktop.core.report import Story, report
from desktop.core.texts import Texts
from desktop.ui.intents import Chosen, HostKey, Target
from desktop.ui.theme import Theme
from desktop.ui.window import Window
from tests.helpers.ledger import Ledger
from tests.helpers.scenes import Look, Picture, dress, settle
from tests.helpers.talk import Talk

MODEL = "01ai/Yi-34B-Chat-4bits"
TARGET = Target(
    host="root@connect.westb.seetacloud.com:12345",
    model=MODEL,
    host_text="ssh -p 12345 root@connect.westb.seetacloud.com",
    name="westb-12345",
)
RENTED = replace(TARGET, rate=1.98, currency="CNY")
OTHER = Target(
    host="root@ssh5.vast.ai:31022",
    model="Qwen/Qwen2.5-7B-Instruct-AWQ",
    host_text="ssh -p 31022 root@ssh5.vast.ai",
    name="两张 A100",
    notes=("bindaddress 10.0.0.7",),
)
THIRD = Target(host="lab", model=MODEL, host_text="lab", name="lab")
NOBODY = Target(host="", model=MODEL)
ENDPOINT = Endpoint(
    "http://127.0.0.1:41234/v1",
    "pk-secret",
    MODEL,
    4096,
    "run",
    "0.19.1",
    shared_url="http://127.0.0.1:8000/v1",
)
FINGERPRINT = "SHA256:p2QAMXNIC1TJYWeIOttrVc98/R1BUFWu3/LiyKgUfQM"


@dataclass
class RecordingHost:
    """What was asked of one host.

    Attributes:
        calls: in order.
        problem: what `start`, `survey` and `move` answer.
        checked: what was last found out about it.
    """

    calls: list[tuple[object, ...]]
    problem: AppError | None = None
    checked: LastCheck | None = None

    def start(self, host: str, chosen: Chosen) -> AppError | None:
        self.calls.append(("start", host, chosen))
        return self.problem

    def survey(self, host: str, chosen: Chosen) -> AppError | None:
        self.calls.append(("survey", host, chosen))
        return self.problem

    def last_check(self) -> LastCheck | None:
        return self.checked

    def move(self, text: str) -> AppError | None:
        self.calls.append(("move", text))
        return self.problem

    def trust(self, fingerprint: str) -> None:
        self.calls.append(("trust", fingerprint))

    def retry(self) -> None:
        self.calls.append(("retry",))

    def tidy(self) -> None:
        self.calls.append(("tidy",))

    def follow_log(self, *, wanted: bool) -> None:
        self.calls.append(("follow_log", wanted))

    def report(self, story: Story) -> str:
        self.calls.append(("report", story))
        return report(story)

    def redacted(self, text: str) -> str:
        return redact(text)

    def stop(self, *, power_off: bool = False) -> None:
        self.calls.append(("stop", "power off") if power_off else ("stop",))


@dataclass
class RecordingIntents:
    """Intents that only remember what was asked, of the app and of the first host.

    Attributes:
        hosts: what was asked of each host.
        calls: the same of the first one, and what was asked of the app.
        problem: what `add` answers.
        on_removed: does what the app does once a host is forgotten.
    """

    hosts: dict[HostKey, RecordingHost] = field(default_factory=dict)
    calls: list[tuple[object, ...]] = field(default_factory=list)
    problem: AppError | None = None
    on_removed: Callable[[HostKey], None] = lambda _key: None

    def host(self, key: HostKey) -> RecordingHost:
        calls = [] if self.hosts else self.calls
        return self.hosts.setdefault(key, RecordingHost(calls))

    def add(self, host: str, chosen: Chosen, *, survey: bool = False) -> HostKey | AppError:
        self.calls.append(("survey" if survey else "add", host, chosen))
        return self.problem or next(iter(self.hosts))

    def remove(self, key: HostKey) -> None:
        self.calls.append(("remove", key))
        self.on_removed(key)

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
        (0.0, ReplyStarted(1)),
        (0.1, Reasoning(1, "The user asks for a haiku.\nKite, string, wind.")),
        (0.1, Delta(1, "一线牵云影，\n春风")),
        (0.1, ReplyBroken(1, ReplyFailed("reply-cut", detail="connection reset"))),
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
    talk: Talk
    ledger: Ledger = field(default_factory=lambda: Ledger(lambda: 0.0))

    def play(self, script: list[tuple[float, Event]], target: Target | None = None) -> None:
        """Let every event of a host come at its time, each as a batch of its own."""
        key = key_of(target) if target else next(iter(self.window.panes), HostKey(""))
        for wait, event in script:
            self.clock.now += wait
            if isinstance(event, ReplyEvent | Counted):
                self.window.desk.hear([event])
            else:
                shown = self.window.panes[key].target
                about = About(shown.model, shown.rate, shown.currency)
                self.ledger.hear(key, about, event)
                self.window.apply(key, [event])

    def say(self, text: str) -> None:
        """Type a message to the host in front and send it."""
        editor = self.window.desk.composer.editor
        editor.setPlainText(text)
        editor.submitted.emit()


def key_of(target: Target) -> HostKey:
    return HostKey(target.name)


def set_stage(language: Language, theme: str, *targets: Target) -> Stage:
    """Return a new window in this language and theme, not shown yet; the first host is in front."""
    look = dress(theme)
    intents, clock, texts = RecordingIntents(), Clock(), Texts(language)
    talk = Talk.begin()
    ledger = Ledger(clock)
    window = Window(
        intents,
        look,
        texts,
        talk.chats,
        talk.remembered,
        MODEL,
        clock=clock,
        wall=clock,
        entry=ledger.entry,
    )
    intents.on_removed = window.remove_host
    window.stopping.connect(window.stop)
    hosts = [target for target in targets or (TARGET,) if target.name]
    for target in hosts:
        window.show_target(key_of(target), target)
    if hosts:
        window.show_host(key_of(hosts[0]))
    else:
        window.show_adding()
    return Stage(window, intents, clock, look, texts, talk, ledger)


def talk(stage: Stage) -> None:
    """Have an exchange, and a second reply that streams."""
    stage.play(ready())
    stage.say("用一句话介绍纸鸢。")
    script = talking()
    second = next(at for at, (_, event) in enumerate(script) if event == ReplyStarted(2))
    stage.play(script[:second])
    stage.say(QUESTION)
    stage.play(script[second:])


def _top(stage: Stage) -> None:
    talk(stage)
    stage.window.show()
    QApplication.processEvents()
    stage.window.desk.transcript.verticalScrollBar().setValue(0)


def _broken(stage: Stage) -> None:
    stage.play(ready())
    stage.say("写一首关于风筝的俳句。")
    stage.play(broken())
    error = ConnectionLost("connection-lost", host="connect.westb.seetacloud.com")
    stage.play([(0.0, PhaseChanged(Phase.RECONNECTING, error)), (0.0, Retrying(2, 4.0))])


def _open_switcher(stage: Stage) -> None:
    for other in (OTHER, THIRD):
        stage.window.show_target(key_of(other), other)
    talk(stage)
    stage.play([*ready(), (0.0, PhaseChanged(Phase.RECONNECTING, LOST))], OTHER)
    stage.clock.now += 3 * 3600
    stage.window._follow()
    stage.window.show()
    stage.window._header.switcher.open()


def refused() -> list[tuple[float, Event]]:
    """The host was powered off while the model answered, and has another port by now."""
    error = HostUnreachable("host-refused", host="connect.westb.seetacloud.com", port=12345)
    return [
        *ready(),
        (60.0, PhaseChanged(Phase.RECONNECTING, error)),
        (0.0, Retrying(4, 8.0, error, None, asks=True)),
    ]


def _refused_while_talking(stage: Stage) -> None:
    talk(stage)
    stage.play([(1.0, ReplyDone(2, "stop", None, None, None)), *refused()[-2:]])


def talked_and_failed(stage: Stage, error: AppError) -> None:
    """Have an exchange, and lose the host to this error."""
    talk(stage)
    stage.play(
        [(1.0, ReplyDone(2, "stop", None, None, None)), (0.0, PhaseChanged(Phase.FAILED, error))]
    )


def wrong_password() -> list[tuple[float, Event]]:
    """The host took our key no longer."""
    error = AuthenticationFailed(
        "authentication-failed", host="connect.westb.seetacloud.com", port=12345, user="root"
    )
    return [
        (0.0, PhaseChanged(Phase.CONNECTING)),
        (0.0, TaskChanged("connect", "running")),
        (1.0, PhaseChanged(Phase.FAILED, error)),
    ]


LOST = ConnectionLost("connection-lost", host="ssh5.vast.ai")
Scene = Callable[[Stage], None]
SCENES: dict[str, tuple[Target, Scene]] = {
    "first-run": (NOBODY, lambda stage: None),
    "off": (TARGET, lambda stage: None),
    "off-left": (replace(TARGET, was_left=True), lambda stage: None),
    "preparing": (TARGET, lambda stage: stage.play(preparing())),
    "loading": (TARGET, lambda stage: stage.play(loading())),
    "reconnecting": (TARGET, lambda stage: stage.play(reconnecting())),
    "failed": (TARGET, lambda stage: stage.play(failed())),
    "restarting": (TARGET, lambda stage: stage.play(restarting())),
    "ended": (TARGET, lambda stage: stage.play(ended())),
    "ready": (TARGET, lambda stage: stage.play(ready())),
    "talking": (TARGET, talk),
    "talking-top": (TARGET, _top),
    "broken": (TARGET, _broken),
    "hosts": (RENTED, _open_switcher),
    "adding": (TARGET, lambda stage: stage.window.show_adding()),
    "noted": (OTHER, lambda stage: None),
    "asked": (TARGET, lambda stage: stage.play(refused())),
    "asked-talking": (RENTED, _refused_while_talking),
    "failed-talking": (RENTED, lambda stage: talked_and_failed(stage, CHANGED)),
    "asked-failed": (TARGET, lambda stage: stage.play(wrong_password())),
}
CHANGED = HostKeyChanged(
    "host-key-changed",
    host="connect.westb.seetacloud.com",
    port=12345,
    key_type="ssh-ed25519",
    fingerprint=FINGERPRINT,
    expected="SHA256:uNiVztksCsDhcc0u9e8BrDX1WQbaN6hZLhkQ7pYNfUs",
    source="known_hosts:3",
)


def close(stage: Stage) -> None:
    """Delete the window now, not when the loop next runs."""
    stage.window.end()
    stage.window.hide()
    stage.window.deleteLater()
    QApplication.sendPostedEvents(stage.window, QEvent.Type.DeferredDelete)
    stage.talk.end()


def played(target: Target, play: Scene, look: Look) -> Stage:
    """Return a window on which a scene was played, as it is on screen."""
    stage = set_stage(look.language, look.theme, target)
    stage.window.resize(*look.size)
    stage.window.show()
    QApplication.processEvents()
    play(stage)
    settle()
    return stage


def windows(scenes: Mapping[str, tuple[Target, Scene]]) -> dict[str, Picture]:
    """Return these scenes of the window as pictures."""
    return {name: _of_window(*each) for name, each in scenes.items()}


def _of_window(target: Target, play: Scene) -> Picture:
    @contextmanager
    def show(look: Look) -> Iterator[QWidget]:
        stage = played(target, play, look)
        try:
            yield stage.window
        finally:
            close(stage)

    return Picture(show, is_window=True)


PICTURES = windows(SCENES)
