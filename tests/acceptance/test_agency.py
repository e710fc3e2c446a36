"""An agency: whoever writes is not who decides. Two browsers, a mail server, a push service, and every process."""

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from avatar_scheduler.clock import utc_now
from tests.acceptance.tree import Tree, until
from tests.peers.mailbox import Mailbox, mailbox
from tests.peers.pushing import PushService, push_service
from tests.web.conftest import DESK, PHONE
from tests.web.passkeys import Authenticator
from tests.web.visitor import PASSWORD

MANAGER, CREATOR = "nadia@example.org", "maya@example.org"
YES = "likeness=yes&voice=yes&live=no&platforms=own_feed&languages=en&sponsored=no&months=12"
AHEAD = timedelta(seconds=200)
"""Two renders, two decisions and a film watched to its end, on a busy machine."""


@pytest.fixture
def box(folder: Path) -> Iterator[Mailbox]:
    with mailbox(folder, encrypted=False) as there:
        yield there


@pytest.fixture
def service() -> Iterator[PushService]:
    with push_service() as there:
        yield there


@pytest.fixture
def agency(folder: Path, box: Mailbox, service: PushService) -> Tree:
    """At a name: passkeys belong to one."""
    tree = Tree(folder / "data")
    tree.base_url = tree.base_url.replace("127.0.0.1", "localhost")
    tree.environment |= {
        "AVATAR_SCHEDULER_BASE_URL": tree.base_url,
        "AVATAR_SCHEDULER_SMTP": box.url,
        "AVATAR_SCHEDULER_MAIL_FROM": "Studio <studio@example.org>",
        "AVATAR_SCHEDULER_ALLOW_HOSTS": json.dumps({"127.0.0.1": ["127.0.0.0/8"]}),
    }
    return tree


def text_of(letter: EmailMessage) -> str:
    body = letter.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def letters(box: Mailbox, to: str, word: str) -> list[str]:
    """What was written to somebody, of the letters with this word in them."""
    found = [
        text_of(letter) for letter, rcpt in zip(list(box.letters), list(box.recipients), strict=False) if rcpt == to
    ]
    return [text for text in found if word in text]


def somebody(browser: Browser, size: tuple[int, int]) -> Page:
    return browser.new_context(viewport={"width": size[0], "height": size[1]}, reduced_motion="reduce").new_page()


def welcome(page: Page) -> None:
    page.fill("#password", PASSWORD)
    page.click("button.pri")
    page.wait_for_url(re.compile("/(review|onboarding/)"))  # a creator is led to the consent first


def invite(owner: Page, tree: Tree, name: str, email: str, role: str, *creators: str) -> None:
    owner.goto(f"{tree.base_url}/people")
    owner.fill("#in", name)
    owner.fill("#ie", email)
    owner.select_option("#ir", role)
    for creator in creators:
        owner.locator("form[action='/people/invitations']").get_by_label(creator).check()
    owner.get_by_role("button", name="Invite", exact=True).click()
    expect(owner.get_by_text("It was sent to")).to_be_visible()


def join(page: Page, box: Mailbox, email: str) -> None:
    """By the letter alone."""
    [text] = letters(box, email, "/invitation/")
    page.goto(re.findall(r"http\S+/invitation/\S+", text)[0])
    page.get_by_role("button", name="Join").click()
    page.wait_for_url("**/welcome/**")
    welcome(page)


def get_ready(page: Page, tree: Tree, service: PushService) -> None:
    """The creator: a passkey, notices on this device, and consent."""
    page.goto(f"{tree.base_url}/account")
    Authenticator(page)
    page.fill("#key-name", "My phone")
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.locator("#passkeys .rows li")).to_have_count(1)
    page.goto(f"{tree.base_url}/account/outlets")
    subscribe(page, service)
    consent(page, tree)


def subscribe(page: Page, service: PushService) -> None:
    """The page's own form, with what a browser that has a push service would put in: headless Chromium has none."""
    with page.expect_navigation():
        page.evaluate(
            """(subscription) => {
              const form = document.querySelector("form[data-push]");
              form.elements.subscription.value = subscription;
              form.elements.label.value = "Chrome, Linux";
              form.submit();
            }""",
            service.subscription(),
        )
    expect(page.get_by_text("Chrome, Linux").first).to_be_visible()


def consent(page: Page, tree: Tree) -> None:
    page.goto(f"{tree.base_url}/onboarding/maya?step=agree&{YES}")
    page.get_by_role("button", name="I agree to exactly this").click()
    expect(page.get_by_role("heading", name="Say it yourself")).to_be_visible()


