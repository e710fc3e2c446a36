"""Reading for the signed-in pages and the terminal: the queue, one card, the list of posts, one post."""

import json
from datetime import datetime
from typing import Any

from sqlalchemy import select as sa_select
from sqlmodel import Session, and_, col, func, select

from avatar_scheduler.config import Settings
from avatar_scheduler.db import audits
from avatar_scheduler.db.tables import (
    Approval,
    Attempt,
    Channel,
    Consent,
    Creator,
    Delivery,
    Incident,
    Member,
    Post,
    Receipt,
    Render,
)
from avatar_scheduler.db.tables import Version as VersionRow
from avatar_scheduler.domain.approval import SELF
from avatar_scheduler.domain.delivery import GRACE, SETTLED, DeliveryState
from avatar_scheduler.domain.errors import Refused
from avatar_scheduler.domain.interaction import is_core
from avatar_scheduler.domain.post import PostState
from avatar_scheduler.services import (
    approvals,
    asked,
    comments,
    comparing,
    consents,
    layers,
    looked,
    passkeys,
    posts,
    review,
    seen,
    versions,
)
from avatar_scheduler.services.cards import (
    Card,
    GoingOut,
    Picture,
    PostPage,
    Progress,
    QueueRow,
    StageRow,
    Target,
    TimelineRow,
)
from avatar_scheduler.services.people import Person
from avatar_scheduler.services.roles import DECIDE, reached
from avatar_scheduler.services.versions import Manifest

ANY_STAGE = asked.LEGACY[0]
DECISIONS = {
    PostState.approved: "approved",
    PostState.rejected: "rejected",
    PostState.changes_requested: "changes_requested",
}


def waiting(session: Session, who: Person, now: datetime) -> list[QueueRow]:
    """What waits for a person: soonest deadline first, core before secondary."""
    # What is kept back is left out: nothing is to be decided until somebody picks a new time.
    open_now = and_(col(Delivery.version_id) == Post.version_id, col(Delivery.state) == DeliveryState.waiting)
    # Columns, not rows: an agency's queue is long, and this is on every card.
    wanted = (
        col(Post.version_id), col(Post.title), col(Creator.name), col(Creator.slug), col(Post.kind),
        col(VersionRow.core), func.min(Delivery.due_at), col(Post.sponsored),
    )  # fmt: skip
    query = (
        sa_select(*wanted)
        .join(Creator, col(Post.creator_id) == Creator.id)
        .join(VersionRow, col(Post.version_id) == VersionRow.id)
        .join(Delivery, open_now)
        .where(col(Post.organization_id) == who.organization_id, col(Post.state) == PostState.in_review)
        .group_by(col(Post.id), col(Creator.id), col(VersionRow.id))
    )
    if (creators := reached(who)) is not None:
        query = query.where(col(Post.creator_id).in_(creators))
    found = []
    for version_id, title, creator, slug, kind, core, due, sponsored in session.execute(query):
        left = int((due + GRACE - now).total_seconds())
        found.append(QueueRow(version_id, title, creator, slug, kind, core, due, left, sponsored))
    return sorted(found, key=lambda row: (row.seconds_left < 0, row.due_at, not row.core))


def deliveries(session: Session, version_id: str) -> list[Delivery]:
    return list(session.exec(select(Delivery).where(Delivery.version_id == version_id).order_by(col(Delivery.due_at))))


def card(session: Session, settings: Settings, who: Person, version_id: str, now: datetime) -> Card:
    version, post = review.find(session, who, version_id)
    manifest = versions.read(version)
    data, urls, pictures = manifest.data, _urls(manifest), manifest.pictures()
    view = seen.view_of(session, version.id, who.member_id)
    rows = deliveries(session, version.id)
    deadline = max((d.latest_start for d in rows), default=None)
    current = post.version_id == version.id
    disclosed = layers.of_version(session, settings, manifest, rows, now)
    return Card(
        version_id=version.id,
        version_number=version.number,
        version_hash=version.sha256,
        post_id=post.id,
        title=data["title"],
        kind=data["kind"],
        core=manifest.core,
        language=data["language"],
        creator=data["creator"]["name"],
        creator_slug=data["creator"]["slug"],
        script=data["script"]["text"],
        caption=data["caption"],
        post_state=post.state,
        layers=disclosed.layers,
        stopped=disclosed.stopped,
        sponsored=data.get("sponsored", ""),
        targets=targets(session, rows),
        due_at=min((d.due_at for d in rows), default=None),
        deadline=deadline,
        seconds_left=int((deadline - now).total_seconds()) if deadline else None,
        zone=rows[0].zone if rows else "UTC",
        duration_ms=0 if pictures else data["media"]["video"]["duration_ms"],
        seen_ms=view.seen_ms if view else 0,
        seen_complete=bool(view and view.completed_at),
        must_see=manifest.core,
        human_ms=tuple((begin, end) for begin, end in data.get("human_ms", ())),
        consent_until=_consent_end(session, data["consent"]),
        newer_version_id="" if current else post.version_id,
        changes=changes(session, version),
        video_url=urls.get("video", ""),
        poster_url=urls.get("poster", ""),
        captions_url=urls.get("captions", ""),
        # By number, not by hash: fetching one of these is noted, it is half of having looked at it.
        pictures=tuple(
            Picture(f"/review/{version.id}/pictures/{number}", p["alt"], p["width"], p["height"])
            for number, p in enumerate(pictures, 1)
        ),
        looked_at=tuple(looked.looked_at(view)) if pictures else (),
        window=_window(data),
        reasons=tuple((what, field, words) for what, field, words in data.get("core_because", ())),
        **_decided(session, who, post, version, now),
        **_asked(session, who, post, version, data, now),
    )


