"""Freezing a post into a version, and reading one back only if it is still what was frozen."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from avatar_scheduler import signing
from avatar_scheduler.config import Settings
from avatar_scheduler.db import moves
from avatar_scheduler.db.columns import new_id
from avatar_scheduler.db.tables import Asset, Avatar, Channel, Creator, Delivery, Post, Render, Version
from avatar_scheduler.domain import slides
from avatar_scheduler.domain.delivery import GRACE, WINDOW
from avatar_scheduler.domain.disclosure import Evidence, Mark, RequiredMark, unproven
from avatar_scheduler.domain.errors import Refused
from avatar_scheduler.domain.interaction import is_core
from avatar_scheduler.domain.post import PostState
from avatar_scheduler.domain.version import canonical, sha256
from avatar_scheduler.services import asked, consents, disclosing, kinds, orders, standing
from avatar_scheduler.services.disclosing import STILLS, VIDEO

ACTOR = "gate"
SEAL = "version"
"""Purpose of the key that signs what was frozen."""


def freeze(
    session: Session,
    settings: Settings,
    post: Post,
    order: Mapping[str, str],
    assets: list[Asset],
    evidence: list[dict[str, Any]],
    now: datetime,
) -> Version | None:
    """A new version in review, or a blocked post naming the missing marks. A standing approval may answer at once."""
    render = session.get_one(Render, post.render_id)
    disclosing.check_declared(session, post)
    orders.check_unchanged(session, settings, post, render, order)
    form, media = order.get("form", VIDEO), _media(order, assets)
    found = [evidence_of(e) for e in evidence]
    reasons = unproven(
        disclosing.of_draft(session, settings, post, now),
        found,
        media=marked_files(form, media),
        caption=sha256(order["caption"]),
    )
    reasons += leads_elsewhere(found, render.mark_id)
    if reasons:
        reason = " ".join(reasons)
        moves.move(session, post, PostState.blocked, at=now, actor=ACTOR, reason=reason, data={"reason": reason})
        return None
    consents.check_post(session, post, now)
    number = len(list(session.exec(select(Version.id).where(Version.post_id == post.id)))) + 1
    deliveries = _deliveries(session, post)
    content = _manifest(session, settings, post, number, order, media, evidence, deliveries, now)
    text = canonical(content)
    version = Version(
        organization_id=post.organization_id,
        post_id=post.id,
        number=number,
        manifest=text,
        sha256=sha256(text),
        core=content["core"],
        created_at=now,
    )
    signing.make_signing_key(settings.keys, SEAL)  # there since `init`, but for an installation older than seals
    version.seal = signing.sign(settings.keys, SEAL, _sealed(version))
    session.add(version)
    session.flush()
    for delivery in deliveries:
        delivery.version_id, delivery.created_at = version.id, now
        session.add(delivery)
    moves.move(
        session,
        post,
        PostState.in_review,
        at=now,
        actor=ACTOR,
        version_id=version.id,
        data={"version": str(number), "sha256": version.sha256},
    )
    if not content["core"]:
        standing.apply(session, settings, post, version, now)
    return version


def _human_ms(order: Mapping[str, str]) -> list[list[int]]:
    """Where a person's own film is seen, without the avatar label: only a person can say that it is one."""
    spans: list[list[int]] = json.loads(order.get("human_ms", "[]"))
    return spans


def _sealed(version: Version) -> bytes:
    return canonical({"post": version.post_id, "number": version.number, "sha256": version.sha256}).encode()


def check_seal(settings: Settings, version: Version) -> None:
    """Raises Refused for a manifest that was not frozen here: its evidence would be anybody's word."""
    if not signing.verify(signing.public_pem(settings.keys, SEAL), SEAL, _sealed(version), version.seal):
        message = "This version was not frozen by a render here. Nothing of it goes out. Render the post again."
        raise Refused(message, code="version_forged")


