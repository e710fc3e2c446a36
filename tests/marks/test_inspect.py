"""One finished film with every mark, and each mark broken by itself."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import av
import numpy as np
import pytest

from avatar_scheduler import rules
from avatar_scheduler.domain.disclosure import IN_CAPTION, ON_REQUEST, Evidence, Mark, RequiredMark, unproven
from avatar_scheduler.marks import aigc, credentials, digest, source_types, xmp
from avatar_scheduler.marks.inspect import Expected, inspect
from avatar_scheduler.marks.label import draw
from avatar_scheduler.marks.spoken import Sentence
from avatar_scheduler.marks.watermark import embed, keys
from avatar_scheduler.studio.job import Overlay
from avatar_scheduler.studio.render import render
from avatar_scheduler.studio.speech.speak import notice
from tests.marks.conftest import SMALL
from tests.marks.test_label import remux
from tests.studio.jobs import make_job

TEXTS = rules.texts("en", form="video", name="Maya", sponsored="paid")
CAPTION = f"{TEXTS.caption_line}\n{TEXTS.sponsor_line}\n\nOnions take ten minutes."
MARK_ID = "0badcafe"
MARKS = frozenset(Mark) - ON_REQUEST
IN_FILE = MARKS - IN_CAPTION


@pytest.fixture(scope="module")
def key(folder: Path) -> bytes:
    keys.make_key(folder)
    return keys.key_of(folder, "org")


@pytest.fixture(scope="module")
def expected(folder: Path, key: bytes) -> Expected:
    said = notice(TEXTS.spoken_sponsored, "en")
    return Expected(
        draw(TEXTS.label_sign, TEXTS.label_words, SMALL, sponsor=TEXTS.sponsor),
        CAPTION,
        TEXTS.caption_line,
        credentials.read_root(folder),
        sponsor_line=TEXTS.sponsor_line,
        spoken=Sentence(TEXTS.spoken_sponsored, said.samples, said.rate),
        mark_id=MARK_ID,
        watermark_key=key,
    )


@pytest.fixture(scope="module")
def post(tmp_path_factory: pytest.TempPathFactory, folder: Path, key: bytes, expected: Expected, now: datetime) -> Path:
    """As the studio makes it, in the order it is put on."""
    work, art = tmp_path_factory.mktemp("post"), expected.label
    job = make_job(
        text="Onions.",
        width=SMALL[0],
        height=SMALL[1],
        overlay=Overlay(art.rgba, art.width, art.height, art.x, art.y),
        spoken=TEXTS.spoken_sponsored,
        watermark=lambda luma: embed.field(luma, MARK_ID, key),
    )
    video = render(job, work, lambda percent, step: None).video
    xmp.write(video, source_types.TRAINED)
    aigc.write(video, producer="avatar-scheduler", produce_id=MARK_ID)
    credentials.sign(
        video, work / "post.mp4", folder=folder, title="post.mp4", software="0.1.0", when=now, mark_id=MARK_ID
    )
    return work / "post.mp4"


def demands(**wordings: str) -> list[RequiredMark]:
    return [
        RequiredMark(
            mark, "test", "a law", "its text", date(2026, 11, 22), (wordings[mark],) if mark in wordings else ()
        )
        for mark in MARKS
    ]


def lacking(media: Path, evidence: Iterable[Evidence], required: list[RequiredMark]) -> list[str]:
    return unproven(required, evidence, media=[digest.of_file(media)], caption=digest.of_text(CAPTION))


def test_every_mark_is_measured_once_and_says_what_it_says(post: Path, expected: Expected) -> None:
    evidence = {e.mark: e for e in inspect(post, expected)}
    assert [e.summary for e in evidence.values() if not e.ok] == []
    assert set(evidence) == MARKS
    assert len(inspect(post, expected)) == len(MARKS)
    said = {mark: e.measured["text"] for mark, e in evidence.items() if "text" in e.measured}
    assert said == {
        Mark.label: "AI Avatar of Maya",
        Mark.sponsor_label: "Ad",
        Mark.spoken: TEXTS.spoken_sponsored,
        Mark.caption_line: TEXTS.caption_line,
        Mark.sponsor_line: TEXTS.sponsor_line,
    }
    assert evidence[Mark.watermark].measured["id"] == evidence[Mark.aigc].measured["id"] == MARK_ID
    assert lacking(post, evidence.values(), demands(label="AI", sponsor_label="Ad")) == []
    assert len(lacking(post, evidence.values(), demands(label="IA"))) == 1


def test_the_evidence_is_about_these_bytes_only(post: Path, expected: Expected) -> None:
    other = unproven(demands(), inspect(post, expected), media=["0" * 64], caption=digest.of_text(CAPTION))
    assert len(other) == len(IN_FILE)


def test_each_mark_fails_by_itself(post: Path, expected: Expected) -> None:
    words, frame = (TEXTS.label_sign, TEXTS.label_words), SMALL
    assert expected.spoken
    cases = [
        ({"label": draw("AI", "Avatar of Mayo", frame, sponsor="Ad")}, {Mark.label}),
        ({"label": draw(*words, frame, sponsor="Ac")}, {Mark.sponsor_label}),
        ({"caption": f"Onions.\n{TEXTS.sponsor_line}"}, {Mark.caption_line}),
        ({"caption": TEXTS.caption_line}, {Mark.sponsor_line}),
        ({"spoken": said("This video uses a friendly voice.")}, {Mark.spoken}),
        ({"watermark_key": bytes(32)}, {Mark.watermark}),
        ({"root_pem": ""}, {Mark.credentials}),
        ({"mark_id": "0badcaff"}, {Mark.watermark, Mark.aigc, Mark.credentials}),
    ]
    for wanted, marks in cases:
        assert {e.mark for e in inspect(post, replace(expected, **wanted)) if not e.ok} == marks  # type: ignore[arg-type]


def test_a_copied_stream_loses_what_lies_beside_the_picture(post: Path, expected: Expected, tmp_path: Path) -> None:
    remux(post, stripped := tmp_path / "stripped.mp4")
    lost = {e.mark: e.summary for e in inspect(stripped, expected) if not e.ok}
    assert set(lost) == {Mark.xmp, Mark.aigc, Mark.credentials, Mark.spoken}
    assert "0 sound tracks" in lost[Mark.spoken]


def test_a_mark_nobody_ordered_is_not_measured(post: Path, expected: Expected) -> None:
    plain = replace(
        expected, label=draw("AI", "Avatar of Maya", SMALL), sponsor_line="", spoken=None, mark_id="", watermark_key=b""
    )
    evidence = inspect(post, plain)
    assert {e.mark for e in evidence} == {Mark.label, Mark.caption_line, Mark.xmp, Mark.aigc, Mark.credentials}
    wanted = lacking(post, evidence, demands())
    assert len(wanted) == len(MARKS) - len(evidence)
    assert all("not measured on this file" in reason for reason in wanted)


def said(words: str) -> Sentence:
    speech = notice(words, "en")
    return Sentence(words, speech.samples, speech.rate)


@pytest.mark.parametrize("content", [None, b"", b"garbage" * 1000])
def test_bad_media_is_evidence_not_an_exception(expected: Expected, tmp_path: Path, content: bytes | None) -> None:
    media = tmp_path / "post.mp4"
    if content is not None:
        media.write_bytes(content)
    evidence = inspect(media, expected)
    assert {e.mark for e in evidence if e.ok} == IN_CAPTION
    assert {e.mark for e in evidence} == MARKS
    assert all(e.summary and "\n" not in e.summary for e in evidence)
    assert len(lacking(media, evidence, demands())) == len(IN_FILE)


def test_a_film_covered_afterwards_shows_where(post: Path, expected: Expected, tmp_path: Path) -> None:
    """The whole film decoded, one plate painted over for a second, and encoded again."""
    assert expected.label.sponsor
    for plate, mark in ((expected.label.plate, Mark.label), (expected.label.sponsor, Mark.sponsor_label)):
        covered = tmp_path / f"{mark}.mp4"
        with av.open(str(post)) as old, av.open(str(covered), "w") as new:
            stream = new.add_stream("libx264", rate=30, options={"preset": "ultrafast", "crf": "18"})
            stream.width, stream.height, stream.pix_fmt = *SMALL, "yuv420p"
            for number, frame in enumerate(old.decode(video=0)):
                picture = np.ascontiguousarray(frame.to_ndarray(format="rgb24"), np.uint8)
                if 60 <= number < 90:
                    picture[plate.y : plate.y + plate.height, plate.x : plate.x + plate.width] = 120
                new.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
            new.mux(stream.encode())
        found = {e.mark: e for e in inspect(covered, expected)}
        assert found[mark].summary == "gone from 0:02 to 0:03"
        assert {m for m in (Mark.label, Mark.sponsor_label, Mark.watermark) if not found[m].ok} == {mark}
