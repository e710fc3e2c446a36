"""A small installation to test in: Ada owns and reviews, Maya is the creator, Cy belongs to nobody here."""

import json
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from sqlmodel import Session, SQLModel, select

from avatar_scheduler import rules, signing, vault
from avatar_scheduler.clock import utc_now
from avatar_scheduler.config import Settings
from avatar_scheduler.db import moves
from avatar_scheduler.db.engine import read_scope, write_scope
from avatar_scheduler.db.tables import (
    Approval,
    Asset,
    Attempt,
    Creator,
    Delivery,
    Member,
    Organization,
    Post,
    Render,
    Version,
)
from avatar_scheduler.domain.approval import PURPOSE
from avatar_scheduler.domain.post import PostState
from avatar_scheduler.domain.render import RenderState
from avatar_scheduler.marks import caption, chain
from avatar_scheduler.marks.watermark import keys as keys_of_marks
from avatar_scheduler.publishers.own_feed import Feed
from avatar_scheduler.renderers import builtin, process
from avatar_scheduler.renderers.base import SIGNING, Order
from avatar_scheduler.services import (
    installation,
    orders,
    people,
    posts,
    renders,
    review,
    seen,
    settle,
    signings,
    standing,
    versions,
)
from avatar_scheduler.services import publish as publishing
from avatar_scheduler.services.people import Person
from avatar_scheduler.services.vendors import KEY_NAME
from avatar_scheduler.storage import Blobs

Row = TypeVar("Row", bound=SQLModel)
SCRIPT = "Keep the heat low."
CAPTION = "Onions."
MARK_ID = "0badcafe"
STUDIO = "5" * 32
"""Id of the organization."""


@dataclass(frozen=True)
class Film:
    """One real render, made and measured once in a session: signed MP4, captions, poster, evidence."""

    folder: Path
    keys: Path
    order: dict[str, str]
    made: dict[str, Any]
    evidence: list[dict[str, Any]]
    prints: dict[str, list[str]]

    def hand_over(self, verb: str, folder: Path) -> dict[str, Any]:
        """What the render process would say, and leave in its folder, had it made this film for that order."""
        if verb == "measure":
            order = json.loads((folder / "order.json").read_text())
            return {"evidence": self.measured(order), "prints": self.prints}
        names = [self.made[kind] for kind in renders.MIMES if kind in self.made]
        names += [picture["file"] for picture in self.made.get("pictures", [])]
        for name in [*names, *(said["manifest"] for said in self.made["signed"])]:
            (folder / name).write_bytes((self.folder / name).read_bytes())
        return self.made

    def measured(self, order: Mapping[str, str]) -> list[dict[str, Any]]:
        """The evidence, had this been made for that order: of another id, and with its caption."""
        said = [
            {**e, "measured": {**e["measured"], "id": order["mark_id"]}} if "id" in e["measured"] else e
            for e in self.evidence
        ]
        line = builtin.evidence(caption.measure(order["caption"], order["caption_line"]))
        return [line if e["mark"] == "caption_line" and e["ok"] else e for e in said]


def make_film(folder: Path) -> Film:
    keys = folder / "keys"
    vault.make_keys(keys)
    vault.make_keys(keys, KEY_NAME)
    signing.make_signing_key(keys, PURPOSE)
    now = utc_now()
    chain.make_chain(keys / "credentials", "Test Studio", now)
    keys_of_marks.make_key(keys / "credentials")
    words = rules.texts("en", form="video", name="Maya", sponsored="no")
    order = Order(
        title="Onions", text=SCRIPT, language="en", pack="maya", scene="kitchen", **orders.said(words, [], CAPTION),
        software="avatar-scheduler test", when=now.isoformat(timespec="seconds"), mark_id=MARK_ID, organization=STUDIO,
    )  # fmt: skip
    (folder / "order.json").write_text(json.dumps(asdict(order)))
    (folder / SIGNING).write_text(signings.settings_of(Settings()))
    made = process.run("make", folder, keys / "credentials", lambda *_: None, 300)
    measured = process.run("measure", folder, keys / "credentials", lambda *_: None, 300)
    return Film(folder, keys, asdict(order), made, measured["evidence"], measured["prints"])


