"""How much was watched, as far as the server can know."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avatar_scheduler.db.tables import Version
from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.services import review, seen
from avatar_scheduler.services.seen import Ranges, merge, total
from tests.world import World

LENGTH = 24_000
ranges = st.lists(st.tuples(st.integers(-5_000, 30_000), st.integers(-5_000, 30_000)), max_size=30)


@given(ranges)
def test_merged_ranges_are_sorted_apart_and_inside(some: Ranges) -> None:
    found = merge(some, LENGTH)
    assert all(0 <= a < b <= LENGTH for a, b in found)
    assert all(b + 300 < c for (_, b), (c, _) in pairwise(found))
    assert total(found) <= LENGTH


@given(ranges)
def test_merging_again_changes_nothing_and_order_does_not_matter(some: Ranges) -> None:
    found = merge(some, LENGTH)
    assert merge(found, LENGTH) == found == merge(some[::-1], LENGTH)


@given(ranges, ranges)
def test_more_ranges_never_mean_less_watched(some: Ranges, more: Ranges) -> None:
    assert total(merge(some + more, LENGTH)) >= total(merge(some, LENGTH))


@given(ranges)
def test_nothing_that_was_played_is_lost(some: Ranges) -> None:
    found = merge(some, LENGTH)
    for start, end in some:
        a, b = max(0, start), min(LENGTH, end)
        assert b <= a or any(x <= a and b <= y for x, y in found)


@pytest.fixture
def version(world: World) -> Version:
    made = world.version(world.post("reply"))
    with world.write() as session:
        seen.open_view(session, session.get_one(Version, made.id), world.ada.member_id, world.now)
    return made


def record(world: World, version: Version, *some: tuple[int, int]) -> tuple[int, bool]:
    with world.write() as session:
        return review.record_seen(session, world.ada, version.id, list(some), world.now)


def test_watching_in_pieces_adds_up(world: World, version: Version) -> None:
    length = world.film.made["duration_ms"]
    middle = length // 2
    world.later(milliseconds=length)
    assert record(world, version, (0, middle)) == (middle, False)
    assert record(world, version, (middle, length)) == (length, True)


def test_at_double_speed_half_the_time_is_enough_and_less_is_not(world: World, version: Version) -> None:
    length = world.film.made["duration_ms"]
    world.later(milliseconds=(length - seen.SLACK_MS) // 2 - 10)
    with pytest.raises(Invalid) as fast:
        record(world, version, (0, length))
    assert fast.value.code == "too_fast"
    world.later(milliseconds=11)
    assert record(world, version, (0, length)) == (length, True)


def test_a_gap_is_not_the_end(world: World, version: Version) -> None:
    length = world.film.made["duration_ms"]
    world.later(milliseconds=length)
    assert record(world, version, (0, 1000), (1301, length))[1] is False
    assert record(world, version, (900, 1400))[1] is True


def test_the_first_and_the_last_moments_may_be_missing_and_no_more(world: World, version: Version) -> None:
    length = world.film.made["duration_ms"]
    world.later(milliseconds=length)
    assert record(world, version, (401, length - 401))[1] is False
    assert record(world, version, (400, length - 401))[1] is False
    assert record(world, version, (400, length - 400))[1] is True


def test_once_complete_it_stays_complete(world: World, version: Version) -> None:
    length = world.film.made["duration_ms"]
    world.later(milliseconds=length)
    record(world, version, (0, length))
    assert record(world, version)[1] is True


def test_looking_again_does_not_start_the_time_anew(world: World, version: Version) -> None:
    first = world.now
    world.later(minutes=5)
    with world.write() as session:
        view = seen.open_view(session, session.get_one(Version, version.id), world.ada.member_id, world.now)
    assert view.opened_at == first
