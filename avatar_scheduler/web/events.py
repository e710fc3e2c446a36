"""What changed meanwhile, as server-sent events: one stream for each open page.

Every event carries a whole fragment as it is now, so a lost one is made good by the next, and a browser that comes back
with an older id is simply told how things stand.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Annotated

from anyio.to_thread import run_sync
from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from sse_starlette import EventSourceResponse, ServerSentEvent

from avatar_scheduler.config import Settings
from avatar_scheduler.db import tenants
from avatar_scheduler.db.engine import read_scope
from avatar_scheduler.domain.errors import Conflict, Invalid
from avatar_scheduler.services import live_updates, people
from avatar_scheduler.services.live_updates import Glimpse
from avatar_scheduler.services.people import Person
from avatar_scheduler.web.deps import SettingsDep, Who, cookie_name, current_time
from avatar_scheduler.web.templating import language_of, render

router = APIRouter()

LOOK = 2.0
"""Seconds between looks at the log, should no bell ring."""
BEAT = 15.0
"""Seconds between signs of life; a page calls 45 s of silence "not live"."""
RECHECK = 30.0
"""Seconds after which a revoked session is closed at the latest."""
LIFE = 600.0
"""Seconds after which the browser has to come again."""
MOST_EACH, MOST = 4, 200
"""Streams of one person, and of this process."""
RETRY_MS = 3000
TOPICS = ("count", "queue", "card", "holds")
"""Each is a template `_live_<topic>.html`, and the `data-live` of where it goes."""


class Streams:
    """Those open in this process, and the one look at the log for all of them."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.of: Counter[str] = Counter()
        self.seq = 0
        self._moved = asyncio.Event()
        self._watching: asyncio.Task[None] | None = None

    def check_room(self, member_id: str) -> None:
        if self.of[member_id] >= MOST_EACH or self.of.total() >= MOST:
            raise Conflict("Too many pages are open for live updates. Close one, or reload by hand.", code="streams")

    @contextmanager
    def place(self, member_id: str) -> Iterator[None]:
        self.of[member_id] += 1
        if self._watching is None or self._watching.done():
            self._watching = asyncio.create_task(self._watch())
        try:
            yield
        finally:
            self.of[member_id] -= 1
            self.of += Counter()  # drops those at zero

    async def newer(self, seconds: float) -> None:
        """Returns once the log has grown, or that much time has passed."""
        try:
            await asyncio.wait_for(self._moved.wait(), seconds)
        except TimeoutError:
            return

    async def _watch(self) -> None:
        async with _Bell(self.settings) as bell:
            while self.of.total():
                seq = await run_sync(self._newest)
                if seq != self.seq:
                    self.seq = seq
                    self._moved.set()
                    self._moved = asyncio.Event()
                await bell.wait(LOOK)

    def _newest(self) -> int:
        with tenants.everybody(), read_scope(self.settings) as session:  # for all streams, whoever's came first
            return live_updates.newest(session)


class _Bell:
    """Rung through Redis after a commit. Where there is no Redis, time alone passes."""

    def __init__(self, settings: Settings) -> None:
        from redis.asyncio import Redis

        self.redis = Redis.from_url(settings.redis_url, socket_connect_timeout=1, socket_timeout=LOOK + 1)
        self.ears = self.redis.pubsub(ignore_subscribe_messages=True)
        self.hears = False

    async def __aenter__(self) -> "_Bell":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.ears.aclose()  # type: ignore[no-untyped-call]
        await self.redis.aclose()

    async def wait(self, seconds: float) -> None:
        from redis.exceptions import RedisError

        until = asyncio.get_running_loop().time() + seconds
        try:
            if not self.hears:
                await self.ears.subscribe(live_updates.CHANNEL)
                self.hears = True
            rung = await self.ears.get_message(timeout=seconds)
        except (RedisError, OSError):
            self.hears, rung = False, None
        if rung is None:
            await asyncio.sleep(max(0.0, until - asyncio.get_running_loop().time()))


def streams_of(request: Request) -> Streams:
    """One for each process, made with the first stream: it needs the running loop."""
    state = request.app.state
    if not hasattr(state, "streams"):
        state.streams = Streams(state.settings)
    found: Streams = state.streams
    return found


@router.get("/events")
async def events(
    request: Request, settings: SettingsDep, who: Who, card: Annotated[str, Query(max_length=40)] = ""
) -> Response:
    if "text/event-stream" not in request.headers.get("accept", ""):
        raise Invalid("This address is read by our own pages, not by people.", code="not_a_stream")
    streams = streams_of(request)
    streams.check_room(who.member_id)
    looker = Looker(request, settings, who, card)
    first = await run_sync(looker.changed)
    return EventSourceResponse(
        _stream(streams, looker, first),
        ping=int(BEAT),
        ping_message_factory=lambda: ServerSentEvent(event="beat", data="1"),
        send_timeout=30,
    )


async def _stream(
    streams: Streams, looker: "Looker", fragments: list[tuple[str, str]]
) -> AsyncIterator[ServerSentEvent]:
    time = asyncio.get_running_loop().time
    ends, recheck = time() + LIFE, time() + RECHECK
    with streams.place(looker.who.member_id):
        yield ServerSentEvent(event="beat", data="1", retry=RETRY_MS)
        while time() < ends and not looker.gone:
            if time() >= recheck:
                recheck = time() + RECHECK
                if not await run_sync(looker.still_signed_in):
                    return
            for topic, html in fragments:
                yield ServerSentEvent(event=topic, id=str(looker.seq), data=html)
            await streams.newer(min(recheck, ends) - time())
            fragments = await run_sync(looker.changed)


class Looker:
    """What one open page was told, and what is new to it. `changed` runs in a thread, never twice at once."""

    def __init__(self, request: Request, settings: Settings, who: Person, card: str) -> None:
        self.request = request
        self.settings = settings
        self.who = who
        self.card = card
        self.gone = False
        last = request.headers.get("last-event-id", "")
        self.seq = int(last) if last.isdecimal() and len(last) < 19 else -1
        self.told: dict[str, str] = {}

    def still_signed_in(self) -> bool:
        """Reads role and reach anew, too."""
        token = self.request.cookies.get(cookie_name(self.settings), "")
        with read_scope(self.settings) as session:
            person = people.who_is(session, token, current_time(self.request))
        self.who = person or self.who
        return person is not None

    def changed(self) -> list[tuple[str, str]]:
        """Topic and fragment of what differs from what was told. Empty while the organization's log stands still."""
        with read_scope(self.settings) as session:
            if live_updates.newest_of(session, self.who) == self.seq:
                return []
        if not self.still_signed_in():  # that may be what happened
            self.gone = True
            return []
        with read_scope(self.settings) as session:
            found = live_updates.glimpse(session, self.settings, self.who, self.card, current_time(self.request))
        self.seq = found.seq
        drawn = self._draw(found)
        new = [(topic, html) for topic, html in drawn.items() if self.told.get(topic) != html]
        self.told = drawn
        return new

    def _draw(self, found: Glimpse) -> dict[str, str]:
        context = {"rows": found.waiting, "waiting": len(found.waiting), "holds": found.holds, "person": self.who,
                   "meanwhile": found.meanwhile, "current": self.card}  # fmt: skip
        language = language_of(self.request)
        return {topic: render(f"_live_{topic}.html", language, **context).strip() for topic in TOPICS}