def _decided(session: Session, who: Person, post: Post, version: VersionRow, now: datetime) -> dict[str, Any]:
    """What somebody said about this version."""
    found = _decision(session, version.id)
    return {
        "decided": DECISIONS.get(post.state, "") if post.version_id == version.id else "",
        "decided_by": _name(session, found.by) if found else "",
        "approval_id": found.id if found and found.by == who.member_id and not found.parent_id else "",
        "undo_until": found.effective_at if found and found.effective_at > now else None,
        "grade": found.grade if found else "",
        "self_approved": bool(found and found.acted_as.endswith(SELF)),
    }


def _asked(
    session: Session, who: Person, post: Post, version: VersionRow, data: dict[str, Any], now: datetime
) -> dict[str, Any]:
    """Whose yes it waits for, and whether this person may say it."""
    open_here = post.version_id == version.id and post.state is PostState.in_review
    problem = _consent_problem(session, post, data, now) if open_here else ""
    return {
        "can_decide": open_here and who.role in DECIDE and not problem,
        "stages": stage_rows(session, data, version.id, now),
        "asked": open_here and _is_asked(session, who, data, version.id, now),
        "passkey": passkeys.has_any(session, who.member_id),
        "consent_problem": problem,
    }


def _consent_problem(session: Session, post: Post, data: dict[str, Any], now: datetime) -> str:
    try:
        consents.check_version(session, post, data, now)
    except Refused as error:
        return error.message
    return ""


def _window(data: dict[str, Any]) -> tuple[datetime, datetime] | None:
    """In which all its deliveries may still be moved; None for versions older than windows."""
    windows = [tuple(map(datetime.fromisoformat, t["window"])) for t in data["targets"] if "window" in t]
    return (max(w[0] for w in windows), min(w[1] for w in windows)) if windows else None


def stage_rows(session: Session, data: dict[str, Any], version_id: str, now: datetime) -> tuple[StageRow, ...]:
    """Each stage: who said yes, or is asked."""
    given = approvals.given(session, version_id)
    found = asked.open_stage(data, given)
    rows = []
    for number, stage in enumerate(asked.stages_of(data)):
        yeses = [yes for yes in given if yes.stage == number]
        state = "done" if found is None or number < found[0] else "open" if number == found[0] else "later"
        names = [_name(session, yes.by) for yes in yeses]
        if state == "open":
            names = [m.name for m in asked.members(session, data, stage, [asked.yes_of(yes) for yes in yeses], now)]
        rows.append(StageRow(number, stage.by, stage.all, tuple(names), state))
    return tuple(rows)


def _is_asked(session: Session, who: Person, data: dict[str, Any], version_id: str, now: datetime) -> bool:
    given = approvals.given(session, version_id)
    number, stage = asked.open_stage(data, given) or (0, ANY_STAGE)
    yeses = [asked.yes_of(row) for row in given if row.stage == number]
    return bool(asked.stands_for(session, session.get_one(Member, who.member_id), data, stage, yeses, now))


def _decision(session: Session, version_id: str) -> Approval | None:
    query = select(Approval).where(Approval.version_id == version_id, col(Approval.undone_at).is_(None))
    return session.exec(query.order_by(col(Approval.decided_at).desc()).limit(1)).first()


def _name(session: Session, member_id: str) -> str:
    member = session.get(Member, member_id)
    return member.name if member else member_id


def _consent_end(session: Session, consent_id: str) -> datetime | None:
    row = session.get(Consent, consent_id)
    return row.ends_at if row else None


def targets(session: Session, rows: list[Delivery]) -> tuple[Target, ...]:
    found = []
    for row in rows:
        channel = session.get_one(Channel, row.channel_id)
        receipt = session.exec(select(Receipt).where(Receipt.delivery_id == row.id)).first()
        url = receipt.url if receipt else ""
        found.append(Target(channel.platform, channel.address, row.due_at, row.zone, row.state, url, row.reason))
    return tuple(found)


