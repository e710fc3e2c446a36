"""The outbox, from the clock to a real mail server and a push service that decrypts. Counted in their ledgers."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from threading import Thread
from zoneinfo import ZoneInfo

import pytest
from sqlmodel import select

from avatar_scheduler.config import Settings
from avatar_scheduler.db.tables import Audit, Hold, Member, Notice, Outlet, Post
from avatar_scheduler.domain.stages import Stage
from avatar_scheduler.queue import NOTIFY
from avatar_scheduler.services import dispatch, notices, outlets, push, telling
from avatar_scheduler.services.dispatch import Sweeper
from tests.peers.mailbox import Mailbox, mailbox
from tests.peers.pushing import PushService, push_service
from tests.services.cast import outsider, person, policy
from tests.world import World

HERE = {"127.0.0.1": ["127.0.0.0/8"]}


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Mailbox]:
    with mailbox(tmp_path) as found:
        yield found


@pytest.fixture
def service() -> Iterator[PushService]:
    with push_service() as found:
        yield found


@pytest.fixture
def told(world: World, box: Mailbox, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The same installation with a mail server; bells ring the worker in place."""
    changed = {"smtp": box.url, "mail_from": "scheduler@studio.example", "allow_hosts": HERE}
    settings = world.settings.model_copy(update=changed)

    def ring(_: object, name: str, noun_id: str) -> bool:
        if name == NOTIFY:
            telling.run(settings, noun_id, world.clock)
        return True

    monkeypatch.setattr(dispatch, "ring", ring)
    return settings


def rows(world: World, **only: str) -> list[Notice]:
    with world.read() as session:
        found = session.exec(select(Notice).order_by(Notice.created_at))  # type: ignore[arg-type]
        return [row for row in found if all(getattr(row, key) == value for key, value in only.items())]


def look(told: Settings, world: World) -> list[str]:
    """By a clock that lost its lease and does not know it yet."""
    return telling.Rounds(told).look(world.now, Sweeper(told)._guarded)[0]


class TestOnce:
    def test_fifty_sweeps_and_two_clocks_send_one_letter(self, world: World, told: Settings, box: Mailbox) -> None:
        version = world.version(world.post(at="+4h"))
        clocks = [Sweeper(told), Sweeper(told)]
        for number in range(50):
            clocks[number % 2].sweep(world.later(seconds=1))
            look(told, world)
        assert box.recipients == ["ada@example.org"]
        letter = box.letters[0]
        due = world.delivery(version).due_at.astimezone(ZoneInfo("Europe/Paris"))
        assert letter["Subject"].endswith(f"by {due:%H:%M}")
        assert letter["Subject"].startswith("A post needs you")

    def test_two_workers_with_the_same_bell_send_one_letter(self, world: World, told: Settings, box: Mailbox) -> None:
        world.version(world.post(at="+4h"))
        ids = look(told, world)
        both = [Thread(target=telling.run, args=(told, ids[0], world.clock)) for _ in range(8)]
        for one in both:
            one.start()
        for one in both:
            one.join()
        assert box.recipients == ["ada@example.org"]

    def test_half_of_the_time_later_once_more_and_never_after_a_yes(
        self, world: World, told: Settings, box: Mailbox
    ) -> None:
        decided, open_one = world.version(world.post(at="+4h")), world.version(world.post(at="+4h", title="Leeks"))
        clock = Sweeper(told)
        clock.sweep(world.now)
        assert len(box.recipients) == 2
        world.watch(decided)
        world.approve(decided)
        world.later(hours=2, minutes=1)
        for _ in range(5):
            clock.sweep(world.later(seconds=6))
        assert len(box.recipients) == 3
        assert f"/review/{open_one.id}" in box.letters[-1].get_content()
        assert [row.state for row in rows(world, about=decided.id, kind="half")] == ["dropped"]

    def test_nobody_decided_is_said_once(self, world: World, told: Settings, box: Mailbox) -> None:
        version = world.version(world.post(at="+5m"))
        clock = Sweeper(told)
        clock.sweep(world.now)
        world.now = world.delivery(version).latest_start + timedelta(seconds=1)
        for _ in range(5):
            clock.sweep(world.later(seconds=6))
        assert box.letters[-1]["Subject"] == "A post was kept back: nobody decided in time"
        assert [row.kind for row in rows(world, state="sent")].count("kept_back") == 1


