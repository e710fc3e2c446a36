"""Whose yes a post waits for, and that nobody else's lets it out."""

from datetime import timedelta

import pytest

from avatar_scheduler.db.tables import Approval, Creator, Delivery, Policy, Post, Version
from avatar_scheduler.domain.delivery import DeliveryState
from avatar_scheduler.domain.errors import Forbidden, Refused, SchedulerError
from avatar_scheduler.domain.post import PostState
from avatar_scheduler.domain.stages import ANYONE, CLIENT, CREATOR, Stage
from avatar_scheduler.services import approvals, gate, policies, posts, review, seen, standing
from avatar_scheduler.services.people import Person
from tests.services import cast
from tests.world import CAPTION, SCRIPT, World


def post_by(world: World, who: Person, creator: Creator, kind: str = "reply") -> Post:
    new = posts.NewPost("", "Onions", kind, SCRIPT, caption=CAPTION, at="+5m")
    with world.write() as session:
        return posts.make(session, world.settings, who, new, creator, world.now)


def version_by(world: World, who: Person, creator: Creator, kind: str = "reply") -> Version:
    return world.version(post_by(world, who, creator, kind))


def yes(world: World, who: Person, version: Version) -> str:
    with world.write() as session:
        row = session.get_one(Version, version.id)
        seen.read_to_end(session, row, who.member_id, world.now)
    with world.write() as session:
        return review.approve(session, world.settings, who, version.id, version.sha256, world.now)


def refused(world: World, who: Person, version: Version) -> str:
    with pytest.raises(SchedulerError) as error:
        yes(world, who, version)
    return error.value.code


def may_send(world: World, version: Version) -> str:
    """Empty when it may, at its time."""
    delivery = world.delivery(version)
    world.now = max(world.now, delivery.ready_at) + timedelta(seconds=11)
    try:
        with world.write() as session:
            gate.may_send(session, world.settings, session.get_one(Delivery, delivery.id), world.now)
            session.rollback()
    except Refused as error:
        return error.code
    return ""


@pytest.fixture
def agency(world: World) -> tuple[Person, Person, Creator]:
    return cast.agency(world)


Agency = tuple[Person, Person, Creator]


class TestDefault:
    def test_what_speaks_for_a_creator_comes_to_the_creator(self, world: World, agency: Agency) -> None:
        nadia, leo, creator = agency
        version = version_by(world, nadia, creator)
        assert refused(world, nadia, version) == "author"
        assert refused(world, cast.person(world, "approver"), version) == "not_asked"
        assert refused(world, world.ada, version) == "not_asked"
        yes(world, leo, version)
        assert may_send(world, version) == ""

    def test_who_was_made_up_is_spoken_for_by_anybody_but_the_author(self, world: World, agency: Agency) -> None:
        nadia, _, _ = agency
        made_up = cast.creator_of(world, world.ada, "noa")
        version = version_by(world, nadia, made_up)
        assert refused(world, nadia, version) == "author"
        yes(world, world.ada, version)
        assert may_send(world, version) == ""

    def test_the_last_editor_does_not_count_either(self, world: World, agency: Agency) -> None:
        nadia, _, _ = agency
        post = post_by(world, nadia, cast.creator_of(world, world.ada, "noa"))
        with world.write() as session:
            posts.edit(session, world.settings, world.ada, post.id, posts.Edit(title="Garlic"), world.now)
        version = world.version(world.again(post))
        assert [refused(world, who, version) for who in (nadia, world.ada)] == ["author", "author"]
        yes(world, cast.person(world, "approver"), version)

    def test_a_creator_may_approve_their_own_words_and_it_says_so(self, world: World, agency: Agency) -> None:
        _, leo, creator = agency
        version = version_by(world, leo, creator)
        row = yes(world, leo, version)
        with world.read() as session:
            assert session.get_one(Approval, row).acted_as == "creator+self"
        assert may_send(world, version) == ""

    def test_switching_roles_makes_no_second_person(self, world: World, agency: Agency) -> None:
        """Two people, one of whom is made an approver after writing: still the author."""
        nadia, _, _ = agency
        version = version_by(world, nadia, cast.creator_of(world, world.ada, "noa"))
        world.sql("UPDATE member SET role = 'approver' WHERE id = :id", id=nadia.member_id)
        assert refused(world, nadia, version) == "role_changed"

    def test_a_role_written_into_the_database_decides_nothing(self, world: World, agency: Agency) -> None:
        nadia, _, _ = agency
        version = version_by(world, nadia, cast.creator_of(world, world.ada, "noa"))
        analyst = cast.person(world, "analyst")
        world.sql("UPDATE member SET role = 'approver' WHERE id = :id", id=analyst.member_id)
        assert refused(world, Person(**{**vars(analyst), "role": "approver"}), version) == "role_changed"


