"""The log's own arithmetic: whatever is done to the entries afterwards is found, and named."""

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avatar_scheduler.audit import EVERYTHING, GENESIS, Entry, Keeper, Stored, Verdict, genuine, seal, verify
from avatar_scheduler.domain.errors import Refused
from avatar_scheduler.domain.version import canonical, sha256

Rows = list[Stored]
AT = datetime(2026, 11, 22, 18, tzinfo=UTC)
KEY = bytes(range(32))
FIELDS = ("at", "organization", "actor", "action", "noun", "noun_id", "data", "previous", "number", "own_previous")
OLD = 5
"""Entries older than the chains of organizations."""


def stored(entry: Entry, key: bytes | None = KEY) -> Stored:
    digest = entry.hash()
    return Stored(entry, digest, seal(key, digest) if key else "")


def chain(length: int, key: bytes | None = KEY) -> Rows:
    """Of two organizations taking turns."""
    rows: Rows = []
    own = {"ours": (0, GENESIS), "theirs": (0, GENESIS)}
    for seq in range(1, length + 1):
        name = "ours" if seq % 3 else "theirs"
        number, before = own[name]
        entry = Entry(seq, AT + timedelta(seconds=seq), name, f"ada{seq}", "post.edited", "post", f"p{seq}",
                      '{"a": "é"}', rows[-1].hash if rows else GENESIS)  # fmt: skip
        if seq > OLD:
            entry = entry._replace(number=number + 1, own_previous=before)
        rows.append(stored(entry, key))
        if seq > OLD:
            own[name] = (number + 1, rows[-1].hash)
    return rows


def known(rows: Rows) -> dict[tuple[str, int], str]:
    """As the last checkpoints would say: of everything and of each organization."""
    found = {(EVERYTHING, rows[-1].entry.seq): rows[-1].hash}
    for row in rows:
        if row.entry.number:
            found = {at: h for at, h in found.items() if at[0] != row.entry.organization}
            found[(row.entry.organization, row.entry.number)] = row.hash
    return found


CHAIN = chain(40)
KNOWN = known(CHAIN)


def checked(rows: Rows, known: dict[tuple[str, int], str] = KNOWN) -> Verdict:
    return verify(rows, key=KEY, known=known)


def test_an_untouched_log_is_intact_with_and_without_checkpoints() -> None:
    assert verify(CHAIN) == verify(CHAIN, key=KEY) == checked(CHAIN)
    assert checked(CHAIN) == Verdict(True, len(CHAIN), CHAIN[-1].hash)
    assert verify([]).ok


def test_one_organizations_part_is_checked_by_itself() -> None:
    ours = [row for row in CHAIN if row.entry.organization == "ours"]
    at = ours[-1].entry.number
    assert verify(ours, key=KEY, known={("ours", at): ours[-1].hash}, whole=False).ok
    assert "is missing" in verify([*ours[:8], *ours[9:]], key=KEY, whole=False).problem
    assert "knows entry" in verify(ours[:-1], known={("ours", at): ours[-1].hash}, whole=False).problem


def test_a_checkpoint_may_be_older_than_the_log() -> None:
    assert checked(CHAIN, known(CHAIN[:17])).ok


def test_an_entry_is_hashed_as_the_one_canonical_text() -> None:
    for entry in (CHAIN[0].entry, CHAIN[-1].entry, CHAIN[7].entry._replace(data='{"x": "\\u2028\t\\" é 😀"}')):
        said = {**entry._asdict(), "at": entry.at.isoformat()}
        if not entry.number:
            del said["number"], said["own_previous"]
        assert entry.hash() == sha256(canonical(said))