def compose(page: Page, tree: Tree) -> str:
    """The post's id."""
    page.goto(f"{tree.base_url}/compose?creator=maya")
    page.fill("[name=title]", "Bread")
    page.select_option("[name=kind]", "reply")
    page.fill("[name=template]", "Wet hands stop the dough from sticking.")
    page.fill("[name=zone]", "UTC")
    page.fill("[name=at]", f"{utc_now() + AHEAD:%Y-%m-%dT%H:%M}")
    return send(page)


def send(page: Page) -> str:
    page.click("header [data-send]")
    page.wait_for_url(re.compile(r"/posts/[0-9a-f]{32}$"))
    return page.url.rpartition("/")[2]


def in_review(tree: Tree, post: str, but: str = "") -> str:
    def version() -> str:
        found = tree.json("post", "show", post)["progress"]
        return found["version_id"] if found["state"] == "in_review" and found["version_id"] != but else ""

    return str(until(version, "it waits for a decision", 120))


def ask_for_changes(page: Page, tree: Tree, version: str, box: Mailbox) -> None:
    [text] = until(lambda: letters(box, CREATOR, f"/review/{version}"), "the creator is asked by e-mail")
    page.goto(re.findall(rf"http\S+/review/{version}", text)[0])
    page.locator("a[href='#changes']").click()
    page.fill("#ct", "Say why the hands are wet.")
    page.get_by_role("button", name="Ask for changes").click()
    expect(page.locator("#changes")).to_have_count(0)


def edit(page: Page, tree: Tree, post: str) -> None:
    page.goto(f"{tree.base_url}/posts/{post}")
    expect(page.get_by_text("Say why the hands are wet.").first).to_be_visible()
    page.goto(f"{tree.base_url}/posts/{post}/compose")
    page.fill("[name=template]", "Wet hands stop the dough from sticking: water keeps it off the skin.")
    send(page)


def approve(page: Page, tree: Tree, version: str) -> None:
    page.goto(f"{tree.base_url}/review/{version}")
    button = page.locator("form[data-passkey=get] [data-approve]")
    expect(button).to_be_disabled()
    page.locator("[data-play]").click()
    expect(button).to_be_enabled(timeout=60_000)
    button.click()
    expect(page.get_by_role("button", name="Undo")).to_be_visible()


@pytest.mark.timeout(480)
def test_a_manager_writes_the_creator_decides_with_a_passkey_and_it_goes_out_once(
    agency: Tree, browser: Browser, box: Mailbox, service: PushService
) -> None:
    tree = agency
    link = tree.cli("init", "--organization", "Studio", "--name", "Ada", "--email", "ada@example.org").split()[-1]
    tree.cli("agency", "on")
    tree.cli("creator", "add", "Maya", "--zone", "UTC")
    ada, nadia, maya = (somebody(browser, size) for size in (DESK, DESK, PHONE))
    with tree.up():
        ada.goto(link)
        welcome(ada)
        invite(ada, tree, "Nadia", MANAGER, "manager")
        invite(ada, tree, "Maya", CREATOR, "creator", "Maya")
        join(nadia, box, MANAGER)
        join(maya, box, CREATOR)
        get_ready(maya, tree, service)

        post = compose(nadia, tree)
        first = in_review(tree, post)
        nadia.goto(f"{tree.base_url}/review/{first}")
        expect(nadia.locator("[data-approve]")).to_have_count(0)
        ask_for_changes(maya, tree, first, box)
        until(lambda: service.received, "the creator is asked on the phone")
        edit(nadia, tree, post)
        second = in_review(tree, post, first)
        assert len(letters(box, CREATOR, f"/review/{first}")) == 1
        assert len([push for push in service.received if first in push.text]) == 1
        approve(maya, tree, second)

        until(lambda: tree.state(post) == "published", "it is published", 240)
        assert [line["created"] for line in tree.ledger] == [True]
        [item] = httpx.get(f"{tree.base_url}/f/maya/feed.json").raise_for_status().json()["items"]
        shown = httpx.get(item["url"]).raise_for_status().text
        proof = httpx.get(tree.base_url + re.findall(r"/proof/[0-9a-f]{32}", shown)[0]).raise_for_status().text
        assert "<b>Maya</b> · With a passkey" in proof
        assert "self-approved" not in proof
    assert "Intact" in tree.cli("audit", "verify")
    for page in (ada, nadia, maya):
        page.context.close()
