"""Measured by other means than the studio's own: pyloudnorm for loudness, four times the samples for true peaks."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pyloudnorm
import pytest

from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.studio import audio, soundtrack

RATE = 48_000
SECONDS = 12.0
PAUSE = (6.0, 8.4)


def noise(seconds: float, level: float = 0.05, rate: int = 24_000) -> audio.Sound:
    return (np.random.default_rng(1).standard_normal(int(seconds * rate)) * level).astype(np.float32)


def tone(seconds: float, *frequencies: float, level: float = 0.3) -> audio.Sound:
    """One frequency a channel."""
    at = np.arange(int(seconds * RATE)) / RATE
    return np.stack([np.sin(2 * np.pi * f * at) * level for f in frequencies]).astype(np.float32)


def speech() -> audio.Sound:
    """Syllables of noise, three a second, with a pause in the middle."""
    at = np.arange(int(SECONDS * 24_000)) / 24_000
    spoken = (np.sin(2 * np.pi * 3 * at) > -0.4) & ~((at > PAUSE[0]) & (at < PAUSE[1])) & (at > 0.3) & (at < 11.5)
    return noise(SECONDS) * spoken


def write(path: Path, sound: audio.Sound, rate: int = RATE) -> Path:
    wav = path.suffix == ".wav"
    with av.open(str(path), "w") as container:
        layout = "mono" if len(sound) == 1 else "stereo"
        stream = container.add_stream("pcm_s16le" if wav else "aac", rate=rate, layout=layout)
        for start in range(0, sound.shape[1], 1024):
            part = np.ascontiguousarray(sound[:, start : start + 1024])
            if wav:
                part = (part.T.reshape(1, -1) * 32767).astype(np.int16)
            frame = av.AudioFrame.from_ndarray(part, format="s16" if wav else "fltp", layout=layout)
            frame.sample_rate, frame.pts, frame.time_base = rate, start, Fraction(1, rate)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def loudness(sound: audio.Sound) -> float:
    return float(pyloudnorm.Meter(RATE).integrated_loudness(sound.T))


def true_peak(sound: audio.Sound) -> float:
    count = sound.shape[1]
    between = np.fft.irfft(np.fft.rfft(sound.astype(np.float64)), 4 * count) * 4
    return float(20 * np.log10(np.abs(between).max()))


def level_of(sound: audio.Sound, frequency: float, start: float, end: float, channel: int = 0) -> float:
    """Of one frequency in a stretch, in dB."""
    part = sound[channel, int(start * RATE) : int(end * RATE)].astype(np.float64)
    part = part * np.hanning(len(part)) * 2
    return float(20 * np.log10(2 * abs((part * np.exp(-2j * np.pi * frequency * np.arange(len(part)) / RATE)).mean())))


class TestMeasure:
    def test_a_full_tone_is_three_decibels_under_full(self) -> None:
        """The meter's own definition: 997 Hz at full scale in one channel."""
        one_side = np.concatenate([tone(3, 997, level=1), np.zeros((1, 3 * RATE), np.float32)])
        assert audio.measure(one_side) == pytest.approx(-3.01, abs=0.02)

    @pytest.mark.parametrize("frequencies", [(60, 60), (400, 3000), (8000, 8000)])
    def test_agrees_with_pyloudnorm(self, frequencies: tuple[float, float]) -> None:
        sound = tone(4, *frequencies)
        sound[:, 2 * RATE :] *= 0.02
        assert audio.measure(sound) == pytest.approx(loudness(sound), abs=0.1)

    def test_one_channel_is_heard_from_both_sides(self) -> None:
        mono = tone(3, 500)
        assert audio.measure(mono) == pytest.approx(audio.measure(np.repeat(mono, 2, axis=0)), abs=1e-6)

    def test_silence_has_no_loudness(self) -> None:
        assert audio.measure(np.zeros((2, RATE), np.float32)) == float("-inf")


