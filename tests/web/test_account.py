"""One's own page: a form that is refused comes back as it was typed, with the reason beside it."""

import re

import pytest

from avatar_scheduler.db import audits
from avatar_scheduler.db.tables import Member
from avatar_scheduler.web.actions import ACTIONS
from tests.web.visitor import PASSWORD, Visitor
from tests.world import World

PROFILE = {"name": "Ada L", "language": "en", "zone": "Europe/Paris", "quiet_from": "", "quiet_to": ""}


def section(page: str, name: str) -> str:
    """What stands between that heading's section and its end."""
    return page.partition(f'id="{name}"')[2].partition("</section>")[0]


@pytest.mark.parametrize(
    ("path", "part", "form", "reason"),
    [
        ("profile", "profile", {**PROFILE, "zone": "Nowhere/Here"}, "There is no such time zone"),
        ("profile", "profile", {**PROFILE, "name": " "}, "A name has 1 to"),
        ("profile", "profile", {**PROFILE, "quiet_from": "22:00"}, "a beginning and an end"),
        ("password", "password", {"password": "wrong", "new_password": "a long new one"}, ""),
        ("password", "password", {"password": PASSWORD, "new_password": "short"}, "12"),
        ("password/off", "password", {}, "Sign in with a passkey first"),
        ("passkeys", "passkeys", {"assertion": "{}", "name": "Phone"}, ""),
    ],
)
def test_the_reason_stands_beside_the_form(
    ada: Visitor, path: str, part: str, form: dict[str, str], reason: str
) -> None:
    answer = ada.post(f"/account/{path}", form)
    assert answer.status_code in (403, 409, 422)
    assert answer.text.count('role="alert" id="problem"') == 1
    assert 'id="problem"' in section(answer.text, part)
    assert reason in section(answer.text, part)


def test_what_was_typed_stays_and_nothing_was_changed(world: World, ada: Visitor) -> None:
    page = ada.post("/account/profile", {**PROFILE, "name": "Ada Lovelace", "zone": "Nowhere/Here"}).text
    assert 'value="Ada Lovelace"' in page
    assert 'value="Nowhere/Here"' in page
    with world.read() as session:
        assert session.get_one(Member, world.ada.member_id).name == "Ada"
    assert 'value="Ada"' in ada.get("/account").text


def test_a_password_never_comes_back(ada: Visitor) -> None:
    page = ada.post("/account/password", {"password": "my old secret words", "new_password": "my new secret words"})
    assert page.status_code == 403
    assert "secret words" not in page.text


def test_a_wrong_code_leaves_the_key_to_try_again(ada: Visitor) -> None:
    ada.post("/account/codes")
    [key] = re.findall(r'<p class="mono key">(\w+)</p>', ada.get("/account/codes").text)
    answer = ada.post("/account/codes/confirmation", {"code": "000000"})
    assert answer.status_code in (403, 422)
    assert key in answer.text
    assert 'role="alert" id="problem"' in answer.text


def test_the_log_says_in_words_what_was_done_to_an_account(world: World, ada: Visitor) -> None:
    ada.post("/account/profile", PROFILE)
    ada.post("/account/password", {"password": PASSWORD, "new_password": "another long one"})
    page = ada.get("/audit").text
    assert "changed their password" in page
    assert "changed what is said about them" in page
    with world.read() as session:
        known = {row.action for row in audits.about(session, world.ada.organization_id, [world.ada.member_id])}
    assert known
    assert known - set(ACTIONS) == set()