def going_out(session: Session, who: Person) -> list[GoingOut]:
    """Deliveries that are not settled yet, soonest first."""
    query = (
        select(Delivery, Post.title)
        .where(Delivery.post_id == Post.id, Delivery.organization_id == who.organization_id)
        .where(col(Delivery.state).not_in(SETTLED))
        .order_by(col(Delivery.due_at))
    )
    if (creators := reached(who)) is not None:
        query = query.where(col(Post.creator_id).in_(creators))
    return [
        GoingOut(row.post_id, row.id, title, targets(session, [row])[0])
        for row, title in session.exec(query.limit(200))
    ]


def changes(session: Session, version: VersionRow) -> tuple[tuple[str, str], ...]:
    """Word diff of the script against the version before."""
    earlier = [v for v in versions.of_post(session, version.post_id) if v.number < version.number]
    if not earlier:
        return ()
    old, new = (versions.read(row).data["script"]["text"] for row in (earlier[-1], version))
    return () if old == new else comparing.between(old, new)


def listing(session: Session, who: Person, now: datetime) -> list[Progress]:
    """Newest first."""
    query = select(Post).where(Post.organization_id == who.organization_id).order_by(col(Post.created_at).desc())
    if (creators := reached(who)) is not None:
        query = query.where(col(Post.creator_id).in_(creators))
    return [progress_of(session, post) for post in session.exec(query.limit(200))]


def progress(session: Session, who: Person, post_id: str) -> Progress:
    return progress_of(session, posts.get(session, who, post_id))


def progress_of(session: Session, post: Post) -> Progress:
    render = session.get(Render, post.render_id) if post.render_id else None
    percent = render.percent if render else 0
    step = render.step if render and post.state in (PostState.rendering, PostState.checking) else ""
    state = _shown_state(session, post)
    why = post.reason or next((d.reason for d in deliveries(session, post.version_id) if d.state == state), "")
    return Progress(post.id, post.title, state, percent, step, why, post.version_id)


def _shown_state(session: Session, post: Post) -> str:
    """Once frozen, people care where its deliveries are."""
    if post.state not in (PostState.approved, PostState.in_review):
        return post.state
    states = {d.state for d in deliveries(session, post.version_id)}
    if post.state is PostState.in_review:
        return "kept_back" if states == {DeliveryState.kept_back} else post.state
    order = ("unconfirmed", "failed", "kept_back", "sending", "claimed", "accepted", "scheduled", "published")
    return next((state for state in order if state in states), "approved")


def post_page(session: Session, settings: Settings, who: Person, post_id: str, now: datetime) -> PostPage:
    post = posts.get(session, who, post_id)
    creator = session.get_one(Creator, post.creator_id)
    rows = list(session.exec(select(Delivery).where(Delivery.post_id == post.id)))
    current = session.get(VersionRow, post.version_id) if post.version_id else None
    manifest = _readable(current)
    media = _urls(manifest) if manifest else {}
    current_rows = [d for d in rows if d.version_id == post.version_id]
    return PostPage(
        progress=progress_of(session, post),
        kind=post.kind,
        core=manifest.core if manifest else is_core(post.kind, post.sponsored),
        creator=creator.name,
        creator_slug=creator.slug,
        script=post.script,
        caption=manifest.data["caption"] if manifest else post.caption,
        language=post.language,
        targets=targets(session, current_rows or rows),
        timeline=_timeline(session, who, post, rows),
        video_url=media.get("video", ""),
        poster_url=media.get("poster", ""),
        captions_url=media.get("captions", ""),
        pictures=tuple(
            Picture(f"/media/{p['sha256']}", p["alt"], p["width"], p["height"])
            for p in (manifest.pictures() if manifest else [])
        ),
        sponsored=post.sponsored,
        layers=layers.of_version(session, settings, manifest, current_rows, now).layers if manifest else (),
    )


def _readable(version: VersionRow | None) -> Manifest | None:
    try:
        return versions.read(version) if version else None
    except Refused:
        return None


def _urls(manifest: Manifest) -> dict[str, str]:
    media: dict[str, Any] = manifest.data["media"]
    return {kind: f"/media/{m['sha256']}" for kind, m in media.items()}


def _timeline(session: Session, who: Person, post: Post, rows: list[Delivery]) -> tuple[TimelineRow, ...]:
    """Audit entries about the post and everything under it, newest first."""
    ids = [post.id, *(d.id for d in rows)]
    ids += session.exec(select(Render.id).where(Render.post_id == post.id))
    ids += session.exec(select(Approval.id).where(Approval.post_id == post.id))
    sent = [d.id for d in rows]
    ids += session.exec(select(Attempt.id).where(col(Attempt.delivery_id).in_(sent)))
    ids += session.exec(select(Incident.id).where(col(Incident.delivery_id).in_(sent)))
    ids += comments.seen_by(session, who, post)
    return tuple(
        TimelineRow(e.at, _name(session, e.actor), e.action, json.loads(e.data), e.hash)
        for e in audits.about(session, post.organization_id, ids)
    )
