import os
from pathlib import Path

import numpy as np
import pytest

from avatar_scheduler.studio.speech.sentences import Kept, key
from avatar_scheduler.studio.speech.utterance import Utterance
from avatar_scheduler.studio.timed import Timed

SAID = Utterance(
    np.array([0.1, -0.25, 1 / 3], np.float32), 24_000, [Timed("œuf", 0.1, 0.2)], [Timed("œ", 0.1, 0.15)], "ipa"
)


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    return Kept(tmp_path / "sentences")


def test_what_is_kept_comes_back_exactly(kept: Kept) -> None:
    kept.put("one", SAID)
    back = kept.get("one")
    assert back is not None
    assert np.array_equal(back.samples, SAID.samples)
    assert back.samples.dtype == np.float32
    assert (back.rate, back.words, back.phonemes, back.alphabet) == (24_000, SAID.words, SAID.phonemes, "ipa")


def test_what_was_never_said_is_not_there(kept: Kept) -> None:
    assert kept.get("one") is None


@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04 half a file", None])
def test_a_damaged_one_is_forgotten(kept: Kept, tmp_path: Path, damage: bytes | None) -> None:
    kept.put("one", SAID)
    path = next((tmp_path / "sentences").glob("*.npz"))
    path.write_bytes(path.read_bytes()[:-40] if damage is None else damage)
    assert kept.get("one") is None
    assert not path.exists()
    kept.put("one", SAID)
    assert kept.get("one") is not None


def test_the_longest_unused_go_first(kept: Kept, tmp_path: Path) -> None:
    folder = tmp_path / "sentences"
    for age, name in enumerate(("a", "b")):
        kept.put(name, SAID)
        os.utime(folder / f"{name}.npz", (1_000 + age, 1_000 + age))
    assert kept.get("a") is not None  # used just now
    Kept(folder, most_bytes=2 * (folder / "a.npz").stat().st_size).put("c", SAID)
    assert sorted(path.stem for path in folder.iterdir()) == ["a", "c"]


def test_the_key_knows_all_that_is_heard() -> None:
    assert len({key("v", 1.0, "a"), key("w", 1.0, "a"), key("v", 1.1, "a"), key("v", 1.0, "b")}) == 4


def test_a_folder_that_cannot_be_written_costs_only_time(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    Kept(tmp_path / "file").put("one", SAID)
    assert Kept(tmp_path / "file").get("one") is None
