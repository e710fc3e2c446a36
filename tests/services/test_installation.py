"""Setting up, once and again."""

from pathlib import Path

import pytest
from sqlmodel import select

from avatar_scheduler.db.tables import Avatar, Channel, Consent, Creator, Member
from avatar_scheduler.domain.errors import Conflict, Invalid, NotFound
from avatar_scheduler.services import installation, people
from avatar_scheduler.services.installation import NewCreator
from tests.services.cast import creator_of, outsider
from tests.world import World


def keys(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*.pem")}


def test_preparing_again_replaces_no_key(world: World) -> None:
    installation.prepare(world.settings, "Studio", world.now)
    before = keys(world.settings.keys)
    installation.prepare(world.settings, "Another name", world.now)
    assert keys(world.settings.keys) == before
    assert all(path.stat().st_mode & 0o077 == 0 for path in world.settings.keys.rglob("*private*.pem"))


def test_preparing_makes_what_is_missing(world: World) -> None:
    gone = world.settings.keys / "vault.private.pem"
    gone.unlink()
    (world.settings.keys / "vault.public.pem").unlink()
    installation.prepare(world.settings, "Studio", world.now)
    assert gone.exists()


class TestTheFirstOwner:
    def test_asking_again_gives_the_same_one(self, world: World) -> None:
        with world.write() as session:
            again = installation.first_owner(session, "X", "Ada", " ADA@example.org", "en", world.now)
        assert again.id == world.ada.member_id

    def test_a_second_one_is_refused(self, world: World) -> None:
        with pytest.raises(Conflict, match="has an owner already"), world.write() as session:
            installation.first_owner(session, "Mine", "Eve", "eve@example.org", "en", world.now)
        with world.read() as session:
            assert session.exec(select(Member.email)).all() == ["ada@example.org"]

    def test_an_address_that_is_none_is_refused(self, world: World) -> None:
        for email in ("", "ada", "a@b@c", "a b@c", "@", "a@"):
            with pytest.raises(Invalid), world.write() as session:
                installation.first_owner(session, "X", "Ada", email, "en", world.now)


class TestCreators:
    def test_a_slug_is_plain(self, world: World) -> None:
        for slug in ("", "-a", "a-", "A", "a b", "a/b", "../a", "é", "a" * 41, "a\n"):
            new = NewCreator("Leo", slug, "en", "UTC", "leo", "city", "fictional")
            with pytest.raises(Invalid, match="short name"), world.write() as session:
                installation.add_creator(session, world.ada, new, world.now)

    def test_a_slug_is_given_once_in_the_installation(self, world: World) -> None:
        with pytest.raises(Conflict, match="already"):
            creator_of(world, outsider(world), "maya")

    def test_an_unknown_performer_is_refused(self, world: World) -> None:
        for performer in ("", "human", "Digital_Twin"):
            new = NewCreator("Leo", "leo", "en", "UTC", "leo", "city", performer)
            with pytest.raises(Invalid, match="kind of avatar"), world.write() as session:
                installation.add_creator(session, world.ada, new, world.now)

    def test_a_creator_comes_with_consent_avatar_and_feed(self, world: World) -> None:
        leo = creator_of(world, world.ada, "leo")
        with world.read() as session:
            consent = session.exec(select(Consent).where(Consent.creator_id == leo.id)).one()
            avatar = session.exec(select(Avatar).where(Avatar.creator_id == leo.id)).one()
            channel = session.exec(select(Channel).where(Channel.creator_id == leo.id)).one()
        assert avatar.consent_id == consent.id
        assert (channel.platform, channel.address) == ("own_feed", "leo")
        assert consent.ends_at - consent.starts_at == installation.CONSENT_LIFE

    def test_another_organization_finds_none_by_its_slug(self, world: World) -> None:
        cy = outsider(world)
        with world.read() as session:
            assert installation.creator_by_slug(session, world.ada, "").slug == "maya"
            with pytest.raises(NotFound, match="none yet"):
                installation.creator_by_slug(session, cy, "maya")


class TestChannels:
    def connect(self, world: World, creator: Creator, address: str) -> None:
        with world.write() as session:
            installation.add_channel(session, world.ada, creator, "own_feed", address, "", "", world.now)

    def test_nobody_connects_the_feed_of_another(self, world: World) -> None:
        """It would publish under the other's name."""
        creator_of(world, outsider(world), "leo")
        with pytest.raises(Invalid, match="no other can be theirs"):
            self.connect(world, world.maya, "leo")

    def test_an_account_is_connected_once(self, world: World) -> None:
        with pytest.raises(Conflict):
            self.connect(world, world.maya, "maya")

    def test_the_creator_of_another_organization_is_not_there(self, world: World) -> None:
        leo = creator_of(world, outsider(world), "leo")
        with pytest.raises(NotFound):
            self.connect(world, leo, "leo")


class TestConsent:
    def test_withdrawing_covers_every_consent_and_only_once(self, world: World) -> None:
        with world.write() as session:
            assert installation.revoke_consent(session, world.ada, world.maya, world.now) == 1
        first = world.now
        world.later(days=1)
        with world.write() as session:
            assert installation.revoke_consent(session, world.ada, world.maya, world.now) == 0
        with world.read() as session:
            assert session.exec(select(Consent.revoked_at)).one() == first

    def test_another_organization_cannot_withdraw_it(self, world: World) -> None:
        cy = outsider(world)
        with pytest.raises(NotFound), world.write() as session:
            installation.revoke_consent(session, cy, world.maya, world.now)
        with world.read() as session:
            assert session.exec(select(Consent.revoked_at)).one() is None


def test_without_an_owner_there_is_no_operator(world: World) -> None:
    world.sql("UPDATE member SET role = 'editor'")
    with pytest.raises(NotFound, match="avatar-scheduler init"), world.read() as session:
        people.operator(session)
