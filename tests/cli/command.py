"""The command as a person types it: arguments in; exit code, standard output and standard error out."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import text

from avatar_scheduler.config import Settings
from avatar_scheduler.db.engine import read_scope, write_scope

ROOT = Path(__file__).resolve().parents[2]
OWNER = ("init", "--organization", "Studio", "--name", "Ada", "--email", "ada@example.org")
MAYA = ("creator", "add", "Maya", "--zone", "Europe/Paris")


@dataclass(frozen=True)
class Result:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    def refused(self, code: int, *words: str) -> None:
        """One line for a person, with these words, and this exit code."""
        assert self.code == code, self
        assert len(self.err.strip().splitlines()) == 1, self.err
        assert "Traceback" not in self.err
        for word in words:
            assert word in self.err


class Server:
    """See `server`. One for each test session."""

    def __init__(self) -> None:
        command, pipe = [sys.executable, "-m", "tests.cli.server"], subprocess.PIPE
        self.process = subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True)

    def call(self, **call: Any) -> int:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(call) + "\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())

    def close(self) -> None:
        self.process.communicate()


def environment(data: Path, more: dict[str, str] | None = None) -> dict[str, str]:
    clean = {k: v for k, v in os.environ.items() if not k.startswith("AVATAR_SCHEDULER_")}
    return {**clean, "AVATAR_SCHEDULER_DATA": str(data), "COLUMNS": "200", **(more or {})}


class Cli:
    def __init__(self, server: Server, data: Path, folder: Path) -> None:
        self.server = server
        self.data = data
        self.folder = folder
        self.settings = Settings(data=data)

    def __call__(self, *argv: str | Path, env: dict[str, str] | None = None, stdin: str = "") -> Result:
        streams = {name: self.folder / f"std{name}" for name in ("in", "out", "err")}
        streams["in"].write_text(stdin)
        for name in ("out", "err"):
            streams[name].write_text("")
        code = self.server.call(
            argv=[str(a) for a in argv],
            environment=environment(self.data, env),
            folder=str(self.folder),
            **{name: str(path) for name, path in streams.items()},
        )
        lines = streams["err"].read_text().splitlines(keepends=True)
        # some machines' own font files are newer than the library that reads them
        said = "".join(line for line in lines if not line.startswith("Fontconfig warning"))
        return Result(code, streams["out"].read_text(), said)

    def script(self, words: str | bytes, name: str = "script.txt") -> Path:
        path = self.folder / name
        path.write_bytes(words.encode() if isinstance(words, str) else words)
        return path

    def sql(self, statement: str, **values: Any) -> None:
        """What somebody with the database in their hands would type."""
        with write_scope(self.settings) as session:
            session.execute(text(statement), values)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with read_scope(self.settings) as session:
            return [tuple(row) for row in session.execute(text(query))]