STILLS = """# look
pose: smile, look left
alt: Maya in her kitchen, a pan in hand.
---
Keep the heat low.
— Grandma
---
# thumbnail
3 onion myths
"""


def make_stills(film: Film, folder: Path) -> Film:
    """Three pictures instead of a film, made and measured once in a session with the same keys."""
    words = rules.texts("en", form="stills", name="Maya", sponsored="no")
    staging = json.dumps({"format": "4:5"})
    order = Order.read({**film.order, **orders.said(words, [], CAPTION), "form": "stills", "text": STILLS,
                        "staging": staging})  # fmt: skip
    (folder / "order.json").write_text(json.dumps(asdict(order)))
    (folder / SIGNING).write_text(signings.settings_of(Settings()))
    made = process.run("make", folder, film.keys / "credentials", lambda *_: None, 300)
    measured = process.run("measure", folder, film.keys / "credentials", lambda *_: None, 300)
    return Film(folder, film.keys, asdict(order), made, measured["evidence"], measured["prints"])


def _with_known_id(session: Session) -> None:
    """The session's film was marked for an organization before there was one."""
    member = session.exec(select(Member)).one()
    made = session.get_one(Organization, member.organization_id)
    session.add(Organization(id=STUDIO, name=made.name, created_at=made.created_at))
    session.flush()
    member.organization_id = STUDIO
    session.flush()
    session.delete(made)