class TestMaster:
    @pytest.mark.parametrize("level", [0.001, 0.05, 0.5])
    def test_lands_on_the_target_from_any_level(self, level: float) -> None:
        assert loudness(audio.master(noise(2, level), 24_000)) == pytest.approx(-14, abs=0.15)

    def test_lands_on_the_target_when_it_must_limit(self) -> None:
        peaky = speech()
        peaky[::7001] = 0.8
        mastered = audio.master(peaky, 24_000)
        assert loudness(mastered) == pytest.approx(-14, abs=0.3)
        assert true_peak(mastered) <= -2

    def test_holds_peaks_between_the_samples_too(self) -> None:
        """Bursts whose samples all miss the crest by three decibels."""
        at = np.arange(3 * RATE)
        bursts = np.sin(2 * np.pi * at / 4 + np.pi / 4) * (at % 24_000 < 600)
        mastered = audio.master((bursts + noise(3, 0.01, RATE)).astype(np.float32), RATE)
        assert true_peak(mastered) <= -1.5

    def test_goes_down_before_a_peak_without_a_step(self) -> None:
        steady = tone(2, 300, level=0.1)[0]
        steady[RATE : RATE + 200] *= 9
        mastered = audio.master(steady, RATE)[0].astype(np.float64)
        gains = mastered[np.abs(steady) > 0.05] / steady[np.abs(steady) > 0.05]
        assert gains.min() < 0.9 * gains.max()
        assert np.abs(np.diff(gains)).max() < 0.02 * gains.max()

    def test_gives_stereo_at_twice_the_samples(self) -> None:
        assert audio.master(noise(1), 24_000).shape == (2, RATE)

    def test_a_clip_shorter_than_a_gating_block_is_made_as_loud(self) -> None:
        assert audio.measure(audio.master(noise(0.1), 24_000)) == pytest.approx(-14, abs=0.5)

    def test_silence_stays_silent(self) -> None:
        assert not audio.master(np.zeros(24_000, np.float32), 24_000).any()


