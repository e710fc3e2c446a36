"""For load balancers and people who start the thing: is it up, does the database answer."""

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from avatar_scheduler.db.engine import read_scope
from avatar_scheduler.domain.errors import SchedulerError
from avatar_scheduler.web.deps import SettingsDep

router = APIRouter()


@router.get("/healthz")
def healthz(settings: SettingsDep) -> JSONResponse:
    try:
        with read_scope(settings) as session:
            session.connection().execute(text("SELECT 1"))
    except (SQLAlchemyError, SchedulerError):
        return JSONResponse({"ok": False, "database": "does not answer"}, 503)
    return JSONResponse({"ok": True, "database": "answers"})
