"""The disclosure of a post as people see it: each required mark once, who asks for it, and how it was measured."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from avatar_scheduler import rules
from avatar_scheduler.config import Settings
from avatar_scheduler.db.tables import Creator, Delivery
from avatar_scheduler.domain.delivery import DeliveryState
from avatar_scheduler.domain.disclosure import IN_CAPTION, ON_REQUEST, Blocked, Evidence, Mark, RequiredMark, unproven
from avatar_scheduler.domain.version import sha256
from avatar_scheduler.services import disclosing, versions
from avatar_scheduler.services.cards import Asker, Layer
from avatar_scheduler.services.versions import Manifest

LEFT = frozenset({DeliveryState.accepted, DeliveryState.published})
"""The request left, and nothing leaves before its flags were read on it."""


@dataclass(frozen=True)
class Disclosed:
    layers: tuple[Layer, ...]
    stopped: Blocked | None


def of_version(
    session: Session, settings: Settings, manifest: Manifest, rows: Sequence[Delivery], at: datetime
) -> Disclosed:
    """What everywhere it goes asks for, held against what was measured when it was frozen.

    Where a rule blocks it, or nothing is asked because it goes nowhere, the layers are what was measured.
    """
    asked: dict[RequiredMark, None] = {}
    waiting: set[RequiredMark] = set()
    without: list[str] = []
    audience = _audience(session, manifest)
    for row in rows:
        target = manifest.target(row.id)
        platform = target["platform"] if target else ""
        for instant in _instants(row, at):
            said = disclosing.required_for(settings, manifest.data, platform, audience, instant)
            if isinstance(said, Blocked):
                return Disclosed(_measured(manifest, {}, waiting), said)
            asked |= dict.fromkeys(said)
            waiting |= set() if row.state in LEFT else set(said)
            without += [] if disclosing.asks_for(said, Mark.platform_flag) else [platform]
    return Disclosed((*_measured(manifest, asked, waiting), *_not_offered(without)), None)


def _audience(session: Session, manifest: Manifest) -> frozenset[str]:
    """As at the send: the one it was frozen with, and the one the creator has now."""
    creator = session.get(Creator, manifest.data["creator"]["id"])
    approved = manifest.data.get("audience", ())
    return disclosing.widest(approved, disclosing.audience_of(session, creator) if creator else frozenset())


def _instants(row: Delivery, at: datetime) -> tuple[datetime, ...]:
    """What is out there answers to the rules of its day; what waits, to today's and to those of its time."""
    return (row.published_at or row.due_at,) if row.state in LEFT else (at, max(at, row.due_at))


def planned(required: Iterable[RequiredMark], texts: rules.Texts, platforms: Iterable[str] = ()) -> tuple[Layer, ...]:
    """Before anything is rendered: the marks it will carry, with their words. `platforms` have no switch of their own.

    A caption line is ready as soon as it is written: nobody can take it out.
    """
    words = {
        Mark.label: f"{texts.label_sign} · {texts.label_words}",
        Mark.sponsor_label: texts.sponsor,
        Mark.spoken: texts.spoken_sponsored if texts.sponsor else texts.spoken,
        Mark.caption_line: texts.caption_line,
        Mark.sponsor_line: texts.sponsor_line,
    }
    found = []
    for mark, asked in _by_mark(required).items():
        state = "ready" if mark in IN_CAPTION else "at_posting" if mark in ON_REQUEST else "after_render"
        detail = _flags(asked) if mark in ON_REQUEST else words.get(mark, "")
        found.append(Layer(mark, state, detail, asked_by=_askers(asked)))
    return (*found, *_not_offered(platforms))


def _not_offered(platforms: Iterable[str]) -> tuple[Layer, ...]:
    names = ", ".join(dict.fromkeys(platforms))
    return (Layer(Mark.platform_flag, "not_offered", names),) if names else ()


def _by_mark(required: Iterable[RequiredMark]) -> dict[Mark, list[RequiredMark]]:
    found: dict[Mark, list[RequiredMark]] = {}
    for one in required:
        found.setdefault(one.mark, []).append(one)
    return {mark: found[mark] for mark in Mark if mark in found}


def _askers(asked: Iterable[RequiredMark]) -> tuple[Asker, ...]:
    return tuple(dict.fromkeys(Asker(one.rule, one.law, one.source, one.checked) for one in asked))


def _flags(asked: Iterable[RequiredMark]) -> str:
    return ", ".join(dict.fromkeys(f"{one.field} = {one.value}" for one in asked))


def _measured(manifest: Manifest, asked: dict[RequiredMark, None], waiting: set[RequiredMark]) -> tuple[Layer, ...]:
    required = _by_mark(asked) or {mark: [] for mark in Mark if any(e.mark is mark for e in manifest.evidence())}
    return tuple(
        Layer(mark, "at_posting" if waiting & set(of_mark) else "ready", _flags(of_mark), asked_by=_askers(of_mark))
        if mark in ON_REQUEST
        else _on_the_files(manifest, mark, of_mark)
        for mark, of_mark in required.items()
    )


def _on_the_files(manifest: Manifest, mark: Mark, asked: list[RequiredMark]) -> Layer:
    """There only when the gate's own question finds it on every file that needs it."""
    found = [e for e in manifest.evidence() if e.mark is mark]
    files = versions.marked_files(manifest.form, manifest.data["media"])
    reasons = [e.summary for e in found if not e.ok]
    if asked:  # where a rule stops it, nothing was asked, and what was measured is shown all the same
        reasons = unproven(asked, found, media=files, caption=sha256(manifest.data["caption"]))
    reasons += versions.leads_elsewhere(found, manifest.data.get("mark_id", ""))
    shown = next((e for e in found if not e.ok), None) or (found[0] if found else None)
    said = reasons[0].removeprefix(f"{mark}: ") if reasons else _summary(shown, len(found))
    return Layer(
        mark,
        "missing" if reasons else "ready",
        said,
        shown.tool if shown else "",
        tuple((name, str(value)) for name, value in shown.measured.items()) if shown else (),
        _askers(asked),
    )


def _summary(shown: Evidence | None, files: int) -> str:
    said = shown.summary if shown else ""
    return f"{said} ({files} of {files} pictures)" if files > 1 else said
