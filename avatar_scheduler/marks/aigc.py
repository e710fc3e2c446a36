"""The AIGC tag of GB 45438-2025: the machine-readable mark that China asks for, in the file's metadata.

Sources: GB 45438-2025 annex E (the seven keys, as JSON text) and TC260-PG-20258A (where it stands: in JPEG and PNG the
XMP property AIGC of the TC260 namespace, in MP4 a metadata key of that name). An MP4 gets both, as some read only XMP.
Written before signing: the signature covers it.
"""

import json
from pathlib import Path

from avatar_scheduler.domain.disclosure import Evidence, Mark
from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.marks import containers, digest, mp4_keys, xmp

TOOL = "AIGC check 1"
PROPERTY = "{http://www.tc260.org.cn/ns/AIGC/1.0/}AIGC"
KEY = "AIGC"
MADE_BY_AI = "1"
"""Label: 1 is, 2 may be, 3 is suspected to be made by AI."""
KEYS = (
    "Label",
    "ContentProducer",
    "ProduceID",
    "ReservedCode1",
    "ContentPropagator",
    "PropagateID",
    "ReservedCode2",
)


def write(media: Path, *, producer: str, produce_id: str, propagator: str = "", propagate_id: str = "") -> None:
    """Says that `producer` made the MP4, JPEG or PNG by AI, as number `produce_id` of theirs.

    Raises Invalid when the file is none of these, or damaged.
    """
    if not producer or not produce_id:
        raise Invalid("The AIGC tag needs a producer and an id.")
    tag = dict.fromkeys(KEYS, "") | {
        "Label": MADE_BY_AI,
        "ContentProducer": producer,
        "ProduceID": produce_id,
        "ContentPropagator": propagator,
        "PropagateID": propagate_id,
    }
    text = json.dumps(tag, ensure_ascii=False, separators=(",", ":"))
    if _is_mp4(media):
        mp4_keys.write(media, {KEY: text})
    xmp.put(media, PROPERTY, text)


def read(media: Path) -> dict[str, str] | None:
    """The seven keys; None when the file says nothing. Raises Invalid when it cannot be read or says two things."""
    said = xmp.values(media, PROPERTY)
    if _is_mp4(media):
        key = mp4_keys.read(media).get(KEY)
        if bool(key) != bool(said):
            raise Invalid("The MP4 has the AIGC tag in one of its two places only.")
        said |= {key} if key else set()
    if len(said) > 1:
        raise Invalid("The file has two AIGC tags that differ.")
    return _parse(said.pop()) if said else None


def measure(media: Path, *, subject: str | None = None) -> Evidence:
    """`subject` is the file's SHA-256 if already known. Never raises for what is wrong with the file."""
    subject = digest.of_file(media) if subject is None else subject
    try:
        said = read(media)
    except Invalid as problem:
        return Evidence(Mark.aigc, False, problem.message, TOOL, subject)
    except OSError as problem:
        return Evidence(Mark.aigc, False, f"The file cannot be read: {problem.strerror}.", TOOL, subject)
    if said is None:
        return Evidence(Mark.aigc, False, "No AIGC tag in the file.", TOOL, subject)
    if said["Label"] != MADE_BY_AI:
        return Evidence(Mark.aigc, False, "The AIGC tag does not say that it was made by AI.", TOOL, subject)
    if not said["ContentProducer"] or not said["ProduceID"]:
        return Evidence(Mark.aigc, False, "The AIGC tag names no producer or no id.", TOOL, subject)
    summary = f"made by AI, {said['ProduceID']} of {said['ContentProducer']}"
    return Evidence(Mark.aigc, True, summary, TOOL, subject, {"id": said["ProduceID"]})


def _parse(text: str) -> dict[str, str]:
    try:
        tag = json.loads(text)
    except (ValueError, RecursionError) as why:
        raise Invalid("The AIGC tag is no JSON.") from why
    if not isinstance(tag, dict) or set(tag) != set(KEYS) or not all(isinstance(v, str) for v in tag.values()):
        raise Invalid(f"The AIGC tag does not have its seven keys: {', '.join(KEYS)}.")
    return tag


def _is_mp4(media: Path) -> bool:
    return isinstance(containers.of(media), containers.Mp4)
