"""Signed statements of how far the log has come, sent where this installation cannot rewrite them.

One of the whole log and one of each organization's part, whenever it grew: canonical JSON {at, hash, number,
organization, origin}, signed with Ed25519. Kept beside the database, and handed to every place in
AVATAR_SCHEDULER_CHECKPOINTS until that place took it.
"""

import fcntl
import json
import logging
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from sqlmodel import Session

from avatar_scheduler import signing
from avatar_scheduler.audit import EVERYTHING
from avatar_scheduler.clock import utc_now
from avatar_scheduler.config import Settings
from avatar_scheduler.db import audits
from avatar_scheduler.db.engine import read_scope
from avatar_scheduler.domain.errors import Invalid, Refused, SchedulerError
from avatar_scheduler.domain.version import canonical
from avatar_scheduler.services import checkpoint_places

PURPOSE = "checkpoint"
KEPT, STATE, LOCK = "checkpoints.jsonl", "checkpoints.json", "checkpoints.lock"
AT_ONCE = 200
"""Statements handed to one place in one go; the rest at the next."""
PARTS = frozenset({"at", "hash", "number", "organization", "origin", "signature"})
log = logging.getLogger(__name__)


@dataclass
class _State:
    last: dict[str, list[Any]] = field(default_factory=dict)
    """Organization, or "*", to number and hash of what was signed last."""
    taken: dict[str, int] = field(default_factory=dict)
    """Place to bytes of the kept file it has taken."""


def job(settings: Settings) -> None:
    """The clock's, in a thread of its own: a place that is slow or away keeps nothing else waiting."""
    try:
        run(settings, utc_now())
    except SchedulerError as why:
        log.error("no checkpoint of the log: %s", why.message)


def run(settings: Settings, now: datetime) -> None:
    """Signs what grew and hands it over. A place that fails is tried again at the next call; nothing is raised for it.

    Raises Refused (log_damaged, audit_key) when the log is not what was signed before: nothing new is signed then.
    """
    with _alone(settings) as first:
        if not first:
            return
        state = _load(settings)
        lines = _grown(settings, state, now)
        if lines:
            checkpoint_places.append(settings.data / KEPT, lines)
            _save(settings, state)
        for place in settings.checkpoints:
            _hand_over(settings, state, place)


def _grown(settings: Settings, state: _State, now: datetime) -> list[str]:
    with read_scope(settings) as session:
        heads = audits.at_heads(session)
        audits.check_rows(session, heads)
        _check_kept(session, state)
    found = []
    names = [(EVERYTHING, row.entry.seq) for row in heads[:1]]
    names += [(row.entry.organization, row.entry.number) for row in heads[1:]]
    for (name, number), row in zip(names, heads, strict=True):
        if state.last.get(name) != [number, row.hash]:
            found.append(statement(settings, name, number, row.hash, now))
            state.last[name] = [number, row.hash]
    return found


def _check_kept(session: Session, state: _State) -> None:
    for name, (number, digest) in state.last.items():
        if audits.hash_at(session, name, number) != digest:
            raise Refused(
                f"The log does not hold entry {number} of {name} that was signed before. No checkpoint is made. "
                "Run: avatar-scheduler audit verify",
                code="log_damaged",
            )


def statement(settings: Settings, organization: str, number: int, digest: str, now: datetime) -> str:
    """One line: the statement with its signature. `number` counts in the organization's part, or with "*" in all."""
    signing.make_signing_key(settings.keys, PURPOSE)
    said = {"at": now.isoformat(timespec="seconds"), "hash": digest, "number": number, "organization": organization,
            "origin": settings.base_url}  # fmt: skip
    return canonical({**said, "signature": signing.sign(settings.keys, PURPOSE, canonical(said).encode())})


