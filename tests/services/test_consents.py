"""Who may consent, what is believed of it, and that it is asked wherever something is made."""

import json
import math
from dataclasses import replace
from typing import Any

import pytest
from sqlmodel import select

from avatar_scheduler.db import audits
from avatar_scheduler.db.tables import Avatar, Consent, Creator, Organization, Post, Render
from avatar_scheduler.domain.consent import LIFE, Grant
from avatar_scheduler.domain.errors import Forbidden, Invalid, Refused
from avatar_scheduler.domain.post import PostState
from avatar_scheduler.services import consent_proofs, consents, installation, ledger, renders
from avatar_scheduler.services.consents import Terms
from avatar_scheduler.services.gate import may_send
from avatar_scheduler.services.people import Person
from avatar_scheduler.services.roles import PEOPLE
from tests.services.cast import consent_gone, depicts, person
from tests.world import World

NARROW = Terms(platforms=("own_feed",), sponsored=False, brands_excluded=("Acme",), languages=("en",), days=60)


def give(world: World, terms: Terms = NARROW, who: Person | None = None, creator: Creator | None = None) -> Consent:
    with world.write() as session:
        return consents.give(session, who or world.ada, creator or world.maya, terms, world.now)


def grant(world: World) -> Grant | None:
    with world.read() as session:
        return consents.grant_of(session, session.exec(select(Avatar)).one())


def add(world: World, performer: str, kind: str = "agency") -> Creator:
    with world.write() as session:
        session.get_one(Organization, world.ada.organization_id).kind = kind
        new = installation.NewCreator("Leo", "leo", "en", "UTC", "leo", "city", performer)
        return installation.add_creator(session, replace(world.ada, session_id="browser"), new, world.now)


def state(world: World, slug: str = "leo") -> str:
    with world.read() as session:
        return ledger.of(session, world.ada, slug, world.now).state


class TestWhoMay:
    def test_the_owner_of_a_solo_organization_is_the_creator(self, world: World) -> None:
        assert give(world).recorded_by == world.ada.member_id
        assert state(world, "maya") == ledger.IN_FORCE

    def test_in_an_agency_nobody_consents_for_a_person(self, world: World) -> None:
        for performer in ("digital_twin", "third_party_likeness"):
            with world.write() as session:
                for row in session.exec(select(Creator).where(Creator.slug == "leo")):
                    row.slug = "another"
            leo = add(world, performer)
            assert state(world) == ledger.MISSING
            with pytest.raises(Refused, match="/onboarding/leo") as no:
                give(world, creator=leo)
            assert no.value.code == "person_missing"
            world.sql("DELETE FROM channel WHERE creator_id = :id", id=leo.id)

    def test_once_the_person_is_here_only_they_do(self, world: World) -> None:
        leo, himself = add(world, "digital_twin"), person(world, "creator")
        depicts(world, leo, himself)
        leo = world.again(leo)
        for role in sorted(PEOPLE - {"creator"}):
            somebody = world.ada if role == "owner" else person(world, role)
            with pytest.raises(Forbidden):
                give(world, who=somebody, creator=leo)
        assert state(world) == ledger.MISSING
        give(world, who=replace(himself, reach=frozenset({leo.id})), creator=leo)
        assert state(world) == ledger.IN_FORCE

    def test_somebody_made_up_is_spoken_for_by_owners_and_admins(self, world: World) -> None:
        leo = add(world, "fictional")
        assert state(world) == ledger.IN_FORCE
        give(world, who=person(world, "admin"), creator=leo)
        for role in sorted(PEOPLE - {"owner", "admin", "creator", "client"}):
            with pytest.raises(Forbidden):
                give(world, who=person(world, role), creator=leo)

    def test_a_program_never_does(self, world: World) -> None:
        with pytest.raises(Forbidden):
            give(world, who=replace(world.ada, role="api"))

    def test_somebody_written_into_the_row_does_not(self, world: World) -> None:
        leo, nadia = add(world, "digital_twin"), person(world, "manager")
        world.sql("UPDATE creator SET member_id = :by WHERE id = :id", by=nadia.member_id, id=leo.id)
        leo = world.again(leo)
        with pytest.raises(Refused, match="behind everybody's back"):
            give(world, who=nadia, creator=leo)


