"""Standing approvals: signed, bounded, never for a core kind."""

import json
from datetime import timedelta

import pytest
from sqlmodel import select

from avatar_scheduler.db.tables import Approval, Creator
from avatar_scheduler.domain.approval import Scope, check_scope
from avatar_scheduler.domain.delivery import DeliveryState
from avatar_scheduler.domain.errors import Invalid, NotFound, Refused
from avatar_scheduler.domain.interaction import CORE
from avatar_scheduler.domain.post import PostState
from avatar_scheduler.services import standing
from tests.services.cast import creator_of, outsider
from tests.world import World


def grant(world: World, creator: Creator, *kinds: str, per_day: int = 3, days: int = 30) -> Approval:
    with world.write() as session:
        return standing.grant(session, world.settings, world.ada, creator, kinds, per_day, days, world.now)


def render(world: World, kind: str = "tip", at: str = "+5m") -> PostState:
    """A new post with the kind, rendered: where it is then."""
    version = world.version(world.post(kind, at=at))
    with world.read() as session:
        from avatar_scheduler.db.tables import Post

        return session.get_one(Post, version.post_id).state


class TestGranting:
    def test_a_core_kind_is_never_covered(self, world: World) -> None:
        for kind in (*sorted(CORE), "a kind nobody knows"):
            with pytest.raises(Invalid) as refused:
                grant(world, world.maya, "tip", kind)
            assert refused.value.code == "core"

    def test_its_bounds_are_real(self, world: World) -> None:
        for kinds, per_day, days in (
            ((), 3, 30),
            (("tip",), 0, 30),
            (("tip",), 101, 30),
            (("tip",), 3, 0),
            (("tip",), 3, 366),
        ):
            with pytest.raises(Invalid):
                grant(world, world.maya, *kinds, per_day=per_day, days=days)

    def test_the_creator_of_another_organization_is_not_there(self, world: World) -> None:
        leo = creator_of(world, outsider(world), "leo")
        with pytest.raises(NotFound):
            grant(world, leo, "tip")


class TestCovering:
    def test_a_film_with_a_persons_own_clip_needs_a_person_whatever_its_kind(self, world: World) -> None:
        world.standing("tip")
        version = world.version(world.post("tip"), human_ms="[[1000, 3000]]")
        with pytest.raises(Invalid, match="Watch it to the end"):
            world.approve(version)
        world.watch(version)
        assert world.approve(version)

    def test_a_covered_post_is_approved_in_the_name_of_who_granted(self, world: World) -> None:
        given = world.standing("tip")
        assert render(world) is PostState.approved
        with world.read() as session:
            made = session.exec(select(Approval).where(Approval.parent_id == given.id)).one()
        assert (made.by, made.effective_at) == (world.ada.member_id, world.now)

    def test_it_goes_out_without_the_undo_time_and_says_how(self, world: World) -> None:
        world.standing("tip")
        delivery = world.delivery(world.version(world.post(at="now")))
        assert delivery.ready_at == delivery.due_at
        assert world.publish(delivery).state is DeliveryState.published

    def test_another_kind_creator_or_platform_waits_for_a_person(self, world: World) -> None:
        world.standing("recap")
        assert render(world, "tip") is PostState.in_review
        assert render(world, "reply") is PostState.in_review
        grant(world, creator_of(world, world.ada, "leo"), "tip")
        assert render(world, "tip") is PostState.in_review

    def test_the_number_a_day_is_counted(self, world: World) -> None:
        world.now = world.now.replace(hour=12) + timedelta(days=1)
        world.standing("tip", per_day=2)
        states = [render(world) for _ in range(3)]
        assert states == [PostState.approved, PostState.approved, PostState.in_review]
        world.later(hours=12)
        assert render(world) is PostState.approved

    def test_it_ends(self, world: World) -> None:
        grant(world, world.maya, "tip", days=1)
        world.later(days=1)
        assert render(world) is PostState.in_review

    def test_of_two_the_one_that_covers_answers(self, world: World) -> None:
        world.standing("recap")
        given = world.standing("tip")
        render(world)
        with world.read() as session:
            assert session.exec(select(Approval.parent_id).where(Approval.decision == "approved")).all() == [given.id]


class TestWithdrawing:
    def test_a_withdrawn_one_covers_nothing_and_keeps_back_what_it_covered(self, world: World) -> None:
        world.standing("tip")
        delivery = world.delivery(world.version(world.post()))
        assert delivery.state is DeliveryState.scheduled
        world.sql("UPDATE approval SET revoked_at = decided_at WHERE decision = 'standing'")
        kept = world.publish(delivery)
        assert (kept.state, kept.reason) == (DeliveryState.kept_back, "The standing approval was withdrawn.")
        assert render(world) is PostState.in_review
        assert world.ledger == []

    def test_one_that_ended_before_the_post_goes_out_keeps_it_back(self, world: World) -> None:
        grant(world, world.maya, "tip", days=1)
        delivery = world.delivery(world.version(world.post(at="+23h")))
        assert delivery.state is DeliveryState.scheduled
        world.now = delivery.due_at + timedelta(hours=1)
        world.sql("UPDATE delivery SET latest_start = :later", later=(world.now + timedelta(1)).replace(tzinfo=None))
        kept = world.publish(delivery)
        assert kept.state is DeliveryState.kept_back
        assert world.ledger == []


class TestTampering:
    @pytest.mark.parametrize(
        ("column", "value"),
        [("scope", None), ("by", "eve"), ("organization_id", None), ("decision", "approved"), ("signature", "AAAA")],
    )
    def test_an_edited_grant_covers_nothing_and_sends_nothing(
        self, world: World, column: str, value: str | None
    ) -> None:
        given = world.standing("tip")
        before = world.delivery(world.version(world.post()))
        if column == "scope":
            value = json.dumps({**json.loads(given.scope), "per_day": 99})
        elif column == "organization_id":
            value = outsider(world).organization_id
        world.sql(f"UPDATE approval SET {column} = :value WHERE decision = 'standing'", value=value)
        assert render(world) is PostState.in_review
        assert world.publish(before).state is DeliveryState.kept_back
        assert world.ledger == []

    def test_a_child_moved_under_another_grant_is_refused(self, world: World) -> None:
        given = world.standing("tip")
        delivery = world.delivery(world.version(world.post()))
        other = world.standing("recap")
        world.sql("UPDATE approval SET parent_id = :new WHERE parent_id = :old", new=other.id, old=given.id)
        assert world.publish(delivery).state is DeliveryState.kept_back


def test_the_scope_itself_refuses_core_whatever_it_says(world: World) -> None:
    scope = Scope("c", ("reply", "tip"), ("own_feed",), 3, world.now + timedelta(days=1))
    check_scope(scope, creator="c", kind="tip", platforms={"own_feed"}, used_today=0, at=world.now)
    for change, code in (
        ({"kind": "reply"}, "core"),
        ({"kind": "recap"}, "scope"),
        ({"creator": "d"}, "scope"),
        ({"platforms": {"own_feed", "bluesky"}}, "scope"),
        ({"at": scope.ends_at}, "standing_ended"),
        ({"used_today": 3}, "standing_used"),
    ):
        asked = {"creator": "c", "kind": "tip", "platforms": {"own_feed"}, "used_today": 0, "at": world.now}
        with pytest.raises(Refused) as refused:
            check_scope(scope, **{**asked, **change})  # type: ignore[arg-type]
        assert refused.value.code == code
