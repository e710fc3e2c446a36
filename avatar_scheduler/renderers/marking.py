"""The last steps every file takes, whoever drew it: metadata, then the signature; and what it is measured against."""

import base64
import json
from pathlib import Path
from typing import TYPE_CHECKING

from avatar_scheduler.renderers.base import SIGNING, Order

if TYPE_CHECKING:  # loaded only after the limits are set
    from collections.abc import Mapping

    from avatar_scheduler.marks.credentials import Ingredient
    from avatar_scheduler.marks.inspect import Expected
    from avatar_scheduler.marks.label import LabelArt
    from avatar_scheduler.marks.spoken import Sentence
    from avatar_scheduler.marks.times import Span
    from avatar_scheduler.studio.watermark import Watermark


def watermark(order: Order, keys: Path) -> "Watermark":
    """What is hidden in every picture of this order. Raises Refused when the installation's key is missing."""
    from avatar_scheduler.marks.watermark import embed
    from avatar_scheduler.marks.watermark.keys import key_of

    key = key_of(keys, order.organization)
    return lambda luma: embed.field(luma, order.mark_id, key)


def plate(order: Order, size: tuple[int, int]) -> "LabelArt":
    """The label as this order words it. `size` is the picture's, in pixels."""
    from avatar_scheduler.marks import label

    icon = base64.b64decode(order.icon)
    return label.draw(order.label_sign, order.label_words, size, sponsor=order.sponsor, icon=icon)


def sign(
    order: Order, source: Path, target: Path, keys: Path, source_type: str, ingredient: "Ingredient | None" = None
) -> dict[str, str]:
    """XMP and AIGC tag into `source`, then credentials last, as `target`. What must be remembered of the signature."""
    from avatar_scheduler.marks import aigc, credentials, signers, xmp
    from avatar_scheduler.outbound import Outbound

    settings = json.loads((target.parent / SIGNING).read_text())
    xmp.write(source, source_type)
    provider = signers.open_signer(keys, order.at(), order.organization).provider
    aigc.write(source, producer=provider, produce_id=order.mark_id)
    signed = credentials.sign(
        source,
        target,
        folder=keys,
        title=order.title,
        software=order.software.rpartition(" ")[2],
        when=order.at(),
        ingredient=ingredient,
        mark_id=order.mark_id,
        organization=order.organization,
        timestamp_authority=settings["timestamp_authority"],
        outbound=Outbound(private_hosts=settings["allow_hosts"]) if settings["timestamp_authority"] else None,
    )
    manifest = target.with_suffix(".c2pa")
    manifest.write_bytes(signed.manifest)
    return {"manifest": manifest.name, "certificate": signed.certificate, "timestamped_by": signed.timestamped_by}


def expected(
    order: Order,
    keys: Path,
    size: tuple[int, int],
    human_ms: "tuple[Span, ...]" = (),
    notices: Path | None = None,
) -> "Expected":
    """What a file of this order is measured against. `size` is the picture's, in pixels; `notices` keeps spoken
    notices between measurements."""
    from avatar_scheduler.marks import credentials, inspect, timestamps
    from avatar_scheduler.marks.watermark.keys import key_of

    return inspect.Expected(
        plate(order, size),
        order.caption,
        order.caption_line,
        credentials.read_root(keys, order.organization),
        human_ms=human_ms,
        sponsor_line=order.sponsor_line,
        spoken=_said_again(order, notices) if order.spoken else None,
        mark_id=order.mark_id,
        watermark_key=key_of(keys, order.organization),
        time_roots=timestamps.read_roots(keys),
    )


def _said_again(order: Order, notices: Path | None) -> "Sentence":
    """By the same voice, which says the same words the same way each time; never from what the render kept of it."""
    from avatar_scheduler.domain import staging
    from avatar_scheduler.marks.spoken import Sentence
    from avatar_scheduler.studio.speech.speak import notice

    staged = staging.read(json.loads(order.staging))
    speech = notice(order.spoken, order.language, voice="" if staged.recording else staged.voice, kept=notices)
    return Sentence(order.spoken, speech.samples, speech.rate)


def prints(files: "Mapping[str, Path]") -> dict[str, list[str]]:
    """Perceptual hashes of each film ("video") or picture."""
    from avatar_scheduler.marks import prints as found

    return {kind: found.of_video(path) if kind == "video" else found.of_picture(path) for kind, path in files.items()}
