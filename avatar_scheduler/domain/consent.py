"""A creator's dated permission to use their likeness and voice."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from avatar_scheduler.domain.errors import Refused

PERFORMERS = frozenset({"digital_twin", "fictional", "third_party_likeness"})
"""Laws differ by it (New York GBL 396-b); an unknown kind is refused."""
FICTIONAL = "fictional"
RIGHTS = ("likeness", "voice")
LIFE = timedelta(days=365)
LONGEST = timedelta(days=366)
SOON = timedelta(days=30)
"""This long before its end everybody is told."""
LIVE_KINDS = frozenset({"live_answer", "go_live"})


@dataclass(frozen=True)
class Grant:
    rights: frozenset[str]
    """Subset of `RIGHTS`."""
    platforms: frozenset[str]
    """Empty means every platform."""
    starts_at: datetime
    ends_at: datetime
    revoked_at: datetime | None
    live: bool = False
    sponsored: bool = True
    brands_excluded: frozenset[str] = frozenset()
    """Names nothing said in their name may mention."""
    languages: frozenset[str] = frozenset()
    """Such as "en" or "pt-BR"; empty means any. "en" covers "en-GB"."""


def widened(now: Grant, given: Grant) -> bool:
    """Whether `now` permits anything that `given` did not."""
    return (
        not now.rights <= given.rights
        or _reaches_further(now.platforms, given.platforms)
        or _reaches_further(now.languages, given.languages)
        or not now.brands_excluded >= given.brands_excluded
        or now.starts_at < given.starts_at
        or now.ends_at > given.ends_at
        or (now.live and not given.live)
        or (now.sponsored and not given.sponsored)
    )


def _reaches_further(now: frozenset[str], given: frozenset[str]) -> bool:
    """An empty set is everything."""
    return bool(given) and (not now or not now <= given)


def check(
    grant: Grant | None,
    *,
    creator: str,
    platforms: frozenset[str],
    at: datetime,
    language: str = "",
    sponsored: str = "no",
    live: bool = False,
    words: str = "",
) -> None:
    """Raises Refused with the one reason that applies; a missing grant is a refusal, not a default.

    `words` is all that is said and written: a brand the creator excluded may not be named in it.
    """
    way_out = f"Ask {creator}: they answer at /onboarding. On one's own: avatar-scheduler consent renew"
    if grant is None:
        raise Refused(f"{creator} has not consented to this avatar. {way_out}", code="consent_missing")
    _check_time(grant, creator, at, way_out)

    def outside(what: str, code: str = "consent_scope") -> Refused:
        return Refused(f"{creator}'s consent does not cover {what}. {way_out}", code=code)

    if lacking := set(RIGHTS) - grant.rights:
        raise outside(" or ".join(sorted(lacking)))
    if grant.platforms and (elsewhere := platforms - grant.platforms):
        raise outside(", ".join(sorted(elsewhere)))
    if language and not _speaks(grant.languages, language):
        raise outside(f"the language “{language}”", "consent_language")
    if sponsored != "no" and not grant.sponsored:
        raise outside("sponsored posts", "consent_sponsored")
    if live and not grant.live:
        raise outside("live use", "consent_live")
    if named := _named(grant.brands_excluded, words):
        raise Refused(f"{creator} excluded “{named}”, and this names it. Take it out.", code="consent_brand")


def _check_time(grant: Grant, creator: str, at: datetime, way_out: str) -> None:
    if grant.revoked_at is not None and grant.revoked_at <= at:
        raise Refused(f"{creator} withdrew consent. Nothing of theirs goes out. {way_out}", code="consent_revoked")
    if at < grant.starts_at:
        raise Refused(f"{creator}'s consent starts on {grant.starts_at:%d %b %Y}.", code="consent_not_started")
    if at >= grant.ends_at:
        raise Refused(f"{creator}'s consent ended on {grant.ends_at:%d %b %Y}. {way_out}", code="consent_expired")


def _speaks(languages: frozenset[str], language: str) -> bool:
    """No language named: any."""
    wanted = language.casefold().replace("_", "-")
    known = [one.casefold() for one in languages]
    return not known or any(wanted == one or wanted.startswith(one + "-") for one in known)


def _named(brands: frozenset[str], words: str) -> str:
    """The first excluded brand these words name, as words of its own: “Apple” is not in “pineapple”."""
    said = " ".join(words.casefold().split())
    for brand in sorted(brands):
        name = " ".join(brand.casefold().split())
        if name and re.search(rf"(?<!\w){re.escape(name)}(?!\w)", said):
            return brand
    return ""
