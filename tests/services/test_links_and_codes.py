"""Links in e-mails, and the second half of a session."""

import pyotp
import pytest
from sqlmodel import select

from avatar_scheduler.db.tables import Member
from avatar_scheduler.domain.errors import Forbidden, NotFound
from avatar_scheduler.services import links, one_time_codes, people
from tests.world import World

BASE = "http://localhost:1"


def asked(world: World, email: str = "ada@example.org") -> tuple[str, links.Letter | None]:
    token = links.new_token()
    with world.write() as session:
        return token, links.ask(session, email, token, BASE, world.now)


def redeem(world: World, token: str, browser: str = "", code: str = "") -> str:
    with world.write() as session:
        return links.redeem(session, token, browser, code, world.now, "Firefox")


def codes(world: World) -> tuple[str, list[str]]:
    """Turned on for Ada: the secret and her recovery codes."""
    with world.write() as session:
        secret = one_time_codes.begin(session, world.settings, world.ada, world.now)
    with world.write() as session:
        code = pyotp.TOTP(secret).at(world.now)
        return secret, one_time_codes.confirm(session, world.settings, world.ada, code, world.now)


def half(world: World) -> str:
    with world.write() as session:
        member = session.exec(select(Member).where(Member.id == world.ada.member_id)).one()
        return people.open_session(session, member, world.now, "Firefox", "password")


def type_code(world: World, token: str, code: str) -> str:
    with world.write() as session:
        return one_time_codes.redeem(session, world.settings, token, code, world.now, "Firefox")


def whole(world: World, token: str) -> bool:
    with world.read() as session:
        return people.who_is(session, token, world.now) is not None


class TestLinks:
    def test_opens_once_in_the_browser_that_asked(self, world: World) -> None:
        token, letter = asked(world)
        assert letter is not None
        assert token in letter.text
        assert whole(world, redeem(world, token, links.browser_of(token)))
        with pytest.raises(NotFound):
            redeem(world, token, links.browser_of(token))

    def test_elsewhere_the_letters_code_is_asked_for(self, world: World) -> None:
        token, letter = asked(world)
        with pytest.raises(Forbidden):
            redeem(world, token)
        assert letter is not None
        assert links.code_of(token) in letter.text
        assert whole(world, redeem(world, token, code=links.code_of(token)))

    def test_ends_after_a_quarter_of_an_hour(self, world: World) -> None:
        token, _ = asked(world)
        world.later(minutes=15)
        with pytest.raises(NotFound):
            redeem(world, token, links.browser_of(token))

    def test_nobody_is_written_to_who_is_not_here_or_asked_too_often(self, world: World) -> None:
        assert asked(world, "eve@example.org")[1] is None
        letters = [asked(world)[1] for _ in range(links.MOST_OPEN + 1)]
        assert [letter is not None for letter in letters] == [True] * links.MOST_OPEN + [False]

    def test_a_welcome_link_signs_nobody_in_by_this_door(self, world: World) -> None:
        with world.write() as session:
            welcome = people.make_link(session, session.get_one(Member, world.ada.member_id), world.now)
        with pytest.raises(NotFound):
            redeem(world, welcome, links.browser_of(welcome))
        token, _ = asked(world)
        with pytest.raises(NotFound), world.read() as session:
            people.peek_link(session, token, world.now)


class TestCodes:
    def test_half_a_session_is_nobody_until_the_code(self, world: World) -> None:
        secret, _ = codes(world)
        token = half(world)
        assert not whole(world, token)
        world.later(seconds=30)
        assert whole(world, type_code(world, token, pyotp.TOTP(secret).at(world.now)))

    def test_a_code_is_good_once(self, world: World) -> None:
        secret, _ = codes(world)
        with pytest.raises(Forbidden):
            type_code(world, half(world), pyotp.TOTP(secret).at(world.now))
        world.later(seconds=30)
        code = pyotp.TOTP(secret).at(world.now)
        type_code(world, half(world), code)
        with pytest.raises(Forbidden):
            type_code(world, half(world), code)

    def test_so_is_a_recovery_code(self, world: World) -> None:
        _, words = codes(world)
        assert len(set(words)) == one_time_codes.RECOVERY_CODES
        assert whole(world, type_code(world, half(world), words[0]))
        with pytest.raises(Forbidden):
            type_code(world, half(world), words[0])
        with world.read() as session:
            left = one_time_codes.recovery_left(session, world.ada.member_id)
        assert left == one_time_codes.RECOVERY_CODES - 1
