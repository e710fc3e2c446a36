"""Where vendors call. The address is the key, so there is no session, no form token and no origin to check."""

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from avatar_scheduler.db.engine import write_scope
from avatar_scheduler.domain.errors import Conflict
from avatar_scheduler.services import hooks
from avatar_scheduler.web.deps import Now, SettingsDep

router = APIRouter()
PATH = "/hooks/{renderer}/{token}"


@router.options(PATH)
def probe(renderer: str, token: str) -> Response:
    """Asked when an address is registered; says nothing about whether it is one."""
    return Response(status_code=200, headers={"Allow": "POST, OPTIONS"})


@router.post(PATH)
async def hear(request: Request, renderer: str, token: str, settings: SettingsDep, now: Now) -> Response:
    """204 for a message heard, new or not: a vendor that gets anything else sends it again for hours."""
    headers, body = {name.lower(): value for name, value in request.headers.items()}, await request.body()

    def write() -> None:
        try:
            with write_scope(settings) as session:
                hooks.hear(session, renderer, token, headers, body, now)
        except Conflict as error:
            if error.code != "lost_race":
                raise
            # the same message, heard by another process at the same moment

    await run_in_threadpool(write)
    return Response(status_code=204)