def edited(rows: Rows, index: int, field: str, how: str) -> Rows:
    """`how`: leave the hash, refit it, or refit it and seal it with a key of one's own."""
    entry, digest, mac = rows[index]
    old = getattr(entry, field)
    if isinstance(old, datetime):
        new: object = old + timedelta(microseconds=1)
    elif isinstance(old, int):
        new = old + 1
    else:
        new = old[:-1] + ("x" if old[-1:] != "x" else "y")
    changed = entry._replace(**{field: new})  # type: ignore[arg-type]
    if how != "leave":
        digest = changed.hash()
    if how == "reseal":
        mac = seal(b"k" * 32, digest)
    return [*rows[:index], Stored(changed, digest, mac), *rows[index + 1 :]]


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("how", ["leave", "refit", "reseal"])
def test_every_edited_field_is_found_and_its_entry_named(field: str, how: str) -> None:
    for index in (0, 20, len(CHAIN) - 1):
        verdict = checked(edited(CHAIN, index, field, how))
        assert not verdict.ok
        assert str(index + 1) in verdict.problem, verdict.problem


@given(st.sets(st.integers(0, len(CHAIN) - 1), min_size=1))
def test_deleted_entries_are_found(gone: set[int]) -> None:
    verdict = checked([row for index, row in enumerate(CHAIN) if index not in gone])
    assert not verdict.ok


@given(st.integers(0, len(CHAIN) - 1))
def test_a_tail_cut_at_any_entry_is_found_by_the_checkpoint(kept: int) -> None:
    assert verify(CHAIN[:kept], key=KEY).ok
    problem = checked(CHAIN[:kept]).problem
    assert problem == f"The log ends at entry {kept}; the checkpoint knows entry {len(CHAIN)}."


def test_the_tail_of_one_organization_is_found_by_its_own_checkpoint() -> None:
    at = max(number for name, number in KNOWN if name == "theirs")
    told = checked(CHAIN[:-1], {("theirs", at): KNOWN[("theirs", at)]})
    last = CHAIN[-1].entry.organization
    assert told.ok is (last != "theirs")
    cut = [row for row in CHAIN if row.entry.seq < 39]
    assert f"organization theirs ends at entry {at - 1}" in checked(cut, {("theirs", at): "f" * 64}).problem


@given(st.permutations(range(len(CHAIN))))
def test_reordered_entries_are_found(order: list[int]) -> None:
    assert checked([CHAIN[i] for i in order]).ok is (order == sorted(order))


def recomputed(rows: Rows, index: int, key: bytes | None) -> Rows:
    """Everything from `index` on is written anew, chains and all, with one actor changed."""
    forged, own = rows[:index], {"ours": (0, GENESIS), "theirs": (0, GENESIS)}
    for row in forged:
        if row.entry.number:
            own[row.entry.organization] = (row.entry.number, row.hash)
    for place, row in enumerate(rows[index:], index):
        entry = row.entry._replace(previous=forged[-1].hash if forged else GENESIS)
        if place == index:
            entry = entry._replace(actor="mallory")
        if entry.number:
            entry = entry._replace(own_previous=own[entry.organization][1])
        forged.append(stored(entry, key))
        if entry.number:
            own[entry.organization] = (entry.number, forged[-1].hash)
    return forged


@pytest.mark.parametrize("index", [0, 4, 20, 39])
def test_a_log_computed_anew_fits_itself_but_neither_key_nor_checkpoint(index: int) -> None:
    forged = recomputed(CHAIN, index, b"k" * 32)
    assert verify(forged).ok  # consistent in itself: only what is kept outside the database tells
    assert f"Entry {index + 1} " in verify(forged, key=KEY).problem
    assert "not the one of the checkpoint" in verify(forged, known=KNOWN).problem


def test_a_fitting_entry_at_the_end_is_named_by_its_seal() -> None:
    last = CHAIN[-1].entry
    more = last._replace(seq=last.seq + 1, previous=CHAIN[-1].hash, number=last.number + 1, own_previous=CHAIN[-1].hash)
    for key in (None, b"k" * 32):
        told = checked([*CHAIN, stored(more, key)]).problem
        assert told == f"Entry {more.seq} (post.edited) was not written by this installation."


