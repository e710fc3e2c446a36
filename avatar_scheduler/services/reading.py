"""Reading the text of a version to its end: counts as much as watching the film."""

from datetime import datetime, timedelta

from sqlmodel import Session

from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.services import review, seen, versions
from avatar_scheduler.services.disclosing import VIDEO
from avatar_scheduler.services.people import Person

WORDS_PER_SECOND = 8
"""Nobody reads faster: about twice what Brysbaert (2019, J. Mem. Lang. 109) found for skilled silent readers."""


def record(session: Session, who: Person, version_id: str, now: datetime) -> timedelta:
    """The end of the text was on this person's screen. How much too early that is to be believed; zero once it counts.

    Only where everything there is to judge is in the words. Raises Invalid for pictures, and for films with a clip of a
    person's own, whose label is left out because somebody looked.
    """
    version, _ = review.find(session, who, version_id)
    manifest = versions.read(version)
    if manifest.form != VIDEO or manifest.data.get("human_ms"):
        raise Invalid("This one has to be looked at; reading is not enough.", code="look")
    view = seen.open_view(session, version, who.member_id, now)
    words = len(f"{manifest.data['script']['text']} {manifest.data['caption']}".split())
    left = view.opened_at + timedelta(seconds=words / WORDS_PER_SECOND) - now
    if left > timedelta(0):
        return left
    seen.read_to_end(session, version, who.member_id, now)
    return timedelta(0)