class TestTerms:
    @pytest.mark.parametrize(
        "terms",
        [
            Terms(days=0),
            Terms(days=367),
            Terms(rights=("likeness", "soul")),
            Terms(brands_excluded=("x" * 61,)),
            Terms(brands_excluded=(" ",)),
            Terms(languages=("en\n",)),
            Terms(platforms=tuple(str(n) for n in range(31))),
        ],
    )
    def test_bounds_are_real(self, world: World, terms: Terms) -> None:
        with pytest.raises(Invalid):
            give(world, terms)

    def test_the_terminal_renews_on_the_same_terms(self, world: World) -> None:
        give(world)
        with world.write() as session:
            installation.renew_consent(session, world.ada, world.maya, 60, world.now)
            assert consents.terms_of(session, world.maya) == NARROW_AGAIN


NARROW_AGAIN = replace(NARROW, days=365)


WIDENED = {
    "rights": 'rights = \'["likeness", "voice", "soul"]\'',
    "platforms": "platforms = '[]'",
    "languages": "languages = '[]'",
    "brands": "brands_excluded = '[]'",
    "live": "live = true",
    "sponsored": "sponsored = true",
    "longer": "ends_at = '2036-01-01 00:00:00'",
    "earlier": "starts_at = '2016-01-01 00:00:00'",
}


class TestBelieving:
    @pytest.mark.parametrize("edit", list(WIDENED))
    def test_a_widened_row_is_refused(self, world: World, edit: str) -> None:
        give(world)
        world.sql(f"UPDATE consent SET {WIDENED[edit]}")
        with pytest.raises(Refused) as no:
            grant(world)
        assert no.value.code == "consent_changed"
        assert state(world, "maya") == ledger.CHANGED

    def test_a_row_the_log_does_not_know_is_none(self, world: World) -> None:
        world.sql("UPDATE audit SET noun_id = 'another' WHERE action = 'consent.recorded'")
        assert grant(world) is None

    def test_a_withdrawal_wiped_from_the_row_still_holds(self, world: World) -> None:
        with world.write() as session:
            consent_gone(world, session)
        world.sql("UPDATE consent SET revoked_at = NULL")
        assert state(world, "maya") == ledger.WITHDRAWN

    def test_an_entry_from_before_there_were_scopes_says_what_it_said_then(self, world: World) -> None:
        with world.write() as session:
            row = consents.blank(world.maya, world.ada.member_id, world.now)
            row.rights, row.ends_at = json.dumps(["likeness", "voice"]), world.now + LIFE
            session.add(row)
            session.flush()
            session.exec(select(Avatar)).one().consent_id = row.id
            audits.append(
                session, at=world.now, organization=row.organization_id, actor=world.ada.member_id,
                action="consent.recorded", noun="consent", noun_id=row.id,
                data={"creator": "Maya", "until": row.ends_at.isoformat()},
            )  # fmt: skip
        found = grant(world)
        assert found is not None
        assert (found.live, found.sponsored, found.platforms) == (False, True, frozenset())
        world.sql("UPDATE consent SET live = true")
        with pytest.raises(Refused):
            grant(world)

    def test_the_digest_of_old_grants_is_what_it_was(self, world: World) -> None:
        from avatar_scheduler.domain.version import canonical, sha256

        found = grant(world)
        assert found is not None
        old = {
            "ends_at": found.ends_at.isoformat(), "platforms": [], "rights": ["likeness", "voice"],
            "starts_at": found.starts_at.isoformat(),
        }  # fmt: skip
        assert consents.digest(found) == sha256(canonical(old))
        digests = {consents.digest(replace(found, **change)) for change in CHANGES}
        assert len(digests) == 5


