"""From a draft to an order: everything the file will depend on, with every upload bound by its hash."""

import base64
import json
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

from sqlmodel import Session, col, or_, select

from avatar_scheduler import __version__, rules
from avatar_scheduler.config import Settings
from avatar_scheduler.db.tables import Avatar, Creator, Post, Pronunciation, Render, Upload
from avatar_scheduler.domain import slides, staging
from avatar_scheduler.domain.disclosure import Mark, RequiredMark
from avatar_scheduler.domain.errors import Invalid, Refused
from avatar_scheduler.domain.version import canonical
from avatar_scheduler.renderers import renderer
from avatar_scheduler.renderers.base import MATERIALS, PACK, Order
from avatar_scheduler.rules.renderers import BUILTIN
from avatar_scheduler.services import disclosing, origins
from avatar_scheduler.storage import Blobs
from avatar_scheduler.studio import job as jobs
from avatar_scheduler.studio import voices
from avatar_scheduler.studio.job import Material, Overlay, StudioJob
from avatar_scheduler.studio.stills import check as stills

MOST_ICON_BYTES = 64 << 10
STAND_IN = Overlay(bytes(16), 2, 2, 0, 0)
"""Where the label will be: only the words are checked before the render, and no picture library is loaded."""


def order_of(session: Session, settings: Settings, post: Post, now: datetime, mark_id: str = "") -> Order:
    """Raises Invalid for a material that was never uploaded, and a clip that is no person's own film; Refused for a
    place where no rule lets it go."""
    avatar, creator = session.get_one(Avatar, post.avatar_id), session.get_one(Creator, post.creator_id)
    words = rules.texts(post.language, form=post.form, name=creator.name, sponsored=post.sponsored)
    required = disclosing.of_draft(session, settings, post, now)
    return Order(
        title=post.title,
        text=post.script,
        language=post.language,
        pack=avatar.pack,
        scene=avatar.scene,
        **said(words, required, post.caption),
        software=f"avatar-scheduler {__version__}",
        when=now.isoformat(timespec="seconds"),
        form=post.form,
        staging=_in_its_voice(post, avatar),
        materials=canonical({name: _material(session, post, name, ref) for name, ref in named(post).items()}),
        pronunciations=canonical(_pronunciations(session, post)),
        renderer=avatar.renderer,
        vendor=avatar.vendor,
        icon=_icon(settings),
        mark_id=mark_id,
        organization=post.organization_id,
    )


def _icon(settings: Settings) -> str:
    """The icon an operator put beside the data (the EU's, in the end), as Base64. Raises Invalid for one too large."""
    for name in ("ai.svg", "ai.png"):
        path = settings.data / "icons" / name
        if path.is_file():
            content = path.read_bytes()
            if len(content) > MOST_ICON_BYTES:
                raise Invalid(f"{path} has {len(content)} bytes, {MOST_ICON_BYTES} are allowed.", code="icon")
            return base64.b64encode(content).decode()
    return ""


def said(words: rules.Texts, required: Iterable[RequiredMark], caption: str) -> dict[str, str]:
    """The words of an order that disclose: written by the rules, and by nobody else."""
    spoken = words.spoken_sponsored if words.sponsor else words.spoken
    lines = "\n".join(line for line in (words.caption_line, words.sponsor_line) if line)
    return {
        "label_sign": words.label_sign,
        "label_words": words.label_words,
        "sponsor": words.sponsor,
        "caption": f"{lines}\n\n{caption}".strip(),
        "caption_line": words.caption_line,
        "sponsor_line": words.sponsor_line,
        "spoken": spoken if disclosing.asks_for(required, Mark.spoken) else "",
    }


