"""The log's own arithmetic: two hash chains, and a key that whoever writes the database does not have.

Every entry carries the hash of the one before, in the whole log and in its organization's part of it. A chain alone can
be computed by anybody who can write rows, so each hash is sealed with HMAC-SHA256 under a key in a file beside it.
"""

import hmac
import json
import os
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from avatar_scheduler.domain.errors import Refused

GENESIS = "0" * 64
EVERYTHING = "*"
"""Stands for the whole log where an organization's id would stand."""
KEY_FILE = "audit.key"
KEY_BYTES = 32
_CONTEXT = b"avatar-scheduler audit v1\n"
# As domain.version.canonical writes it; the keys below are in order already, and every value is a string or a number.
_text = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode


class Entry(NamedTuple):
    seq: int
    at: datetime
    organization: str
    actor: str
    action: str
    noun: str
    noun_id: str
    data: str
    """JSON text as stored; hashed as it stands."""
    previous: str
    number: int = 0
    """In its organization's chain, from 1; 0 for entries older than those chains."""
    own_previous: str = ""

    def hash(self) -> str:
        # Absent from entries that have none, so that what is older than these chains keeps its hash.
        number = {"number": self.number} if self.number else {}
        own = {"own_previous": self.own_previous} if self.number or self.own_previous else {}
        said = {
            "action": self.action,
            "actor": self.actor,
            "at": self.at.isoformat(),
            "data": self.data,
            "noun": self.noun,
            "noun_id": self.noun_id,
            **number,
            "organization": self.organization,
            **own,
            "previous": self.previous,
            "seq": self.seq,
        }
        return sha256(_text(said).encode()).hexdigest()


class Stored(NamedTuple):
    """An entry with what stands beside it in the database."""

    entry: Entry
    hash: str
    mac: str


def seal(key: bytes, digest: str) -> str:
    return hmac.digest(key, _CONTEXT + digest.encode(), "sha256").hex()


def genuine(key: bytes | None, row: Stored) -> bool:
    """It says what it said when it was written, and was written by somebody with the key."""
    return key is not None and row.entry.hash() == row.hash and hmac.compare_digest(seal(key, row.hash), row.mac)


class Keeper:
    """The key of the log in a folder, read when it is first needed.

    A new key goes by another name until an entry under it was committed: a set-up that is cut short begins again, and a
    key that got lost is never replaced by one that makes every old entry look forged.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / KEY_FILE
        self.new = self.path.with_suffix(".key.new")
        self._key: bytes | None = None
        self._made = self._settled = False

    def find(self) -> bytes | None:
        """Raises Refused (audit_key) for a key that others can read, or that was cut short."""
        if self._key is None:
            self._key = _read(self.path) or _read(self.new)
        return self._key

    def make(self) -> bytes:
        """Only for a log in which nothing is sealed yet. A key left by a set-up that was cut short is taken up."""
        key = self.find()
        if key is None:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with os.fdopen(os.open(self.new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                key = secrets.token_bytes(KEY_BYTES)
                file.write(key)
                file.flush()
                os.fsync(file.fileno())
        self._key, self._made = key, True
        return key

    @property
    def pending(self) -> bool:
        self._settled = self._settled or self.path.exists()
        return not self._settled and self.new.exists()

    def settle(self) -> None:
        """Once an entry under the new key was committed."""
        if not self._made and self.pending:
            self.new.rename(self.path)


def _read(path: Path) -> bytes | None:
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_mode & 0o077:
                raise Refused(f"{path} can be read by others. Run: chmod 600 {path}", code="audit_key")
            key = file.read(KEY_BYTES + 1)
    except FileNotFoundError:
        return None
    except OSError as why:
        raise Refused(f"{path} cannot be read: {why.strerror}. Restore it from your backup.", code="audit_key") from why
    if len(key) != KEY_BYTES:
        raise Refused(f"{path} does not hold {KEY_BYTES} bytes. Restore it from your backup.", code="audit_key")
    return key


@dataclass(frozen=True)
class Verdict:
    ok: bool
    entries: int
    head: str
    problem: str = ""


Known = Mapping[tuple[str, int], str]
"""From checkpoints kept elsewhere: organization (or EVERYTHING) and number to the hash of that entry."""


def verify(
    rows: Iterable[Stored], *, key: bytes | None = None, known: Known | None = None, whole: bool = True
) -> Verdict:
    """Walks the log in order and names the first bad entry.

    Without `known`, entries cut from the end go unseen; without `key`, so does a log computed anew. `whole` is False
    for the entries of one organization, whose links to others' entries lead nowhere.
    """
    walk = _Walk(key, dict(known or {}), whole)
    for row in rows:
        if problem := walk.problem(row):
            return Verdict(False, walk.count, walk.previous, problem)
    return Verdict(not walk.known, walk.count, walk.previous, walk.missing())


class _Walk:
    def __init__(self, key: bytes | None, known: dict[tuple[str, int], str], whole: bool) -> None:
        self.key, self.known, self.whole = key, known, whole
        self.previous, self.count, self.seq = GENESIS, 0, 0
        self.own: dict[str, tuple[int, str]] = {}

    def problem(self, row: Stored) -> str:
        entry, stored, mac = row
        if found := self._order(entry):
            return found
        if entry.hash() != stored:
            return f"Entry {entry.seq} ({entry.action}) was changed."
        if self.key is not None and not hmac.compare_digest(seal(self.key, stored), mac):
            return f"Entry {entry.seq} ({entry.action}) was not written by this installation."
        for name, number in ((EVERYTHING, entry.seq), (entry.organization, entry.number)):
            if self.known and self.known.pop((name, number), stored) != stored:
                return f"Entry {entry.seq} is not the one of the checkpoint."
        self.previous, self.count, self.seq = stored, self.count + 1, entry.seq
        if entry.number:
            self.own[entry.organization] = (entry.number, stored)
        return ""

    def _order(self, entry: Entry) -> str:
        last = self.seq
        if self.whole and entry.seq != last + 1:
            return f"Entry {last + 1} is missing; entry {entry.seq} follows {last}."
        if self.whole and entry.previous != self.previous:
            return f"Entry {entry.seq} does not follow entry {last}."
        number, before = self.own.get(entry.organization, (0, GENESIS))
        if entry.number != number + 1 and (number or entry.number):
            return f"Entry {number + 1} of organization {entry.organization} is missing before entry {entry.seq}."
        if entry.number and entry.own_previous != before:
            return f"Entry {entry.seq} does not follow entry {number} of organization {entry.organization}."
        if not self.whole and entry.seq <= last:
            return f"Entry {entry.seq} follows entry {last}."
        return ""

    def missing(self) -> str:
        if not self.known:
            return ""
        (name, number), ends = min(self.known, key=lambda at: (at[0] != EVERYTHING, at)), self.seq
        if name == EVERYTHING:
            return f"The log ends at entry {ends}; the checkpoint knows entry {number}."
        ends = self.own.get(name, (0, ""))[0]
        return f"The log of organization {name} ends at entry {ends}; the checkpoint knows entry {number}."
