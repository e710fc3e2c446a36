"""Who is asked, when and by when; what is at risk; how often somebody may be reminded."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlmodel import select

from avatar_scheduler.db.tables import Audit, Creator, Delivery, Member, Notice, Post, Version
from avatar_scheduler.domain.approval import UNDO
from avatar_scheduler.domain.errors import Conflict, Forbidden, NotFound
from avatar_scheduler.domain.stages import CREATOR, Stage
from avatar_scheduler.services import asking, delegates, notices
from avatar_scheduler.services.people import API
from tests.services.cast import agency, depicts, outsider, person, policy
from tests.world import World


def ask(world: World, version: Version) -> int:
    with world.write() as session:
        row = session.get_one(Version, version.id)
        return asking.ask(session, row, session.get_one(Post, row.post_id), world.now)


def told(world: World, about: str) -> dict[tuple[str, str], datetime]:
    """(name, kind) -> due."""
    with world.read() as session:
        query = select(Member.name, Notice.kind, Notice.due_at).where(
            Member.id == Notice.member_id, Notice.about == about
        )
        return {(name, kind): due for name, kind, due in session.exec(query)}


def sleeps(world: World, member_id: str, start: str, end: str, zone: str = "Europe/Paris") -> None:
    with world.write() as session:
        member = session.get_one(Member, member_id)
        member.quiet_from, member.quiet_to, member.zone = start, end, zone


class TestWhoIsAsked:
    def test_the_people_of_the_open_stage_at_once_and_at_half_the_time(self, world: World) -> None:
        version = world.version(world.post(at="+4h"))
        began, due = version.created_at, world.delivery(version).due_at
        assert ask(world, version) == 2
        assert told(world, version.id) == {("Ada", "asked"): began, ("Ada", "half"): began + (due - began) / 2}

    def test_asking_again_adds_nothing(self, world: World) -> None:
        version = world.version(world.post(at="+4h"))
        assert [ask(world, version) for _ in range(5)] == [2, 0, 0, 0, 0]

    def test_the_next_stage_is_asked_once_the_first_has_said_yes(self, world: World) -> None:
        bo = person(world, "approver")
        policy(world, world.maya, Stage((f"member:{bo.member_id}",)), Stage((CREATOR,)))
        depicts(world, world.maya, world.ada)
        version = world.version(world.post(at="+4h"))
        ask(world, version)
        assert {name for name, _ in told(world, version.id)} == {"Approver"}
        world.watch(version)
        from avatar_scheduler.services import review, seen

        with world.write() as session:
            seen.open_view(session, session.get_one(Version, version.id), bo.member_id, world.now)
        world.later(seconds=30)
        with world.write() as session:
            review.record_seen(session, bo, version.id, [(0, world.film.made["duration_ms"])], world.now)
        with world.write() as session:
            review.approve(session, world.settings, bo, version.id, version.sha256, world.now)
        assert ask(world, version) == 2
        assert told(world, version.id)["Ada", "asked"] == world.now

    def test_a_delegate_is_asked_at_three_quarters_and_not_before(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        _, _, made = agency(world)
        bo = person(world, "approver")
        monkeypatch.setattr(
            delegates, "named", lambda _, creator, member, *__: (creator, member) == (made.id, bo.member_id)
        )
        version = leos(world, made)
        ask(world, version)
        with world.read() as session:
            found = asking.who_is_asked(session, version, world.now)
        assert found is not None
        began, span = found.plan.asked_at, found.plan.deadline - found.plan.asked_at
        assert told(world, version.id) == {
            ("Creator", "asked"): began,
            ("Creator", "half"): began + span / 2,
            ("Approver", "escalated"): began + span * 3 / 4,
        }

    def test_what_was_decided_or_has_passed_is_not_asked_about(self, world: World) -> None:
        version = world.version(world.post(at="+4h"))
        world.watch(version)
        world.approve(version)
        assert ask(world, version) == 0
        other = world.version(world.post(at="+4h", title="Leeks"))
        world.later(hours=5)
        assert ask(world, other) == 0


def leos(world: World, creator: Creator) -> Version:
    """A version of somebody who signs in themselves: the post is moved to them before it is frozen."""
    from avatar_scheduler.db.tables import Avatar

    post = world.post(at="+4h")
    with world.write() as session:
        row = session.get_one(Post, post.id)
        row.creator_id = creator.id
        row.avatar_id = session.exec(select(Avatar.id).where(Avatar.creator_id == creator.id)).one()
    return world.version(world.again(post))


class TestDeadline:
    def test_is_the_slot_or_earlier_where_the_undo_time_asks_for_it(self, world: World) -> None:
        at = world.now
        assert asking.deadline_of(at, at + timedelta(minutes=10)) == at
        assert asking.deadline_of(at, at + timedelta(seconds=5)) == at + timedelta(seconds=5) - UNDO

    def test_a_new_time_moves_the_reminder_that_waits(self, world: World) -> None:
        version = world.version(world.post(at="+4h"))
        ask(world, version)
        with world.write() as session:
            row = session.exec(select(Delivery).where(Delivery.version_id == version.id)).one()
            row.due_at += timedelta(hours=4)
            row.latest_start += timedelta(hours=4)
        assert ask(world, version) == 0
        half = told(world, version.id)["Ada", "half"]
        assert abs(half - (version.created_at + timedelta(hours=4))) < timedelta(seconds=1)


class TestQuietHours:
    def at(self, world: World, text: str) -> None:
        world.now = datetime.fromisoformat(f"{text}+01:00")  # Paris in winter

    def test_a_notice_waits_for_the_morning(self, world: World) -> None:
        self.at(world, "2027-01-12T23:00")
        sleeps(world, world.ada.member_id, "22:00", "07:00")
        version = world.version(world.post(at="+20h"))
        ask(world, version)
        morning = datetime.fromisoformat("2027-01-13T07:00+01:00")
        assert told(world, version.id)["Ada", "asked"] == morning
        with world.read() as session:
            assert asking.at_risk(session, world.ada, world.now) == []

    def test_a_reminder_goes_before_the_night_when_the_deadline_is_in_it(self, world: World) -> None:
        self.at(world, "2027-01-12T18:00")
        sleeps(world, world.ada.member_id, "21:00", "07:00")
        version = world.version(world.post(at="+8h"))  # 02:00; half the time is over at 22:00
        ask(world, version)
        assert told(world, version.id)["Ada", "half"] == datetime.fromisoformat("2027-01-12T20:55+01:00")

    def test_asleep_until_the_deadline_is_at_risk(self, world: World) -> None:
        self.at(world, "2027-01-12T23:00")
        sleeps(world, world.ada.member_id, "22:00", "07:00")
        version = world.version(world.post(at="+6h"))
        with world.read() as session:
            (risk,) = asking.at_risk(session, world.ada, world.now)
        assert (risk.reason, risk.version_id, risk.waiting_for) == ("quiet", version.id, ("Ada",))
        assert 5.9 * 3600 < risk.seconds <= 6 * 3600


class TestAtRisk:
    def test_two_hours_before_the_deadline(self, world: World) -> None:
        version = world.version(world.post(at="+3h"))
        with world.read() as session:
            assert asking.at_risk(session, world.ada, world.now) == []
        world.later(hours=1, minutes=1)
        with world.read() as session:
            (risk,) = asking.at_risk(session, world.ada, world.now)
        assert (risk.reason, risk.title, risk.version_id) == ("deadline", "Onions", version.id)
        assert 7100 < risk.seconds <= 7140
        world.watch(version)
        world.approve(version)
        with world.read() as session:
            assert asking.at_risk(session, world.ada, world.now) == []

    def test_a_render_that_will_not_be_done(self, world: World) -> None:
        from avatar_scheduler.services import renders

        post = world.post(at="+2m")
        with world.write() as session:
            renders.submit(session, world.settings, world.ada, session.get_one(Post, post.id), world.now)
        with world.read() as session:
            (risk,) = asking.at_risk(session, world.ada, world.now)
        assert (risk.reason, risk.post_id, risk.version_id) == ("render", post.id, "")

    def test_only_what_somebody_reaches(self, world: World) -> None:
        world.version(world.post(at="+1h"))
        for who in (outsider(world), replace(world.ada, reach=frozenset({"somebody-else"}))):
            with world.read() as session:
                assert asking.at_risk(session, who, world.now) == []


class TestNudge:
    def nudge(self, world: World, version: Version) -> None:
        with world.write() as session:
            asking.nudge(session, world.ada, version.id, world.now)

    def test_once_in_half_an_hour(self, world: World) -> None:
        version = world.version(world.post(at="+4h"))
        self.nudge(world, version)
        world.later(minutes=29)
        with pytest.raises(Conflict, match="half an hour"):
            self.nudge(world, version)
        world.later(minutes=1)
        self.nudge(world, version)
        assert [kind for _, kind in told(world, version.id)] == ["nudged-1", "nudged-2"]
        with world.read() as session:
            assert len(list(session.exec(select(Audit).where(Audit.action == "version.nudged")))) == 2

    def test_not_by_strangers_programs_or_those_who_only_look(self, world: World) -> None:
        version = world.version(world.post(at="+4h"))
        refused = [
            (outsider(world), NotFound), (replace(world.ada, reach=frozenset()), NotFound),
            (replace(world.ada, role=API), Forbidden), (replace(world.ada, role="analyst"), Forbidden),
        ]  # fmt: skip
        for who, why in refused:
            with pytest.raises(why), world.write() as session:
                asking.nudge(session, who, version.id, world.now)
        assert told(world, version.id) == {}

    def test_not_about_what_was_decided(self, world: World) -> None:
        version = world.version(world.post(at="+4h"))
        world.watch(version)
        world.approve(version)
        with pytest.raises(Conflict, match="Nobody is asked"):
            self.nudge(world, version)


def test_kept_back_is_told_to_whoever_wrote_it_and_whoever_was_asked(world: World) -> None:
    bo = person(world, "approver")
    policy(world, world.maya, Stage((f"member:{bo.member_id}",)))
    version = world.version(world.post(at="+4h"))
    ask(world, version)
    with world.write() as session:
        notices.kept_back(session, session.get_one(Delivery, world.delivery(version).id), world.now)
    assert {name for name, kind in told(world, version.id) if kind == "kept_back"} == {"Ada", bo.name}
