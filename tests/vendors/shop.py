"""A world whose creator has an avatar and an account at a vendor, and a budget; the clock's and the worker's steps."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from sqlmodel import select

from avatar_scheduler.db.tables import Asset, Post, Purchase, Render
from avatar_scheduler.domain.purchase import PurchaseState
from avatar_scheduler.domain.render import RenderState
from avatar_scheduler.renderers import process
from avatar_scheduler.renderers.base import VENDOR_FILM
from avatar_scheduler.services import avatars, budgets, dispatch, renders, vendors
from tests.vendors import d_id, heygen, livetalking, synthesia
from tests.vendors.server import KEY, Vendor
from tests.world import World

KINDS: dict[str, type[Vendor]] = {
    "heygen": heygen.HeyGen,
    "d_id": d_id.DId,
    "synthesia": synthesia.Synthesia,
    "livetalking": livetalking.LiveTalking,
}
SECRETS = {"heygen": heygen.SECRET, "synthesia": synthesia.SECRET}
PAID = ("heygen", "d_id", "synthesia")
HOSTS = {"127.0.0.1": ["127.0.0.1/32"]}
TINY = b"\0\0\0\x08ftyp\0\0\0\x08moov\0\0\0\x0amdat!!"
"""Whole as a file, and no film."""
SCRIPT = "Keep the heat low and stir."


def make_mp4(folder: Path, seconds: float = 2.5, *, sound: bool = True, picture: bool = True) -> bytes:
    """As a vendor might send it: 25 pictures a second, another size, mono sound at another rate."""
    path = folder / f"film-{seconds}-{sound}-{picture}.mp4"
    at = np.arange(round(seconds * 44_100)) / 44_100
    tone = (0.3 * np.sin(2 * np.pi * 220 * at) * (np.sin(2 * np.pi * 3 * at) > 0)).astype(np.float32)
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=25) if picture else None
        track = container.add_stream("aac", rate=44_100, layout="mono") if sound else None
        if video:
            video.width, video.height, video.pix_fmt = 180, 320, "yuv420p"
            for number in range(round(seconds * 25)):
                shade = np.full((320, 180, 3), 40 + number * 3 % 200, np.uint8)
                container.mux(video.encode(av.VideoFrame.from_ndarray(shade, format="rgb24")))
            container.mux(video.encode())
        if track:
            for start in range(0, len(tone), 1024):
                frame = av.AudioFrame.from_ndarray(tone[None, start : start + 1024].copy(), "fltp", "mono")
                frame.sample_rate, frame.pts = 44_100, start
                container.mux(track.encode(frame))
            container.mux(track.encode())
    return path.read_bytes()


@dataclass
class Shop:
    world: World
    name: str
    vendor: Vendor
    budget: int | None = 5000
    hook_address: str = field(init=False, default="")
    sweeper: dispatch.Sweeper = field(init=False)

    def __post_init__(self) -> None:
        world = self.world
        world.settings.allow_hosts.update(HOSTS)
        with world.write() as session:
            vendors.add(session, world.settings, world.ada, self.name, self.vendor.url, KEY, world.now)
            if self.name in SECRETS:
                token, address = vendors.hook_address(world.settings, self.name)
                self.hook_address = address.removeprefix(world.settings.base_url)
                vendors.listen(session, world.ada, self.name, token, SECRETS[self.name], world.now)
            new = avatars.New(
                name="Vendor", renderer=self.name, vendor_avatar=next(iter(self.vendor.needs.values()), "0"),
                vendor_voice=self.vendor.needs.get("voice_id", ""),
            )  # fmt: skip
            avatars.add(session, world.settings, world.ada, world.maya, new, world.now)
            if self.budget is not None:
                budgets.put(session, world.ada, world.maya, self.budget, world.now)
        self.sweeper = dispatch.Sweeper(world.settings)

    def post(self, **more: Any) -> Post:
        return self.world.post("reply", at="+72h", avatar="Vendor", template=more.pop("template", SCRIPT), **more)

    def submit(self, post: Post | None = None) -> Render:
        row = post or self.post()
        with self.world.write() as session:
            return renders.submit(
                session, self.world.settings, self.world.ada, session.get_one(Post, row.id), self.world.now
            )

    def work(self, render: Render) -> Render:
        """What the worker does when it is rung."""
        renders.run(self.world.settings, render.id, self.world.clock)
        return self.world.again(render)

    def sweep(self, **delta: float) -> None:
        self.world.later(**delta)
        self.sweeper.sweep(self.world.now)

    def step(self, render: Render, **delta: float) -> Render:
        """The next time the clock looks, and what the worker does then."""
        if not delta:
            look_at = self.world.again(render).look_at
            self.world.now = max(self.world.now, look_at or self.world.now)
        self.sweep(**delta)
        return self.work(render)

    def finish(self, render: Render, most: int = 12) -> Render:
        render = self.work(render)
        for _ in range(most):
            if render.state not in (RenderState.waiting, RenderState.queued, RenderState.running):
                return render
            render = self.step(render)
        raise AssertionError(f"still {render.state}: {render.step}")

    def purchase(self, render: Render) -> Purchase:
        with self.world.read() as session:
            return session.exec(select(Purchase).where(Purchase.render_id == render.id)).one()

    def until(self, render: Render, state: PurchaseState, most: int = 12) -> Render:
        render = self.work(render)
        for _ in range(most):
            if self.purchase(render).state is state:
                return render
            render = self.step(render)
        raise AssertionError(f"the purchase is {self.purchase(render).state}")

    def assets(self) -> list[Asset]:
        with self.world.read() as session:
            return list(session.exec(select(Asset)))


def no_studio(world: World, monkeypatch: pytest.MonkeyPatch, **made: int) -> list[bytes]:
    """Stands where the finishing process is: hands over the session's film, and keeps what the vendor's film was.

    `made` changes what it says of it.
    """
    given: list[bytes] = []

    def run(verb: str, folder: Path, *_: object) -> dict[str, Any]:
        if verb == "make":
            given.append((folder / VENDOR_FILM).read_bytes())
        said = world.film.hand_over(verb, folder)
        return {**said, **made} if verb == "make" else said

    monkeypatch.setattr(process, "run", run)
    return given