class TestWords:
    def test_nothing_private_is_in_it(self, world: World, told: Settings, box: Mailbox) -> None:
        nasty = '=HYPERLINK("http://evil")\x1b[31m'
        title = "=cmd|' /C calc'!A0 Maya’s divorce"
        version = world.version(world.post(title=title, at="+4h"))
        with world.write() as session:
            session.get_one(Member, world.ada.member_id).name = nasty
        Sweeper(told).sweep(world.now)
        letter = box.letters[0]
        for said in (letter["Subject"], letter.get_content(), str(letter)):
            assert not any(word in said for word in ("cmd", "divorce", "HYPERLINK", "evil", "Maya", "\x1b"))
        assert letter["Subject"][0] not in "=+-@\t"
        links = [line for line in letter.get_content().split() if line.startswith("http")]
        assert links == [f"{told.base_url}/review/{version.id}"]

    def test_in_french_to_whoever_reads_french(self, world: World, told: Settings, box: Mailbox) -> None:
        with world.write() as session:
            session.get_one(Member, world.ada.member_id).language = "fr"
        world.version(world.post(kind="reply", at="+4h"))
        Sweeper(told).sweep(world.now)
        assert box.letters[0]["Subject"].startswith("Une réponse vous attend avant ")
        assert "\u00a0h\u00a0" in box.letters[0]["Subject"]


