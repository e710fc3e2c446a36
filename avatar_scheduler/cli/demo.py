"""`demo`: the main job from start to end, on this machine, with a made-up creator."""

import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from avatar_scheduler import outbound
from avatar_scheduler.cli import verifying
from avatar_scheduler.cli.browser import BrowserSession
from avatar_scheduler.cli.common import console, now, operator, settings, use_data, when
from avatar_scheduler.config import Settings
from avatar_scheduler.db.engine import read_scope, write_scope
from avatar_scheduler.db.tables import Member
from avatar_scheduler.domain.errors import NotFound, Refused
from avatar_scheduler.domain.post import PostState
from avatar_scheduler.services import installation, pages, people, posts, renders, standing
from avatar_scheduler.services.cards import Progress

OWNER = ("Demo Studio", "Nadia Brandt", "nadia@demo.example")
TIP = (
    "The best onions take their time. Keep the heat low, add a pinch of salt, and give them twenty minutes. "
    "They turn sweet all by themselves."
)
REPLY = (
    "Hey Lina! Yes, swap the palm oil for groundnut oil. Check the label for your mum first. "
    "Keep the heat low and give the onions ten minutes."
)
AHEAD = "+45s"
"""When both posts are due: long enough to render and review the second one."""
READY_SECONDS = 120
PUBLISH_SECONDS = 180


def register(app: typer.Typer) -> None:
    app.command()(demo)


@dataclass(frozen=True)
class _Made:
    post_id: str
    title: str


def demo(
    data: Annotated[
        Path | None, typer.Option(help="Folder of the demo; kept between runs.", show_default=False)
    ] = None,
) -> None:
    """Render two posts, let you approve the personal one, publish both, prove it. DEMO_EXIT=1 ends it then."""
    use_data(data or settings().data / "demo")
    _free_port()
    began = time.monotonic()
    config = settings()
    _say("1/6", "Setting up keys, database and a demo creator")
    link = _set_up(config)
    _say("2/6", f"Starting pages, clock and workers on {config.base_url}")
    with (config.data / "up.log").open("wb") as log:
        tree = subprocess.Popen([sys.executable, "-m", "avatar_scheduler", "up"], stdout=log, stderr=log)
    try:
        _wait_ready(config, tree)
        _run(config, link, began)
        if os.environ.get("DEMO_EXIT") != "1":
            console.print("\nStill serving. Ctrl-C stops it.")
            tree.wait()
    except KeyboardInterrupt:
        console.print("Stopping.")
    finally:
        tree.send_signal(signal.SIGTERM)
        try:
            tree.wait(timeout=30)
        except subprocess.TimeoutExpired:
            tree.kill()


def _say(step: str, text: str) -> None:
    console.print(f"[bold]{step}[/bold]  {text}", soft_wrap=True)


