from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from avatar_scheduler import rules
from avatar_scheduler.domain.disclosure import SPONSORED, Blocked, Content, Place
from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.domain.rulebook import decide
from avatar_scheduler.rules.books import LARGEST, book, floor
from avatar_scheduler.rules.packs import RuleRow, SurfaceRow, read_row
from tests.rules.cases import AUDIENCES, LATER, audience, contents

HERE = Place("own_feed", "post")
FILM = Content("video", "digital_twin", "no", "en")
ROW = """
[[rule]]
id = "agency.gap"
law = "Our agency's own rule"
begins = 2026-01-01
media = ["video"]
marks = ["spoken"]
source = "minutes of our board, 3 March 2026"
checked = 2026-11-22
"""
BLOCK = """
[[rule]]
id = "agency.no-x"
law = "Our agency's own rule"
begins = 2026-01-01
platforms = ["x"]
blocked = "We do not post there."
way_out = "Post it elsewhere."
source = "minutes of our board, 3 March 2026"
checked = 2026-11-22
"""
# The worst an operator could write in the hope of less: every field that narrows, every value that is small.
WEAKENING = """
[[rule]]
id = "agency.less"
law = "Nothing, please"
begins = 2020-01-01
where = "BR"
media = ["video", "image", "carousel", "live", "text", "audio"]
marks = ["label"]
wording.label = { "*" = [] }
height_thousandths = 0
source = "minutes of our board, 3 March 2026"
checked = 2026-11-22

[[rule]]
id = "agency.later"
law = "Drafts only"
begins = 2099-01-01
draft = true
platforms = ["tiktok"]
surfaces = ["inbox"]
marks = ["xmp"]
source = "minutes of our board, 3 March 2026"
checked = 2026-11-22
"""