class TestFailures:
    def test_three_more_tries_then_it_is_written_down(self, world: World, told: Settings, box: Mailbox) -> None:
        world.version(world.post(at="+24h"))
        box.refuse = "451 Later"
        clock, waits = Sweeper(told), []
        for _ in range(4):
            clock.sweep(world.now)
            (row,) = rows(world, kind="asked")
            waits.append((row.due_at - world.now).total_seconds() if row.state == "waiting" else row.state)
            world.now = max(world.later(seconds=6), row.due_at)
        assert waits == [60, 300, 900, "failed"]
        assert "refused" in rows(world, kind="asked")[0].reason
        box.refuse = ""
        clock.sweep(world.later(hours=1))
        assert box.recipients == []
        with world.read() as session:
            assert len(list(session.exec(select(Audit).where(Audit.action == "notice.failed")))) == 1

    def test_a_worker_that_dies_after_sending_repeats_the_same_letter(
        self, world: World, told: Settings, box: Mailbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        world.version(world.post(at="+4h"))
        with monkeypatch.context() as dying:
            dying.setattr(telling, "_settle", lambda *_: None)
            Sweeper(told).sweep(world.now)
        assert rows(world, kind="asked")[0].state == "sending"
        Sweeper(told).sweep(world.later(seconds=telling.LEASE.total_seconds() + 30))
        assert len({letter["Message-ID"] for letter in box.letters}) == 1
        assert len(box.letters) == 2
        assert rows(world, kind="asked")[0].state == "sent"

    def test_news_are_not_repeated_after_a_crash(
        self, world: World, told: Settings, box: Mailbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        bo = person(world, "manager")
        with world.write() as session:
            hold = Hold(
                organization_id=bo.organization_id, scope="organization", by=world.ada.member_id, since=world.now
            )
            session.add(hold)
            session.flush()
            notices.held(session, hold, world.now)
        with monkeypatch.context() as dying:
            dying.setattr(telling, "_settle", lambda *_: None)
            Sweeper(told).sweep(world.now)
        Sweeper(told).sweep(world.later(seconds=telling.LEASE.total_seconds() + 30))
        assert box.recipients == ["manager@example.org"]
        assert rows(world, kind="held")[0].state == "failed"

    def test_without_a_mail_server_nothing_piles_up(self, world: World, told: Settings) -> None:
        world.version(world.post(at="+4h"))
        (notice_id,) = look(told, world)
        telling.run(told.model_copy(update={"smtp": ""}), notice_id, world.clock)
        assert (rows(world, kind="asked")[0].state, rows(world, kind="asked")[0].tries) == ("dropped", 1)

    def test_a_disabled_member_hears_nothing(self, world: World, told: Settings, box: Mailbox) -> None:
        with world.write() as session:
            outlets.test(session, world.ada, world.now)
            session.get_one(Member, world.ada.member_id).disabled_at = world.now
        Sweeper(told).sweep(world.now)
        assert [row.state for row in rows(world)] == ["dropped"]
        assert box.recipients == []

    def test_who_is_not_asked_any_more_hears_nothing(self, world: World, told: Settings, box: Mailbox) -> None:
        bo = person(world, "approver")
        policy(world, world.maya, Stage((f"member:{bo.member_id}",)))
        version = world.version(world.post(at="+4h"))
        look(told, world)
        world.sql("UPDATE member SET reach = 'assigned' WHERE id = :id", id=bo.member_id)
        Sweeper(told).sweep(world.now)
        assert [row.state for row in rows(world, about=version.id, kind="asked")] == ["dropped"]
        assert box.recipients == []

    def test_one_damaged_version_is_not_everybodys_silence(self, world: World, told: Settings, box: Mailbox) -> None:
        damaged = world.version(world.post(at="+4h"))
        world.version(world.post(at="+4h", title="Leeks"))
        world.sql("UPDATE version SET manifest = '{' WHERE id = :id", id=damaged.id)
        Sweeper(told).sweep(world.now)
        assert box.recipients == ["ada@example.org"]


class TestNews:
    def test_a_mention_is_told_to_those_who_reach_the_creator(self, world: World, told: Settings, box: Mailbox) -> None:
        near, far, stranger = person(world, "manager"), person(world, "client"), outsider(world)
        post = world.post()
        named = [near.member_id, far.member_id, stranger.member_id, world.ada.member_id]
        with world.write() as session:
            notices.mention(session, session.get_one(Post, post.id), "comment", named, world.ada.member_id, world.now)
        Sweeper(told).sweep(world.now)
        assert box.recipients == ["manager@example.org"]
        assert box.letters[0].get_content().split()[-1] == f"{told.base_url}/posts/{post.id}"

    def test_a_stop_is_told_to_everybody_else_who_may_stop(self, world: World, told: Settings, box: Mailbox) -> None:
        for role in ("manager", "analyst", "client"):
            person(world, role)
        outsider(world)
        with world.write() as session:
            hold = Hold(
                organization_id=world.ada.organization_id, scope="creator", target_id=world.maya.id,
                by=world.ada.member_id, since=world.now,
            )  # fmt: skip
            session.add(hold)
            session.flush()
            notices.held(session, hold, world.now)
        Sweeper(told).sweep(world.now)
        assert box.recipients == ["manager@example.org"]
        assert box.letters[0]["Subject"] == "Sending was stopped"

    @pytest.mark.parametrize(
        ("decision", "subject"),
        [
            ("approved", "A post of yours was approved"),
            ("rejected", "A post of yours was rejected"),
            ("changes_requested", "A post of yours needs changes"),
        ],
    )
    def test_a_decision_is_told_to_whoever_wrote_it(
        self, world: World, told: Settings, box: Mailbox, decision: str, subject: str
    ) -> None:
        version = world.version(world.post(at="+4h"))
        bo = person(world, "manager")
        with world.write() as session:
            notices.decided(session, version, bo.member_id, decision, world.now)
            notices.decided(session, version, world.ada.member_id, decision, world.now)
        Sweeper(told).sweep(world.now)
        assert [letter["Subject"] for letter in box.letters].count(subject) == 1
        assert box.recipients == ["ada@example.org"] * 2  # and that her yes is asked for


class TestPush:
    def subscribe(self, world: World, told: Settings, service: PushService) -> Outlet:
        with world.write() as session:
            return outlets.add_browser(session, told, world.ada, service.subscription(), "Chrome, Android", world.now)

    def test_the_browser_reads_exactly_what_was_meant(
        self, world: World, told: Settings, service: PushService, box: Mailbox
    ) -> None:
        self.subscribe(world, told, service)
        version = world.version(world.post(kind="reply", title="Secret", at="+4h"))
        for _ in range(20):
            Sweeper(told).sweep(world.later(seconds=6))
        (got,) = service.received
        clock = box.letters[0]["Subject"].rpartition(" ")[2]
        notice = json.loads(got.text)
        assert notice == {
            "title": f"A reply needs you by {clock}",
            "body": "Without a decision it stays unsent.",
            "path": f"/review/{version.id}",
            "tag": got.headers["topic"],
        }
        assert (got.headers["content-encoding"], got.headers["urgency"]) == ("aes128gcm", "high")
        assert 3.9 * 3600 < int(got.headers["ttl"]) <= 4 * 3600
        assert b"reply" not in got.sealed
        assert got.key == push.public_key(told)
        assert got.claims["sub"] == "mailto:scheduler@studio.example"
        assert box.recipients == ["ada@example.org"]

    @pytest.mark.parametrize("status", [404, 410])
    def test_a_browser_that_is_gone_is_forgotten(
        self, world: World, told: Settings, service: PushService, status: int
    ) -> None:
        outlet, service.status = self.subscribe(world, told, service), status
        world.version(world.post(at="+4h"))
        Sweeper(told).sweep(world.now)
        after = world.again(outlet)
        assert after.gone_at is not None
        assert after.sealed == ""
        with world.read() as session:
            assert outlets.mine(session, world.ada) == []

    def test_a_push_service_that_is_down_is_asked_again(
        self, world: World, told: Settings, service: PushService
    ) -> None:
        self.subscribe(world, told, service)
        service.status = 503
        world.version(world.post(at="+4h"))
        clock = Sweeper(told)
        clock.sweep(world.now)
        service.status = 201
        clock.sweep(world.later(seconds=61))
        assert len(service.received) == 1

    def test_a_subscription_moved_to_somebody_else_does_not_open(
        self, world: World, told: Settings, service: PushService
    ) -> None:
        self.subscribe(world, told, service)
        bo = person(world, "manager")
        world.sql("UPDATE outlet SET member_id = :bo", bo=bo.member_id)
        with world.write() as session:
            outlets.test(session, bo, world.now)
        Sweeper(told).sweep(world.now)
        assert service.received == []
        assert [row.state for row in rows(world) if row.outlet_id] == ["failed"]
