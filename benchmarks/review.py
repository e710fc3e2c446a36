"""Review page and approval in an agency of 100,000 posts and 50 creators, and the first paint on a slow phone."""

import json
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import sync_playwright
from sqlalchemy import event, text
from sqlmodel import Session

from avatar_scheduler.config import Settings
from avatar_scheduler.db import schema
from avatar_scheduler.db.engine import engine_for
from avatar_scheduler.db.tables import Version
from avatar_scheduler.services import review
from avatar_scheduler.web.app import create_app
from tests.conftest import ARGUMENTS, CHROMIUM
from tests.services.cast import creator_of
from tests.web import gallery
from tests.web.conftest import link
from tests.web.visitor import Visitor
from tests.world import World, make_film

POSTS, CREATORS, WAITING = 100_000, 50, 200
ROUNDS = 60
PAGE_MS, APPROVE_MS, PAINT_MS = 60, 40, 1000
PHONE, SLOWER = {"width": 390, "height": 844}, 4


def main(argv: list[str]) -> None:
    with tempfile.TemporaryDirectory(prefix="avs-bench-") as name:
        folder = Path(name)
        (folder / "film").mkdir()
        film = make_film(folder / "film")
        settings = Settings(data=folder / "data")
        settings.keys.parent.mkdir(parents=True)
        film.keys.rename(settings.keys)
        schema.upgrade(settings)
        world = World(settings, film)
        versions = [world.version(world.post("reply", title=f"Reply {n}", at="+2h")) for n in range(ROUNDS + 2)]
        _crowd(world, versions[-1])
        app = create_app(settings, world.clock)
        ada = Visitor(app, settings.base_url).enter(link(world, world.ada.member_id))
        with gallery.serving(lambda _: app) as url:
            with httpx.Client(base_url=url, cookies=ada.cookies, timeout=30) as client:
                _pages(world, client, versions)
                _approvals(world, client, ada.csrf, versions[:ROUNDS])
            _paint(url, ada, versions[-2].id)
        app.state.previews.close()


def _crowd(world: World, model: Version) -> None:
    """Published posts of fifty creators with their history, copied in SQL from one real post; some wait."""
    with world.write() as session:
        creators = [world.maya.id]
    creators += [creator_of(world, world.ada, f"c{n}").id for n in range(1, CREATORS)]
    with world.write() as session:
        for number in range(POSTS // 1000):
            _thousand(session, model, creators, number * 1000, waiting=number < 1)
        session.execute(text("ANALYZE"))


def _thousand(session: Session, model: Version, creators: list[str], start: int, *, waiting: bool) -> None:
    connection = session.connection()
    for table, key, of in (("post", "id", "id"), ("version", "id", "post_id"), ("delivery", "id", "post_id")):
        found = connection.execute(text(f"SELECT * FROM {table} WHERE {of} = :id"), {"id": model.post_id})
        row = dict(found.mappings().one())
        rows = []
        for number in range(start, start + 1000):
            post, version = f"p{number:031d}", f"v{number:031d}"
            ids = {"post": post, "version": version, "delivery": f"d{number:031d}"}
            open_here = waiting and number - start < WAITING
            new = {**row, key: ids[table]}
            if table == "post":
                new |= {"version_id": version, "creator_id": creators[number % CREATORS],
                        "state": "in_review" if open_here else "approved"}  # fmt: skip
            else:
                new |= {"post_id": post}
            if table == "delivery":
                new |= {"version_id": version, "state": "waiting" if open_here else "published"}
            rows.append(new)
        names = ", ".join(row)
        values = ", ".join(f":{name}" for name in row)
        connection.execute(text(f"INSERT INTO {table} ({names}) VALUES ({values})"), rows)


class Statements:
    """Time each statement took, to name the slow one."""

    def __init__(self, settings: Settings) -> None:
        self.spent: Counter[str] = Counter()
        self.count: Counter[str] = Counter()
        engine = engine_for(settings)
        event.listen(engine, "before_cursor_execute", self._before)
        event.listen(engine, "after_cursor_execute", self._after)

    def _before(self, _c: Any, _cursor: Any, _s: str, _p: Any, context: Any, _m: bool) -> None:
        context.began = time.perf_counter()

    def _after(self, _c: Any, _cursor: Any, statement: str, _p: Any, context: Any, _m: bool) -> None:
        short = " ".join(statement.split())
        short = short[:12] + " … " + short[short.find(" FROM ") :][:160] if " FROM " in short else short[:120]
        self.spent[short] += int((time.perf_counter() - context.began) * 1e6)
        self.count[short] += 1

    def report(self, rounds: int) -> None:
        for statement, spent in self.spent.most_common(4):
            print(f"    {spent / rounds / 1000:6.2f} ms in {self.count[statement] / rounds:5.1f} of: {statement}")


def _timed(work: Callable[[Any], object], items: list[Any]) -> list[float]:
    found = []
    for item in items:
        began = time.perf_counter()
        work(item)
        found.append((time.perf_counter() - began) * 1000)
    return sorted(found)


def _say(what: str, found: list[float], most: int) -> None:
    p95 = found[int(len(found) * 0.95) - 1]
    print(f"  {what}: median {statistics.median(found):.1f} ms, p95 {p95:.1f} ms   (target p95 <= {most} ms)")


def _pages(world: World, client: httpx.Client, versions: list[Version]) -> None:
    for version in versions[:5]:
        assert client.get(f"/review/{version.id}").status_code == 200
    statements = Statements(world.settings)
    found = _timed(lambda version: client.get(f"/review/{version.id}"), versions[:ROUNDS])
    _say(f"review page, {POSTS} posts, {CREATORS} creators, {WAITING + len(versions)} waiting", found, PAGE_MS)
    statements.report(ROUNDS)


def _approvals(world: World, client: httpx.Client, csrf: str, versions: list[Version]) -> None:
    for version in versions:
        with world.write() as session:
            review.record_seen(session, world.ada, version.id, [], world.now)
    world.later(minutes=10)
    for version in versions:
        with world.write() as session:
            review.record_seen(session, world.ada, version.id, [(0, world.film.made["duration_ms"])], world.now)
    statements = Statements(world.settings)

    def approve(version: Version) -> None:
        told = {"version_hash": version.sha256, "csrf": csrf}
        answer = client.post(f"/review/{version.id}/approval", data=told, headers={"origin": world.settings.base_url})
        assert answer.status_code == 303, answer.text

    _say("approve", _timed(approve, versions), APPROVE_MS)
    statements.report(len(versions))


def _paint(url: str, ada: Visitor, version_id: str) -> None:
    """First contentful paint in Chromium on loopback, its processor slowed four times, nothing cached."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        found = []
        for _ in range(7):
            context = browser.new_context(viewport=PHONE)  # type: ignore[arg-type]
            context.add_cookies([{"name": name, "value": value, "url": url} for name, value in ada.cookies.items()])
            page = context.new_page()
            context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
            page.goto(f"{url}/review/{version_id}")
            painted = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"
            page.wait_for_function(painted)
            found.append(float(json.loads(json.dumps(page.evaluate(painted)))))
            context.close()
        browser.close()
    print(f"  first paint, processor {SLOWER}x slower: median {statistics.median(found):.0f} ms, "
          f"worst {max(found):.0f} ms   (target <= {PAINT_MS} ms)")  # fmt: skip


if __name__ == "__main__":
    main(sys.argv[1:])
