"""The page of the log: what whom is shown, looking for, checking again, taking along; and how it looks."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe

from avatar_scheduler.audit import Verdict
from avatar_scheduler.db import audits
from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.services import log_pages
from avatar_scheduler.services.cards import TimelineRow
from avatar_scheduler.web import auditing
from tests.services import cast
from tests.web import cases, gallery
from tests.web.conftest import DESK, PHONE, Watcher
from tests.web.visitor import Visitor
from tests.world import World

AT = datetime(2026, 11, 22, 18, 5, tzinfo=UTC)
SIDEWAYS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


def shown() -> dict[str, dict[str, Any]]:
    """The page in its states, as the route fills it."""
    said = [("approval.approved", "Maya Okafor", {}), ("post.edited", "Ada Lovelace", {"fields": "caption, script"}),
            ("member.signed_in", "Ada Lovelace", {}), ("delivery.published", "publish", {"url": "https://example.org/1"}),
            ("policy.set", "Ada" * 20, {"reason": "x" * 60})]  # fmt: skip
    lines = tuple(
        log_pages.Line(900 - n, 90 - n, TimelineRow(AT - timedelta(minutes=n), actor, action, data, "ab" * 32))
        for n, (action, actor, data) in enumerate(said)
    )
    full = log_pages.Listing(
        lines, 800, (("a", "Ada Lovelace"), ("m", "Maya Okafor")), ("approval.approved", "policy.set")
    )
    none, blank = log_pages.Listing((), 0, (), ()), log_pages.Filter()
    owner = replace(cases.ADA, role="owner")
    found = {
        "audit": auditing.view(full, blank, owner),
        "audit-none": auditing.view(none, log_pages.Filter(day="2026-11-01"), replace(owner, role="editor")),
        "audit-whole": auditing.view(full, blank, owner, Verdict(True, 1204, "ab" * 32)),
        "audit-broken": auditing.view(full, blank, owner, Verdict(False, 3, "", "Entry 4 (post.edited) was changed.")),
    }
    return {name: {"waiting": 3, **context, "checked_at": AT} for name, context in found.items()}


gallery.PAGES.update({name: ("audit.html", context) for name, context in shown().items()})


@pytest.mark.parametrize("size", [PHONE, DESK])
@pytest.mark.parametrize("name", list(shown()))
def test_it_is_clean_and_inside_the_policy(watch: Watcher, pictures: Path, name: str, size: tuple[int, int]) -> None:
    for dark in (False, True):
        seen = watch(size, dark=dark)
        page = seen.open(name)
        page.screenshot(path=pictures / f"{name}-{size[0]}-{'dark' if dark else 'light'}.png", full_page=True)
        found = Axe().run(page).response["violations"]
        assert [(v["id"], [node["html"][:120] for node in v["nodes"]]) for v in found] == []
        assert page.evaluate(SIDEWAYS) == 0
        assert seen.problems == []


@pytest.mark.parametrize("name", list(shown()))
def test_it_fits_a_narrow_phone_in_french(watch: Watcher, name: str) -> None:
    page = watch((320, 640)).open(name, "fr")
    assert page.evaluate(SIDEWAYS) == 0
    small = page.evaluate(
        "[...document.querySelectorAll('.audit a, .audit button, .audit select, .audit input')]"
        ".filter(e => e.type !== 'hidden' && e.getBoundingClientRect().height < 44).map(e => e.outerHTML)"
    )
    assert small == []


def note(world: World, number: int, organization: str, noun_id: str = "", actor: str = "ada") -> None:
    with world.write() as session:
        audits.append(session, at=world.now, organization=organization, actor=actor, action="test.noted", noun="note",
                      noun_id=noun_id or f"n{number}", data={"title": f"note {number}"})  # fmt: skip


class TestPage:
    def test_newest_first_and_a_hundred_at_a_time(self, world: World, ada: Visitor) -> None:
        for number in range(105):
            note(world, number, world.ada.organization_id)
        page = ada.get("/audit?action=test.noted").text
        assert page.count('class="dot"') == 100
        assert page.index("note 104") < page.index("note 103")
        older = page.split('rel="next"')[0].rpartition('href="')[2].split('"')[0].replace("&amp;", "&")
        assert ada.get(older).text.count('class="dot"') == 5

    def test_of_one_person_on_one_day(self, world: World, ada: Visitor) -> None:
        note(world, 1, world.ada.organization_id, actor=world.ada.member_id)
        day = world.now.astimezone(UTC).date()
        asked = f"/audit?action=test.noted&person={world.ada.member_id}&day="
        assert "note 1" in ada.get(asked + day.isoformat()).text
        assert "note 1" not in ada.get(asked + (day - timedelta(days=1)).isoformat()).text
        assert "note 1" not in ada.get("/audit?action=test.noted&person=nobody").text
        assert ada.get("/audit?day=yesterday").status_code == 422
        assert ada.get("/audit?organization=x").status_code == 422

    def test_verifying_again_says_what_is_wrong(self, world: World, ada: Visitor) -> None:
        assert "Nothing was changed or removed" in ada.post("/audit/verification").text
        world.sql("UPDATE audit SET actor = 'x' WHERE action = 'creator.added'")
        found = ada.post("/audit/verification").text
        assert "The log was changed" in found
        assert "(creator.added) was changed" in found

    def test_nothing_of_another_organization(self, world: World, ada: Visitor, cy: Visitor) -> None:
        note(world, 7, world.ada.organization_id)
        assert "note 7" in ada.get("/audit").text
        assert "note 7" not in cy.get("/audit").text
        assert "note 7" not in cy.get("/audit/export").text
        assert "note 7" not in cy.get("/audit/export?form=csv").text

    def test_the_export_is_the_one_the_command_checks(self, world: World, ada: Visitor) -> None:
        from avatar_scheduler.services import audit_export

        answer = ada.get("/audit/export")
        assert "attachment" in answer.headers["content-disposition"]
        assert audit_export.check(answer.text.splitlines()).ok
        assert json.loads(answer.text.splitlines()[0])["organization"] == world.ada.organization_id


class TestReach:
    def test_others_see_what_is_about_posts_they_reach(self, world: World) -> None:
        nadia, leo, creator = cast.agency(world)
        auditor, org = cast.person(world, "auditor"), world.ada.organization_id
        mine, other = world.post("tip"), creator.id
        note(world, 1, org, mine.id)
        note(world, 2, org, other)
        note(world, 3, org, "somewhere-else")
        seen = {}
        for who in (world.ada, auditor, nadia, leo):
            with world.read() as session:
                found = log_pages.listing(session, who, log_pages.Filter(action="test.noted"))
            seen[who.role] = [line.row.data["title"] for line in found.lines]
        assert seen == {"owner": ["note 3", "note 2", "note 1"], "auditor": ["note 3", "note 2", "note 1"],
                        "manager": ["note 2", "note 1"], "creator": ["note 2"]}  # fmt: skip

    def test_a_day_that_is_none(self, world: World) -> None:
        with pytest.raises(Invalid, match="not a day"), world.read() as session:
            log_pages.listing(session, world.ada, log_pages.Filter(day="2026-13-01"))