def test_an_entry_cannot_go_back_to_having_no_number() -> None:
    last = CHAIN[-1].entry
    more = last._replace(seq=last.seq + 1, previous=CHAIN[-1].hash, number=0, own_previous="")
    assert "of organization" in checked([*CHAIN, stored(more)]).problem


def tamper(chance: random.Random) -> tuple[str, Rows, dict[tuple[str, int], str]]:
    """One thing an insider may do: to the rows, or to the checkpoint."""
    rows, index, expected = list(CHAIN), chance.randrange(len(CHAIN)), dict(KNOWN)
    ways: dict[str, Callable[[], Rows]] = {
        "edit": lambda: edited(rows, index, chance.choice(FIELDS), "leave"),
        "refit": lambda: edited(rows, index, chance.choice(FIELDS), "refit"),
        "reseal": lambda: edited(rows, index, chance.choice(FIELDS), "reseal"),
        "delete": lambda: rows[:index] + rows[index + 1 :],
        "swap": lambda: _swapped(rows, index, (index + 1 + chance.randrange(len(rows) - 1)) % len(rows)),
        "cut": lambda: rows[:index],
        "double": lambda: [*rows[:index], rows[index], *rows[index:]],
        "insert": lambda: recomputed([*rows[: index + 1], *rows[index:]], index, chance.choice([None, b"k" * 32])),
        "recompute": lambda: recomputed(rows, index, chance.choice([None, b"k" * 32])),
        "mac": lambda: [*rows[:index], rows[index]._replace(mac=rows[index - 1].mac), *rows[index + 1 :]],
        "checkpoint": lambda: rows,
    }
    kind = chance.choice(list(ways))
    if kind == "checkpoint":
        at = chance.choice(list(expected))
        expected[at] = chance.choice([row.hash for row in rows if row.hash != expected[at]])
    return kind, ways[kind](), expected


def _swapped(rows: Rows, one: int, other: int) -> Rows:
    rows[one], rows[other] = rows[other], rows[one]
    return rows


def test_a_thousand_random_tamperings_are_all_found_and_named() -> None:
    chance = random.Random(7)
    kinds: dict[str, int] = {}
    for _ in range(1000):
        kind, rows, expected = tamper(chance)
        verdict = checked(rows, expected)
        assert not verdict.ok, kind
        assert "ntry" in verdict.problem
        kinds[kind] = kinds.get(kind, 0) + 1
    assert len(kinds) == 11
    assert sum(kinds.values()) == 1000


class TestKeeper:
    def test_a_key_is_final_only_after_something_was_written_with_it(self, tmp_path: Path) -> None:
        keeper = Keeper(tmp_path / "keys")
        assert keeper.find() is None
        key = keeper.make()
        keeper.settle()
        assert not keeper.path.exists()  # whoever made it cannot know yet whether that was committed
        again = Keeper(tmp_path / "keys")
        assert again.find() == key
        again.settle()
        assert keeper.path.stat().st_mode & 0o777 == 0o600
        assert Keeper(tmp_path / "keys").find() == key

    @pytest.mark.parametrize(("data", "mode", "says"), [(b"k" * 32, 0o644, "chmod 600"), (b"k", 0o600, "32 bytes")])
    def test_a_key_others_can_read_or_cut_short_is_refused(
        self, tmp_path: Path, data: bytes, mode: int, says: str
    ) -> None:
        (tmp_path / "audit.key").write_bytes(data)
        (tmp_path / "audit.key").chmod(mode)
        with pytest.raises(Refused, match=says):
            Keeper(tmp_path).find()

    def test_without_a_key_nothing_is_genuine(self) -> None:
        assert genuine(KEY, CHAIN[3])
        assert not genuine(None, CHAIN[3])
        assert not genuine(KEY, CHAIN[3]._replace(mac=""))