def _free_port() -> None:
    """The usual port, or any other when it is taken."""
    if "AVATAR_SCHEDULER_PORT" in os.environ:
        return
    for port in (settings().port, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            found = probe.getsockname()[1]
        os.environ["AVATAR_SCHEDULER_PORT"] = str(found)
        os.environ["AVATAR_SCHEDULER_BASE_URL"] = f"http://127.0.0.1:{found}"
        return


def _set_up(config: Settings) -> str:
    """Idempotent: a second run uses the same people and only makes a fresh sign-in link."""
    installation.prepare(config, OWNER[0], now())
    with write_scope(config) as session:
        member = installation.first_owner(session, *OWNER, "en", now())
        token = people.make_link(session, member, now())
    who = operator()
    with write_scope(config) as session:
        try:
            creator = installation.creator_by_slug(session, who, "maya")
        except NotFound:
            new = installation.NewCreator("Maya", "maya", "en", "Europe/Paris", "maya", "kitchen", "digital_twin")
            creator = installation.add_creator(session, who, new, now())
        standing.grant(session, config, who, creator, ("tip",), per_day=50, days=30, now=now())
    return token


def _wait_ready(config: Settings, tree: "subprocess.Popen[bytes]") -> None:
    client = outbound.local(config.base_url)
    end = time.monotonic() + READY_SECONDS
    while time.monotonic() < end:
        if tree.poll() is not None:
            tail = (config.data / "up.log").read_text(errors="replace").strip().splitlines()[-1:]
            raise Refused(f"It did not start: {' '.join(tail)}", code="not_started")
        try:
            if client.call("GET", f"{config.base_url}/healthz", seconds=2).status == 200:
                return
        except Refused:
            time.sleep(0.2)  # not listening yet
    raise Refused(
        f"The pages did not start within {READY_SECONDS} seconds. See {config.data / 'up.log'}.", code="not_started"
    )


def _run(config: Settings, link: str, began: float) -> None:
    _say("3/6", "Rendering a tip (covered by Maya's standing approval) and a reply (always needs a person)")
    made = [_post(config, "Slow onions", "tip", TIP), _post(config, "Reply to Lina", "reply", REPLY)]
    for post in made:
        _show_render(config, post)
    version = _progress(config, made[1]).version_id
    _say("4/6", "The reply waits for a person")
    approving = time.monotonic()
    if sys.stdin.isatty() and sys.stdout.isatty():
        console.print(f"   Sign in once:  {config.base_url}/welcome/{link}", soft_wrap=True)
        console.print(f"   Then review:   {config.base_url}/review/{version}", soft_wrap=True)
        console.print("   Watch it to the end, then approve it. (Or in another terminal: avatar-scheduler review)")
    else:
        _approve_as_browser(config, link, version)
    _wait_approved(config, made[1])
    approving = time.monotonic() - approving
    _say("5/6", "Publishing at the minute asked")
    shown = [_wait_published(config, post) for post in made]
    took = time.monotonic() - began - approving
    _say("6/6", f"Published, {took:.0f} seconds after the start plus {approving:.0f} for the approval")
    _prove(config, shown)


def _post(config: Settings, title: str, kind: str, text: str) -> _Made:
    who = operator()
    with write_scope(config) as session:
        creator = installation.creator_by_slug(session, who, "maya")
        new = posts.NewPost(
            creator="maya", title=title, kind=kind, template=text, caption=f"{title}. #cooking", at=AHEAD
        )
        post = posts.make(session, config, who, new, creator, now())
        renders.submit(session, config, who, post, now())
    return _Made(post.id, title)


def _progress(config: Settings, post: _Made) -> Progress:
    with read_scope(config) as session:
        return pages.progress(session, operator(), post.post_id)


def _show_render(config: Settings, post: _Made) -> None:
    from avatar_scheduler.cli.posts import follow

    console.print(f"   {post.title}")
    follow(post.post_id)
    found = _progress(config, post)
    if found.state == PostState.blocked:
        raise Refused(f"“{post.title}” is blocked: {found.reason}", code="blocked")


def _approve_as_browser(config: Settings, link: str, version: str) -> None:
    """Nobody is at a terminal: the demo user's browser session does what a person's would, through the same forms."""
    browser = BrowserSession(config.base_url)
    browser.open(f"/welcome/{link}")
    browser.submit(f"/welcome/{link}", password=secrets.token_urlsafe(18))
    browser.open(f"/review/{version}")
    with read_scope(config) as session:
        member = session.get_one(Member, operator().member_id)
        card = pages.card(session, config, operator(), version, now())
    console.print(f"   {member.name}'s browser watches {card.duration_ms / 1000:.0f} seconds of video, then approves")
    browser.watch(version, card.duration_ms)
    browser.open(f"/review/{version}")
    browser.submit(f"/review/{version}/approval")


def _wait_approved(config: Settings, post: _Made) -> None:
    while True:
        found = _progress(config, post)
        if found.state in (PostState.rejected, PostState.changes_requested, PostState.cancelled):
            raise Refused(f"“{post.title}” is {found.state.replace('_', ' ')}. It stays unsent.", code="rejected")
        if found.state != PostState.in_review:
            return
        time.sleep(0.5)  # a person decides in another process: nothing here could signal


def _wait_published(config: Settings, post: _Made) -> tuple[_Made, str, str]:
    end = time.monotonic() + PUBLISH_SECONDS
    while time.monotonic() < end:
        with read_scope(config) as session:
            page = pages.post_page(session, config, operator(), post.post_id, now())
            rows = pages.deliveries(session, page.progress.version_id)
        target = page.targets[0]
        if target.state == "published":
            console.print(f"   {post.title}: due {when(rows[0].due_at)}, published {when(rows[0].published_at)} UTC")
            return post, target.url, f"{config.base_url}/proof/{rows[0].id}"
        if target.state in ("failed", "kept_back"):
            raise Refused(f"“{post.title}”: {target.reason}", code=target.state)
        time.sleep(0.3)  # so do the workers
    raise Refused(f"“{post.title}” was not published in time. See {config.data / 'up.log'}.", code="late")


def _prove(config: Settings, shown: list[tuple[_Made, str, str]]) -> None:
    """Downloads what the public gets and measures it."""
    client = outbound.local(config.base_url)
    console.print(f"\nFeed:  {config.base_url}/f/maya")
    for post, url, proof in shown:
        console.print(f"\n[bold]{post.title}[/bold]\nItem:  {url}\nProof: {proof}", soft_wrap=True)
        item = url.rsplit("/", 1)[1]
        feed = client.call("GET", f"{config.base_url}/f/maya/feed.json", seconds=10).json()
        video = next(i for i in feed["items"] if i["url"] == url)["attachments"][0]["url"]
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / f"{item}.mp4"
            file.write_bytes(client.call("GET", video, seconds=60, answer_bytes=1 << 30).body)
            console.print(f"$ avatar-scheduler verify {file.name}")
            verifying.verify(str(file))
