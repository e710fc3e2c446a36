import socket
from itertools import pairwise

import numpy as np
import pytest

from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.studio.speech.hibari_voice import HibariVoice
from avatar_scheduler.studio.speech.speak import speak
from avatar_scheduler.studio.timed import Speech
from tests.studio.jobs import SCRIPT


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
