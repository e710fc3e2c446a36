"""The own feed, read back with parsers that are not ours."""

from dataclasses import replace
from datetime import datetime
from xml.etree import ElementTree as ET

from avatar_scheduler.services.cards import FeedPage
from avatar_scheduler.web import feeds
from tests.web.cases import FEED, ITEM, STILL_ITEM

BASE = "http://127.0.0.1:8321"
A = "{http://www.w3.org/2005/Atom}"


def atom(feed: FeedPage = FEED) -> ET.Element:
    return ET.fromstring(feeds.atom(feed, BASE))


class TestAtom:
    def test_has_what_the_standard_requires(self) -> None:
        root = atom()
        assert root.tag == f"{A}feed"
        for parent in (root, *root.findall(f"{A}entry")):
            for name in ("id", "title", "updated"):
                assert parent.findtext(f"{A}{name}")
            assert datetime.fromisoformat(parent.findtext(f"{A}updated") or "").tzinfo
        assert root.findtext(f"{A}author/{A}name") == "Maya Okafor"
        assert root.find(f"{A}link[@rel='self']").get("href") == f"{BASE}/f/maya/atom.xml"  # type: ignore[union-attr]

    def test_each_entry_has_its_file_with_type_and_length(self) -> None:
        enclosure = atom().find(f"{A}entry/{A}link[@rel='enclosure']")
        assert enclosure is not None
        assert enclosure.attrib == {
            "rel": "enclosure", "type": "video/mp4", "href": f"{BASE}/clip.mp4", "length": "4321"
        }  # fmt: skip

    def test_each_picture_is_an_enclosure_with_its_words(self) -> None:
        links = atom(replace(FEED, items=(STILL_ITEM,))).findall(f"{A}entry/{A}link[@rel='enclosure']")
        assert [(link.get("type"), link.get("title")) for link in links] == [
            ("image/jpeg", picture.alt) for picture in STILL_ITEM.pictures
        ]

    def test_each_entry_says_that_an_ai_made_it(self) -> None:
        for entry in atom().findall(f"{A}entry"):
            assert (entry.findtext(f"{A}title") or "").startswith("[AI] ")
            assert (entry.findtext(f"{A}content") or "").startswith(ITEM.disclosure_line)
            assert entry.find(f"{A}category").get("term") == "ai-generated"  # type: ignore[union-attr]

    def test_markup_and_control_characters_cannot_break_it(self) -> None:
        entry = atom().find(f"{A}entry")
        assert entry is not None
        assert entry.findtext(f"{A}title") == "[AI] Salt & <pepper>"
        assert "one pan." in (entry.findtext(f"{A}content") or "")

    def test_an_empty_feed_is_still_valid(self) -> None:
        assert atom(replace(FEED, items=())).findtext(f"{A}updated") == "1970-01-01T00:00:00+00:00"


class TestJsonFeed:
    def test_names_its_version_and_itself(self) -> None:
        feed = feeds.json_feed(FEED, BASE)
        assert feed["version"] == "https://jsonfeed.org/version/1.1"
        assert feed["feed_url"] == f"{BASE}/f/maya/feed.json"

    def test_each_item_is_marked_and_attached(self) -> None:
        for item in feeds.json_feed(FEED, BASE)["items"]:
            assert item["id"]
            assert item["content_text"].startswith(ITEM.disclosure_line)
            assert item["tags"] == ["ai-generated"]
            assert item["_ai"]["disclosure"] == ITEM.disclosure_line

    def test_a_film_is_one_file_with_its_length(self) -> None:
        [attachment] = feeds.json_feed(FEED, BASE)["items"][0]["attachments"]
        assert attachment["mime_type"] == "video/mp4"
        assert attachment["size_in_bytes"] == 4321
        assert attachment["duration_in_seconds"] == 2.0

    def test_each_picture_is_attached_with_its_words(self) -> None:
        item = feeds.json_feed(replace(FEED, items=(STILL_ITEM,)), BASE)["items"][0]
        assert [file["url"] for file in item["attachments"]] == [f"{BASE}/still{n}.jpg" for n in (1, 2, 3)]
        assert [file["title"] for file in item["attachments"]] == [p.alt for p in STILL_ITEM.pictures]
        assert {file["mime_type"] for file in item["attachments"]} == {"image/jpeg"}
        assert item["_ai"]["sha256"] == [p.sha256 for p in STILL_ITEM.pictures]
        assert "video_sha256" not in item["_ai"]


def test_the_disclosure_line_comes_first_even_if_a_caption_lost_it() -> None:
    assert feeds.disclosed(replace(ITEM, caption="No line here.")).startswith(ITEM.disclosure_line)
    assert feeds.disclosed(ITEM).count(ITEM.disclosure_line) == 1
