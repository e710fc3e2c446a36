"""What a renderer is asked for and what it gives back. Both cross a process border as JSON."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from avatar_scheduler.domain.version import canonical, sha256

MATERIALS = Path("materials")
PACK = MATERIALS / ".pack"
"""Zip of an uploaded look. No material can have this name."""
VENDOR_FILM = Path("vendor.mp4")
"""What a vendor sent, put there by whoever fetched it."""
SIGNING = "signing.json"
"""Arguments of the signature that are this installation's settings, not the order's."""
MADE = "made.json"
"""What `make` said, for the process that measures."""
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Order:
    """Everything the file depends on, and nothing else."""

    title: str
    text: str
    language: str
    pack: str
    scene: str
    label_sign: str
    label_words: str
    caption: str
    """Whole caption, disclosure line first: measured with the file."""
    caption_line: str
    software: str
    when: str
    """ISO time written into the credentials."""
    form: str = "video"
    """"video" or "stills"."""
    staging: str = "{}"
    """`domain.staging.Staging` as canonical JSON."""
    materials: str = "{}"
    """Name -> {"kind", "sha256"} as canonical JSON; the files lie in the render's folder as materials/NAME."""
    pronunciations: str = "{}"
    """Written word -> spoken form, as canonical JSON."""
    renderer: str = "builtin"
    vendor: str = "{}"
    """What the vendor knows the avatar by, as JSON."""
    sponsor: str = ""
    """Words on the label's second plate, such as "Ad"; empty when nothing is paid for."""
    sponsor_line: str = ""
    """Second line of the caption; empty when nothing is paid for."""
    icon: str = ""
    """PNG or SVG in the place of the label's sign, as Base64; empty for the painted sign."""
    spoken: str = ""
    """Sentence said before everything else; empty when no rule asks for one."""
    mark_id: str = ""
    """What the watermark says: 8 hexadecimal digits."""
    organization: str = ""
    """Whose certificates sign and whose watermark key is used."""

    @property
    def uploaded_pack(self) -> str:
        """SHA-256 of the uploaded look's zip; empty for a built-in one."""
        return self.pack if _SHA256.fullmatch(self.pack) else ""

    def seed(self) -> str:
        """Same order, same frames."""
        return sha256(canonical({k: v for k, v in asdict(self).items() if k != "when"}))

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> "Order":
        return cls(**{name: str(values[name]) for name in cls.__dataclass_fields__ if name in values})

    def at(self) -> datetime:
        return datetime.fromisoformat(self.when)
