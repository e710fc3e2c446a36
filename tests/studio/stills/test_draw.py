"""The pictures themselves: the same ones every time, with the label untouched in each."""

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from avatar_scheduler.domain import slides, staging
from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.marks import label
from avatar_scheduler.marks.stills import measure_label
from avatar_scheduler.marks.watermark import detect, embed
from avatar_scheduler.studio import job as jobs
from avatar_scheduler.studio.avatar import pack as packs
from avatar_scheduler.studio.job import Material, Overlay, StudioJob
from avatar_scheduler.studio.stills import check, draw, layouts, words
from tests.studio.jobs import KEY, MARK, hidden

LONG = "Keep the heat low and give the onions ten whole minutes, however hungry you are tonight. " * 4


def job(format_: str = "4:5", avatar: str = "maya", **more: object) -> StudioJob:
    size = staging.FORMATS[format_]
    art = label.draw("AI", "Avatar of Maya", size)
    overlay = Overlay(art.rgba, art.width, art.height, art.x, art.y)
    return StudioJob("x", "en", avatar, "kitchen", "ab", overlay, *size, **more)  # type: ignore[arg-type]


def one(made: StudioJob, text: str, avatar: str = "maya") -> np.ndarray:
    [slide] = slides.read(text)
    return draw.picture(made, slide, packs.load(jobs.PACKS / avatar), "Avatar of Maya")


@pytest.mark.parametrize("format_", list(staging.FORMATS))
@pytest.mark.parametrize(
    "text",
    [
        "# look\nEvening walks count too.",
        "# look\nplace: circle",
        "# quote\n" + LONG[: slides.LONGEST["quote"]] + "\n— Grandma",
        "# quote\nbackground: #ffffff\nRest.",
        "# thumbnail\n" + "Sixty letters are the most that a thumbnail may ever show here",
    ],
)
def test_the_label_and_the_hidden_mark_are_whole_on_every_slide(tmp_path: Path, format_: str, text: str) -> None:
    made = job(format_, watermark=hidden)
    text = text[: text.rindex("\n") + 61] if text.startswith("# thumbnail") else text
    path = tmp_path / "one.jpg"
    path.write_bytes(draw.encode(one(made, text)))
    art = label.draw("AI", "Avatar of Maya", (made.width, made.height))
    evidence = measure_label(path, art)
    assert evidence.ok
    assert int(evidence.measured["match"]) > 990
    assert detect.measure(path, MARK, KEY).ok
    with Image.open(path) as image:
        assert (image.size, image.format, image.mode) == ((made.width, made.height), "JPEG", "RGB")


def test_what_is_hidden_shifts_no_colour_by_more_than_a_few_levels() -> None:
    made = job()
    bare, marked = (one(replace(made, watermark=each), "# look").astype(np.int16) for each in (None, hidden))
    apart = marked - bare
    assert not apart[..., 0].any()
    assert np.abs(apart[..., 1]).max() <= 1
    assert np.abs(apart[..., 2]).max() <= round(2.1124 * int(embed.AMPLITUDES.max()))
    assert (apart[..., 2] != 0).mean() > 0.9
    draft = one(replace(made, watermark=hidden, draft=True), "# look")
    assert np.array_equal(draft, bare)


def test_the_same_job_gives_the_same_bytes(tmp_path: Path) -> None:
    shown = slides.read("# look\nbackground: city\n---\nHello.\n---\n# thumbnail\nNow")
    runs = []
    for name in ("one", "two"):
        folder = tmp_path / name
        folder.mkdir()
        runs.append([path.read_bytes() for path in draw.draw(job(), shown, folder, "Avatar of Maya")])
    assert runs[0] == runs[1]
    assert len(set(runs[0])) == 3


@pytest.mark.parametrize("avatar", jobs.avatars())
def test_each_mood_and_gaze_can_be_told_apart(avatar: str) -> None:
    drawn = {
        pose: one(job(avatar=avatar), f"# look\npose: {pose}", avatar).tobytes()
        for pose in ("neutral", "smile", "worried", "surprised", "look left", "look right", "tilt left", "tilt right")
    }
    assert len(set(drawn.values())) == len(drawn)


def test_places_move_the_figure() -> None:
    drawn = [one(job("16:9"), f"# look\nbackground: #336699\nplace: {place}") for place in ("left", "full", "right")]
    middles = []
    for pixels in drawn:
        columns = (pixels[900] != np.array([0x33, 0x66, 0x99])).any(axis=1).nonzero()[0]
        middles.append(float(columns.mean()))
    assert middles[0] < middles[1] - 200 < middles[2] - 600


