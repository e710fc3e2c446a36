"""What all vendors have in common: what an answer's status means, and how a film is brought here."""

import json
import re
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any, BinaryIO

from avatar_scheduler.domain import staging
from avatar_scheduler.domain.errors import Invalid, NotFound, OutcomeUnknown, Refused, SchedulerError
from avatar_scheduler.domain.staging import Staging
from avatar_scheduler.outbound import Outbound, Reply
from avatar_scheduler.renderers.base import Order
from avatar_scheduler.renderers.contract import Account, Beat, Later, Plan
from avatar_scheduler.rules.renderers import Vendor
from avatar_scheduler.studio.job import estimate_seconds
from avatar_scheduler.studio.speech import cues

SECONDS = 30.0
FETCH_SECONDS = 600.0
FILE_BYTES = 1 << 30
SHORTEST, LONGEST = 5.0, 3600.0
"""Seconds we wait at least and at most when told to come again."""
HEADER = 16
_KEY_CODES = frozenset({"unauthorized", "authentication_failed", "AuthorizationError"})
_REFUSALS = {
    401: ("auth", "{name} does not accept the API key. Give it a new one: avatar-scheduler vendor add {key}"),
    402: ("credits", "{name} has no credits left{said}. Top up there, then submit the post again."),
    403: ("forbidden", "{name} does not allow this with your account{said}."),
    451: ("moderation", "{name} refused this content{said}. Change the script or the look."),
}


@dataclass(frozen=True)
class _Sink:
    file: BinaryIO
    beat: Beat

    def write(self, chunk: bytes) -> None:
        self.file.write(chunk)
        self.beat()


@dataclass(frozen=True)
class Wire:
    """One vendor's API behind our one client."""

    outbound: Outbound
    vendor: Vendor
    key: str
    """Its name on our command line."""
    home: str
    headers: Callable[[Account], Mapping[str, str]]
    explain: Callable[[Reply], tuple[str, str]]
    """The vendor's own code and words in a failed answer."""

    def get(self, account: Account, path: str, seconds: float = SECONDS) -> dict[str, Any]:
        """Raises OutcomeUnknown when it cannot be asked now."""
        reply = self.outbound.call("GET", self._url(account, path), seconds=seconds, headers=self.headers(account))
        if reply.status >= 400:
            raise self.failure(reply)
        return self._object(reply)

    def post(
        self,
        account: Account,
        path: str,
        body: Mapping[str, Any],
        *,
        seconds: float = SECONDS,
        headers: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """Sent once. Any answer that is not a clear yes or no leaves the outcome open."""
        reply = self.outbound.call(
            "POST",
            self._url(account, path),
            seconds=seconds,
            headers={"Content-Type": "application/json", **self.headers(account), **(headers or {})},
            content=json.dumps(body, ensure_ascii=False).encode(),
        )
        if reply.status >= 400:
            raise self.failure(reply)
        return self._object(reply)

    def delete(self, account: Account, path: str) -> None:
        reply = self.outbound.call("DELETE", self._url(account, path), seconds=SECONDS, headers=self.headers(account))
        if reply.status >= 400 and reply.status not in (404, 409, 410):  # gone, or too far on to be stopped
            raise self.failure(reply)

    def download(self, url: str, target: Path, beat: Beat) -> None:
        """A finished film from a passing address. Incomplete or no film: OutcomeUnknown, and it is asked for again."""
        with target.open("wb") as file:
            reply = self.outbound.call(
                "GET", url, seconds=FETCH_SECONDS, answer_bytes=FILE_BYTES, into=_Sink(file, beat)
            )
        if reply.status != 200:
            raise OutcomeUnknown(f"{self.vendor.name} answered {reply.status} for the finished film.")
        if problem := cut_off(target):
            raise OutcomeUnknown(f"The film from {self.vendor.name} did not arrive whole: {problem}.")

    def failure(self, reply: Reply) -> SchedulerError:
        """What a status means: first by its class, because codes come and go."""
        name, (code, words) = self.vendor.name, self.explain(reply)
        said = f" ({words[:160]})" if words else ""
        status = 401 if code in _KEY_CODES else reply.status
        if status == 429:
            return Later(f"{name} takes no more jobs right now{said}. It is tried again by itself.", wait_of(reply))
        if status == 404:
            return NotFound(f"{name} does not know it{said}.", code="vendor_unknown")
        if status in (408, 409, 425) or status >= 500:
            return OutcomeUnknown(f"{name} answered {status}{said}.")
        reason, text = _REFUSALS.get(status, ("vendor_invalid", "{name} did not take it{said}."))
        return Refused(text.format(name=name, said=said, key=self.key), code=reason)

    def _url(self, account: Account, path: str) -> str:
        return f"{(account.endpoint or self.home).rstrip('/')}{path}"

    def _object(self, reply: Reply) -> dict[str, Any]:
        found = reply.json()
        if not found:
            raise OutcomeUnknown(f"{self.vendor.name} answered {reply.status} with nothing that can be read.")
        return found


def wait_of(reply: Reply) -> float:
    """What Retry-After or RateLimit-Reset ask for, within our bounds."""
    for name in ("retry-after", "ratelimit-reset"):
        told = reply.headers.get(name, "")
        if told.isascii() and told.isdigit():
            return min(LONGEST, max(SHORTEST, float(told[:9])))
    return 60.0


def past(page: Sequence[Mapping[str, Any]], named: str, since: datetime) -> bool:
    """Whether nothing made after `since` can follow this page: it runs from new to old, and ends before.

    No order is promised anywhere, so one page that does not show it means reading on. Raises OutcomeUnknown for an
    entry without a date: an absence must not rest on it.
    """
    dates = [_when(made.get(named)) for made in page]
    falling = all(newer >= older for newer, older in pairwise(dates))
    return falling and len(dates) > 1 and dates[0] > dates[-1] and dates[-1] < since


def _when(value: object) -> datetime:
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value, UTC)
        found = datetime.fromisoformat(str(value))
    except (ValueError, OverflowError, OSError):
        raise OutcomeUnknown("The list has an entry whose date cannot be read.") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def cut_off(path: Path) -> str:
    """Why this cannot be a whole MP4, by its outermost boxes; empty when it can."""
    size, at, kinds = path.stat().st_size, 0, set()
    with path.open("rb") as file:
        while at < size:
            file.seek(at)
            head = file.read(HEADER)
            if len(head) < 8:
                return "it ends within a box"
            length, kind = struct.unpack(">I4s", head[:8])
            if length == 1 and len(head) == HEADER:
                length = struct.unpack(">Q", head[8:])[0]
            if length == 0:
                length = size - at
            if length < 8 or at + length > size:
                return f"{at + length - size} bytes are missing" if kind.isalnum() and length >= 8 else "it is no MP4"
            kinds.add(kind)
            at += length
    return "" if {b"ftyp", b"moov", b"mdat"} <= kinds else "it is no MP4"


