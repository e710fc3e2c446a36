"""What went wrong after publishing: said on every signed-in page, dealt with on the post's own."""

from collections.abc import Callable

import pytest
from sqlmodel import select

from avatar_scheduler.db.tables import Incident, Member
from avatar_scheduler.services import incidents, settle
from tests.services.test_again import a_day_later, removed, strip
from tests.web.visitor import Visitor
from tests.world import World

pytestmark = pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
"""The services are tested on both databases; this is about the page."""

PAGES = ("/review", "/posts", "/uploads", "/compose")


@pytest.fixture
def post_id(world: World) -> str:
    """A post whose item in the feed lost its mark."""
    delivery = world.publish(world.approved())
    strip(world)
    a_day_later(world, delivery)
    return delivery.post_id


def one(world: World) -> Incident:
    with world.read() as session:
        return session.exec(select(Incident)).one()


def test_is_on_every_signed_in_page_and_leads_to_the_post(ada: Visitor, post_id: str) -> None:
    for path in PAGES:
        page = ada.get(path).text
        assert "1 published item needs you" in page, path
        assert "The AI disclosure is gone." in page, path
        assert f'href="/posts/{post_id}#incidents"' in page, path


def test_in_french(ada: Visitor, world: World, post_id: str) -> None:
    world.sql("UPDATE member SET language = 'fr'")
    page = ada.get(f"/posts/{post_id}").text
    assert "La mention IA a disparu." in page
    assert "Retirer" in page


def test_says_what_where_and_what_to_do(ada: Visitor, world: World, post_id: str) -> None:
    page = ada.get(f"/posts/{post_id}").text
    incident = one(world)
    assert 'id="incidents"' in page
    assert "Read back: it is not as it was sent" in page
    assert f'href="{incident.url}"' in page
    for verb in ("takedown", "closure"):
        assert f'action="/incidents/{incident.id}/{verb}"' in page
    assert 'class="alarm"' not in page  # it stands below in full


def test_taken_down_when_somebody_says_so(ada: Visitor, world: World, post_id: str) -> None:
    answer = ada.post(f"/incidents/{one(world).id}/takedown")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/posts/{post_id}")
    page = ada.get(f"/posts/{post_id}").text
    assert "It is being taken down." in page
    assert "/takedown" not in page
    settle.run(world.settings, one(world).delivery_id, world.clock)
    assert removed(world)[-1] is True
    assert "It was taken down." in ada.get(f"/posts/{post_id}").text


def test_closed_it_leaves_every_page_and_stays_in_the_history(ada: Visitor, world: World, post_id: str) -> None:
    assert ada.post(f"/incidents/{one(world).id}/closure").status_code == 303
    assert "needs you" not in ada.get("/posts").text
    page = ada.get(f"/posts/{post_id}").text
    assert 'id="incidents"' not in page
    assert "Ada has seen to it" in page
    assert ada.post(f"/incidents/{one(world).id}/closure").status_code == 409


@pytest.mark.parametrize("verb", ["takedown", "closure"])
class TestWho:
    def test_another_organization_finds_nothing(self, cy: Visitor, world: World, post_id: str, verb: str) -> None:
        assert cy.post(f"/incidents/{one(world).id}/{verb}").status_code == 404
        assert "needs you" not in cy.get("/posts").text

    def test_who_may_not_decide_is_offered_nothing(self, ada: Visitor, world: World, post_id: str, verb: str) -> None:
        with world.write() as session:
            session.get_one(Member, world.ada.member_id).role = "analyst"
        assert f"/{verb}" not in ada.get(f"/posts/{post_id}").text
        assert ada.post(f"/incidents/{one(world).id}/{verb}").status_code == 403

    @pytest.mark.parametrize("forge", [
        lambda ada, path: ada.ask("POST", path),
        lambda ada, path: ada.post(path, headers={"origin": "https://evil.example"}),
        lambda ada, path: ada.post(path, {"state": "closed"}),
    ])  # fmt: skip
    def test_a_forged_form_does_nothing(
        self, ada: Visitor, world: World, post_id: str, verb: str, forge: Callable[[Visitor, str], object]
    ) -> None:
        forge(ada, f"/incidents/{one(world).id}/{verb}")
        incident = one(world)
        with world.read() as session:
            assert [row.state for row in incidents.open_for(session, world.ada)] == ["open"]
        assert incident.closed_at is None