class TestBackgrounds:
    @pytest.fixture
    def beach(self, tmp_path: Path) -> Material:
        path = tmp_path / "beach.png"
        Image.new("RGB", (300, 200), (10, 200, 30)).save(path)
        return Material("image", path)

    def test_a_picture_fills_the_frame(self, beach: Material) -> None:
        made = job(materials={"beach": beach})
        pixels = one(made, "# look\nbackground: image beach")
        assert pixels[-1, 0].tolist() == pixels[0, 0].tolist() == [10, 200, 30]

    def test_a_damaged_picture_is_said(self, beach: Material) -> None:
        beach.path.write_bytes(b"\x89PNG\r\n\x1a\n")
        with pytest.raises(Invalid, match="“beach” cannot be read"):
            one(job(materials={"beach": beach}), "# look\nbackground: image beach")

    def test_two_colours_run_from_top_to_bottom(self) -> None:
        pixels = one(job(), "# look\nbackground: #000000 #ffffff\nplace: circle")
        assert pixels[0, 0].max() < 5
        assert pixels[-1, 0].min() > 250

    @pytest.mark.parametrize(
        ("colors", "ink"),
        [("#ffffff", layouts.INK), ("#000000", layouts.WHITE), ("#1d3557 #457b9d", layouts.WHITE),
         ("#999999", layouts.INK), ("#000000 #ffffff", None)],
    )  # fmt: skip
    def test_words_are_read_on_every_colour_of_theirs(self, colors: str, ink: int | None) -> None:
        kind = "gradient" if " " in colors else "color"
        assert layouts._ink(staging.Background(kind, colors)) == ink

    @pytest.mark.parametrize(
        ("text", "part"),
        [
            ("# look\nbackground: nowhere", "there is no scene “nowhere”"),
            ("# look\nbackground: image beach", "“beach” is no picture of this creator"),
            ("# look\nbackground: image tune", "“tune” is no picture of this creator"),
        ],
    )
    def test_what_is_not_there_is_said_before_any_work(self, text: str, part: str, tmp_path: Path) -> None:
        made = job(materials={"tune": Material("music", tmp_path / "tune")})
        with pytest.raises(Invalid, match=f"Slide 2: .*{part}"):
            check.check(made, slides.read(f"Hi\n---\n{text}"))

    def test_a_film_is_no_background(self) -> None:
        staged = staging.Staging(background=staging.Background("video", "clip"))
        with pytest.raises(Invalid, match="film cannot be its background"):
            check.check(job(staging=staged), slides.read("# look"))

    def test_an_unknown_avatar_is_said(self) -> None:
        with pytest.raises(Invalid, match="There is no avatar “nobody”"):
            check.check(replace(job(), avatar="nobody"), slides.read("# look"))


class TestWords:
    def test_they_are_never_cut(self) -> None:
        made = words.fit(LONG, (900, 900), 120, 30)
        assert " ".join(made.lines).split() == LONG.split()
        assert made.width <= 900
        assert made.height <= 900

    @pytest.mark.parametrize("text", ["Donaudampfschifffahrtsgesellschaft" * 4, LONG * 3])
    def test_what_does_not_fit_is_refused(self, text: str) -> None:
        with pytest.raises(Invalid, match="do not fit on the picture"):
            words.fit(text, (400, 400), 80, 40)

    @pytest.mark.parametrize(("text", "part"), [("Привет", "“П”"), ("salt 盐", "“盐”"), ("\u2060", "anything of it")])
    def test_letters_nobody_would_see_are_refused(self, text: str, part: str) -> None:
        with pytest.raises(Invalid, match=part):
            words.fit(text, (900, 900), 80, 40)

    def test_short_words_are_large(self) -> None:
        assert words.fit("Rest. 🌿", (900, 900), 120, 30).size == 120


class TestSize:
    def noise(self, amount: int) -> np.ndarray:
        rng = np.random.default_rng(1)
        return rng.integers(128 - amount, 128 + amount, (1920, 1080, 3), dtype=np.uint8)

    def test_a_noisy_picture_is_made_to_fit(self) -> None:
        data = draw.encode(self.noise(60))
        assert 1_000_000 < len(data) <= draw.LARGEST
        with Image.open(io.BytesIO(data)) as image:
            assert image.size == (1080, 1920)

    def test_one_that_cannot_is_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(draw, "LARGEST", 100_000)
        with pytest.raises(Invalid, match="too detailed"):
            draw.encode(self.noise(60))