def plan(order: Order, vendor: Vendor, *, can: frozenset[str] = frozenset()) -> Plan:
    """`can` names the settings beyond format, speed and voice that this vendor takes."""
    staged = staging.read(json.loads(order.staging))
    if order.form != "video":
        raise Invalid(f"{vendor.name} makes films only. Use a built-in avatar for pictures.", code="form")
    if cannot := [name for name in _asked(staged) if name not in can]:
        raise Invalid(
            f"{vendor.name} cannot do: {', '.join(cannot)}. Take it out, or use a built-in avatar.", code="staging"
        )
    text = spoken(order.text)
    if not any(c.isalnum() for c in text):
        raise Invalid("The script has nothing to speak. Write a sentence.", code="script_empty")
    if len(text) > vendor.longest_letters:
        raise Invalid(
            f"The script has {len(text)} characters; {vendor.name} takes {vendor.longest_letters}. Shorten it.",
            code="script_too_long",
        )
    seconds = estimate_seconds(text) / staged.speed
    return Plan(vendor.cents(seconds), seconds)


def _asked(staged: Staging) -> list[str]:
    plain = Staging()
    names = ("place", "background", "music", "recording", "lower_third", "intro", "outro", "materials")
    return [name for name in names if getattr(staged, name) != getattr(plain, name)]


def spoken(text: str) -> str:
    """The script without its cues: a vendor would read them aloud. Raises Invalid for those only our studio can do."""
    plain = []
    for part in cues.parts(text):
        if isinstance(part, str):
            plain.append(part)
        elif part.verb in ("show", "clip"):
            raise Invalid(
                f"Only a built-in avatar can [{part.verb} {part.value}]. Take it out, or use one.", code="cue"
            )
    return " ".join(" ".join(plain).split())


def said(order: Order) -> str:
    """What the vendor is to say, with the creator's own pronunciations."""
    sounds: dict[str, str] = json.loads(order.pronunciations)
    text = spoken(order.text)
    if not sounds:
        return text
    longest_first = sorted(sounds, key=len, reverse=True)
    either = "|".join(re.escape(written) for written in longest_first)
    return re.sub(rf"(?<!\w)(?:{either})(?!\w)", lambda found: sounds[found[0]], text)


def staged(order: Order) -> Staging:
    return staging.read(json.loads(order.staging))


def ids(order: Order, vendor: Vendor, *needed: str) -> dict[str, str]:
    """What the vendor knows the avatar by. Raises Invalid naming what is missing."""
    known: dict[str, str] = json.loads(order.vendor)
    if missing := [name for name in needed if not known.get(name)]:
        raise Invalid(
            f"{vendor.name} needs {', '.join(missing)} for this avatar: avatar-scheduler avatar add --vendor-avatar ID",
            code="vendor_avatar",
        )
    return known
