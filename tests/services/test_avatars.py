"""Avatars and looks: several to a creator, each under consent, whatever draws it."""

import json
from pathlib import Path

import pytest
from sqlmodel import select

from avatar_scheduler.db.tables import Audit, Avatar, Post
from avatar_scheduler.domain.errors import Conflict, Forbidden, Invalid, NotFound, Refused
from avatar_scheduler.services import avatars, installation, orders, stagings, uploads, vendors
from avatar_scheduler.services.avatars import New
from avatar_scheduler.studio.avatar import pack_zip
from avatar_scheduler.studio.job import PACKS
from tests.services.cast import creator_of, outsider, person
from tests.studio.photo.portraits import portrait
from tests.world import World


def added(world: World, **parts: str) -> Avatar:
    world.later(seconds=1)
    with world.write() as session:
        return avatars.add(session, world.settings, world.ada, world.maya, New(**parts), world.now)


def uploaded(world: World, tmp_path: Path, name: str = "my-leo") -> str:
    pack_zip.canonical(PACKS / "leo", tmp_path / "leo.zip")
    new = uploads.New("pack", name, "leo.zip")
    return uploads.add_file(world.settings, world.ada, world.maya, new, tmp_path / "leo.zip", world.now).sha256


class TestAdd:
    def test_takes_what_is_left_out_from_the_first(self, world: World) -> None:
        added(world, name="Evening", scene="city")
        with world.read() as session:
            first, second = stagings.avatars(session, world.maya)
            assert stagings.avatar(session, world.maya, "evening").id == second.id
        assert (second.pack, second.performer, second.consent_id) == (first.pack, first.performer, first.consent_id)
        assert (second.scene, second.renderer) == ("city", "builtin")

    def test_is_on_the_record(self, world: World) -> None:
        row = added(world, name="Evening", look="noa")
        with world.read() as session:
            entry = session.exec(select(Audit).where(Audit.noun_id == row.id)).one()
        assert (entry.action, json.loads(entry.data)["pack"]) == ("avatar.added", "noa")

    def test_an_uploaded_look_is_bound_by_its_hash(self, world: World, tmp_path: Path) -> None:
        sha256 = uploaded(world, tmp_path)
        assert added(world, name="Drawn", look="my-leo").pack == sha256
        with world.read() as session:
            assert [row.look for row in avatars.listing(session, world.ada, world.maya)] == ["maya", "my-leo"]

    @pytest.mark.parametrize(
        ("parts", "kind", "message"),
        [
            ({"name": "maya"}, Conflict, "There is an avatar “maya” already."),
            ({"name": "x\u202ey"}, Invalid, "Give the avatar a name of 1 to 60 letters."),
            ({"name": "B", "look": "bob"}, NotFound, "There is no look “bob”. Built in: leo, maya, noa."),
            ({"name": "B", "scene": "moon"}, Invalid, "There is no scene “moon”."),
            ({"name": "B", "performer": "ghost"}, Invalid, "--performer digital_twin, fictional, third_party"),
            ({"name": "B", "voice": "nobody"}, Invalid, 'There is no voice "nobody"'),
            ({"name": "B", "renderer": "acme"}, Invalid, "There is no renderer “acme”."),
            ({"name": "B", "renderer": "heygen", "vendor_avatar": "a1"}, Refused, "There is no account at HeyGen yet."),
            ({"name": "B", "vendor_avatar": "a1"}, Invalid, "A vendor's ids need --renderer"),
        ],
    )
    def test_says_what_is_wrong(self, world: World, parts: dict[str, str], kind: type[Exception], message: str) -> None:
        with pytest.raises(kind) as caught:
            added(world, **parts)
        assert message in str(caught.value)

    def test_a_file_of_another_kind_is_no_look(self, world: World, tmp_path: Path) -> None:
        portrait().resize((270, 480)).save(tmp_path / "me.png")
        new = uploads.New("photo", "me", "me.png")
        uploads.add_file(world.settings, world.ada, world.maya, new, tmp_path / "me.png", world.now)
        with pytest.raises(Invalid, match="“me” is a file of the kind photo, not a look"):
            added(world, name="B", look="me")

    def test_a_look_of_another_creator_is_not_there(self, world: World, tmp_path: Path) -> None:
        uploaded(world, tmp_path)
        other = creator_of(world, world.ada, "leo")
        with world.write() as session, pytest.raises(NotFound, match="There is no look “my-leo”"):
            avatars.add(session, world.settings, world.ada, other, New("B", look="my-leo"), world.now)

    def test_needs_consent_that_holds(self, world: World) -> None:
        with world.write() as session:
            installation.revoke_consent(session, world.ada, world.maya, world.now)
        with pytest.raises(Refused, match="Maya withdrew consent"):
            added(world, name="Evening")
        with world.write() as session:
            installation.renew_consent(session, world.ada, world.maya, 10, world.now)
        added(world, name="Evening")
        world.later(days=11)
        with pytest.raises(Refused, match="Maya's consent ended"):
            added(world, name="Night")

    def test_is_for_those_who_may_write_here(self, world: World) -> None:
        with world.write() as session:
            for who, kind in ((person(world, "analyst"), Forbidden), (outsider(world), NotFound)):
                with pytest.raises(kind):
                    avatars.add(session, world.settings, who, world.maya, New("B"), world.now)

    def test_at_a_vendor_with_its_ids(self, world: World) -> None:
        with world.write() as session:
            vendors.add(session, world.settings, world.ada, "d_id", "", "key", world.now)
        row = added(world, name="Twin", renderer="d_id", vendor_avatar="p1", vendor_voice="v1")
        assert json.loads(row.vendor) == {"presenter_id": "p1", "voice_id": "v1"}


class TestVoice:
    def voice_of(self, world: World, post: Post) -> str:
        with world.read() as session:
            order = orders.order_of(session, world.settings, session.get_one(Post, post.id), world.now)
        return str(json.loads(order.staging).get("voice", ""))

    def test_the_avatars_own_speaks_where_it_can(self, world: World) -> None:
        added(world, name="Evening", voice="heart")
        assert self.voice_of(world, world.post(avatar="Evening")) == "heart"
        assert self.voice_of(world, world.post()) == ""


class TestFromPhoto:
    def test_a_face_is_not_looked_at_without_consent(self, world: World, tmp_path: Path) -> None:
        with world.write() as session:
            installation.revoke_consent(session, world.ada, world.maya, world.now)
        with pytest.raises(Refused, match="Maya withdrew consent"):
            avatars.look_from_photo(world.settings, world.ada, world.maya, tmp_path / "unread.png", "", world.now)

    def test_says_how_to_set_it_up_before_it_reads_anything(self, world: World, tmp_path: Path) -> None:
        with pytest.raises(Refused, match="look photo-setup"):
            avatars.look_from_photo(world.settings, world.ada, world.maya, tmp_path / "unread.png", "me", world.now)
