"""Who joins, with what rights, and what ends when they go."""

from datetime import timedelta

import pytest
from sqlmodel import select

from avatar_scheduler.db.tables import ApiKey, Approval, Creator, Delegate, Member, Version, WebSession
from avatar_scheduler.domain.delivery import DeliveryState
from avatar_scheduler.domain.errors import Conflict, Forbidden, Invalid, NotFound
from avatar_scheduler.services import asked, delegates, members, people, review, seen
from avatar_scheduler.services.roles import PEOPLE
from tests.services import cast
from tests.services.test_stages import may_send, refused, version_by, yes
from tests.world import World


def join(world: World, role: str, *creators: Creator, email: str = "new@example.org") -> Member:
    ids = tuple(creator.id for creator in creators)
    with world.write() as session:
        _, token = members.invite(session, world.ada, email, "New", role, ids, world.now)
    with world.write() as session:
        members.accept(session, token, world.now)
    with world.read() as session:
        return session.exec(select(Member).where(Member.email == email)).one()


class TestInviting:
    @pytest.mark.parametrize("role", sorted(PEOPLE - {"creator"}))
    def test_whoever_joins_has_the_role_the_log_says(self, world: World, role: str) -> None:
        member = join(world, role, *([world.maya] if role == "client" else []))
        with world.read() as session:
            asked.check_role(session, member)
        assert member.role == role

    def test_a_link_works_once_and_for_a_day(self, world: World) -> None:
        with world.write() as session:
            _, token = members.invite(session, world.ada, "a@b.org", "A", "editor", (), world.now)
        with world.read() as session:
            assert members.peek(session, token, world.now).role == "editor"
        with world.write() as session, pytest.raises(NotFound):
            members.accept(session, token, world.now + timedelta(hours=24))
        with world.write() as session:
            assert members.accept(session, token, world.now).startswith("link_")
        with world.write() as session, pytest.raises(NotFound):
            members.accept(session, token, world.now)

    def test_a_newer_one_ends_the_older(self, world: World) -> None:
        with world.write() as session:
            _, old = members.invite(session, world.ada, "a@b.org", "A", "editor", (), world.now)
            members.invite(session, world.ada, "a@b.org", "A", "analyst", (), world.now)
        with world.write() as session, pytest.raises(NotFound):
            members.accept(session, old, world.now)

    @pytest.mark.parametrize(
        ("inviter", "role", "error"),
        [
            ("admin", "owner", Forbidden), ("manager", "editor", Forbidden), ("editor", "client", Forbidden),
            ("owner", "api", Invalid), ("owner", "root", Invalid), ("owner", "creator", Invalid),
            ("owner", "client", Invalid),
        ],
    )  # fmt: skip
    def test_what_nobody_may_hand_out(self, world: World, inviter: str, role: str, error: type[Exception]) -> None:
        who = cast.person(world, inviter, "") if inviter != "owner" else world.ada
        with world.write() as session, pytest.raises(error):
            members.invite(session, who, "a@b.org", "A", role, (), world.now)

    def test_a_creator_of_another_organization_is_not_there(self, world: World) -> None:
        elsewhere = cast.outsider(world)
        with world.write() as session, pytest.raises(NotFound):
            members.invite(session, elsewhere, "a@b.org", "A", "client", (world.maya.id,), world.now)

    def test_a_creator_signs_in_as_who_they_are(self, world: World) -> None:
        _, _, _ = cast.agency(world)
        noa = cast.creator_of(world, world.ada, "noa")
        member = join(world, "creator", noa)
        with world.read() as session:
            assert asked.person_of(session, session.get_one(Creator, noa.id)) == member.id
            assert people.reach_of(session, member) == frozenset({noa.id})
        with world.write() as session, pytest.raises(Conflict):
            members.invite(session, world.ada, "b@b.org", "B", "creator", (noa.id,), world.now)


class TestChanging:
    def test_another_role_holds_at_the_next_request(self, world: World) -> None:
        member = join(world, "manager")
        with world.write() as session:
            token = people.redeem_link(session, people.make_link(session, member, world.now), "hash", world.now, "x")
        with world.write() as session:
            members.change(session, world.ada, member.id, "analyst", (), world.now)
        with world.read() as session:
            assert people.who_is(session, token, world.now) is None
            asked.check_role(session, session.get_one(Member, member.id))

    def test_the_last_owner_stays(self, world: World) -> None:
        for act in (
            lambda session: members.change(session, world.ada, world.ada.member_id, "admin", (), world.now),
            lambda session: members.disable(session, world.ada, world.ada.member_id, world.now),
        ):
            with world.write() as session, pytest.raises(Conflict):
                act(session)

    def test_an_admin_touches_no_owner(self, world: World) -> None:
        admin = cast.person(world, "admin")
        with world.write() as session, pytest.raises(Forbidden):
            members.disable(session, admin, world.ada.member_id, world.now)

    def test_nobody_becomes_a_creator_by_a_role(self, world: World) -> None:
        member = join(world, "editor")
        with world.write() as session, pytest.raises(Conflict):
            members.change(session, world.ada, member.id, "creator", (), world.now)

    def test_people_of_others_are_not_there(self, world: World) -> None:
        elsewhere = cast.outsider(world)
        with world.write() as session, pytest.raises(NotFound):
            members.change(session, elsewhere, world.ada.member_id, "analyst", (), world.now)