class TestSequence:
    @pytest.fixture
    def people(self, world: World, agency: Agency) -> dict[str, Person]:
        nadia, leo, _ = agency
        return {
            "nadia": nadia, "leo": leo, "editor": cast.person(world, "approver"), "brand": cast.person(world, "client"),
        }  # fmt: skip

    @pytest.fixture
    def version(self, world: World, agency: Agency, people: dict[str, Person]) -> Version:
        nadia, _, creator = agency
        cast.reaches(world, people["brand"], creator)
        cast.policy(world, creator, Stage(("role:approver",)), Stage((CLIENT,)), Stage((CREATOR,)))
        return version_by(world, nadia, creator)

    def test_everybody_is_asked_in_turn(self, world: World, version: Version, people: dict[str, Person]) -> None:
        assert refused(world, people["leo"], version) == "not_asked"
        for name in ("editor", "brand"):
            yes(world, people[name], version)
            assert world.delivery(version).state is DeliveryState.waiting
        yes(world, people["leo"], version)
        assert world.delivery(version).state is DeliveryState.scheduled
        assert may_send(world, version) == ""

    def test_any_veto_stops(self, world: World, version: Version, people: dict[str, Person]) -> None:
        yes(world, people["editor"], version)
        with world.write() as session:
            review.reject(session, people["brand"], version.id, version.sha256, world.now)
        assert refused(world, people["leo"], version) == "decided"
        assert may_send(world, version) != ""

    def test_a_stage_left_out_by_sql_is_missed(self, world: World, version: Version, people: dict[str, Person]) -> None:
        for name in ("editor", "brand", "leo"):
            yes(world, people[name], version)
        world.sql('DELETE FROM approval WHERE "by" = :id', id=people["brand"].member_id)
        assert may_send(world, version) == "stage_open"

    def test_taking_back_one_yes_opens_its_stage(
        self, world: World, version: Version, people: dict[str, Person]
    ) -> None:
        for name in ("editor", "brand"):
            yes(world, people[name], version)
        last = yes(world, people["leo"], version)
        with world.write() as session:
            review.undo(session, people["leo"], last, world.now)
        assert world.delivery(version).state is DeliveryState.waiting
        assert may_send(world, version) == "stage_open"

    def test_somebody_who_left_has_said_nothing(
        self, world: World, version: Version, people: dict[str, Person]
    ) -> None:
        for name in ("editor", "brand", "leo"):
            yes(world, people[name], version)
        with world.write() as session:
            assert approvals.void_of(session, people["brand"].member_id, world.now) == 1
        assert world.delivery(version).state is DeliveryState.waiting
        with world.read() as session:
            assert session.get_one(Post, version.post_id).state is PostState.in_review
        assert may_send(world, version) == "stage_open"

    def test_a_standing_approval_is_one_yes_not_all(
        self, world: World, agency: Agency, version: Version, people: dict[str, Person]
    ) -> None:
        nadia, leo, creator = agency
        with world.write() as session:
            standing.grant(session, world.settings, leo, creator, ("tip",), 3, 30, world.now)
        tip = version_by(world, nadia, creator, "tip")
        with world.read() as session:
            assert session.get_one(Post, tip.post_id).state is PostState.in_review


class TestPolicyInTheHash:
    def test_a_stronger_policy_holds_at_once(self, world: World, agency: Agency) -> None:
        nadia, leo, creator = agency
        version = version_by(world, nadia, creator)
        yes(world, leo, version)
        cast.policy(world, creator, Stage((CREATOR,)), Stage(("role:approver",)))
        assert may_send(world, version) == "policy"

    def test_a_weaker_one_leaves_what_was_asked_before(self, world: World, agency: Agency) -> None:
        nadia, leo, creator = agency
        cast.policy(world, creator, Stage((CREATOR,)), Stage(("role:approver",)))
        version = version_by(world, nadia, creator)
        cast.policy(world, creator, Stage((CREATOR,)))
        yes(world, leo, version)
        assert may_send(world, version) == "stage_open"

    @pytest.mark.parametrize(
        "change",
        [
            """UPDATE policy SET stages = '[{"all": false, "by": ["anyone"]}]'""",
            *(f"UPDATE policy SET stages = '{value}'" for value in ("null", "true", "0", "[]", "{}", '""')),
            "UPDATE policy SET dropped_at = created_at",
            "UPDATE policy SET effective_at = NULL",
            "DELETE FROM policy",
        ],
    )
    def test_what_is_written_into_the_table_changes_nothing(self, world: World, agency: Agency, change: str) -> None:
        nadia, leo, creator = agency
        cast.policy(world, creator, Stage((CREATOR,)), Stage(("role:approver",)))
        world.sql(change)
        version = version_by(world, nadia, creator)
        yes(world, leo, version)
        assert may_send(world, version) == "stage_open"

    def test_a_person_written_into_the_creator_is_refused(self, world: World, agency: Agency) -> None:
        nadia, _, creator = agency
        world.sql("UPDATE creator SET member_id = :id WHERE id = :creator", id=nadia.member_id, creator=creator.id)
        with pytest.raises(Refused) as error:
            version_by(world, nadia, creator)
        assert error.value.code == "person_changed"


class TestStanding:
    def test_only_the_creator_gives_one(self, world: World, agency: Agency) -> None:
        nadia, leo, creator = agency
        for who in (nadia, world.ada):
            with world.write() as session, pytest.raises(Forbidden):
                standing.grant(session, world.settings, who, creator, ("tip",), 3, 30, world.now)
        with world.write() as session:
            standing.grant(session, world.settings, leo, creator, ("tip",), 3, 30, world.now)
        version = version_by(world, nadia, creator, "tip")
        assert may_send(world, version) == ""


def test_a_yes_grows_old(world: World) -> None:
    with world.write() as session:
        new = posts.NewPost("maya", "Onions", "tip", SCRIPT, at=f"{world.now + timedelta(days=120):%Y-%m-%d %H:%M}")
        post = posts.make(session, world.settings, world.ada, new, world.maya, world.now)
    version = world.version(post)
    assert refused(world, world.ada, version) == "approval_far"


def test_the_default_is_anybody_only_where_nobody_is_depicted(world: World, agency: Agency) -> None:
    made_up = cast.creator_of(world, world.ada, "noa")
    with world.read() as session:
        assert policies.of(session, agency[2], "tip", world.now).stages == (Stage((CREATOR,)),)
        assert policies.of(session, made_up, "tip", world.now).stages == (Stage((ANYONE,)),)
        assert session.get(Policy, "") is None
