"""The hash chain of the audit log: each entry carries the hash of the one before."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from avatar_scheduler.domain.version import canonical, sha256

GENESIS = "0" * 64


@dataclass(frozen=True)
class Entry:
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

    def hash(self) -> str:
        return sha256(
            canonical(
                {
                    "action": self.action,
                    "actor": self.actor,
                    "at": self.at.isoformat(),
                    "data": self.data,
                    "noun": self.noun,
                    "noun_id": self.noun_id,
                    "organization": self.organization,
                    "previous": self.previous,
                    "seq": self.seq,
                }
            )
        )


@dataclass(frozen=True)
class Verdict:
    ok: bool
    entries: int
    head: str
    problem: str = ""


def verify(rows: Iterable[tuple[Entry, str]], *, head: tuple[int, str] | None = None) -> Verdict:
    """Walks (entry, stored hash) in order and names the first bad one.

    `head` is (seq, hash) of a checkpoint kept outside the database: without one, entries cut from the end go unseen.
    """
    previous, count = GENESIS, 0
    seen = head is None or head[0] == 0
    for entry, stored in rows:
        if entry.seq != count + 1:
            return Verdict(False, count, previous, f"Entry {count + 1} is missing; entry {entry.seq} follows {count}.")
        if entry.previous != previous:
            return Verdict(False, count, previous, f"Entry {entry.seq} does not follow entry {count}.")
        if entry.hash() != stored:
            return Verdict(False, count, previous, f"Entry {entry.seq} ({entry.action}) was changed.")
        if head is not None and entry.seq == head[0]:
            if stored != head[1]:
                return Verdict(False, count, previous, f"Entry {entry.seq} is not the one of the checkpoint.")
            seen = True
        previous, count = stored, entry.seq
    if not seen and head is not None:
        return Verdict(False, count, previous, f"The log ends at entry {count}; the checkpoint knows entry {head[0]}.")
    return Verdict(True, count, previous)
