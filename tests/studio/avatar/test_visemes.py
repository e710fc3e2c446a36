import tomllib
from itertools import groupby
from pathlib import Path

import hibari
import numpy as np
import pytest

from avatar_scheduler.studio.avatar.visemes import mouths
from avatar_scheduler.studio.timed import Speech, Timed

RULES = Path(__file__).parents[3] / "avatar_scheduler" / "rules" / "visemes.toml"


def said(*phonemes: tuple[str, float, float], seconds: float = 1.0) -> Speech:
    timed = tuple(Timed(*phoneme) for phoneme in phonemes)
    return Speech(np.zeros(int(seconds * 24_000), np.float32), 24_000, (), timed, "misaki_en")


class TestMouths:
    def test_one_for_each_frame_and_rest_in_silence(self) -> None:
        shapes = mouths(said(("ɑ", 0.4, 0.6)), 30)
        assert len(shapes) == 30
        assert shapes[:10] == ["X"] * 10
        assert shapes[20:] == ["X"] * 10
        assert set(shapes[12:17]) == {"D"}

    def test_lips_meet_for_a_short_p(self) -> None:
        assert "A" in mouths(said(("ɑ", 0.2, 0.4), ("p", 0.4, 0.43), ("ɑ", 0.43, 0.6)), 30)

    def test_a_diphthong_moves(self) -> None:
        shapes = [shape for shape, _ in groupby(mouths(said(("I", 0.3, 0.6)), 30))]
        assert shapes == ["X", "D", "B", "X"]

    def test_punctuation_closes_the_mouth_and_stress_marks_do_not(self) -> None:
        shapes = mouths(said(("s", 0.2, 0.3), (",", 0.3, 0.6), ("ˈ", 0.6, 0.7), ("ɑ", 0.7, 0.8)), 30)
        assert "X" in shapes[9:17]
        assert set(shapes[18:22]) == {"D"}

    def test_every_mouth_is_held_two_frames(self, speech: Speech) -> None:
        runs = [len(list(run)) for _, run in groupby(mouths(speech, 30))]
        assert min(runs) >= 2
        flicker = said(*((sound, 0.2 + i / 30, 0.2 + (i + 1) / 30) for i, sound in enumerate("pɑspɑsfu")))
        assert min(len(list(run)) for _, run in groupby(mouths(flicker, 30))) >= 2


class TestRules:
    @pytest.fixture
    def table(self) -> dict[str, dict[str, str]]:
        tables = tomllib.loads(RULES.read_text("utf-8"))
        assert all(table["source"] and table["checked"] for table in tables.values())
        found: dict[str, dict[str, str]] = tables["misaki_en"]
        return found

    def test_only_known_shapes(self, table: dict[str, dict[str, str]]) -> None:
        assert set("".join(table["shapes"].values())) <= set("ABCDEFGH")

    def test_every_sound_of_the_lexicon_has_a_mouth(self, table: dict[str, dict[str, str]]) -> None:
        from hibari.g2p.lexicon import CONSONANTS, VOWELS

        assert hibari.__version__ == "0.2.1"
        known = set(table["shapes"]) | set(table["held"]) | set(table["ahead"])
        assert (set(VOWELS) | set(CONSONANTS)) - known == set()
