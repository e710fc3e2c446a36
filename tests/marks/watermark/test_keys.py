from pathlib import Path

import pytest

from avatar_scheduler.domain.errors import Refused
from avatar_scheduler.marks.watermark import keys


def test_the_first_key_is_kept_and_only_ours_to_read(tmp_path: Path) -> None:
    keys.make_key(tmp_path / "credentials")
    path = tmp_path / "credentials" / keys.FILE
    first = path.read_bytes()
    keys.make_key(tmp_path / "credentials")
    assert path.read_bytes() == first
    assert len(first) == keys.LENGTH
    assert path.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in path.parent.iterdir()] == [keys.FILE]


def test_each_organization_has_its_own_on_each_installation(tmp_path: Path) -> None:
    for folder in "ab":
        keys.make_key(tmp_path / folder)
    made = [keys.key_of(tmp_path / folder, organization) for folder in "ab" for organization in ("ada", "ben")]
    assert len({*made}) == 4
    assert {len(key) for key in made} == {32}
    assert keys.key_of(tmp_path / "a", "ada") == made[0]


def test_what_was_marked_once_is_read_for_ever(tmp_path: Path) -> None:
    (tmp_path / keys.FILE).write_bytes(bytes(range(32)))
    (tmp_path / keys.FILE).chmod(0o600)
    assert keys.key_of(tmp_path, "ada").hex() == "4952f3e342766f6d74c70adb66798baa255978d63e8877eb2c98eb9d77c635d7"


def test_without_its_key_nothing_is_marked(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="cannot be read: No such file"):
        keys.key_of(tmp_path, "ada")


@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_damaged_key_is_no_key(tmp_path: Path, length: int) -> None:
    path = tmp_path / keys.FILE
    path.write_bytes(bytes(length))
    path.chmod(0o600)
    with pytest.raises(Refused, match="does not hold 32 bytes"):
        keys.key_of(tmp_path, "ada")


def test_a_key_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / keys.FILE
    path.write_bytes(bytes(32))
    path.chmod(0o644)
    with pytest.raises(Refused, match="chmod 600"):
        keys.key_of(tmp_path, "ada")
