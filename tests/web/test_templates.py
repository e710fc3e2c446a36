"""Every page in every state is drawn by the real templates."""

import re
from dataclasses import replace
from datetime import date
from html.parser import HTMLParser
from pathlib import Path

import pytest

from avatar_scheduler.paths import TEMPLATES
from avatar_scheduler.services.cards import Asker
from avatar_scheduler.web import posts, review
from avatar_scheduler.web.templating import render
from tests.web import cases, gallery

STATIC = Path(review.__file__).parent / "static"
TODAY = date(2026, 11, 22)
EVIL = "</p><script>alert(1)</script><img src=x onerror=alert(1)>{{7*7}}"


class _Elements(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def elements(html: str) -> list[tuple[str, dict[str, str | None]]]:
    parser = _Elements()
    parser.feed(html)
    return parser.found


def card_page(card_name: str, language: str = "en") -> str:
    return gallery.draw(f"review-{card_name}", language)


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("name", list(gallery.PAGES))
def test_page_has_one_h1_one_main_its_language_and_nothing_inline(name: str, language: str) -> None:
    html = gallery.draw(name, language)
    tags = elements(html)
    names = [tag for tag, _ in tags]
    assert names.count("h1") == 1
    assert names.count("main") == 1
    assert dict(tags)["html"]["lang"] == language
    for tag, attributes in tags:
        assert "style" not in attributes, tag
        assert not [key for key in attributes if key.startswith("on")], tag
        assert tag != "style"
        assert tag != "script" or (attributes["src"] or "").startswith("/static/js/")


@pytest.mark.parametrize("name", list(gallery.PAGES))
def test_each_form_that_changes_something_carries_the_session_token(name: str) -> None:
    html = gallery.draw(name)
    for form in re.findall(r'<form method="post".*?</form>', html, re.DOTALL):
        public = re.search(r'action="/(sign-in|welcome|invitation)[/"]', form) is not None
        assert public or 'name="csrf" value="csrf-of-ada"' in form


@pytest.mark.parametrize("name", list(gallery.PAGES))
def test_each_icon_on_a_page_is_in_its_sprite(name: str) -> None:
    html = gallery.draw(name)
    assert set(re.findall(r'href="#(i-[\w-]+)"', html)) == set(re.findall(r'<symbol id="(i-[\w-]+)"', html))


def test_what_people_wrote_is_shown_as_text() -> None:
    card = replace(
        cases.READY, title=EVIL, script=EVIL, caption=EVIL, creator=EVIL, decided_by=EVIL, changes=(("added", EVIL),)
    )
    post = replace(cases.PUBLISHED, script=EVIL, caption=EVIL, creator=EVIL)
    asker = Asker(EVIL, EVIL, EVIL, TODAY)
    layer = replace(cases.LABEL, detail=EVIL, tool=EVIL, measured=(("text", EVIL),), asked_by=(asker,))
    proof = replace(cases.PROOF, title=EVIL, approved_by=EVIL, marks=(layer,))
    evil = [replace(row, what=EVIL, url="javascript:alert(1)", title=EVIL) for row in cases.INCIDENTS]
    feed = replace(cases.FEED, creator=EVIL, items=(replace(cases.ITEM, title=EVIL, disclosure_line=EVIL),))
    pages = [
        render("review.html", "en", person=cases.ADA, **review.view(card, cases.ROWS, cases.NOW)),
        render("post.html", "en", person=cases.ADA, **posts.view(post, cases.ADA, waiting=0, incidents=evil)),
        render("proof.html", "en", person=None, proof=proof),
        render("feed.html", "en", person=None, feed=feed),
    ]
    for html in pages:
        assert "<script>" not in html
        assert "<img src=x" not in html
        assert "{{7*7}}" in html
        assert 'href="javascript:' not in html


def approve_button(html: str) -> dict[str, str | None]:
    return next(attributes for tag, attributes in elements(html) if tag == "button" and "data-approve" in attributes)


def test_approve_is_locked_until_a_core_post_was_seen() -> None:
    button = approve_button(card_page("locked"))
    assert "disabled" in button
    assert "0:02 to go" in card_page("locked")
    assert "disabled" not in approve_button(card_page("ready"))


def test_a_secondary_post_needs_no_watching() -> None:
    assert "disabled" not in approve_button(card_page("secondary"))


@pytest.mark.parametrize("name", ["stale", "too_late", "approved", "rejected", "watch", "under_way"])
def test_a_card_that_cannot_be_decided_offers_no_decision(name: str) -> None:
    actions = [str(a.get("action")) for tag, a in elements(card_page(name)) if tag == "form"]
    assert not [action for action in actions if action.endswith(("/approval", "/rejection", "/changes"))]


def test_a_blocked_card_names_the_gap_and_has_no_way_around_it() -> None:
    html = card_page("blocked")
    assert "gone from 0:41 to 0:48" in html
    assert "/approval" not in html


def test_the_stale_card_shows_what_changed_and_leads_to_the_new_version() -> None:
    html = card_page("stale")
    assert "<del>five</del>" in html
    assert "<ins>ten</ins>" in html
    assert 'href="/review/v2id"' in html
    assert "You were reading version 1. This is version 2." in html


def test_the_card_says_when_and_where_it_goes_and_what_silence_means() -> None:
    html = card_page("ready")
    assert "No decision by 17:45? It stays unsent." in html
    assert "Sun 22 Nov, 17:15" in html
    assert f'name="version_hash" value="{cases.HASH}"' in html


def test_undo_is_offered_only_inside_its_ten_seconds() -> None:
    assert "/approvals/a1/undo" in card_page("approved")
    late = review.view(cases.CARDS["approved"], [], cases.NOW.replace(minute=30))
    assert "/approvals/a1/undo" not in render("review.html", "en", person=cases.ADA, **late)


def test_every_public_page_about_a_post_says_ai_and_the_disclosure_line() -> None:
    for name in ("feed", "feed-item"):
        html = gallery.draw(name)
        assert "<b>AI</b>" in html
        assert "Made with AI: this is Maya&#39;s avatar." in html
    assert "Made with AI: avatar of Maya Okafor" in gallery.draw("proof")


def test_the_proof_shows_a_missing_mark_as_missing() -> None:
    html = gallery.draw("proof")
    assert "no XMP packet" in html
    assert '<span class="v bad">Missing</span>' in html
    assert "avatar-scheduler verify FILE" in html


def test_text_in_another_language_than_the_page_says_so() -> None:
    html = card_page("long_words", "fr")
    assert '<h2 id="rt" lang="de">' in html
    assert '<i lang="en">signed, file matches</i>' in html
    assert '<b lang="en">AI Act, Article 50(4): deep fakes are disclosed</b>' in html


def test_an_audit_entry_nobody_wrote_a_sentence_for_is_still_shown() -> None:
    assert "something.new" in gallery.draw("post-published")


def test_changed_places_counts_a_replaced_word_once() -> None:
    assert review.changed_places(cases.READY) == 2
    assert review.changed_places(replace(cases.READY, changes=())) == 0


def test_every_class_in_the_style_sheets_is_used_by_some_page() -> None:
    used: set[str] = set()
    for name in gallery.PAGES:
        for _, attributes in elements(gallery.draw(name)):
            used |= set((attributes.get("class") or "").split())
    # What is drawn from the database only, or by a script, is looked for in the source.
    for path in TEMPLATES.glob("*.html"):
        used |= set(re.findall(r"[\w-]+", " ".join(re.findall(r'class="([^>]*)"', path.read_text()))))
    for path in (STATIC / "js").glob("*.js"):
        used |= set(re.findall(r'"([\w-]+)"', " ".join(re.findall(r"class(?:List|Name)[^;]*;", path.read_text()))))
    css = "".join(path.read_text() for path in (STATIC / "css").glob("*.css"))
    css = re.sub(r"/\*.*?\*/|url\([^)]*\)", "", css, flags=re.DOTALL)
    named = set(re.findall(r"\.([a-z][\w-]*)(?=[^{}]*\{)", css))
    chosen_by_data = {f"fc{number}" for number in range(1, 9)} | {"near", "over"}  # a counter's state
    assert sorted(named - used - chosen_by_data) == []


def test_the_scripts_stay_small_and_clean() -> None:
    scripts = list((STATIC / "js").glob("*.js"))
    everywhere, elsewhere = (
        {
            "keys.js",
            "progress.js",
            "toast.js",
            "live.js",
            "unlock.js",
            "decide.js",
            "reading.js",
            "swipe.js",
            "passkey.js",
        },
        {"player.js", "reel.js", "compose.js", "uploads.js", "verify.js", "comments.js", "calendar.js", "outlets.js"},
    )
    assert {path.name for path in scripts} == everywhere | elsewhere
    assert all(path.stat().st_size < 5 * 1024 for path in scripts)
    for path in scripts:
        assert not re.search(r"innerHTML|eval\(|document\.write|new Function", path.read_text()), path.name