class Pack:
    """An operator's folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, text: str, name: str = "agency.toml") -> Path:
        (self.folder / name).write_text(text, "utf-8")
        return self.folder


@pytest.fixture
def pack(tmp_path: Path) -> Pack:
    return Pack(tmp_path)


class TestOperatorsPacks:
    def test_no_folder_or_an_empty_one_is_the_floor(self, tmp_path: Path) -> None:
        assert book(tmp_path).version == book(tmp_path / "nothing").version == book().version

    def test_a_packs_name_may_be_in_capitals(self, pack: Pack) -> None:
        assert book(pack(ROW, "AGENCY.TOML")).version != book().version

    def test_a_folder_that_leads_nowhere_is_no_empty_one(self, tmp_path: Path) -> None:
        (tmp_path / "rules").symlink_to(tmp_path / "unmounted")
        with pytest.raises(Invalid, match="leads nowhere"):
            book(tmp_path / "rules")

    def test_a_row_adds_its_mark_beside_those_of_the_floor(self, pack: Pack) -> None:
        before, after = (decide(FILM, HERE, frozenset(), LATER, b) for b in (book(), book(pack(ROW))))
        assert isinstance(before, list)
        assert isinstance(after, list)
        assert [one for one in after if one not in before] == [one for one in after if one.rule == "agency.gap"]
        assert len(after) == len(before) + 1

    def test_a_row_may_block(self, pack: Pack) -> None:
        own = book(pack(BLOCK))
        said = decide(FILM, Place("x", "post"), frozenset(), LATER, own)
        assert said == Blocked(
            "agency.no-x", "We do not post there.", "minutes of our board, 3 March 2026", "Post it elsewhere."
        )
        assert not isinstance(decide(FILM, HERE, frozenset(), LATER, own), Blocked)

    def test_the_version_is_of_every_row_that_holds(self, pack: Pack) -> None:
        folder = pack(ROW)
        first = book(folder).version
        assert len(first) == 16
        assert int(first, 16)
        assert first != book().version
        pack(ROW.replace("3 March", "4 March"))
        assert book(folder).version != first

    def test_a_change_holds_from_the_next_question_on(self, pack: Pack) -> None:
        folder = pack(ROW)
        assert book(folder) is book(folder), "not read again while nothing changed"
        pack(BLOCK, "other.toml")
        assert isinstance(decide(FILM, Place("x", "post"), frozenset(), LATER, book(folder)), Blocked)
        (folder / "other.toml").unlink()
        assert not isinstance(decide(FILM, Place("x", "post"), frozenset(), LATER, book(folder)), Blocked)

    @pytest.mark.parametrize("text", [ROW, BLOCK, WEAKENING])
    def test_nothing_in_a_pack_takes_anything_away(self, pack: Pack, text: str) -> None:
        """Every case of the floor: what was asked for still is, what was closed still is."""
        own, tried = book(pack(text)), 0
        assert own.ways == book().ways
        assert own.reach == book().reach
        for place, taken in book().ways.items():
            for media in taken:
                for code in [*AUDIENCES, "BR"]:
                    for content in contents(media, "en"):
                        before = decide(content, place, audience(code), LATER, book())
                        after = decide(content, place, audience(code), LATER, own)
                        if isinstance(after, Blocked):
                            continue
                        tried += 1
                        assert not isinstance(before, Blocked)
                        assert set(before) <= set(after), (content, place, code)
        assert tried > 1000

    def test_a_country_of_an_operators_own_does_not_make_its_audience_a_known_one(self, pack: Pack) -> None:
        own = book(pack(WEAKENING))
        brazil, nobody = (decide(FILM, HERE, audience(code), LATER, own) for code in ("BR", ""))
        assert brazil == nobody


class TestRefusals:
    @pytest.mark.parametrize(
        ("change", "reason"),
        [
            (('marks = ["spoken"]', 'marks = ["halo"]'), "marks.0: Input should be 'label'"),
            (('marks = ["spoken"]', 'marks = ["platform_flag"]'), "flags stand in surfaces.toml"),
            (('marks = ["spoken"]', "marks = []"), "names marks, or says why it is blocked"),
            (('marks = ["spoken"]', 'marks = ["spoken"]\nblocked = "No."'), "blocked and way_out stand together"),
            (('marks = ["spoken"]', 'marks = ["spoken"]\nblocked = "No."\nway_out = "Go."'), "names marks, or says"),
            (('source = "minutes of our board, 3 March 2026"', ""), "source: Field required"),
            (("checked = 2026-11-22", ""), "checked: Field required"),
            (("checked = 2026-11-22", 'checked = "2026-11-22"'), "checked: Input should be a valid date"),
            (("begins = 2026-01-01", ""), "begins: Field required"),
            (('media = ["video"]', 'media = ["hologram"]'), "media: use one or more of audio"),
            (('media = ["video"]', "media = []"), "media: use one or more of audio"),
            (('media = ["video"]', 'performers = ["robot"]'), "performers: use one or more of digital_twin"),
            (('media = ["video"]', 'sponsored = ["maybe"]'), "sponsored: use one or more of no"),
            (('media = ["video"]', 'where = "France"'), "where: String should match"),
            (('media = ["video"]', "weight = 3"), "weight: Extra inputs are not permitted"),
            (('media = ["video"]', "height_thousandths = 50"), "height_thousandths is for a label"),
            (('media = ["video"]', 'wording.label = { "*" = ["AI"] }'), "wording is for a mark of the row"),
            (('media = ["video"]', 'wording.spoken = { en = ["AI"] }'), "wording needs “*”"),
            (('media = ["video"]', 'wording.spoken = { "*" = [""] }'), "wording.spoken.*.0"),
            (('id = "agency.gap"', 'id = "Agency Gap"'), "id: String should match"),
        ],
    )  # fmt: skip
    def test_a_row_that_is_not_understood_is_named_with_its_reason(
        self, pack: Pack, change: tuple[str, str], reason: str
    ) -> None:
        folder = pack(ROW.replace(*change))
        with pytest.raises(Invalid) as caught:
            book(folder)
        named = "Agency Gap" if "Agency Gap" in change[1] else "agency.gap"
        assert f"agency.toml, row {named} is refused" in caught.value.message
        assert reason in caught.value.message
        assert caught.value.message.endswith(f"Repair {folder / 'agency.toml'}.")
        assert caught.value.code == "rule_pack"

    @pytest.mark.parametrize(
        ("text", "reason"),
        [
            ("[[rule", "cannot be read"),
            ("\udcff", "cannot be read"),
            ("[places.BR]\nname = 'Brazil'", "row places is refused: there is no such table here, only rule"),
            ("[[surface]]\nplatform = 'x'", "row surface is refused"),
            ("rule = 3", "write it as [[rule]]"),
            (ROW + ROW, "two rules have the id agency.gap"),
            (ROW.replace("agency.gap", "house.picture"), "another rule has this id"),
            (ROW.replace("agency.gap", "tiktok.direct_video.video"), "another rule has this id"),
            ("#" * (LARGEST + 1), "it is larger than"),
        ],
    )
    def test_a_pack_that_is_not_understood_is_refused_whole(self, tmp_path: Path, text: str, reason: str) -> None:
        (tmp_path / "agency.toml").write_bytes(text.encode("utf-8", "surrogateescape"))
        with pytest.raises(Invalid) as caught:
            book(tmp_path)
        assert reason.lower() in caught.value.message.lower()

    def test_a_folder_or_a_lost_link_in_a_packs_place_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "a.toml").mkdir()
        with pytest.raises(Invalid, match=r"a\.toml is refused: it cannot be read"):
            book(tmp_path)
        (tmp_path / "a.toml").rmdir()
        (tmp_path / "a.toml").symlink_to(tmp_path / "nothing")
        with pytest.raises(Invalid, match="cannot be read"):
            book(tmp_path)

    def test_packs_that_cannot_be_read_are_not_taken_for_none(self, tmp_path: Path) -> None:
        (tmp_path / "rules").write_text("a file where the folder should be")
        with pytest.raises(Invalid, match="cannot be read"):
            book(tmp_path / "rules")


SURFACE = {
    "platform": "place", "surface": "wall", "media": ["video"], "law": "Its rule",
    "source": "its own page", "checked": date(2026, 11, 22),
}  # fmt: skip


class TestSurfaces:
    def test_an_open_way_is_open_to_all_so_that_none_is_without_its_switch(self) -> None:
        with pytest.raises(Invalid, match="only a blocked row names sponsored or performers"):
            read_row(Path("surfaces.toml"), "wall", SURFACE | {"sponsored": ["no"]}, SurfaceRow)

    def test_a_switch_is_asked_for_as_json(self) -> None:
        flags = [{"field": "a.b", "value": {"val": "x"}}, {"field": "c", "value": True}]
        [rule] = read_row(Path("surfaces.toml"), "wall", SURFACE | {"flags": flags}, SurfaceRow).rules()
        assert [(demand.field, demand.value) for demand in rule.demands] == [("a.b", '{"val":"x"}'), ("c", "true")]

    def test_a_platform_has_one_way_for_each_kind_of_media_we_use(self) -> None:
        for platform in rules.known_platforms():
            open_rows = [row for row in floor().surfaces if row.platform == platform and not row.blocked]
            for media in {kind for row in open_rows for kind in row.media}:
                taking = [row for row in open_rows if media in row.media]
                assert len(taking) == 1 or sum(row.default for row in taking) == 1, (platform, media)


def test_a_row_covers_everything_it_does_not_narrow() -> None:
    row = {
        "id": "a",
        "law": "b",
        "begins": date(2026, 1, 1),
        "marks": ["label"],
        "source": "somewhere",
        "checked": date(2026, 1, 1),
    }
    rule = read_row(Path("x.toml"), "a", row, RuleRow).rule()
    assert (rule.where, rule.platforms, rule.surfaces) == ("", frozenset(), frozenset())
    assert rule.sponsored == frozenset(SPONSORED)
    assert rule.covers(HERE, "live", "fictional", "own")
    assert not replace(rule, draft=True).covers(HERE, "live", "fictional", "own")
