"""An organization's part of the log as a file, and checking such a file without any database.

JSON lines: one "log" with the public key, an "entry" each, a "checkpoint" each.
"""

import csv
import io
import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from sqlmodel import Session

from avatar_scheduler import signing
from avatar_scheduler.audit import Entry, Stored, Verdict, verify
from avatar_scheduler.config import Settings
from avatar_scheduler.db import audits
from avatar_scheduler.domain.errors import Forbidden, Refused
from avatar_scheduler.services import checkpoints
from avatar_scheduler.services.people import Person
from avatar_scheduler.services.roles import AUDIT, require

FORMAT = "avatar-scheduler audit 1"
ALL = frozenset({"owner", "admin", "auditor"})
"""Who may see, and take along, all of the organization's log."""
COLUMNS = (*Entry._fields, "hash")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def lines(session: Session, settings: Settings, who: Person) -> Iterator[str]:
    """JSON lines, each without its line break. Raises Forbidden for whoever may not see all of it."""
    may(who)
    pem = signing.make_signing_key(settings.keys, checkpoints.PURPOSE)
    yield _line({"log": FORMAT, "organization": who.organization_id, "origin": settings.base_url, "public_key": pem})
    last = 0
    for row in audits.walk(session, who.organization_id):
        last = row.entry.number
        yield _line({"entry": {**row.entry._asdict(), "at": row.entry.at.isoformat(), "hash": row.hash}})
    for line in checkpoints.kept_of(settings, who.organization_id):
        said = json.loads(line)
        if said["number"] <= last:  # signed since this reading began: its entry is not in the file
            yield _line({"checkpoint": said})


def table(session: Session, who: Person) -> Iterator[str]:
    """CSV with a line of names, for a spreadsheet: no cell can be a formula there. Raises Forbidden."""
    may(who)
    yield _cells(COLUMNS)
    for row in audits.walk(session, who.organization_id):
        yield _cells([*row.entry._replace(at=row.entry.at.isoformat()), row.hash])  # type: ignore[arg-type]


def check(text: Iterable[str]) -> Verdict:
    """Needs no database and no key, so seals are not checked: whoever has neither key nor checkpoint may say that all
    of it was computed anew. Raises Refused (export) for a file that is no export."""
    head: dict[str, Any] = {}
    rows: list[Stored] = []
    signed: list[str] = []
    for number, line in enumerate(text, 1):
        try:
            said = json.loads(line)
            if number == 1:
                head = {name: said[name] for name in ("log", "organization", "public_key")}
            elif "entry" in said:
                rows.append(_stored(said["entry"], head["organization"]))
            else:
                signed.append(json.dumps(said["checkpoint"]))
        except (ValueError, KeyError, TypeError, RecursionError):
            raise Refused(f"Line {number} is not one of an exported log.", code="export") from None
    if head.get("log") != FORMAT:
        raise Refused("This is not an exported log.", code="export")
    return verify(rows, known=checkpoints.read(head["public_key"], signed) if signed else {}, whole=False)


def _stored(said: dict[str, Any], organization: str) -> Stored:
    if said["organization"] != organization:
        raise ValueError("an entry of somebody else")
    values = {name: said[name] for name in Entry._fields}
    return Stored(Entry(**{**values, "at": datetime.fromisoformat(said["at"])}), said["hash"], "")


def may(who: Person) -> None:
    """Raises Forbidden for whoever may not see all of the organization's log."""
    require(who, AUDIT, "read the log")
    if who.role not in ALL or who.reach is not None:
        raise Forbidden("The whole log is for owners, admins and auditors. Ask an owner.", code="role")


def _line(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def _cells(values: Iterable[Any]) -> str:
    out = io.StringIO()
    # csv quotes a line break in a cell only when it is part of its own line end
    csv.writer(out, lineterminator="\r\n").writerow([_safe(str(value)) for value in values])
    return out.getvalue().removesuffix("\r\n")


def _safe(text: str) -> str:
    """ASVS 1.2.10: a leading quote makes a spreadsheet show what it would otherwise compute."""
    return f"'{text}" if text.startswith(_FORMULA) else text
