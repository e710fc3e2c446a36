import socket
from itertools import pairwise

import numpy as np
import pytest

from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.studio.speech.hibari_voice import HibariVoice
from avatar_scheduler.studio.speech.speak import speak
from avatar_scheduler.studio.timed import Speech
from tests.studio.jobs import SCRIPT
from tests.studio.speech.hiss import lag
from tests.studio.speech.test_piper import JOE


@pytest.fixture(scope="module")
def voice() -> HibariVoice:
    return HibariVoice()


class TestSpeak:
    def test_keeps_the_written_words_in_order(self, speech: Speech) -> None:
        assert [word.text for word in speech.words] == SCRIPT.split()

    def test_words_and_phonemes_lie_inside_the_sound_one_after_the_other(self, speech: Speech) -> None:
        for timed in (speech.words, speech.phonemes):
            assert all(a.end <= b.start + 1e-6 for a, b in pairwise(timed))
            assert all(t.start < t.end for t in timed)
            assert timed[0].start > 0.2
            assert timed[-1].end < speech.seconds

    def test_sound_is_there_when_a_word_is_and_not_before(self, speech: Speech) -> None:
        def level(start: float, end: float) -> float:
            return float(np.sqrt(np.mean(speech.samples[int(start * speech.rate) : int(end * speech.rate)] ** 2)))

        before = level(0, speech.words[0].start - 0.05)
        assert all(level(word.start, word.end) > 10 * before for word in speech.words)

    @pytest.mark.parametrize("voice", ["heart", "espeak", f"piper:{JOE}"])
    def test_times_are_heard_where_they_are_told(self, voice: str) -> None:
        speech = speak("Six sheep sat so silently. She sells shoes, sir. Sam saw seven ships.", "en", voice=voice)
        assert abs(lag(speech)) <= 0.025

    def test_the_same_words_always_sound_the_same(self) -> None:
        one, same, other = (speak(text, "en").samples for text in ("Hello.", "Hello.", "Hello, you."))
        assert np.array_equal(one, same)
        assert len(other) > len(one)

    def test_emoji_lines_stay_with_the_word_before_or_the_first(self) -> None:
        speech = speak("😀\nHello there.\n🎂 🎂", "en")
        assert [word.text for word in speech.words] == ["😀 Hello", "there. 🎂 🎂"]

    def test_a_language_without_a_voice_is_refused(self) -> None:
        with pytest.raises(Invalid, match='There is no language "xx"'):
            speak("Bonjour.", "xx")

    def test_pauses_lengthen_the_silence_by_exactly_as_much(self) -> None:
        one, other = (speak(text, "en") for text in ("One two. Three.", "One two. [pause 1.5s] Three."))
        assert other.seconds == pytest.approx(one.seconds + 1.5, abs=1e-4)
        assert other.words[2].start == pytest.approx(one.words[2].start + 1.5, abs=1e-4)
        assert [word.text for word in other.words] == ["One", "two.", "Three."]

    def test_a_pause_inside_a_sentence_parts_it(self) -> None:
        speech = speak("One [pause 2s] two.", "en")
        gap = speech.samples[int((speech.words[0].end + 0.4) * speech.rate) : int(speech.words[1].start * speech.rate)]
        assert speech.words[1].start - speech.words[0].end > 2
        assert float(np.abs(gap[: speech.rate]).max()) < 0.01

    def test_a_clip_gets_exactly_its_seconds(self) -> None:
        speech = speak("One. [clip me] Two.", "en", clips={"me": 3.25})
        (cue,) = speech.cues
        silent = speech.samples[round(cue.at * speech.rate) : round((cue.at + 3.25) * speech.rate)]
        assert len(silent) == round(3.25 * speech.rate)
        assert not silent.any()
        plain = speak("One. Two.", "en")
        assert speech.seconds == pytest.approx(plain.seconds + 3.25, abs=1e-4)

    def test_cues_stand_at_the_words_after_them_also_where_words_are_joined(self) -> None:
        speech = speak("[smile] Pay 12 000 € 🎂 [look left] now. [neutral]\nBye [show cake 2s]", "en")
        words = {word.text: word for word in speech.words}
        assert [(cue.verb, cue.value, cue.at) for cue in speech.cues] == [
            ("smile", "", words["Pay"].start),
            ("look", "left", words["now."].start),
            ("neutral", "", words["now."].end),
            ("show", "cake 2s", words["Bye"].end),
        ]

    def test_cues_on_lines_of_their_own_stand_between_the_sentences(self) -> None:
        speech = speak("[worried]\nOne.\n[smile]\nTwo.\n[neutral]", "en")
        worried, smile, neutral = (cue.at for cue in speech.cues)
        assert worried <= speech.words[0].start
        assert speech.words[0].end <= smile <= speech.words[1].start
        assert speech.words[1].end <= neutral <= speech.seconds
        assert [word.text for word in speech.words] == ["One.", "Two."]

    def test_cues_are_neither_spoken_nor_written(self) -> None:
        assert [word.text for word in speak("Hi [smile] [pause 0.1s] you.", "en").words] == ["Hi", "you."]

    def test_a_slower_voice_takes_longer(self) -> None:
        slow, fast = (speak("Good morning to you.", "en", speed=speed).seconds for speed in (0.7, 1.4))
        assert slow > 1.4 * fast

    def test_a_word_is_read_as_the_creator_says(self) -> None:
        own = speak("Hello Siobhan.", "en", pronunciations={"siobhan": "Chevonne"})
        assert [word.text for word in own.words] == ["Hello", "Siobhan."]
        assert "".join(p.text for p in own.phonemes) == "".join(p.text for p in speak("Hello Chevonne.", "en").phonemes)

    def test_links_hashtags_and_emoji_are_heard_sensibly_and_seen_as_written(self) -> None:
        speech = speak("See example.com 🎂 #BakeWithMe.", "en")
        assert [word.text for word in speech.words] == ["See", "example.com 🎂", "#BakeWithMe."]

    def test_never_opens_a_connection(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse(*args: object, **kwargs: object) -> socket.socket:
            raise AssertionError("the voice reached for the network")

        monkeypatch.setattr(socket, "socket", refuse)
        monkeypatch.setattr(socket, "create_connection", refuse)
        assert speak("Offline.", "en").words


def test_what_the_voice_cannot_read_is_named(voice: HibariVoice) -> None:
    with pytest.raises(Invalid, match=r'^The voice cannot read "12345678'):
        voice.say("1234567890" * 10, 1.0)


def test_a_very_long_sentence_is_spoken_in_pieces(voice: HibariVoice) -> None:
    sentence = "and then we bake another loaf of bread, " * 20
    heard = voice.say(sentence, 1.0)
    assert len(heard.words) == len(sentence.split())
    assert all(a.end <= b.start + 1e-6 for a, b in pairwise(heard.words))
