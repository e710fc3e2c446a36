"""The hash chain: whatever is done to the log afterwards is found, and named."""

import dataclasses
import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avatar_scheduler.audit import GENESIS, Entry, verify

Rows = list[tuple[Entry, str]]
AT = datetime(2026, 11, 22, 18, tzinfo=UTC)
FIELDS = ("at", "organization", "actor", "action", "noun", "noun_id", "data", "previous")


def chain(length: int) -> Rows:
    rows: Rows = []
    for seq in range(1, length + 1):
        previous = rows[-1][1] if rows else GENESIS
        at = AT + timedelta(seconds=seq)
        entry = Entry(seq, at, "org", f"ada{seq}", "post.edited", "post", f"p{seq}", '{"a": "b"}', previous)
        rows.append((entry, entry.hash()))
    return rows


CHAIN = chain(40)
HEAD = (len(CHAIN), CHAIN[-1][1])


def test_an_untouched_log_is_intact_with_and_without_a_checkpoint() -> None:
    assert verify(CHAIN) == verify(CHAIN, head=HEAD)
    assert verify(CHAIN).ok
    assert verify(CHAIN).head == HEAD[1]
    assert verify([]).ok


def test_a_checkpoint_may_be_older_than_the_log() -> None:
    assert verify(CHAIN, head=(7, CHAIN[6][1])).ok


def edited(rows: Rows, index: int, field: str, rehash: bool) -> Rows:
    entry, stored = rows[index]
    old = getattr(entry, field)
    new = old + timedelta(microseconds=1) if isinstance(old, datetime) else old[:-1] + ("x" if old[-1:] != "x" else "y")
    values: dict[str, Any] = {field: new}
    changed = dataclasses.replace(entry, **values)
    return [*rows[:index], (changed, changed.hash() if rehash else stored), *rows[index + 1 :]]


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("rehash", [False, True])
def test_every_edited_field_is_found(field: str, rehash: bool) -> None:
    """Also when the entry's own hash is made to fit: the next entry, or the checkpoint, does not follow it."""
    for index in (0, 20, len(CHAIN) - 1):
        verdict = verify(edited(CHAIN, index, field, rehash), head=HEAD)
        assert not verdict.ok
        assert str(index + 1) in verdict.problem or str(index + 2) in verdict.problem


@given(st.sets(st.integers(0, len(CHAIN) - 1), min_size=1))
def test_deleted_entries_are_found(gone: set[int]) -> None:
    left = [row for index, row in enumerate(CHAIN) if index not in gone]
    assert not verify(left, head=HEAD).ok


@given(st.integers(0, len(CHAIN) - 1))
def test_a_tail_cut_at_any_entry_is_found_by_the_checkpoint(kept: int) -> None:
    verdict = verify(CHAIN[:kept], head=HEAD)
    assert not verdict.ok
    assert verdict.problem == f"The log ends at entry {kept}; the checkpoint knows entry {len(CHAIN)}."


@given(st.permutations(range(len(CHAIN))))
def test_reordered_entries_are_found(order: list[int]) -> None:
    assert verify([CHAIN[i] for i in order], head=HEAD).ok is (order == sorted(order))


def test_a_log_rewritten_from_the_middle_meets_its_checkpoint() -> None:
    forged = CHAIN[:20]
    for entry, _ in edited(CHAIN, 20, "actor", True)[20:]:
        again = dataclasses.replace(entry, previous=forged[-1][1])
        forged.append((again, again.hash()))
    assert verify(forged).ok  # consistent in itself: only what is kept outside tells
    assert not verify(forged, head=HEAD).ok


def test_two_hundred_random_tamperings_are_all_found() -> None:
    chance = random.Random(7)
    for _ in range(200):
        rows, index = list(CHAIN), chance.randrange(len(CHAIN))
        kind = chance.choice(["edit", "refit", "delete", "swap", "cut", "double"])
        if kind in ("edit", "refit"):
            rows = edited(rows, index, chance.choice(FIELDS), kind == "refit")
        elif kind == "delete":
            del rows[index]
        elif kind == "swap":
            other = (index + 1 + chance.randrange(len(rows) - 1)) % len(rows)
            rows[index], rows[other] = rows[other], rows[index]
        elif kind == "cut":
            rows = rows[:index]
        else:
            rows.insert(index, rows[index])
        assert not verify(rows, head=HEAD).ok, (kind, index)
