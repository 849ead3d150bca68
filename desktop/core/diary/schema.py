"""The diary's table, as numbered steps; a step that was released is never changed."""

from __future__ import annotations

from desktop.core.chat.store.schema import Step

STEPS: tuple[Step, ...] = (
    (
        """CREATE TABLE sessions (
            id TEXT PRIMARY KEY,
            host TEXT NOT NULL,
            model TEXT NOT NULL,
            card TEXT NOT NULL,
            run TEXT NOT NULL,
            rate REAL NOT NULL,
            currency TEXT NOT NULL,
            began REAL NOT NULL,
            reached REAL,
            ready REAL,
            seen REAL NOT NULL,
            ended REAL,
            because TEXT NOT NULL,
            code TEXT NOT NULL,
            generated INTEGER,
            prompt INTEGER,
            requests INTEGER,
            idle_s REAL NOT NULL,
            quiet_at REAL,
            engine_generated INTEGER,
            engine_prompt INTEGER,
            engine_requests INTEGER
        )""",
        "CREATE INDEX sessions_of_run ON sessions (run) WHERE run <> ''",
        "CREATE INDEX sessions_open ON sessions (id) WHERE ended IS NULL",
    ),
)
