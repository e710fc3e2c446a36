"""The render process as its parent sees it: heard line by line, and killed when late or unwanted."""

import os
import sys
import textwrap
import time
from pathlib import Path

import pytest

from avatar_scheduler.domain.errors import Conflict, Refused
from avatar_scheduler.renderers import process

REAL = sys.executable


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A stand-in for the interpreter, so that the child runs what the test wrote."""
    body, python = tmp_path / "body.py", tmp_path / "python"
    python.write_text(f'#!/bin/sh\nexec "{REAL}" "{body}"\n')
    python.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(python))
    monkeypatch.setattr(process, "SILENCE", 0.05)
    return body


def run(program: Path, body: str, seconds: float = 30.0) -> tuple[dict[str, object], list[tuple[int, str]]]:
    program.write_text("import json, os, sys, time\n" + textwrap.dedent(body))
    heard: list[tuple[int, str]] = []
    done = process.run("make", program.parent, program.parent, lambda *said: heard.append(said), seconds)
    return done, heard


def test_what_it_says_is_heard_and_what_a_library_prints_is_not(program: Path) -> None:
    done, heard = run(
        program,
        """
        print("warming up")
        print(json.dumps({"percent": 7, "step": "Speaking"}))
        sys.stdout.write('{"done": {"video"')
        sys.stdout.flush()
        time.sleep(0.01)
        print(': "a.mp4"}}')
        """,
    )
    assert done == {"video": "a.mp4"}
    assert next(said for said in heard if said != (0, "")) == (7, "Speaking")


def test_silence_repeats_the_last_word(program: Path) -> None:
    _, heard = run(
        program,
        """
        print(json.dumps({"percent": 7, "step": "Speaking"}), flush=True)
        time.sleep(0.5)
        print(json.dumps({"done": {}}))
        """,
    )
    assert heard.count((7, "Speaking")) >= 3


def test_a_refusal_is_raised_in_its_words(program: Path) -> None:
    with pytest.raises(Refused, match="Too long") as refused:
        run(program, 'print(json.dumps({"refused": {"code": "long", "message": "Too long."}}))')
    assert refused.value.code == "long"


def test_a_crash_is_told_by_its_last_line(program: Path) -> None:
    with pytest.raises(Refused, match="The renderer stopped: ValueError: no such voice"):
        run(program, 'raise ValueError("no such voice")')
    with pytest.raises(Refused, match="it said nothing"):
        run(program, "os.kill(os.getpid(), 9)")


def test_a_late_one_is_killed(program: Path) -> None:
    began = time.monotonic()
    with pytest.raises(Refused, match="took longer"):
        run(program, "time.sleep(60)", seconds=0.3)
    assert time.monotonic() - began < 20


def test_an_unwanted_one_is_killed(program: Path) -> None:
    """`progress` raises when the lease is lost: nothing of the child may go on."""
    pids: list[int] = []

    def stop(percent: int, _: str) -> None:
        if percent:
            pids.append(percent)
            raise Conflict("taken back")

    program.write_text(
        'import json, os, time\nprint(json.dumps({"percent": os.getpid(), "step": ""}), flush=True)\ntime.sleep(60)'
    )
    with pytest.raises(Conflict):
        process.run("make", program.parent, program.parent, stop, 30)
    with pytest.raises(ProcessLookupError):
        os.kill(pids[0], 0)
