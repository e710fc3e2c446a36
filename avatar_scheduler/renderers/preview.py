"""Drafts for the composer, from one warm process: imports and voices would cost seconds each time.

A person has one draft at a time, the newest; a piece is made only when somebody waits for it, so a draft nobody looks
at costs nothing. Drafts live in memory and a temporary folder, and are never stored.
"""

import contextlib
import json
import os
import secrets
import selectors
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from avatar_scheduler.domain.errors import NotFound, Refused
from avatar_scheduler.renderers.base import Order

IDLE_SECONDS = 300.0
PIECE_SECONDS = 30.0
"""The longest a piece may take; a sentence takes one or two."""
DRAFTS = 8
"""At once, in the whole process: the oldest gives way."""
PIECE_BYTES = 16 << 20


@dataclass
class _Draft:
    member: str
    order: Order
    folder: "tempfile.TemporaryDirectory[str]"
    takes: int = 0
    """How often somebody began to look: the child knows each by a name of its own."""


class Previews:
    def __init__(self, sentences: Path, *, idle_seconds: float = IDLE_SECONDS, piece_seconds: float = PIECE_SECONDS):
        self._sentences = sentences
        self._idle_seconds, self._piece_seconds = idle_seconds, piece_seconds
        self._lock = threading.RLock()
        self._drafts: dict[str, _Draft] = {}
        self._left: deque[str] = deque()
        """Takes nobody looks at any more."""
        self._child: subprocess.Popen[bytes] | None = None
        self._used = 0.0
        self._watch: threading.Timer | None = None

    @property
    def pid(self) -> int | None:
        """Of the process, while there is one."""
        return self._child.pid if self._child is not None and self._child.poll() is None else None

    def warm(self, language: str = "en") -> None:
        """Returns at once; the process loads what it needs to speak and draw on its own."""
        with self._lock, contextlib.suppress(Refused):
            self._running()
            self._tell({"warm": language})

    def make(self, member: str, order: Order, bring: Callable[[Path], None]) -> str:
        """A draft nobody else can see. `bring` puts the order's files into the folder it is given."""
        folder = tempfile.TemporaryDirectory(prefix="avs-preview-")
        with contextlib.ExitStack() as undo:
            undo.callback(folder.cleanup)
            bring(Path(folder.name))
            (Path(folder.name) / "order.json").write_text(json.dumps(asdict(order), ensure_ascii=False))
            undo.pop_all()
        draft_id = secrets.token_hex(16)
        with self._lock:
            for known in [known for known, draft in self._drafts.items() if draft.member == member]:
                self._drop(known)
            while len(self._drafts) >= DRAFTS:
                self._drop(next(iter(self._drafts)))
            self._drafts[draft_id] = _Draft(member, order, folder)
            self._running()
        return draft_id

    def stream(self, member: str, draft_id: str) -> Iterator[bytes]:
        """The film from its beginning. Raises NotFound when it is not theirs, Refused when it cannot be made."""
        with self._lock:
            draft = self._drafts.get(draft_id)
            if draft is None or draft.member != member:
                raise NotFound("This preview is gone. Start it again.", code="no_preview")
            draft.takes += 1
            take = f"{draft_id}.{draft.takes}"
            first = self._ask({"start": take, "folder": draft.folder.name})
        return self._pieces(draft_id, take, first)

    def _pieces(self, draft_id: str, take: str, piece: bytes) -> Iterator[bytes]:
        try:
            while piece:
                yield piece
                with self._lock:
                    if draft_id not in self._drafts:
                        return  # a newer one took its place
                    piece = self._ask({"next": take})
        finally:
            # Nobody waits for the lock here: who leaves may be tidied up by the thread that serves all others.
            self._left.append(take)

    def close(self) -> None:
        with self._lock:
            for draft_id in list(self._drafts):
                self._drop(draft_id)
            self._stop()

    def _drop(self, draft_id: str) -> None:
        self._drafts.pop(draft_id).folder.cleanup()

    def _running(self) -> "subprocess.Popen[bytes]":
        self._used = time.monotonic()
        if self._child is None or self._child.poll() is not None:
            self._stop()
            self._child = _start(self._sentences)
            self._look_later(self._idle_seconds)
        return self._child

    def _look_later(self, seconds: float) -> None:
        self._watch = threading.Timer(seconds, self._end_if_idle)
        self._watch.daemon = True
        self._watch.start()

    def _end_if_idle(self) -> None:
        with self._lock:
            left = self._used + self._idle_seconds - time.monotonic()
            if left <= 0:
                self.close()
            elif self._child is not None:
                self._look_later(left)

    def _tell(self, line: dict[str, str]) -> None:
        child = self._child
        if child is None or child.stdin is None:
            return
        try:
            child.stdin.write(json.dumps(line).encode() + b"\n")
            child.stdin.flush()
        except OSError:
            self._stop()
            raise Refused("The preview stopped. Start it again.", code="preview_stopped") from None

    def _ask(self, line: dict[str, str]) -> bytes:
        """The next piece; empty at the end."""
        child = self._running()
        while self._left:
            self._tell({"drop": self._left.popleft()})
        self._tell(line)
        try:
            head, piece = _answer(child, time.monotonic() + self._piece_seconds)
        except (OSError, ValueError, TimeoutError) as error:
            self._stop()
            late = isinstance(error, TimeoutError)
            why = "took too long" if late else "stopped. Is there enough memory?"
            raise Refused(f"The preview {why}. The render itself is not touched by this.", code="preview") from None
        if "refused" in head:
            raise Refused(head["refused"], code=head["code"])
        return piece

    def _stop(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
        if self._child is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._child.pid, signal.SIGKILL)
        for pipe in (self._child.stdin, self._child.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        self._child.wait()
        self._child = None


def _start(sentences: Path) -> "subprocess.Popen[bytes]":
    # No signal for the parent's death: it would be sent when the thread that started this ends. The pipe's end says it.
    return subprocess.Popen(
        [sys.executable, "-m", "avatar_scheduler.renderers.preview_child", str(sentences)],
        bufsize=0,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )


def _answer(child: "subprocess.Popen[bytes]", deadline: float) -> tuple[dict[str, Any], bytes]:
    """A line of JSON, and as many bytes as it says."""
    if child.stdout is None:
        raise ValueError("The process was started without pipes.")
    with selectors.DefaultSelector() as ready:
        ready.register(child.stdout, selectors.EVENT_READ)
        data = b""
        while b"\n" not in data:
            data += _more(ready, child.stdout.fileno(), deadline)
        line, _, body = data.partition(b"\n")
        head = json.loads(line)
        size = int(head.get("bytes", 0))
        if size > PIECE_BYTES:
            raise ValueError("A piece cannot be that large.")
        parts, have = [body], len(body)
        while have < size:
            parts.append(_more(ready, child.stdout.fileno(), deadline))
            have += len(parts[-1])
    return head, b"".join(parts)


def _more(ready: selectors.BaseSelector, pipe: int, deadline: float) -> bytes:
    if not ready.select(max(0.0, deadline - time.monotonic())):
        raise TimeoutError
    chunk = os.read(pipe, 1 << 16)
    if not chunk:
        raise OSError("It closed its pipe.")
    return chunk
