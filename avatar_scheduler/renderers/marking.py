"""The last steps every file takes, whoever drew it: metadata, then the signature; and what it is measured against."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

from avatar_scheduler.renderers.base import SIGNING, Order

if TYPE_CHECKING:  # loaded only after the limits are set
    from avatar_scheduler.marks.credentials import Ingredient
    from avatar_scheduler.studio.watermark import Watermark


def watermark(order: Order, keys: Path) -> "Watermark":
    """What is hidden in every picture of this order. Raises Refused when the installation's key is missing."""
    from avatar_scheduler.marks.watermark import embed
    from avatar_scheduler.marks.watermark.keys import key_of

    key = key_of(keys, order.organization)
    return lambda luma: embed.field(luma, order.mark_id, key)


def sign(
    order: Order, source: Path, target: Path, keys: Path, source_type: str, ingredient: "Ingredient | None" = None
) -> dict[str, str]:
    """XMP and AIGC tag into `source`, then credentials last, as `target`. What must be remembered of the signature."""
    from avatar_scheduler.marks import aigc, credentials, xmp
    from avatar_scheduler.outbound import Outbound

    settings = json.loads((target.parent / SIGNING).read_text())
    xmp.write(source, source_type)
    aigc.write(source, producer=order.software, produce_id=order.mark_id)
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