@dataclass
class World:
    settings: Settings
    film: Film
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    ada: Person = field(init=False)
    maya: Creator = field(init=False)

    def __post_init__(self) -> None:
        with self.write() as session:
            installation.first_owner(session, "Studio", "Ada", "ada@example.org", "en", self.now)
        with self.write() as session:
            _with_known_id(session)
        with self.write() as session:
            self.ada = people.operator(session)
            new = installation.NewCreator("Maya", "maya", "en", "Europe/Paris", "maya", "kitchen", "digital_twin")
            self.maya = installation.add_creator(session, self.ada, new, self.now)

    def clock(self) -> datetime:
        return self.now

    def later(self, **delta: float) -> datetime:
        self.now += timedelta(**delta)
        return self.now

    def write(self) -> AbstractContextManager[Session]:
        return write_scope(self.settings)

    def read(self) -> AbstractContextManager[Session]:
        return read_scope(self.settings)

    def post(self, kind: str = "tip", title: str = "Onions", at: str = "+5m", **more: Any) -> Post:
        new = posts.NewPost(
            "maya", title, kind, more.pop("template", SCRIPT), caption=more.pop("caption", CAPTION), at=at, **more
        )
        with self.write() as session:
            return posts.make(session, self.settings, self.ada, new, self.maya, self.now)

    def version(self, post: Post, film: Film | None = None, **changed: str) -> Version:
        """In review, as if the render worker had just finished the session's film, or the one given."""
        made = self.freeze(post, film or self.film, **changed)
        assert made is not None
        return made

    def freeze(self, post: Post, film: Film, **changed: str) -> Version | None:
        """None when the post is blocked. `changed` is what somebody wrote into the order meanwhile."""
        with self.write() as session:
            row = session.get_one(Post, post.id)
            render = renders.submit(session, self.settings, self.ada, row, self.now)
            order = {**json.loads(render.order), "mark_id": film.order["mark_id"], **changed}
            render.mark_id, render.order = film.order["mark_id"], json.dumps(order)
            moves.move(session, render, RenderState.running, at=self.now, actor="render")
            moves.move(session, row, PostState.checking, at=self.now, actor="render")
            moves.move(session, render, RenderState.done, at=self.now, actor="render", percent=100)
            assets = self._assets(session, render, film)
            return versions.freeze(session, self.settings, row, order, assets, film.measured(order), self.now)

    def _assets(self, session: Session, render: Render, film: Film) -> list[Asset]:
        blobs, assets, made = Blobs(self.settings.blobs), [], film.made
        files = {kind: {**made, "file": made[kind]} for kind in renders.MIMES if kind in made}
        files |= {f"image{number}": picture for number, picture in enumerate(made.get("pictures", []), 1)}
        for kind, about in files.items():
            path = film.folder / about["file"]
            assets.append(
                Asset(
                    organization_id=render.organization_id,
                    render_id=render.id,
                    kind=kind,
                    sha256=blobs.put(path),
                    mime=renders.MIMES.get(kind, "image/jpeg"),
                    size=path.stat().st_size,
                    width=about["width"],
                    height=about["height"],
                    duration_ms=made["duration_ms"] if kind == "video" else 0,
                    created_at=self.now,
                )
            )
        session.add_all(assets)
        session.flush()
        return assets

    def watch(self, version: Version) -> None:
        """Ada opens the card and watches to the end, in real time on the world's clock."""
        duration = self.film.made["duration_ms"]
        with self.write() as session:
            seen.open_view(session, session.get_one(Version, version.id), self.ada.member_id, self.now)
        self.later(milliseconds=duration)
        with self.write() as session:
            review.record_seen(session, self.ada, version.id, [(0, duration)], self.now)

    def look(self, version: Version) -> None:
        """Ada opens the card of a still post and looks at each picture."""
        with self.write() as session:
            seen.open_view(session, session.get_one(Version, version.id), self.ada.member_id, self.now)
        for number in range(1, len(versions.read(version).pictures()) + 1):
            self.later(seconds=1)
            with self.write() as session:
                review.fetch_picture(session, self.ada, version.id, number, self.now)
                review.record_looked(session, self.ada, version.id, [number], self.now)

    def approve(self, version: Version) -> str:
        with self.write() as session:
            return review.approve(session, self.settings, self.ada, version.id, version.sha256, self.now)

    def approved(self, kind: str = "tip", **more: Any) -> Delivery:
        """A post that was rendered, watched and approved; its one delivery."""
        version = self.version(self.post(kind, **more))
        self.watch(version)
        self.approve(version)
        return self.delivery(version)

    def standing(self, *kinds: str, per_day: int = 3) -> Approval:
        with self.write() as session:
            return standing.grant(session, self.settings, self.ada, self.maya, kinds, per_day, 30, self.now)

    def delivery(self, version: Version) -> Delivery:
        with self.read() as session:
            return session.exec(select(Delivery).where(Delivery.version_id == version.id)).one()

    def again(self, row: Row) -> Row:
        with self.read() as session:
            return session.get_one(type(row), row.id)  # type: ignore[attr-defined]

    def attempts(self, delivery: Delivery) -> list[Attempt]:
        with self.read() as session:
            query = select(Attempt).where(Attempt.delivery_id == delivery.id).order_by(Attempt.number)  # type: ignore[arg-type]
            return list(session.exec(query))

    def due(self, delivery: Delivery) -> None:
        self.now = max(self.now, delivery.ready_at)

    def publish(self, delivery: Delivery) -> Delivery:
        """At its time, both steps a worker does."""
        self.due(delivery)
        publishing.run(self.settings, delivery.id, self.clock)
        settle.run(self.settings, delivery.id, self.clock)
        return self.again(delivery)

    def sql(self, statement: str, **values: Any) -> None:
        """What somebody with the database password would type."""
        from sqlalchemy import text

        with self.write() as session:
            session.execute(text(statement), values)

    @property
    def ledger(self) -> list[dict[str, object]]:
        """The feed's own record of every call it accepted."""
        return Feed(self.settings).ledger()