CHANGES: tuple[dict[str, Any], ...] = (
    {}, {"live": True}, {"sponsored": False}, {"languages": {"en"}}, {"brands_excluded": {"A"}}
)  # fmt: skip
OUTSIDE: dict[str, tuple[Terms, dict[str, str], str]] = {
    "language": (replace(NARROW, languages=("fr",)), {}, "consent_language"),
    "sponsored": (NARROW, {"sponsored": "paid", "kind": "sponsored"}, "consent_sponsored"),
    "brand in the script": (replace(NARROW, brands_excluded=("heat",)), {}, "consent_brand"),
    "brand in the title": (NARROW, {"title": "Acme soup"}, "consent_brand"),
    "brand in the caption": (NARROW, {"caption": "With Acme."}, "consent_brand"),
    "platform": (replace(NARROW, platforms=("bluesky",)), {}, "consent_scope"),
    "live": (NARROW, {"kind": "live_answer"}, "consent_live"),
    "voice": (replace(NARROW, rights=("likeness",)), {}, "consent_scope"),
}


class TestWhereItIsAsked:
    @pytest.mark.parametrize("name", list(OUTSIDE))
    def test_a_draft_outside_is_not_even_written(self, world: World, name: str) -> None:
        terms, more, code = OUTSIDE[name]
        give(world, terms)
        with pytest.raises(Refused) as no:
            world.post(**more)
        assert no.value.code == code

    @pytest.mark.parametrize("name", list(OUTSIDE))
    def test_a_draft_is_asked_again_when_it_is_rendered(self, world: World, name: str) -> None:
        terms, more, code = OUTSIDE[name]
        give(world, Terms(live=True))
        post = world.post(**more)
        give(world, terms)
        with pytest.raises(Refused) as no, world.write() as session:
            renders.submit(session, world.settings, world.ada, session.get_one(Post, post.id), world.now)
        assert no.value.code == code

    def test_a_worker_asks_before_it_starts(self, world: World) -> None:
        post = world.post()
        with world.write() as session:
            row = renders.submit(session, world.settings, world.ada, session.get_one(Post, post.id), world.now)
            consent_gone(world, session)
        assert renders.run(world.settings, row.id, world.clock) is False
        blocked = world.again(post)
        assert blocked.state is PostState.blocked
        assert "withdrew consent" in blocked.reason
        with world.read() as session:
            assert session.get_one(Render, row.id).tries == 1

    @pytest.mark.parametrize("name", list(OUTSIDE))
    def test_what_was_approved_before_a_narrower_consent_stays_here(self, world: World, name: str) -> None:
        terms, more, _ = OUTSIDE[name]
        if name == "sponsored":  # the session's film has no sponsor line, so the tip stands for it
            more = {}
        give(world, Terms(live=True))
        delivery = world.approved(**more)
        give(world, terms)
        world.due(delivery)
        with world.read() as session, pytest.raises(Refused) as no:
            may_send(session, world.settings, delivery, world.now)
        assert no.value.code == "consent_changed"


class TestAtReview:
    def test_nobody_says_yes_to_what_cannot_go(self, world: World) -> None:
        version = world.version(world.post("reply"))
        world.watch(version)
        with world.write() as session:
            consent_gone(world, session)
        with pytest.raises(Refused, match="withdrew consent"):
            world.approve(version)

    def test_nor_to_what_was_made_under_another_consent(self, world: World) -> None:
        version = world.version(world.post("reply"))
        world.watch(version)
        give(world, Terms(days=90))
        with pytest.raises(Refused) as no:
            world.approve(version)
        assert no.value.code == "consent_changed"


class TestPhrases:
    def test_nobody_guesses_one(self) -> None:
        for language in ("en", "fr"):
            words = consent_proofs.words(language)
            assert len(set(words)) == len(words)
            assert consent_proofs.WORDS * math.log2(len(words)) >= 64

    def test_each_is_another(self) -> None:
        assert len({consent_proofs.new_phrase("fr-CA") for _ in range(100)}) == 100
        assert set(consent_proofs.new_phrase("fr").split()) <= set(consent_proofs.words("fr"))