def evidence_of(e: dict[str, Any]) -> Evidence:
    return Evidence(Mark(e["mark"]), bool(e["ok"]), e["summary"], e["tool"], e["subject"], e["measured"])


def _deliveries(session: Session, post: Post) -> list[Delivery]:
    rows = []
    for target in json.loads(post.targets):
        due = datetime.fromisoformat(target["due_at"])
        rows.append(
            Delivery(
                id=new_id(),
                organization_id=post.organization_id,
                post_id=post.id,
                version_id="",
                channel_id=target["channel"],
                local_time=target["local"],
                zone=target["zone"],
                due_at=due,
                ready_at=due,
                latest_start=due + GRACE,
                created_at=due,
            )
        )
    return rows


def _manifest(
    session: Session,
    settings: Settings,
    post: Post,
    number: int,
    order: Mapping[str, str],
    media: dict[str, Any],
    evidence: list[dict[str, Any]],
    deliveries: list[Delivery],
    now: datetime,
) -> dict[str, Any]:
    """Everything the audience gets, and everything the decision rests on."""
    creator, avatar = session.get_one(Creator, post.creator_id), session.get_one(Avatar, post.avatar_id)
    judged = kinds.judge(session, post)
    return {
        "format": 1,
        "nonce": new_id(),
        "organization": post.organization_id,
        "post": post.id,
        "number": number,
        "author": post.edited_by,
        **asked.demanded(session, post, now),
        "creator": {"id": creator.id, "name": creator.name, "slug": creator.slug},
        "avatar": {
            "id": avatar.id,
            "pack": avatar.pack,
            "performer": disclosing.performer_of(session, avatar),
            "scene": avatar.scene,
        },
        "renderer": order.get("renderer", "builtin"),
        "consent": avatar.consent_id,
        "grant": consents.digest(consents.grant_of(session, avatar)),
        "kind": post.kind,
        "core": judged.core or _human_ms(order) != [],
        "core_because": kinds.because(judged),
        "sponsored": post.sponsored,
        "audience": sorted(disclosing.audience_of(session, creator)),
        "rules": disclosing.book(settings).version,
        "title": post.title,
        "language": post.language,
        "script": {"template": sha256(post.template), "variables": json.loads(post.variables), "text": post.script},
        "caption": order["caption"],
        "disclosure_line": order["caption_line"],
        "label": {"sign": order["label_sign"], "words": order["label_words"], "sponsor": order["sponsor"]},
        "sponsor_line": order["sponsor_line"],
        "spoken": order["spoken"],
        "mark_id": order["mark_id"],
        "form": order.get("form", VIDEO),
        "staging": order.get("staging", "{}"),
        "materials": order.get("materials", "{}"),
        "pronunciations": order.get("pronunciations", "{}"),
        "human_ms": _human_ms(order),
        "media": media,
        "evidence": evidence,
        "engine": order["software"],
        "targets": [_target(session, delivery, now) for delivery in deliveries],
    }


def _media(order: Mapping[str, str], assets: list[Asset]) -> dict[str, Any]:
    """What each file is; for pictures also the words for those who cannot see them."""
    names = ("sha256", "mime", "size", "width", "height", "duration_ms")
    media: dict[str, Any] = {asset.kind: {name: getattr(asset, name) for name in names} for asset in assets}
    if order.get("form", VIDEO) != STILLS:
        return media
    shown = slides.read(order["text"], name=order["label_words"])
    if set(media) != {f"image{number}" for number in range(1, len(shown) + 1)}:
        raise Refused(f"The post has {len(shown)} slides and {len(media)} pictures. Render it again.", code="pictures")
    for number, slide in enumerate(shown, 1):
        media[f"image{number}"]["alt"] = slide.alt
    return media


