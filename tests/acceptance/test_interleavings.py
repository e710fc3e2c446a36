"""Meant, whatever comes in between: edits, yeses taken back, holds and withdrawals at every step of sending.

Each interleaving is one post and a shuffled list of what people do to it. What is left of the list is done between the
steps of the publish protocol, where it hurts most. Counted in the feed's own ledger; judged by the order of the log.
"""

import random
import sys
from collections import Counter
from collections.abc import Callable

import pytest
from sqlmodel import Session, col, select

from avatar_scheduler.db.tables import Audit, Creator, Delivery, Version
from avatar_scheduler.domain.errors import SchedulerError
from avatar_scheduler.services import approvals, holds, installation, posts, review
from avatar_scheduler.services import publish as publishing
from avatar_scheduler.services.posts import Edit
from tests.world import SCRIPT, World

BETWEEN = ("publish.after_intent", "publish.after_upload", "publish.before_commit")
Step = Callable[[Session], object]


class Interleaving:
    def __init__(self, world: World, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
        self.world = world
        self.random = random.Random(seed)
        self.creator = self._creator(seed)
        new = posts.NewPost("", f"Post {seed}", "tip", SCRIPT, at="now")
        with world.write() as session:
            self.post = posts.make(session, world.settings, world.ada, new, self.creator, world.now)
        self.version: Version = world.version(self.post)
        self.left: list[Step] = []
        self.done: Counter[str] = Counter()
        monkeypatch.setattr(publishing, "crashpoint", self.between)

    def _creator(self, seed: int) -> Creator:
        slug = f"maya-{seed}"
        new = installation.NewCreator("Maya", slug, "en", "Europe/Paris", "maya", "kitchen", "digital_twin")
        with self.world.write() as session:
            return installation.add_creator(session, self.world.ada, new, self.world.now)

    def between(self, point: str) -> None:
        while self.left and point in BETWEEN and self.random.random() < 0.5:
            self.do(self.left.pop())

    def do(self, step: Step) -> None:
        """What is refused is refused; the world goes on."""
        try:
            with self.world.write() as session:
                step(session)
            self.done[step.__name__] += 1
        except SchedulerError as error:
            self.done[f"{step.__name__} refused: {error.code}"] += 1

    def run(self) -> None:
        steps: list[Step] = [self.edit, self.again, self.undo, self.withdraw, self.revoke, self.hold, self.lift]
        chosen = self.random.sample(steps, self.random.randint(1, 4))
        if self.random.random() < 0.8:
            self.do(self.approve)
            self.world.later(seconds=self.random.choice([1, 11]))
        place = self.random.randint(0, len(chosen))
        for step in chosen[:place]:
            self.do(step)
        self.left = chosen[place:]
        self.world.later(seconds=11)
        for delivery in self.deliveries():
            publishing.run(self.world.settings, delivery.id, self.world.clock)
        self.do(self.lift)

    def deliveries(self) -> list[Delivery]:
        with self.world.read() as session:
            return list(session.exec(select(Delivery).where(Delivery.post_id == self.post.id)))

    def approve(self, session: Session) -> None:
        ada, settings, now = self.world.ada, self.world.settings, self.world.now
        review.approve(session, settings, ada, self.version.id, self.version.sha256, now)

    def edit(self, session: Session) -> None:
        change = Edit(caption=f"Other words {self.random.random()}.")
        posts.edit(session, self.world.settings, self.world.ada, self.post.id, change, self.world.now)

    def again(self, session: Session) -> None:
        """A second yes, as a double tap or another window would send it."""
        self.approve(session)

    def undo(self, session: Session) -> None:
        for row in approvals.given(session, self.version.id):
            review.undo(session, self.world.ada, row.id, row.decided_at)

    def revoke(self, session: Session) -> None:
        approvals.void_of(session, self.world.ada.member_id, self.world.now)

    def withdraw(self, session: Session) -> None:
        installation.revoke_consent(session, self.world.ada, self.creator, self.world.now)

    def hold(self, session: Session) -> None:
        holds.put(session, self.world.ada, "creator", self.creator.id, "stop", self.world.now)

    def lift(self, session: Session) -> None:
        holds.lift(session, self.world.ada, self.world.now)


def judged(world: World) -> int:
    """Items in the feed's ledger, each of which was meant when its intent was written."""
    ledger = world.ledger
    assert max(Counter(line["item"] for line in ledger).values(), default=1) == 1
    with world.read() as session:
        log = list(session.exec(select(Audit).order_by(col(Audit.seq))))
        for line in ledger:
            delivery = session.get_one(Delivery, str(line["item"]))
            version = session.get_one(Version, delivery.version_id)
            _was_meant(log, delivery, version)
    return len(ledger)


def _was_meant(log: list[Audit], delivery: Delivery, version: Version) -> None:
    [sent] = [e.seq for e in log if e.noun_id == delivery.id and e.action == "delivery.sending"]
    before = [e for e in log if e.seq < sent]
    given = [e for e in before if e.action == "approval.approved" and version.sha256 in e.data]
    taken = {e.noun_id for e in before if e.action in ("approval.undone", "approval.void")}
    standing = [e for e in given if e.noun_id not in taken]
    assert standing, "nobody's yes was in force"
    since = [e.action for e in before if e.noun_id == version.post_id and e.seq > standing[-1].seq]
    assert not {"post.edited", "post.cancelled", "post.rejected"} & set(since)
    consent = version.manifest.partition('"consent":"')[2][:32]
    assert not [e for e in before if e.action == "consent.revoked" and e.noun_id == consent]
    on = {e.noun_id for e in before if e.action == "hold.on"} - {e.noun_id for e in before if e.action == "hold.off"}
    assert not on, "it was on hold"


def interleave(world: World, monkeypatch: pytest.MonkeyPatch, seeds: range) -> None:
    monkeypatch.setattr(posts, "render_script", lambda *_: SCRIPT)  # its own process is not what is tested here
    done: Counter[str] = Counter()
    for seed in seeds:
        one = Interleaving(world, monkeypatch, seed)
        one.run()
        done += one.done
    out = judged(world)
    sys.stdout.write(f"\n{len(seeds)} interleavings, {out} went out, each of them meant: {dict(done)}\n")
    assert len(seeds) / 20 < out < len(seeds)
    wanted = {"approve", "edit", "undo", "revoke", "withdraw", "hold"}
    assert wanted <= set(done), "every verb took part"


def test_fifty(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    interleave(world, monkeypatch, range(50))


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_a_thousand(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    interleave(world, monkeypatch, range(1000, 2000))
