"""What the store costs with 10^5 messages: opening, listing, reading, writing, searching.

`python tests/bench/bench_store.py [MESSAGES]`; nothing is left behind.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from desktop.core.chat.conversation import Conversation, Message, Outcome, Setup
from desktop.core.chat.store.opening import _flaw, connected
from desktop.core.chat.store.store import Store, open_store
from desktop.core.events import Usage
from tests.bench.figures import Figure, median, quantile, show, times

MESSAGES = 100_000
OF_ONE = 50
LONG = 2000
ROUNDS = 100  # of each query
WORDS = str.split(
    "the a of and to in kite string model token stream window answer question memory Python "
    "function value return error server host port forward attention weights batch cache latency"
)
HAN = (
    "的一是不了在人有我他这中大来上个国和也子时道出而要于就下得可你年生自会那后能对着事其里所去"
    "行过家十用发天如然作方成者多日都三小军二无同么经法当起与好看学进种将还分此心前面又定见只主没公从"
)
RARE = "纸鸢"
QUERIES = {
    "two characters, everywhere": "的一",
    "two characters, rare": RARE,
    "one character": "国",
    "four characters": "不了在人",
    "a word, everywhere": "the",
    "the beginning of a word": "att",
    "one letter": "a",
    "three words": "kite string model",
    "both scripts": "中大 python",
    "two words that never meet": "qqzz kite",
    "nothing": "zzzz",
}


def text(chance: random.Random, number: int) -> str:
    """Return what a person or a model might say: 100 to 1,500 characters, half of it Chinese."""
    # Squares: a few characters and words make up most of a text, as in any language.
    han = "".join(HAN[int(len(HAN) * chance.random() ** 2)] for _ in range(chance.randint(40, 400)))
    words = (WORDS[int(len(WORDS) * chance.random() ** 2)] for _ in range(chance.randint(8, 180)))
    rare = f" {RARE} {number}" if number % 5000 == 0 else ""
    return f"{han}。\n{' '.join(words)} x{number:x}{rare}"


def fill(store: Store, count: int) -> None:
    chance = random.Random(7)
    done = Outcome("stop", usage=Usage(100, 200), ttft_s=0.3, tokens_per_s=40.0)
    sizes = [LONG] + [OF_ONE] * max((count - LONG) // OF_ONE, 0)
    number = 0
    for index, size in enumerate(sizes):
        name = f"c{index}"
        messages = []
        for _ in range(size):
            number += 1
            role, outcome = ("assistant", done) if number % 2 else ("user", None)
            message = Message(
                f"m{number}", name, f"m{number - 1}", role, text(chance, number), float(number),  # type: ignore[arg-type]
                outcome=outcome,
            )  # fmt: skip
            messages.append(message)
        title = f"{messages[0].content[:12]} {index}"
        store.take(Conversation(name, title, 0.0, float(index), setup=Setup("m")), messages)


def ms(act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    return (time.perf_counter() - began) * 1000


def searches(store: Store) -> list[Figure]:
    figures = []
    every: list[float] = []
    cpu = time.thread_time()
    for name, query in QUERIES.items():
        found = len(store.search(query))
        samples = times(ROUNDS, lambda query=query: ms(lambda: store.search(query)))  # type: ignore[misc]
        every += samples
        figures.append(Figure(f"search, {name} ({found}): p99", quantile(samples, 0.99), "ms", 50))
    mean = (time.thread_time() - cpu) * 1000 / len(every)
    return [
        *figures,
        Figure("search, all of them: p50", quantile(every, 0.5), "ms"),
        Figure("search, all of them: p99", quantile(every, 0.99), "ms", 50),
        Figure("search, all of them: CPU, mean (the rest is waiting)", mean, "ms"),
    ]


def writing(store: Store) -> list[Figure]:
    store.save(Conversation("w", "", 0.0, 0.0))
    reply = Message("w1", "w", "", "assistant", "x" * 40_000, 0.0)
    store.add(reply)
    growing = [replace(reply, content=reply.content + "y")]
    grow = times(100, lambda: ms(lambda: store.keep(growing)))
    over = replace(reply, outcome=Outcome("stop"))
    update = times(100, lambda: ms(lambda: store.update(over)))
    return [
        Figure("a stream of 40,000 characters grows: p99", quantile(grow, 0.99), "ms"),
        Figure("a reply is finished: p99", quantile(update, 0.99), "ms"),
    ]


def opening(path: Path) -> list[Figure]:
    def clean() -> float:
        began = time.perf_counter()
        store = open_store(path)
        spent = (time.perf_counter() - began) * 1000
        store.close()
        return spent

    def after_kill() -> float:
        with closing(connected(path)) as connection:
            connection.execute("UPDATE state SET value = '0' WHERE name = 'closed'")
        return clean()

    def check() -> float:
        with closing(connected(path)) as connection:
            return ms(lambda: _flaw(connection))

    return [
        median("open", times(20, clean), "ms", 100),
        median("open after a kill, which checks", times(3, after_kill), "ms"),
        median("of which the check", times(3, check), "ms"),
    ]


def bench(count: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "conversations.db"
        with closing(open_store(path)) as store:
            spent = ms(lambda: fill(store, count)) / 1000
            bare = path.stat().st_size / 2**20
            indexing = times(1, lambda: ms(lambda: [None for _ in iter(store.index, False)]))[0]
        notes = (
            f"{count} messages made in {spent:.0f} s, indexed in {indexing / 1000:.0f} s",
            f"{bare:.0f} MiB, with its index {path.stat().st_size / 2**20:.0f} MiB",
        )
        figures = opening(path)
        with closing(open_store(path)) as store:
            figures += [
                median(
                    "the list of conversations",
                    times(20, lambda: ms(store.conversations)),
                    "ms",
                    50,
                ),
                median(
                    f"a conversation of {LONG} messages",
                    times(20, lambda: ms(lambda: store.messages("c0"))),
                    "ms",
                    50,
                ),
                *writing(store),
                *searches(store),
            ]
        show(f"The store with {count} messages", figures, *notes)


if __name__ == "__main__":
    bench(int(sys.argv[1]) if len(sys.argv) > 1 else MESSAGES)
