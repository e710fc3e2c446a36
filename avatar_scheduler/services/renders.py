"""From a draft to a frozen version: ask for a render, run it under a lease, measure it, freeze it."""

import json
import secrets
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import CursorResult, update
from sqlmodel import Session, col, select

from avatar_scheduler.clock import Clock
from avatar_scheduler.config import Settings
from avatar_scheduler.crash import crashpoint
from avatar_scheduler.db import moves
from avatar_scheduler.db.engine import ring_after_commit, write_scope
from avatar_scheduler.db.tables import Asset, Post, Render
from avatar_scheduler.domain.delivery import GRACE
from avatar_scheduler.domain.errors import Conflict, Invalid, Refused, SchedulerError
from avatar_scheduler.domain.post import PostState
from avatar_scheduler.domain.render import RenderState
from avatar_scheduler.queue import RENDER
from avatar_scheduler.renderers import process
from avatar_scheduler.renderers.base import SIGNING, Order
from avatar_scheduler.rules.renderers import BUILTIN
from avatar_scheduler.services import consents, leftovers, orders, parcels, purchases, signings, versions
from avatar_scheduler.services.people import Person
from avatar_scheduler.services.purchases import NotYet
from avatar_scheduler.services.roles import WRITE, own, require
from avatar_scheduler.storage import Blobs

ACTOR = "render"
ALIVE = 2.0
"""Seconds after which a worker asks again whether its render is still wanted: a withdrawn consent ends it."""
MIMES = {"video": "video/mp4", "captions": "text/vtt", "poster": "image/jpeg"}
IMAGE_MIMES = {".jpg": "image/jpeg", ".png": "image/png"}


def submit(session: Session, settings: Settings, who: Person, post: Post, now: datetime) -> Render:
    """Queues a render of the draft. What cannot be spoken or drawn is refused here, before any work."""
    require(who, WRITE, "render posts")
    own(who, post)
    if post.state not in (PostState.draft, PostState.blocked):
        raise Conflict(f"This post is {post.state.replace('_', ' ')}; only a draft is rendered.", code="state")
    if all(datetime.fromisoformat(target["due_at"]) + GRACE < now for target in json.loads(post.targets)):
        raise Invalid("Its time has passed. Give it a new one with --at.", code="past")
    consents.check_post(session, post, now)
    order = orders.order_of(session, settings, post, now, _mark_id(session))
    orders.check(order)
    render = Render(
        organization_id=post.organization_id,
        post_id=post.id,
        mark_id=order.mark_id,
        created_at=now,
        order=json.dumps(asdict(order), ensure_ascii=False),
    )
    session.add(render)
    session.flush()
    if order.renderer != BUILTIN:
        purchases.plan(session, post, render, order, now)
    moves.move(session, post, PostState.rendering, at=now, actor=who.member_id, reason="", render_id=render.id)
    ring_after_commit(session, RENDER, render.id)
    return render


def _mark_id(session: Session) -> str:
    """One no other render has: it must lead back to this one alone."""
    while True:
        mark_id = secrets.token_hex(4)
        if session.exec(select(Render.id).where(Render.mark_id == mark_id)).first() is None:
            return mark_id


@dataclass(frozen=True)
class _Claim:
    render_id: str
    post_id: str
    fence: int
    order: dict[str, str]


def run(settings: Settings, render_id: str, clock: Clock) -> bool:
    """Runs one render as far as it goes. False when somebody else has it, or nobody wants it any more."""
    if leftovers.drop(settings, render_id, clock):
        return False
    try:
        claim = _claim(settings, render_id, clock)
    except Conflict:
        return False
    if claim is None:
        return False
    crashpoint("render.claimed")
    try:
        with tempfile.TemporaryDirectory(prefix="avs-render-") as name:
            _work(settings, claim, Path(name), clock)
    except Conflict:
        return False  # the post was edited, or our lease was lost
    except NotYet as later:
        _park(settings, claim, later, clock)
    except SchedulerError as error:
        _fail(settings, claim, error.message, clock)
    except OSError as error:
        full = "The disk is full. Free some space, then try again; nothing was kept."
        _fail(
            settings, claim, full if error.errno == 28 else f"The render could not be stored: {error.strerror}.", clock
        )
    return True


