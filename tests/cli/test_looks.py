"""`look` and `avatar`, from a folder of pictures or a portrait to a face that posts can use."""

import shutil
import zipfile
from pathlib import Path

from PIL import Image

from avatar_scheduler.studio.job import PACKS
from avatar_scheduler.studio.photo import environment
from tests.cli.command import Cli
from tests.studio.photo.portraits import installed, portrait


class TestCheck:
    def test_a_good_look_is_written_as_one_zip(self, bare: Cli) -> None:
        found = bare("look", "check", PACKS / "noa", "--out", bare.folder / "noa.zip")
        assert "This look can be used." in found.out
        assert "upload add" in found.out
        with zipfile.ZipFile(bare.folder / "noa.zip") as archive:
            assert "glasses.svg" in archive.namelist()
        again = bare("look", "check", bare.folder / "noa.zip", "--json")
        assert again.json["warnings"] == []

    def test_every_problem_is_said_in_one_line(self, bare: Cli) -> None:
        folder = Path(shutil.copytree(PACKS / "maya", bare.folder / "broken"))
        (folder / "mouth_D.svg").unlink()
        (folder / "body.svg").write_text("<svg")
        bare("look", "check", folder).refused(2, "mouth_D is missing", "body.svg cannot be read")

    def test_a_wrong_path_is_named(self, bare: Cli) -> None:
        bare("look", "check", "nowhere").refused(2, "There is no file or folder “nowhere”")


class TestSheet:
    def test_draws_each_look_with_each_mouth(self, bare: Cli) -> None:
        pictures = {}
        for name in ("maya", "noa"):
            assert bare("look", "sheet", name, bare.folder / f"{name}.png").code == 0
            with Image.open(bare.folder / f"{name}.png") as picture:
                pictures[name] = picture.convert("RGB")
        assert pictures["maya"].size == pictures["noa"].size
        assert pictures["maya"].tobytes() != pictures["noa"].tobytes()
        row = [pictures["maya"].crop((6 + n * 276, 46, 276 + n * 276, 316)).tobytes() for n in range(5)]
        assert len(set(row)) == 5

    def test_needs_the_name_of_a_picture(self, bare: Cli) -> None:
        bare("look", "sheet", "maya").refused(2, "Name the sheet last")


class TestAvatar:
    def test_a_second_one_can_be_named_in_posts(self, cli: Cli) -> None:
        assert cli("avatar", "add", "--name", "Evening", "--look", "leo", "--scene", "city").code == 0
        rows = cli("avatar", "list", "--json").json
        assert [(row["name"], row["look"], row["scene"]) for row in rows] == [
            ("Maya", "maya", "kitchen"),
            ("Evening", "leo", "city"),
        ]
        cli("avatar", "add", "--name", "evening").refused(5, "There is an avatar “evening” already.")
        assert "Evening" in cli("avatar", "list").out

    def test_looks_are_listed(self, cli: Cli) -> None:
        assert {row["look"] for row in cli("look", "list", "--json").json} == {"leo", "maya", "noa"}


class TestFromPhoto:
    def test_says_how_to_set_it_up(self, cli: Cli) -> None:
        portrait().resize((270, 480)).save(cli.folder / "me.png")
        cli("look", "from-photo", cli.folder / "me.png").refused(3, "avatar-scheduler look photo-setup")

    def test_becomes_a_look_that_shows_a_real_person(self, cli: Cli) -> None:
        (cli.data / environment.FOLDER).symlink_to(installed() / environment.FOLDER)
        portrait().save(cli.folder / "me.png")
        made = cli("look", "from-photo", cli.folder / "me.png", "--name", "twin")
        assert "avatar add --creator maya --name NAME --look twin" in made.out, made
        assert {"look": "twin", "creator": "maya"} in cli("look", "list", "--json").json
        twin = ("avatar", "add", "--name", "Twin", "--look", "twin", "--performer")
        cli(*twin, "fictional").refused(2, "shows a real person, so it is not fictional")
        assert cli(*twin, "digital_twin").code == 0
        assert cli.rows("SELECT a.pack = u.sha256 FROM avatar a, upload u WHERE a.name = 'Twin'") == [(1,)]