def leads_elsewhere(evidence: Iterable[Evidence], mark_id: str) -> list[str]:
    """Watermark and AIGC tag say which render this is; another's would lead people to the wrong proof."""
    return [
        f"{e.mark}: it says {said}, this is {mark_id}. Render it again."
        for e in evidence
        if (said := e.measured.get("id")) is not None and said != mark_id
    ]


def marked_files(form: str, media: Mapping[str, Any]) -> list[str]:
    """SHA-256 of each file that must carry marks. Raises Refused for a form nobody thought about."""
    disclosing.media_of(form, 1)
    kinds = ["video"] if form == VIDEO else picture_kinds(media)
    return [media[kind]["sha256"] for kind in kinds if kind in media]


def picture_kinds(media: Mapping[str, Any]) -> list[str]:
    """image1 and on, in their order."""
    return [f"image{number}" for number in range(1, slides.MOST + 1) if f"image{number}" in media]


def _target(session: Session, delivery: Delivery, now: datetime) -> dict[str, Any]:
    channel = session.get_one(Channel, delivery.channel_id)
    window = (max(now, delivery.due_at - WINDOW), delivery.due_at + WINDOW)
    return {
        "delivery": delivery.id,
        "channel": channel.id,
        "platform": channel.platform,
        "address": channel.address,
        "endpoint": channel.endpoint,
        "due_at": delivery.due_at.isoformat(),
        "latest_start": delivery.latest_start.isoformat(),
        "local": delivery.local_time,
        "zone": delivery.zone,
        "window": [instant.isoformat() for instant in window],
    }


@dataclass(frozen=True)
class Manifest:
    """A version's manifest, proven to be the one whose hash was frozen."""

    sha256: str
    data: dict[str, Any]

    @property
    def core(self) -> bool:
        """Whether a person must have seen it: by its kind, for money, by its words, or because part has no label."""
        data = self.data
        by_words = bool(data["core"]) or bool(data.get("core_because")) or bool(data.get("human_ms"))
        return is_core(data["kind"], data.get("sponsored", "no")) or by_words

    @property
    def form(self) -> str:
        """Versions frozen before there were forms are films."""
        form: str = self.data.get("form", VIDEO)
        return form

    def pictures(self) -> list[dict[str, Any]]:
        """In their order; none for a film."""
        media = self.data["media"]
        return [media[kind] for kind in picture_kinds(media)] if self.form == STILLS else []

    def evidence(self) -> list[Evidence]:
        return [evidence_of(e) for e in self.data["evidence"]]

    def check_marks(
        self, settings: Settings, platform: str, audience: Iterable[str], at: datetime
    ) -> tuple[RequiredMark, ...]:
        """What that platform and those laws ask for now, all of it measured on the files. Raises Refused otherwise."""
        data, found = self.data, self.evidence()
        required = disclosing.demanded(settings, data, platform, audience, at)
        files = marked_files(self.form, data["media"])
        reasons = unproven(required, found, media=files, caption=sha256(data["caption"]))
        if reasons := reasons + leads_elsewhere(found, data.get("mark_id", "")):
            raise Refused("Kept back, a disclosure mark is missing. " + " ".join(reasons), code="mark_missing")
        return tuple(required)

    def target(self, delivery_id: str) -> dict[str, Any] | None:
        found: list[dict[str, Any]] = [t for t in self.data["targets"] if t["delivery"] == delivery_id]
        return found[0] if found else None


def read(version: Version) -> Manifest:
    """Raises Refused when the stored text no longer has the hash it was frozen with."""
    changed = Refused("This version was changed after it was frozen. Nothing of it goes out.", code="version_changed")
    if sha256(version.manifest) != version.sha256:
        raise changed
    try:
        return Manifest(version.sha256, json.loads(version.manifest))
    except ValueError:
        raise changed from None  # somebody fitted the hash to what is no manifest


def of_post(session: Session, post_id: str) -> list[Version]:
    """Oldest first."""
    return list(session.exec(select(Version).where(Version.post_id == post_id).order_by(col(Version.number))))