def _claim(settings: Settings, render_id: str, clock: Clock) -> _Claim | None:
    with write_scope(settings) as session:
        render = session.get(Render, render_id)
        if render is None or render.state is not RenderState.queued:
            raise Conflict("Nothing to render.")
        post = session.get_one(Post, render.post_id)
        now = clock()
        if post.render_id != render.id or post.state not in (PostState.rendering, PostState.checking):
            moves.move(session, render, RenderState.cancelled, at=now, actor=ACTOR, finished_at=now)
            return None  # nobody wants it any more
        moves.move(
            session,
            render,
            RenderState.running,
            at=now,
            actor=ACTOR,
            was=render.fence,
            fence=render.fence + 1,
            lease_until=now + timedelta(seconds=settings.lease_seconds),
            tries=render.tries + 1,
            percent=0,
            step="Starting",
        )
        if post.state is PostState.checking:  # its last worker died while measuring
            moves.move(session, post, PostState.rendering, at=now, actor=ACTOR)
        try:
            consents.check_post(session, post, now)
        except Refused as error:  # withdrawn, or ended, while it waited
            block(session, render, post, error.message, now)
            return None
        return _Claim(render.id, post.id, render.fence, json.loads(render.order))


def _beat(settings: Settings, claim: _Claim, clock: Clock) -> Callable[[int, str], None]:
    """Writes progress and renews the lease. Raises Conflict when the render is no longer ours."""
    shown, renewed = (-5, ""), time.monotonic()

    def progress(percent: int, step: str) -> None:
        nonlocal shown, renewed
        percent, step = max(percent, shown[0]), step or shown[1]
        still = step == shown[1] and percent - shown[0] < 2
        if still and time.monotonic() - renewed < min(settings.lease_seconds / 4, ALIVE):
            return
        try:
            _renew(settings, claim, clock() + timedelta(seconds=settings.lease_seconds), percent, step)
        except Conflict as error:
            if error.code == "busy":
                return  # the next word renews it
            raise
        shown, renewed = (percent, step), time.monotonic()

    return progress


def _renew(settings: Settings, claim: _Claim, until: datetime, percent: int, step: str) -> None:
    mine = (
        col(Render.id) == claim.render_id,
        col(Render.fence) == claim.fence,
        col(Render.state) == RenderState.running,
    )
    with write_scope(settings) as session:
        result = session.execute(update(Render).where(*mine).values(percent=percent, step=step, lease_until=until))
        if not isinstance(result, CursorResult) or result.rowcount != 1:
            raise Conflict("The render was taken back.", code="lost_lease")


def _owned(session: Session, claim: _Claim) -> tuple[Render, Post]:
    """Both rows, while the lease is ours and the post still wants this render. Raises Conflict otherwise."""
    render, post = session.get_one(Render, claim.render_id), session.get_one(Post, claim.post_id)
    if render.fence != claim.fence or render.state is not RenderState.running or post.render_id != render.id:
        raise Conflict("The render was taken back, or the post was edited meanwhile.", code="lost_lease")
    return render, post


def _work(settings: Settings, claim: _Claim, folder: Path, clock: Clock) -> None:
    (folder / "order.json").write_text(json.dumps(claim.order, ensure_ascii=False))
    (folder / SIGNING).write_text(signings.settings_of(settings))
    order, beat = Order.read(claim.order), _beat(settings, claim, clock)
    orders.bring(order, Blobs(settings.blobs), folder)
    for kept in (settings.sentences, settings.notices):
        kept.mkdir(exist_ok=True)
    if order.renderer != BUILTIN:
        purchases.bring(settings, claim.render_id, order, folder, clock, beat)
    keys, seconds = settings.keys / "credentials", settings.render_minutes * 60.0
    made = process.run("make", folder, keys, beat, seconds, settings.sentences)
    crashpoint("render.made")
    beat(95, "Checking")
    with write_scope(settings) as session:
        _, post = _owned(session, claim)
        moves.move(session, post, PostState.checking, at=clock(), actor=ACTOR)
    measured = process.run("measure", folder, keys, beat, seconds, settings.notices)
    crashpoint("render.measured")
    blobs = Blobs(settings.blobs)
    assets = [_asset(claim, kind, folder / about["file"], blobs, about) for kind, about in _files(made).items()]
    files = _Files(assets, signings.keep(blobs, folder, made["signed"]), measured["prints"])
    crashpoint("render.stored")
    spans = json.dumps(made.get("human_ms", []))
    _finish(settings, claim, {**claim.order, "human_ms": spans}, files, measured["evidence"], clock)
    crashpoint("render.frozen")