class TestMix:
    @pytest.fixture
    def music(self, tmp_path: Path) -> Path:
        return write(tmp_path / "music.m4a", tone(5, 220, 330))

    def test_voice_alone_is_mastered_and_lasts_as_long_as_asked(self) -> None:
        mixed = audio.mix(speech(), 24_000, seconds=15.0)
        assert mixed.shape == (2, 15 * RATE)
        assert not mixed[:, 13 * RATE :].any()
        assert np.array_equal(mixed[0], mixed[1])
        assert loudness(mixed) == pytest.approx(-14, abs=0.3)

    @pytest.mark.parametrize("below", [10, 20])
    def test_music_makes_room_for_the_voice_and_comes_up_in_pauses(self, music: Path, below: float) -> None:
        mixed = audio.mix(speech(), 24_000, seconds=SECONDS, music=music, below_db=below)
        under, between = level_of(mixed, 220, 2, 4), level_of(mixed, 220, 6.9, 7.7)
        assert between - under == pytest.approx(below / 2, abs=1)
        assert loudness(mixed) == pytest.approx(-14, abs=0.3)
        assert true_peak(mixed) <= -1

    def test_the_bed_is_as_far_below_the_voice_as_asked(self, music: Path) -> None:
        voice = soundtrack.loud_as(audio.master(speech(), 24_000), -14)
        bed = soundtrack.loud_as(soundtrack.bed(music, SECONDS, "music"), -14)
        ducked = soundtrack.ducked(bed, voice, 18)
        spoken = slice(2 * RATE, 5 * RATE)
        assert audio.measure(ducked[:, spoken]) == pytest.approx(audio.measure(bed[:, spoken]) - 18, abs=0.2)

    def test_stereo_music_stays_stereo(self, music: Path) -> None:
        mixed = audio.mix(speech(), 24_000, seconds=SECONDS, music=music, below_db=12)
        assert level_of(mixed, 220, 6.9, 7.7, 0) > level_of(mixed, 220, 6.9, 7.7, 1) + 20
        assert level_of(mixed, 330, 6.9, 7.7, 1) > level_of(mixed, 330, 6.9, 7.7, 0) + 20

    def test_music_goes_round_without_a_gap_or_a_click(self, tmp_path: Path) -> None:
        short = write(tmp_path / "short.wav", noise(2, 0.1, RATE)[None])
        bed = soundtrack.bed(short, 11.0, "short")
        middle = bed[0, 2 * RATE : 8 * RATE].reshape(-1, RATE // 10)
        levels = 20 * np.log10(middle.std(axis=1))
        assert np.ptp(levels) < 2
        assert np.array_equal(bed[0, 3 * RATE : 4 * RATE], bed[0, int(4.5 * RATE) : int(5.5 * RATE)])

    def test_music_is_faded_in_and_out(self, music: Path) -> None:
        mixed = audio.mix(np.zeros(24_000, np.float32), 24_000, seconds=SECONDS, music=music)
        loud = np.abs(mixed[0, 5 * RATE : 6 * RATE]).max()
        assert np.abs(mixed[0, : RATE // 20]).max() < 0.15 * loud
        assert np.abs(mixed[0, -RATE // 20 :]).max() < 0.15 * loud

    def test_a_clip_sounds_at_its_second_as_loud_as_the_voice(self, tmp_path: Path) -> None:
        quiet = speech()
        quiet[6 * 24_000 :] = 0
        clip = write(tmp_path / "clip.wav", tone(3, 1000, 1000, level=0.01))
        mixed = audio.mix(quiet, 24_000, seconds=SECONDS, clips=[(7.0, clip)])
        heard = np.flatnonzero(np.abs(mixed[0, int(6.2 * RATE) :]) > 0.02) / RATE + 6.2
        assert heard[0] == pytest.approx(7.0, abs=0.02)
        assert heard[-1] == pytest.approx(10.0, abs=0.02)
        assert loudness(mixed[:, int(7.2 * RATE) : int(9.8 * RATE)]) == pytest.approx(-14, abs=1.5)
        assert loudness(mixed[:, RATE : 5 * RATE]) == pytest.approx(-14, abs=1.5)

    def test_music_makes_room_for_a_clip_too(self, music: Path, tmp_path: Path) -> None:
        clip = write(tmp_path / "clip.m4a", tone(4, 1000, 1000))
        mixed = audio.mix(np.zeros(24_000, np.float32), 24_000, seconds=SECONDS, music=music, clips=[(5.0, clip)])
        assert level_of(mixed, 220, 2, 4) - level_of(mixed, 220, 6, 8) == pytest.approx(9, abs=1)

    def test_gives_the_same_samples_again(self, music: Path) -> None:
        first, second = (audio.mix(speech(), 24_000, seconds=SECONDS, music=music) for _ in range(2))
        assert np.array_equal(first, second)

    @pytest.mark.parametrize("content", [b"", b"no sound at all" * 100])
    def test_an_unreadable_file_is_named(self, tmp_path: Path, content: bytes) -> None:
        broken = tmp_path / "a1b2"
        broken.write_bytes(content)
        with pytest.raises(Invalid, match=r"^The sound of “theme” cannot be read\. Export it again"):
            audio.mix(speech(), 24_000, seconds=SECONDS, music=broken, names={broken: "theme"})
        with pytest.raises(Invalid, match=r"^The sound of “a1b2” cannot be read\."):
            audio.mix(speech(), 24_000, seconds=SECONDS, clips=[(1, broken)])

    def test_music_without_sound_is_refused_and_a_silent_clip_is_not(self, tmp_path: Path) -> None:
        film = tmp_path / "film.mp4"
        with av.open(str(film), "w") as container:
            stream = container.add_stream("libx264", rate=30)
            stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
            container.mux(stream.encode(av.VideoFrame(64, 64, "yuv420p")))
            container.mux(stream.encode(None))
        with pytest.raises(Invalid, match=r"“film\.mp4” has no music in it"):
            audio.mix(speech(), 24_000, seconds=SECONDS, music=film)
        alone = audio.mix(speech(), 24_000, seconds=SECONDS)
        assert np.allclose(audio.mix(speech(), 24_000, seconds=SECONDS, clips=[(1, film)]), alone, atol=1e-3)