def check_unchanged(session: Session, settings: Settings, post: Post, render: Render, order: Mapping[str, str]) -> None:
    """Raises Refused unless the order still says what the post and the rules say: it lay in the database, where
    somebody may have rewritten what the label was to say, and the file was measured against it."""
    asked = asdict(Order.read(order))
    now = datetime.fromisoformat(asked["when"])
    wanted = asdict(order_of(session, settings, post, now, render.mark_id))
    if different := sorted(name for name in wanted if name != "software" and wanted[name] != asked[name]):
        raise Refused(
            f"Something changed while it was rendered: {', '.join(different)}. Submit the post again.",
            code="order_changed",
        )


def named(post: Post) -> dict[str, str]:
    """Uploads a post is made with, by the name it uses: those of its staging, and those its slides show.

    Raises Invalid for slides that cannot be read.
    """
    shown = slides.materials(slides.read(post.script)) if post.form == "stills" else []
    return {**{name: name for name in shown}, **staging.read(json.loads(post.staging)).materials}


def _in_its_voice(post: Post, avatar: Avatar) -> str:
    """The staging as written; with the avatar's own voice where it names none and that voice speaks the language."""
    voice, written = json.loads(avatar.vendor).get("voice", ""), json.loads(post.staging)
    if not voice or written.get("voice") or post.form != "video":
        return post.staging
    try:
        voices.choose(post.language, voice)
    except Invalid:
        return post.staging
    return json.dumps({**written, "voice": voice}, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def _material(session: Session, post: Post, name: str, ref: str) -> dict[str, str]:
    mine = Upload.creator_id == post.creator_id
    found = session.exec(select(Upload).where(mine, or_(col(Upload.id) == ref, col(Upload.name) == ref))).first()
    if found is None:
        have = ", ".join(sorted(session.exec(select(Upload.name).where(mine)))) or "none yet"
        raise Invalid(
            f"materials: “{name}” is the upload “{ref}”, which is not there. There are: {have}.", code="staging"
        )
    if found.made_by_ai and post.form == "video":
        origins.check_clip(name, post.script)
    return {"kind": found.kind, "sha256": found.sha256}


def _pronunciations(session: Session, post: Post) -> dict[str, str]:
    query = select(Pronunciation).where(
        Pronunciation.creator_id == post.creator_id, Pronunciation.language == voices.base(post.language)
    )
    return {row.written: row.spoken for row in session.exec(query)}


def check(order: Order) -> None:
    """Raises Invalid for what cannot be spoken or drawn, before any work."""
    if order.renderer != BUILTIN:
        if order.spoken:
            raise Invalid(
                f"The rules want a spoken notice first, and a film from {order.renderer} cannot carry one. Use a "
                "built-in avatar for this post.",
                code="spoken",
            )
        renderer(order.renderer).plan(order)
    elif order.form == "stills":
        stills.check(outline(order), slides.read(order.text, name=order.label_words))
    else:
        jobs.check(outline(order))


def outline(order: Order) -> StudioJob:
    """Enough of the job for the studio to say what cannot be spoken or drawn; no file of it is read."""
    staged = staging.read(json.loads(order.staging))
    return StudioJob(
        order.text,
        order.language,
        order.pack,
        order.scene,
        order.seed(),
        STAND_IN,
        width=staged.size[0],
        height=staged.size[1],
        staging=staged,
        materials={
            name: Material(about["kind"], MATERIALS / name) for name, about in json.loads(order.materials).items()
        },
        pack=PACK if order.uploaded_pack else None,
        pronunciations=json.loads(order.pronunciations),
    )


def bring(order: Order, blobs: Blobs, folder: Path) -> None:
    """Copies what the order names into the render's folder. Raises Refused for a stored file that was changed."""
    wanted = {folder / MATERIALS / name: about["sha256"] for name, about in json.loads(order.materials).items()}
    if order.uploaded_pack:
        wanted[folder / PACK] = order.uploaded_pack
    for target, sha256 in wanted.items():
        target.parent.mkdir(exist_ok=True)
        shutil.copyfile(blobs.verified(sha256), target)
