"""Where one reads and writes: the conversation in front, its composer, and what happens between.

    a key or a click → Desk → Conversations (the core: keeps it, asks the model)
    a reply's events → Desk.hear → Conversations.apply, then the transcript

Nothing here waits for the network. With no host at all one can still read, search and write; what
is sent while a host is on its way waits until it is ready (`waiting.py`).
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import replace

from PySide6.QtCore import Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from desktop.core.chat.conversation import Conversation, Setup
from desktop.core.chat.failures import may_go_on
from desktop.core.errors import StorageError
from desktop.core.events import Counted, Endpoint, Event, ReplyBroken, ReplyDone
from desktop.core.phases import Phase
from desktop.core.texts import Texts
from desktop.ui.chats.chats import Chats, Front
from desktop.ui.chats.deeds import Deeds
from desktop.ui.chats.errand import Errand
from desktop.ui.chats.find_bar import FindBar
from desktop.ui.chats.hints import state
from desktop.ui.chats.link import LinkDialog
from desktop.ui.chats.merged import merged
from desktop.ui.chats.meter import Meter
from desktop.ui.chats.reader import Reader
from desktop.ui.chats.remembered import Remembered
from desktop.ui.chats.toast import Toast
from desktop.ui.chats.told import told
from desktop.ui.chats.writing import Writing
from desktop.ui.composer import Composer
from desktop.ui.conversation import ConversationPage
from desktop.ui.editor import typed
from desktop.ui.intents import HostKey
from desktop.ui.theme import Theme
from desktop.ui.transcript.view import Transcript


class Desk(QWidget):
    """The conversation in front.

    Attributes:
        current: its id; "" for a new one in which nothing was said or typed yet.
        front: the host to which a message goes.
        page: greeting or transcript.
        composer: where one writes.
        toast: what was done, and the way back.
        errand: what takes long, beside all this.

    Signals:
        listed: the list of conversations may look otherwise now.
        read: a conversation was asked for, and should be in front.
        tuned: the settings of the conversation were asked for.
        settling: what was typed in its settings a moment ago counts from now on.
    """

    listed = Signal()
    read = Signal()
    tuned = Signal()
    settling = Signal()

    def __init__(self, chats: Chats, theme: Theme, texts: Texts, remembered: Remembered) -> None:
        super().__init__()
        self._chats, self._texts, self._remembered = chats, texts, remembered
        self.current = ""
        self.front = Front()
        self._setup = Setup()  # of a conversation that does not exist yet
        self.page = ConversationPage(theme, texts)
        self.composer = Composer(theme, texts)
        self._reader = Reader(chats.kept, self.page.transcript, texts)
        self._find = FindBar(self.page.transcript, theme, texts)
        self.toast = Toast(self.composer, texts)
        self.errand = Errand(self)
        self._writing = Writing(self, chats, self.composer, texts)
        self._meter = Meter(chats, self.composer)
        self._deeds = Deeds(self, self._writing, chats, texts)
        self._arrange()
        self._connect()
        self.page.transcript.zoom(remembered.memory.zoom)
        self.show_state()

    def _arrange(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._find)
        layout.addWidget(self.page, 1)
        layout.addWidget(self.composer)

    def _connect(self) -> None:
        composer, transcript = self.composer, self.page.transcript
        composer.sent.connect(self.send)
        composer.cancelled.connect(self.stop)
        composer.tuned.connect(self.tuned)
        composer.editor.undone.connect(self.toast.undo)
        composer.editor.compose_for(transcript)
        composer.refused.connect(self.toast.say)
        self.page.dropped.connect(composer.attach)
        transcript.acted.connect(self._act)
        transcript.linked.connect(self._follow_link)

    # -- which conversation ------------------------------------------------------------------------

    @property
    def transcript(self) -> Transcript:
        """The view of what was said."""
        return self.page.transcript

    @property
    def streams(self) -> bool:
        """Whether a reply comes into the conversation in front."""
        return bool(self.current) and self._chats.kept.reply_in(self.current) is not None

    def conversation(self) -> Conversation | None:
        """Return the one in front as it stands, or None for one that does not exist yet."""
        return self._chats.store.conversation(self.current) if self.current else None

    @property
    def setup(self) -> Setup:
        """What the conversation in front asks of the model."""
        found = self.conversation()
        return self._setup if found is None else found.setup

    def open(self, conversation: str, message: str = "", sought: str = "") -> None:
        """Show a conversation; at the place of a message where one was found."""
        self.settling.emit()
        if conversation != self.current:
            self._leave()
            self.current = conversation
            self._setup = Setup()
            self._remembered.keep(conversation=conversation)
            if self.conversation() is None:
                self.current = ""
            self._writing.fill()
        if message and self.current:
            with self.guarded():
                self._deeds.bring_to(message)
        self.show_messages()
        if sought:
            self._reader.go_to(message)
            self._find.seek(sought)
        else:
            self._find.close_bar()
        self.listed.emit()

    def new(self) -> None:
        """Show an empty conversation; it is kept once something is said or typed in it."""
        self.open("")
        self.read.emit()
        self.composer.editor.setFocus()

    def _leave(self) -> None:
        """Keep what is typed; forget a conversation in which nothing ever was."""
        self._writing.leave()
        found = self.conversation()
        if found is not None and is_empty(found) and not self._writing.holds(found):
            with self.guarded():
                if not self._chats.kept.path(found.id):  # a lost leaf is not nothing
                    self._chats.store.delete(found.id)

    def say_trouble(self, error: StorageError) -> None:
        """Say what the disk refuses."""
        with self.guarded():
            raise error

    def guarded(self) -> AbstractContextManager[None]:
        """Return a context in which what the disk refuses is said in the toast."""
        return told(self.toast, self._texts)

    def ensure(self) -> str:
        """Return the id of the conversation in front, which exists from now on."""
        if self.conversation() is None:  # a new one, or another Paperkite deleted it
            before, self.current = self.current, self._chats.kept.begin(self._setup).id
            self._writing.move(before, self.current)
            self._remembered.keep(conversation=self.current)
        return self.current

    def choose_setup(self, setup: Setup) -> None:
        """Ask this of the model from now on, in this conversation."""
        if setup == self.setup:
            return
        found = self.conversation()
        if found is None:
            self._setup = setup
            with self.guarded():
                self.ensure()
            self.listed.emit()
        else:
            with self.guarded():
                self._chats.store.save(replace(found, setup=setup))
        self.show_messages()

    # -- what is shown -----------------------------------------------------------------------------

    def show_messages(self) -> None:
        """Show the path that is read, and what can be done to each of its messages."""
        busy, waits = self.streams, self._writing.waits
        begun = False  # nor is another conversation shown where this one cannot be read
        with self.guarded():
            begun = self._reader.show(
                self.current if self.conversation() is not None else "",
                self.setup,
                lambda last: self._deeds.possible(last=last, busy=busy, waits=waits),
            )
        self.page.show_talk(begun=begun)
        self.show_state()
        self.measure()

    def measure(self) -> None:
        """Have it counted, soon, how much of the context all this takes."""
        self._meter.measure(self.front, self.current, self.setup, self._writing.editing)

    def show_state(self) -> None:
        """Show what can be done in the composer."""
        self.composer.show_state(
            state(
                self.front,
                self._texts,
                streams=self.streams,
                waits=self._writing.waits,
                edits=self._writing.editing is not None,
                one_shot=self.setup.kind == "completion",
            )
        )

    # -- the host in front -------------------------------------------------------------------------

    def show_front(self, front: Front) -> None:
        """Send to this host from now on; what waits for another one waits on."""
        if front != self.front:
            before, self.front = self.front, front
            if (before.is_ready, before.endpoint) != (front.is_ready, front.endpoint):
                self.show_messages()
            if front.is_ready and front.endpoint is not None:
                self.page.greet(front.endpoint.model, front.endpoint.max_model_len)
            self.show_state()

    def host_ready(self, host: HostKey, endpoint: Endpoint) -> None:
        """Go on with what its connection cut, and send what waits for it."""
        with self.guarded():
            self._chats.kept.go_on_with_cut(endpoint)
        with self.guarded():
            self._writing.host_ready(host, endpoint)
        self.show_messages()
        self.listed.emit()

    def replies_at(self, endpoint: Endpoint | None) -> bool:
        """Tell whether the model at this endpoint writes a reply of ours just now."""
        return endpoint is not None and self._chats.kept.streams_at(endpoint)

    def stop_at(self, endpoint: Endpoint | None) -> None:
        """Stop what the model at this endpoint says."""
        if endpoint is not None:
            self._chats.kept.stop_at(endpoint)

    def host_gone(self, host: HostKey, phase: Phase) -> None:
        """Give back what waits for a host that will not be ready: it is a draft again."""
        if self._writing.host_gone(host, phase):
            self.show_messages()

    # -- talking -----------------------------------------------------------------------------------

    def send(self, text: str) -> None:
        """Say this: now, or when the host is ready."""
        self.settling.emit()
        sent = False
        with self.guarded():
            sent = self._writing.send(text)
        if sent:
            self.read.emit()
            self.show_messages()
            self.transcript.to_end()
        self.listed.emit()

    def stop(self) -> None:
        """Stop the reply that comes into the conversation in front."""
        if self.current:
            self._chats.kept.stop(self.current)

    def _act(self, name: str, action: object) -> None:
        with self.guarded():
            self._deeds.act(name, action)

    def _follow_link(self, address: str) -> None:
        LinkDialog(self, self._texts, address).open()

    def zoom(self, by: int) -> None:
        """Make the text larger or smaller, or as it was (0)."""
        self.transcript.zoom(by)
        self._remembered.keep(zoom=self._remembered.zoomed(by))

    def find_words(self) -> None:
        """Look for words in this conversation."""
        self.read.emit()
        self._find.open_bar()

    # -- events ------------------------------------------------------------------------------------

    def hear(self, events: Iterable[Event]) -> None:
        """Keep up with replies and counts, in whichever conversation they are."""
        for event in merged(events):
            if isinstance(event, Counted):
                self._meter.counted(event)
            else:
                self._hear_reply(event)

    def _hear_reply(self, event: Event) -> None:
        kept = self._chats.kept
        number = getattr(event, "reply", 0)
        message = kept.message_of(number)
        with self.guarded():
            kept.apply(event)
        if isinstance(event, ReplyDone | ReplyBroken):
            if message is not None and not _goes_on(event):
                with self.guarded():
                    self._writing.reply_over(message.conversation)
            if message is not None and message.conversation == self.current:
                self.show_messages()
            self.listed.emit()
        elif message is not None:
            self._reader.hear(event, kept.message_of(number) or message)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        """Take what is written while the keyboard is on something that has no use for it."""
        if text := typed(event):
            self.composer.editor.type_in(text)
        else:
            super().keyPressEvent(event)

    def end(self) -> None:
        """Keep what is typed, and ask the store nothing more: the app ends."""
        self._leave()
        self.errand.close()
        self._meter.stop()
        self.transcript.end()
        self._remembered.end()


def _goes_on(event: Event) -> bool:
    """Tell whether a reply goes on by itself once its host is back."""
    return isinstance(event, ReplyBroken) and may_go_on(event.error)


def is_empty(conversation: Conversation) -> bool:
    """Tell whether nothing was ever said, typed or chosen in it."""
    said = conversation.leaf or conversation.draft or conversation.title
    return not said and conversation.setup == Setup()
