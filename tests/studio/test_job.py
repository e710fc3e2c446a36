import subprocess
import sys
from pathlib import Path

import pytest

from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.domain.staging import Background, Music, Staging
from avatar_scheduler.studio.job import Material, avatars, check, estimate_seconds, scenes
from avatar_scheduler.studio.timed import Speech
from tests.studio.jobs import SCRIPT, make_job, striped


class TestCheck:
    def test_a_good_job_passes(self) -> None:
        check(make_job())

    @pytest.mark.parametrize(
        ("change", "message", "code"),
        [
            ({"text": ""}, "The script is empty.", "script_empty"),
            ({"text": "\n \t"}, "The script is empty.", "script_empty"),
            ({"text": "🎂 😀!"}, "The script has only signs or emoji.", "script_unspeakable"),
            (
                {"text": "你好"},
                "No voice here reads the letters of this script. Write it in one of: ca, cs,",
                "script_unspeakable",
            ),
            ({"text": "Привет 😀"}, "No voice here reads the letters of this script.", "script_unspeakable"),
            ({"text": "word " * 3000}, "The script is longer than 10 minutes.", "script_too_long"),
            ({"language": "xx"}, 'There is no language "xx". Choose one of: ca, cs,', "unknown_language"),
            ({"avatar": "../maya"}, 'There is no avatar "../maya".', "unknown_avatar"),
            ({"scene": "moon"}, 'There is no scene "moon".', "unknown_scene"),
            ({"width": 1081}, "A frame of 1081x1920 cannot be drawn.", "invalid"),
            ({"fps": 500}, "500 frames a second", "invalid"),
            ({"seed": "not hex"}, "The seed", "invalid"),
            ({"overlay": striped(x=481)}, "The label at 481,60", "invalid"),
            ({"overlay": striped(x=700)}, "The label at 700,60", "invalid"),
            ({"overlay": striped(width=0)}, "The label picture is not 0x120", "invalid"),
        ],
    )
    def test_a_bad_job_is_refused_in_one_line(self, change: dict[str, object], message: str, code: str) -> None:
        with pytest.raises(Invalid) as caught:
            check(make_job(**change))
        assert caught.value.message.startswith(message)
        assert "\n" not in caught.value.message
        assert caught.value.code == code

    @pytest.mark.parametrize(
        ("staging", "message"),
        [
            (Staging(recording="voice"), "recording: there is no material “voice”."),
            (Staging(music=Music("beach")), "music.material: “beach” is of kind clip, not music or audio."),
            (Staging(background=Background("image", "beach")), "background.value: “beach” is of kind clip"),
            (Staging(background=Background("video", "sea")), "background.value: there is no material “sea”."),
            (Staging(background=Background("scene", "moon")), 'There is no scene "moon".'),
        ],
    )
    def test_materials_are_there_and_of_a_fitting_kind(self, staging: Staging, message: str) -> None:
        materials = {"beach": Material("clip", Path("beach.mp4"))}
        with pytest.raises(Invalid) as caught:
            check(make_job(staging=staging, materials=materials))
        assert caught.value.message.startswith(message)
        check(make_job(staging=Staging(background=Background("video", "beach")), materials=materials))

    def test_a_cue_names_a_material_that_is_there(self) -> None:
        with pytest.raises(Invalid, match="no material is named “cake”"):
            check(make_job(text="Look! [show cake] Nice."))

    def test_an_uploaded_look_needs_no_name(self) -> None:
        check(make_job(avatar="", pack=Path("mine")))

    def test_needs_none_of_the_heavy_libraries(self) -> None:
        code = (
            "import sys, avatar_scheduler.studio.job; print({'av', 'skia', 'numpy', 'onnxruntime'} & set(sys.modules))"
        )
        found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert found.stdout.strip() == "set()"


def test_avatars_and_scenes_are_what_is_in_the_folders() -> None:
    assert avatars() == ["leo", "maya", "noa"]
    assert scenes() == ["city", "gradient", "kitchen", "studio"]


def test_the_estimate_is_near_what_the_voice_takes(speech: Speech) -> None:
    assert estimate_seconds(SCRIPT) == pytest.approx(speech.seconds, rel=0.35)
