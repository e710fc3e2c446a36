"""Something out there is no longer what was approved: seen on every signed-in page, dealt with on the post's."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Form
from fastapi.responses import RedirectResponse, Response
from sqlmodel import Session

from avatar_scheduler.db.tables import Delivery, Incident
from avatar_scheduler.services import incidents, pages
from avatar_scheduler.services.people import Person
from avatar_scheduler.web.deps import Now, Who, WriteSession
from avatar_scheduler.web.forms import Signed

router = APIRouter()


def around(session: Session, who: Person, now: datetime) -> dict[str, Any]:
    """What surrounds every signed-in page: how many cards wait, and what went wrong out there."""
    return {"waiting": len(pages.waiting(session, who, now)), "incidents": incidents.open_for(session, who)}


@router.post("/incidents/{incident_id}/takedown")
def take_down(incident_id: str, form: Annotated[Signed, Form()], session: WriteSession, who: Who, now: Now) -> Response:
    return _back(session, incidents.take_down(session, who, incident_id, now))


@router.post("/incidents/{incident_id}/closure")
def close(incident_id: str, form: Annotated[Signed, Form()], session: WriteSession, who: Who, now: Now) -> Response:
    return _back(session, incidents.close(session, who, incident_id, now))


def _back(session: Session, incident: Incident) -> Response:
    return RedirectResponse(f"/posts/{session.get_one(Delivery, incident.delivery_id).post_id}", 303)