class TestLeaving:
    def test_takes_sessions_keys_delegations_and_yeses_along(self, world: World) -> None:
        nadia, leo, creator = cast.agency(world)
        helper = cast.person(world, "approver")
        with world.write() as session:
            delegates.name(session, leo, creator, helper.member_id, ("reply",), 7, world.now)
            session.add(
                ApiKey(
                    organization_id=creator.organization_id, name="k", token_sha256="x", created_by=helper.member_id,
                    created_at=world.now, expires_at=world.now + timedelta(days=1),
                )
            )  # fmt: skip
            helping = session.get_one(Member, helper.member_id)
            people.redeem_link(session, people.make_link(session, helping, world.now), "hash", world.now, "x")
        version = version_by(world, nadia, creator)
        yes(world, helper, version)
        assert world.delivery(version).state is DeliveryState.scheduled
        with world.write() as session:
            assert members.disable(session, world.ada, helper.member_id, world.now) == 1
        assert world.delivery(version).state is DeliveryState.waiting
        with world.read() as session:
            assert all(row.revoked_at for row in session.exec(select(WebSession)))
            assert all(row.revoked_at for row in session.exec(select(ApiKey)))
            assert all(row.revoked_at for row in session.exec(select(Delegate)))
        assert may_send(world, version) == "not_approved"

    def test_back_by_sql_is_not_back(self, world: World) -> None:
        nadia, leo, creator = cast.agency(world)
        version = version_by(world, nadia, creator)
        yes(world, leo, version)
        with world.write() as session:
            session.get_one(Member, leo.member_id).disabled_at = world.now
        with world.write() as session:
            members.enable(session, world.ada, leo.member_id, world.now)
            members.disable(session, world.ada, leo.member_id, world.now)
        world.sql("UPDATE member SET disabled_at = NULL")
        world.sql("UPDATE approval SET revoked_at = NULL")
        assert may_send(world, version) != ""


class TestDelegates:
    def test_decide_what_they_were_named_for_until_then(self, world: World) -> None:
        nadia, leo, creator = cast.agency(world)
        helper = cast.person(world, "approver")
        with world.write() as session:
            delegates.name(session, leo, creator, helper.member_id, ("message",), 7, world.now)
        assert refused(world, helper, version_by(world, nadia, creator, "reply")) == "not_asked"
        message = version_by(world, nadia, creator, "message")
        row = yes(world, helper, message)
        with world.read() as session:
            assert session.get_one(Approval, row).acted_as == "creator+delegate"
        world.later(days=8)
        assert refused(world, helper, version_by(world, nadia, creator, "message")) == "not_asked"

    def test_only_the_creator_names_one(self, world: World) -> None:
        nadia, _, creator = cast.agency(world)
        for who in (nadia, world.ada):
            with world.write() as session, pytest.raises(Forbidden):
                delegates.name(session, who, creator, nadia.member_id, ("reply",), 7, world.now)

    def test_one_written_into_the_database_decides_nothing(self, world: World) -> None:
        nadia, _, creator = cast.agency(world)
        helper = cast.person(world, "approver")
        with world.write() as session:
            session.add(
                Delegate(
                    organization_id=creator.organization_id, creator_id=creator.id, member_id=helper.member_id,
                    kinds='["reply"]', named_by="x", created_at=world.now, ends_at=world.now + timedelta(days=9),
                )
            )  # fmt: skip
        assert refused(world, helper, version_by(world, nadia, creator, "reply")) == "not_asked"

    def test_ends_at_once(self, world: World) -> None:
        nadia, leo, creator = cast.agency(world)
        helper = cast.person(world, "approver")
        with world.write() as session:
            row = delegates.name(session, leo, creator, helper.member_id, ("reply",), 7, world.now)
        with world.write() as session:
            delegates.revoke(session, leo, row.id, world.now)
        version = version_by(world, nadia, creator, "reply")
        with world.write() as session:
            seen.read_to_end(session, session.get_one(Version, version.id), helper.member_id, world.now)
        with world.write() as session, pytest.raises(Forbidden):
            review.approve(session, world.settings, helper, version.id, version.sha256, world.now)
