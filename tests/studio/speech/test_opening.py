"""The notice that opens a film: said first, in full, whatever the film's own voice and settings are."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.domain.staging import Card, Staging
from avatar_scheduler.studio import job as jobs
from avatar_scheduler.studio import loudness
from avatar_scheduler.studio.avatar.visemes import SHAPES, mouths
from avatar_scheduler.studio.captions import captions, vtt
from avatar_scheduler.studio.job import Material
from avatar_scheduler.studio.speech import opening
from avatar_scheduler.studio.speech.recording import RATE
from avatar_scheduler.studio.speech.speak import notice, perform, speak
from avatar_scheduler.studio.timed import Speech
from tests.studio.jobs import make_job
from tests.studio.speech.test_recording import write

NOTICE = "This video uses an AI-generated avatar and voice."


def words(speech: Speech) -> str:
    return " ".join(word.text for word in speech.words)


def in_order(speech: Speech) -> bool:
    return all(
        a.end <= b.start + 1e-6 and b.end <= speech.seconds
        for timed in (speech.words, speech.phonemes)
        for a, b in pairwise(timed)
    )


def test_it_is_said_before_everything_else_in_the_films_own_voice() -> None:
    job = make_job(text="[smile] Hello. [pause 1s] Bye.", spoken=NOTICE)
    heard, plain, said = perform(job), perform(make_job(text=job.text)), notice(NOTICE, "en")
    assert words(heard) == f"{NOTICE} Hello. Bye."
    assert np.array_equal(heard.samples, np.concatenate([said.samples, plain.samples]))
    assert (heard.rate, heard.alphabet) == (plain.rate, plain.alphabet)
    assert [cue.at for cue in heard.cues] == [pytest.approx(cue.at + said.seconds) for cue in plain.cues]
    assert in_order(heard)


def test_without_one_nothing_changes() -> None:
    job = make_job(text="Hello.")
    assert np.array_equal(perform(job).samples, speak("Hello.", "en").samples)


def test_it_is_read_as_written_and_unhurried_whatever_the_creator_set() -> None:
    own = make_job(spoken=NOTICE, pronunciations={"AI-generated": "very real", "avatar": "person"})
    said = notice(NOTICE, "en").samples
    for job in (own, make_job(spoken=NOTICE, staging=Staging(speed=1.4))):
        assert np.array_equal(perform(job).samples[: len(said)], said)


def test_the_captions_carry_it() -> None:
    text = vtt(captions(perform(make_job(text="Hello.", spoken=NOTICE)).words))
    assert NOTICE in " ".join(line for line in text.split("\n") if "-->" not in line).replace("  ", " ")


def test_before_a_recording_the_languages_own_voice_says_it(tmp_path: Path) -> None:
    tone = 0.9 * np.sin(np.arange(2 * RATE) * 0.05)
    recording = {"talk": Material("audio", write(tmp_path / "talk.wav", tone))}
    staged = Staging(recording="talk")
    heard = perform(make_job(text="Hello.", spoken=NOTICE, staging=staged, materials=recording))
    plain = perform(make_job(text="Hello.", staging=staged, materials=recording))
    said = heard.seconds - plain.seconds
    assert words(heard) == f"{NOTICE} Hello."
    assert said == pytest.approx(notice(NOTICE, "en").seconds, abs=0.001)
    assert np.array_equal(heard.samples[-len(plain.samples) :], plain.samples)
    assert (heard.rate, heard.alphabet) == (RATE, SHAPES)
    assert in_order(heard)
    first = heard.samples[: round(said * RATE)]
    assert loudness.measure(first[None]) == pytest.approx(loudness.measure(plain.samples[None]), abs=0.5)
    assert len(set(mouths(heard, 30)[: int(said * 30)])) >= 5
    assert mouths(heard, 30)[-50:-20] == mouths(plain, 30)[-50:-20]


def test_a_second_line_is_said_by_an_english_voice() -> None:
    both = notice(f"Dieses Video verwendet eine KI-Stimme.\n{NOTICE}", "de")
    assert words(both) == f"Dieses Video verwendet eine KI-Stimme. {NOTICE}"
    english = notice(NOTICE, "en")
    assert np.array_equal(both.samples[-len(english.samples) :], english.samples)
    assert in_order(both)
    assert perform(make_job(text="Hallo.", language="de", spoken=f"Eine KI-Stimme.\n{NOTICE}")).rate == 22_050


def test_both_together_are_no_longer_than_a_film_may_be() -> None:
    long = Speech(np.zeros(jobs.LONGEST_SECONDS * 24_000, np.float32), 24_000, (), (), "misaki_en")
    with pytest.raises(Invalid, match="longer than 10 minutes"):
        opening.before(notice("Hello.", "en"), long)


def test_a_card_before_it_may_not_keep_it_from_the_first_five_seconds() -> None:
    jobs.check(make_job(spoken=NOTICE, staging=Staging(intro=Card("Hi", seconds=4.0))))
    jobs.check(make_job(staging=Staging(intro=Card("Hi", seconds=4.5))))
    with pytest.raises(Invalid, match=r"intro\.seconds.*may stay 4 seconds"):
        jobs.check(make_job(spoken=NOTICE, staging=Staging(intro=Card("Hi", seconds=4.5))))


def test_a_recording_in_a_language_without_a_voice_is_refused_before_it_is_rendered(tmp_path: Path) -> None:
    staged, materials = Staging(recording="talk"), {"talk": Material("audio", tmp_path / "talk.wav")}
    jobs.check(make_job(language="xx", staging=staged, materials=materials))
    with pytest.raises(Invalid, match='no language "xx"'):
        jobs.check(make_job(language="xx", spoken=NOTICE, staging=staged, materials=materials))
