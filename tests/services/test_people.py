"""Links, passwords, sessions."""

import pytest
from sqlmodel import select

from avatar_scheduler.db.tables import LoginLink, Member, WebSession
from avatar_scheduler.domain.errors import Conflict, Forbidden, Invalid, NotFound
from avatar_scheduler.services import people
from avatar_scheduler.services.people import Person
from tests.world import World

PASSWORD = "correct horse battery"


def link(world: World) -> str:
    with world.write() as session:
        return people.make_link(session, session.get_one(Member, world.ada.member_id), world.now)


def redeem(world: World, token: str, password: str = PASSWORD) -> str:
    with world.write() as session:
        return people.redeem_link(session, token, people.hash_password(password), world.now, "Firefox")


def sign_in(world: World, password: str = PASSWORD, email: str = "ada@example.org") -> str:
    with world.read() as session:
        candidate = people.candidate(session, email, world.now)
    people.check_password(candidate, password)
    with world.write() as session:
        return people.enter(session, candidate, world.now, "Firefox")


def fail(world: World, times: int = 1) -> None:
    """As the sign-in page does: the refused try is rolled back, the count is not."""
    for _ in range(times):
        with pytest.raises(Forbidden):
            sign_in(world, "wrong wrong wrong")
        with world.write() as session:
            people.count_failure(session, "ada@example.org", world.now)


def who(world: World, token: str) -> Person | None:
    with world.read() as session:
        return people.who_is(session, token, world.now)


class TestLinks:
    def test_a_link_works_once(self, world: World) -> None:
        token = link(world)
        person = who(world, redeem(world, token))
        assert person is not None
        assert (person.name, person.role, person.at_terminal) == ("Ada", "owner", False)
        with pytest.raises(NotFound, match="used already"):
            redeem(world, token)

    def test_looking_changes_nothing_so_mail_scanners_may(self, world: World) -> None:
        token = link(world)
        for _ in range(3):
            with world.read() as session:
                assert people.peek_link(session, token, world.now) == "Ada"
        assert redeem(world, token)

    def test_a_link_ends_after_a_day(self, world: World) -> None:
        token = link(world)
        world.now += people.LINK_LIFE
        with pytest.raises(NotFound):
            redeem(world, token)

    def test_a_link_of_a_disabled_member_opens_nothing(self, world: World) -> None:
        token = link(world)
        world.sql("UPDATE member SET disabled_at = created_at")
        with pytest.raises(NotFound):
            redeem(world, token)
        with pytest.raises(NotFound), world.read() as session:
            people.peek_link(session, token, world.now)

    def test_a_made_up_token_opens_nothing(self, world: World) -> None:
        link(world)
        for token in ("", "link_", "%", "link_" + "A" * 43):
            with pytest.raises(NotFound):
                redeem(world, token)

    def test_only_hashes_are_stored(self, world: World) -> None:
        token = link(world)
        session_token = redeem(world, token)
        with world.read() as session:
            rows = [*session.exec(select(LoginLink)), *session.exec(select(WebSession)), *session.exec(select(Member))]
        stored = " ".join(str(row.model_dump()) for row in rows)
        assert not any(secret in stored for secret in (token, session_token, PASSWORD))

    def test_a_new_password_ends_the_other_sessions(self, world: World) -> None:
        old = redeem(world, link(world))
        new = redeem(world, link(world), "another long password")
        assert who(world, old) is None
        assert who(world, new) is not None
        with pytest.raises(Forbidden):
            sign_in(world)


@pytest.mark.parametrize(("length", "code"), [(0, "password_short"), (11, "password_short"), (257, "password_long")])
def test_a_password_out_of_bounds_is_refused_and_the_link_stays_good(world: World, length: int, code: str) -> None:
    token = link(world)
    with pytest.raises(Invalid) as refused:
        redeem(world, token, "x" * length)
    assert refused.value.code == code
    assert redeem(world, token, "x" * (12 if length < 12 else 256))


class TestSigningIn:
    def test_the_right_password_opens_a_session(self, world: World) -> None:
        redeem(world, link(world))
        found = who(world, sign_in(world, email="  ADA@example.org "))
        assert found is not None
        assert found.member_id == world.ada.member_id

    def test_every_refusal_sounds_the_same(self, world: World) -> None:
        said = set()
        with pytest.raises(Forbidden) as never_set:
            sign_in(world)
        redeem(world, link(world))
        with pytest.raises(Forbidden) as unknown:
            sign_in(world, email="eve@example.org")
        with pytest.raises(Forbidden) as wrong:
            sign_in(world, "wrong wrong wrong")
        world.sql("UPDATE member SET disabled_at = created_at")
        with pytest.raises(Forbidden) as disabled:
            sign_in(world)
        said = {error.value.message for error in (never_set, unknown, wrong, disabled)}
        assert said == {"E-mail or password is wrong."}

    def test_the_fifth_failure_locks_and_each_further_one_for_longer(self, world: World) -> None:
        redeem(world, link(world))
        fail(world, 4)
        sign_in(world)  # success forgets them
        fail(world, 5)
        with pytest.raises(Conflict, match="Too many tries"):
            sign_in(world)
        world.later(seconds=30)
        fail(world)
        world.later(seconds=59)
        with pytest.raises(Conflict):
            sign_in(world)
        world.later(seconds=1)
        assert sign_in(world)

    def test_a_lock_ends_after_an_hour_at_most(self, world: World) -> None:
        redeem(world, link(world))
        world.sql("UPDATE member SET failed_sign_ins = 100000")
        fail(world)
        world.later(seconds=3599)
        with pytest.raises(Conflict):
            sign_in(world)
        world.later(seconds=1)
        assert sign_in(world)

    def test_counting_an_unknown_address_changes_nothing(self, world: World) -> None:
        with world.write() as session:
            people.count_failure(session, "eve@example.org", world.now)
        with world.read() as session:
            assert session.exec(select(Member.failed_sign_ins)).one() == 0


class TestSessions:
    def test_a_session_ends_by_itself(self, world: World) -> None:
        token = redeem(world, link(world))
        world.now += people.SESSION_LIFE
        assert who(world, token) is None

    def test_signing_out_ends_it_and_no_other(self, world: World) -> None:
        one, other = redeem(world, link(world)), sign_in(world)
        with world.write() as session:
            people.sign_out(session, one)
            people.sign_out(session, "nonsense")
        assert who(world, one) is None
        assert who(world, other) is not None

    def test_a_disabled_member_is_nobody_at_once(self, world: World) -> None:
        token = redeem(world, link(world))
        world.sql("UPDATE member SET disabled_at = created_at")
        assert who(world, token) is None

    def test_the_role_is_read_each_time(self, world: World) -> None:
        token = redeem(world, link(world))
        world.sql("UPDATE member SET role = 'analyst'")
        found = who(world, token)
        assert found is not None
        assert found.role == "analyst"
