"""The warm process behind drafts: each person their own, the newest wins, and nothing outlives its use."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from avatar_scheduler.domain.errors import Invalid, NotFound, Refused
from avatar_scheduler.renderers.base import Order
from avatar_scheduler.renderers.preview import DRAFTS, Previews
from tests.acceptance.tree import until

ORDER = Order(
    "T", "Good morning. Salt the water. Do you?", "en", "maya", "kitchen", "AI", "Avatar of Maya", "c", "c", "s", "w"
)


def nothing(_: Path) -> None:
    """No files to bring."""


@pytest.fixture(scope="module")
def warm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Previews]:
    made = Previews(tmp_path_factory.mktemp("sentences"))
    yield made
    made.close()


def order(**changes: str) -> Order:
    return Order.read({**ORDER.__dict__, **changes})


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_it_comes_in_pieces_and_again_when_asked_again(warm: Previews) -> None:
    draft = warm.make("ada", ORDER, nothing)
    pieces = list(warm.stream("ada", draft))
    assert len(pieces) == 3
    assert pieces[0][4:8] == b"ftyp"
    assert len(list(warm.stream("ada", draft))) == 3


def test_nobody_elses_can_be_seen_or_is_disturbed(warm: Previews) -> None:
    mine, theirs = warm.make("ada", ORDER, nothing), warm.make("ben", ORDER, nothing)
    with pytest.raises(NotFound):
        warm.stream("ada", theirs)
    both = zip(warm.stream("ada", mine), warm.stream("ben", theirs), strict=True)
    assert len(list(both)) == 3


def test_the_newest_wins(warm: Previews) -> None:
    old = warm.make("ada", ORDER, nothing)
    stream = warm.stream("ada", old)
    next(stream)
    new = warm.make("ada", order(text="Pepper it."), nothing)
    assert list(stream) == []
    with pytest.raises(NotFound):
        warm.stream("ada", old)
    assert len(list(warm.stream("ada", new))) == 1


def test_memory_is_bounded(warm: Previews) -> None:
    drafts = [warm.make(f"m{number}", ORDER, nothing) for number in range(DRAFTS + 1)]
    with pytest.raises(NotFound):
        warm.stream("m0", drafts[0])
    for number in range(1, DRAFTS + 1):
        next(warm.stream(f"m{number}", drafts[number]))


def test_what_cannot_be_drawn_is_said_in_the_renders_own_words(warm: Previews) -> None:
    with pytest.raises(Refused, match="no avatar"):
        warm.stream("ada", warm.make("ada", order(pack="bob"), nothing))
    with pytest.raises(Refused, match="not a cue"):
        warm.stream("ada", warm.make("ada", order(text="Hi. [dance]"), nothing))


def test_files_are_brought_and_taken_away_again(warm: Previews) -> None:
    brought: list[Path] = []
    warm.make("ada", ORDER, brought.append)
    assert (brought[0] / "order.json").is_file()
    warm.make("ada", ORDER, nothing)
    assert not brought[0].exists()


def test_files_that_cannot_be_brought_leave_no_draft(warm: Previews) -> None:
    def broken(_: Path) -> None:
        raise Invalid("It is gone.")

    with pytest.raises(Invalid):
        warm.make("ada", ORDER, broken)


class TestItsLife:
    def test_a_late_one_is_killed_and_the_next_begins_anew(self, tmp_path: Path) -> None:
        previews = Previews(tmp_path, piece_seconds=0.01)
        try:
            draft = previews.make("ada", ORDER, nothing)
            pid = previews.pid
            with pytest.raises(Refused, match="too long"):
                previews.stream("ada", draft)
            assert pid is not None
            assert gone(pid)
            assert previews.pid is None
            previews.warm()
            assert previews.pid not in (pid, None)
        finally:
            previews.close()

    def test_an_idle_one_ends_by_itself(self, tmp_path: Path) -> None:
        previews = Previews(tmp_path, idle_seconds=0.2)
        previews.warm()
        until(lambda: previews.pid is None, "The process ends.", seconds=30)

    def test_it_dies_with_its_parent(self, tmp_path: Path) -> None:
        previews = Previews(tmp_path)
        previews.warm()
        pid, child = previews.pid, previews._child
        assert pid is not None
        assert child is not None
        assert child.stdin is not None
        child.stdin.close()  # what the end of a process does to its pipes
        assert child.wait(60) == 0
        previews.close()