def read(public_pem: str, lines: Iterable[str]) -> dict[tuple[str, int], str]:
    """What signed statements say: organization (or "*") and number to hash. Raises Refused (checkpoint).

    Lines without a statement, such as the rest of an e-mail, are passed over; a file without any is refused.
    """
    known: dict[tuple[str, int], str] = {}
    for number, line in enumerate(lines, 1):
        if not line.lstrip().startswith("{"):
            continue
        said = _parsed(line)
        if said is None or not signing.verify(public_pem, PURPOSE, *_signed(said)):
            raise Refused(f"Line {number} is not a checkpoint this installation signed.", code="checkpoint")
        at = (str(said["organization"]), int(said["number"]))
        if known.setdefault(at, str(said["hash"])) != said["hash"]:
            raise Refused(f"Line {number} contradicts an earlier checkpoint: two logs were signed.", code="checkpoint")
    if not known:
        raise Refused("There is no checkpoint in this file.", code="checkpoint")
    return known


def _parsed(line: str) -> dict[str, Any] | None:
    try:
        said = json.loads(line)
    except (ValueError, RecursionError):
        return None
    fits = isinstance(said, dict) and set(said) == PARTS and isinstance(said["number"], int)
    return said if fits and all(isinstance(said[name], str) for name in PARTS - {"number"}) else None


def _signed(said: dict[str, Any]) -> tuple[bytes, str]:
    rest = {name: value for name, value in said.items() if name != "signature"}
    try:
        return canonical(rest).encode(), str(said["signature"])
    except (SchedulerError, ValueError, TypeError):
        return b"", ""


def read_file(settings: Settings, path: Path) -> dict[tuple[str, int], str]:
    """Raises Invalid when it cannot be read, Refused (checkpoint) for what was not signed here."""
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as why:
        raise Invalid(f"{path} cannot be read as a file of checkpoints.", code="checkpoint_file") from why
    return read_lines(settings, text.splitlines())


def read_lines(settings: Settings, lines: Iterable[str]) -> dict[tuple[str, int], str]:
    """As `read`, of this installation's own signing key."""
    return read(signing.public_pem(settings.keys, PURPOSE), lines)


def kept_of(settings: Settings, organization: str) -> Iterator[str]:
    """Lines signed about one organization, oldest first."""
    try:
        with (settings.data / KEPT).open(encoding="utf-8") as file:
            for line in file:
                said = _parsed(line)
                if said is not None and said["organization"] == organization:
                    yield line.rstrip("\n")
    except FileNotFoundError:
        return


def _hand_over(settings: Settings, state: _State, place: str) -> None:
    """Remembered after each success, so that a place misses nothing and seldom gets a line twice."""
    try:
        lines, end = _after(settings.data / KEPT, state.taken.get(place, 0))
        if not lines:
            return
        checkpoint_places.send(settings, place, lines)
        state.taken[place] = end
        _save(settings, state)
    except SchedulerError as why:
        log.error("checkpoints not taken by %s, tried again: %s", checkpoint_places.named(place), why.message)
    except (OSError, ValueError):  # a disk, or an address that is none: the other places go on
        log.exception("checkpoints not taken by %s, tried again", checkpoint_places.named(place))


def _after(path: Path, offset: int) -> tuple[list[str], int]:
    try:
        with path.open("rb") as file:
            file.seek(offset)
            lines = [line for line in (file.readline() for _ in range(AT_ONCE)) if line.endswith(b"\n")]
    except FileNotFoundError:
        return [], 0
    return [line.decode().rstrip("\n") for line in lines], offset + sum(map(len, lines))


def _load(settings: Settings) -> _State:
    try:
        said = json.loads((settings.data / STATE).read_text())
        return _State(dict(said["last"]), dict(said["taken"]))
    except FileNotFoundError:
        return _State()
    except (ValueError, KeyError, TypeError):
        log.error("%s is damaged; everything is signed and sent again", settings.data / STATE)
        return _State()


def _save(settings: Settings, state: _State) -> None:
    target = settings.data / STATE
    part = target.with_suffix(f".{uuid4().hex}.part")
    part.write_text(json.dumps({"last": state.last, "taken": state.taken}))
    part.replace(target)


@contextmanager
def _alone(settings: Settings) -> Iterator[bool]:
    """Two clocks may run; one of them signs."""
    with os.fdopen(os.open(settings.data / LOCK, os.O_RDWR | os.O_CREAT, 0o600), "w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True
