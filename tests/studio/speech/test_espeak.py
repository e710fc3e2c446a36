import contextlib
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from avatar_scheduler.domain.errors import Refused
from avatar_scheduler.studio.speech import espeak
from avatar_scheduler.studio.speech.espeak import Espeak

# Answers the way the program does, but only what a test tells it to.
_ECHO = """
import json, pathlib, sys, time
for line in sys.stdin.buffer:
    first = not pathlib.Path(sys.argv[1]).exists()
    pathlib.Path(sys.argv[1]).touch()
    if sys.argv[2] == "late" or (sys.argv[2] == "dies once" and first):
        time.sleep(600) if sys.argv[2] == "late" else sys.exit(1)
    print(json.dumps({"events": [["a", 5, 0]], "rate": 8000, "bytes": 2})); sys.stdout.flush()
    sys.stdout.buffer.write(b"xy"); sys.stdout.buffer.flush()
"""


@pytest.fixture
def program() -> espeak.Espeak:
    return espeak.shared()


def pretender(tmp_path: Path, how: str) -> Espeak:
    return Espeak((sys.executable, "-c", _ECHO, str(tmp_path / "asked"), how))


class TestAsk:
    def test_tells_each_sound_and_the_word_it_is_in(self, program: Espeak) -> None:
        answer = program.ask("Été, là", "fr")
        assert [(sound.ipa, sound.position) for sound in answer.sounds if sound.ipa] == [
            ("e", 0),
            ("t", 0),
            ("ˈe", 0),
            ("l", 5),
            ("ˈa", 5),
        ]
        assert answer.pcm == b""

    def test_gives_the_sound_when_asked(self, program: Espeak) -> None:
        slow, fast = (program.ask("Bonjour", "fr", speed, sound=True).pcm for speed in (0.7, 1.4))
        assert len(slow) > 1.3 * len(fast) > 0

    def test_an_unknown_language_is_refused(self, program: Espeak) -> None:
        with pytest.raises(Refused, match="no voice tlh-x"):
            program.ask("Qapla", "tlh-x")
        assert program.ask("Bon", "fr").sounds


class TestProgram:
    def test_one_that_died_is_asked_again(self, tmp_path: Path) -> None:
        program = pretender(tmp_path, "dies once")
        assert program.ask("a", "fr").pcm == b"xy"
        program.stop()

    def test_answers_in_a_process_with_a_thousand_open_files(self, tmp_path: Path) -> None:
        most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
        with contextlib.ExitStack() as many:
            for _ in range(1024):
                many.enter_context(Path(os.devnull).open())
            program = pretender(tmp_path, "")
            assert program.ask("a", "fr").pcm == b"xy"
            program.stop()

    def test_a_late_one_is_killed(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(espeak, "_SECONDS", 0.2)
        program = pretender(tmp_path, "late")
        with pytest.raises(Refused, match="gave no answer, twice"):
            program.ask("a", "fr")
        assert program._running is None

    def test_its_library_is_never_loaded_here(self, program: Espeak) -> None:
        program.ask("Bonjour", "fr")
        assert "espeak-ng" not in Path("/proc/self/maps").read_text()
        assert not {"espeakng_loader", espeak.PROGRAM} & set(sys.modules)

    def test_ends_with_its_input(self) -> None:
        command = [sys.executable, "-I", "-m", espeak.PROGRAM]
        assert subprocess.run(command, stdin=subprocess.DEVNULL, timeout=30, check=False).returncode == 0