@dataclass(frozen=True)
class _Files:
    assets: list[Asset]
    signed: list[dict[str, str]]
    prints: dict[str, list[str]]
    """Kind of file -> perceptual hashes."""


def _files(made: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """What each file is -> its name and size: a film with captions and poster, or pictures in their order."""
    if "pictures" in made:
        return {f"image{number}": picture for number, picture in enumerate(made["pictures"], 1)}
    return {kind: {**made, "file": made[kind]} for kind in MIMES}


def _asset(claim: _Claim, kind: str, path: Path, blobs: Blobs, made: dict[str, Any]) -> Asset:
    asset = Asset(
        organization_id="",
        render_id=claim.render_id,
        kind=kind,
        sha256=blobs.put(path),
        mime=MIMES.get(kind) or IMAGE_MIMES[path.suffix],
        size=path.stat().st_size,
    )
    if kind != "captions":
        asset.width, asset.height = made["width"], made["height"]
    if kind == "video":
        asset.duration_ms = made["duration_ms"]
    return asset


def _finish(
    settings: Settings,
    claim: _Claim,
    order: dict[str, str],
    files: _Files,
    evidence: list[dict[str, Any]],
    clock: Clock,
) -> None:
    with write_scope(settings) as session:
        now = clock()
        render, post = _owned(session, claim)
        moves.move(
            session,
            render,
            RenderState.done,
            at=now,
            actor=ACTOR,
            was=claim.fence,
            percent=100,
            step="Done",
            finished_at=now,
            lease_until=None,
        )
        for asset in files.assets:
            asset.organization_id, asset.created_at = post.organization_id, now
            session.add(asset)
            if asset.duration_ms and order["renderer"] != BUILTIN:
                purchases.charge(session, render.id, asset.duration_ms)
        session.flush()
        signings.record(session, render, files.assets, files.signed, files.prints, now)
        version = versions.freeze(session, settings, post, order, files.assets, evidence, now)
        if version is not None:
            parcels.check_fits(session, settings, version)


def _park(settings: Settings, claim: _Claim, later: NotYet, clock: Clock) -> None:
    """A vendor works on it, no worker does. What was achieved is written down, so the tries begin anew."""
    with write_scope(settings) as session:
        try:
            render, _ = _owned(session, claim)
        except Conflict:
            return
        moves.move(
            session,
            render,
            RenderState.waiting,
            at=clock(),
            actor=ACTOR,
            was=claim.fence,
            lease_until=None,
            look_at=later.look_at,
            tries=0,
            percent=later.percent * 6 // 10,
            step=later.step[:300],
        )


def _fail(settings: Settings, claim: _Claim, reason: str, clock: Clock) -> None:
    """The post is blocked with the reason and stays editable. Nothing of the failed render is kept."""
    with write_scope(settings) as session:
        try:
            render, post = _owned(session, claim)
        except Conflict:
            return
        block(session, render, post, reason, clock())


def block(session: Session, render: Render, post: Post, reason: str, now: datetime) -> None:
    moves.move(
        session,
        render,
        RenderState.failed,
        at=now,
        actor=ACTOR,
        reason=reason,
        finished_at=now,
        lease_until=None,
        data={"reason": reason},
    )
    if post.render_id == render.id and post.state in (PostState.rendering, PostState.checking):
        moves.move(session, post, PostState.blocked, at=now, actor=ACTOR, reason=reason, data={"reason": reason})
