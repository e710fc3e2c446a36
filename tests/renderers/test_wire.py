"""What every vendor's answers mean to us, without a vendor."""

import struct
from datetime import UTC, datetime
from pathlib import Path

import pytest

from avatar_scheduler.domain.errors import Invalid, OutcomeUnknown
from avatar_scheduler.outbound import Reply
from avatar_scheduler.renderers.base import Order
from avatar_scheduler.renderers.wire import cut_off, past, said, spoken, wait_of
from tests.vendors.shop import TINY


def box(kind: bytes, length: int) -> bytes:
    return struct.pack(">I4s", length, kind) + bytes(max(0, length - 8))


WHOLE = box(b"ftyp", 16) + box(b"moov", 40) + box(b"mdat", 100)


@pytest.mark.parametrize(
    "data",
    [TINY, WHOLE, WHOLE + box(b"free", 8),
     box(b"ftyp", 16) + box(b"moov", 8) + struct.pack(">I4s", 0, b"mdat") + b"xyz",
     box(b"ftyp", 16) + box(b"moov", 8) + struct.pack(">I4sQ", 1, b"mdat", 20) + b"abcd"],
    ids=["tiny", "whole", "more", "to the end", "64 bit"],
)  # fmt: skip
def test_a_whole_one(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "x").write_bytes(data)
    assert cut_off(tmp_path / "x") == ""


@pytest.mark.parametrize("length", [0, 7, 15, 16, 40, 56, 60, len(WHOLE) - 1])
def test_any_shorter_one_is_noticed(tmp_path: Path, length: int) -> None:
    (tmp_path / "x").write_bytes(WHOLE[:length])
    assert cut_off(tmp_path / "x")


@pytest.mark.parametrize("data", [b"<html>expired</html>", b"{}" * 20, bytes(64), b"\xff" * 64])
def test_what_is_no_film_at_all(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "x").write_bytes(data)
    assert cut_off(tmp_path / "x")


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [({}, 60), ({"retry-after": "12"}, 12), ({"retry-after": "-1"}, 60), ({"retry-after": "1" * 40}, 3600),
     ({"ratelimit-reset": "3"}, 5), ({"retry-after": "²"}, 60)],
)  # fmt: skip
def test_waits_are_ours_to_bound(headers: dict[str, str], seconds: float) -> None:
    assert wait_of(Reply(429, headers, b"")) == seconds


NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("hours", "over"),
    [((13, 11), True), ((13, 12), False), ((11, 13), False), ((11,), False), ((11, 11), False), ((), False),
     ((13, 10, 11), False), ((11, 10, 9), True)],
)  # fmt: skip
def test_only_a_page_from_new_to_old_ends_the_search(hours: tuple[int, ...], over: bool) -> None:
    for made in ([NOON.replace(hour=h).isoformat() for h in hours], [NOON.replace(hour=h).timestamp() for h in hours]):
        assert past([{"at": at} for at in made], "at", NOON) is over


@pytest.mark.parametrize("value", [None, "", "soon", True, 1e300])
def test_an_entry_without_a_date_proves_nothing(value: object) -> None:
    with pytest.raises(OutcomeUnknown):
        past([{"at": value}, {"at": 1}], "at", NOON)


def test_cues_are_taken_out_and_what_only_we_can_show_is_refused() -> None:
    assert spoken("[smile] One [pause 1s] two.\n[look left] Three (1).") == "One two. Three (1)."
    with pytest.raises(Invalid, match=r"Only a built-in avatar can \[clip me\]"):
        spoken("One [clip me] two.")


def test_names_are_said_as_the_creator_says_them() -> None:
    given = dict.fromkeys(Order.__dataclass_fields__, "")
    order = Order(**{**given, "text": "Okafor, Okafor's and Okafors.", "pronunciations": '{"Okafor": "oh CAR for"}'})
    assert said(order) == "oh CAR for, oh CAR for's and Okafors."
