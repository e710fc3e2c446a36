"""One post's proof in a zip: complete, without secrets, the same every time, and broken by any byte."""

import hashlib
import io
import json
import re
import sys
import zipfile
from pathlib import Path

import pytest
from sqlmodel import select

from avatar_scheduler import signing
from avatar_scheduler.clock import utc_now
from avatar_scheduler.db.tables import Delivery, Post, Version
from avatar_scheduler.domain.disclosure import Mark
from avatar_scheduler.domain.errors import Invalid, NotFound, Refused
from avatar_scheduler.domain.version import canonical
from avatar_scheduler.marks import chain
from avatar_scheduler.services import evidence_check, evidence_pack
from avatar_scheduler.services.evidence_pack import EVIDENCE, INDEX, SIGNATURE
from tests import copies
from tests.world import Film, World

pytestmark = pytest.mark.parametrize("settings", ["sqlite"], indirect=True)


@pytest.fixture
def delivery(world: World, film: Film) -> Delivery:
    made = world.approved()
    with world.read() as session:
        copies.signed(world, session.get_one(Version, made.version_id), film)
    world.post(title="Meanwhile")
    return world.publish(made)


@pytest.fixture
def content(world: World, delivery: Delivery) -> bytes:
    return packed(world, delivery.post_id)


def packed(world: World, post_id: str) -> bytes:
    with world.read() as session:
        return evidence_pack.pack(session, world.settings, world.ada, post_id)


def members(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def written(folder: Path, content: bytes) -> Path:
    path = folder / "pack.zip"
    path.write_bytes(content)
    return path


def resigned(world: World, found: dict[str, bytes]) -> bytes:
    """By somebody who holds the key of packs, but neither of the seals nor of the approvals."""
    index = json.loads(found[INDEX])
    index["files"] = {name: hashlib.sha256(found[name]).hexdigest() for name in found if name not in (INDEX, SIGNATURE)}
    found[INDEX] = canonical(index).encode()
    found[SIGNATURE] = signing.sign(world.settings.keys, EVIDENCE, found[INDEX]).encode()
    return evidence_pack._zipped(found)


def test_it_holds_and_says_what_it_proves(world: World, content: bytes, tmp_path: Path) -> None:
    checked = evidence_check.verify(written(tmp_path, content))
    assert checked.title == "Onions"
    assert any("approved by Ada" in line for line in checked.lines)
    assert any("1 receipts" in line for line in checked.lines)
    assert any(re.search(r"[1-9]\d* of others withheld", line) for line in checked.lines)
    assert {mark.mark for mark in checked.marks} >= {Mark.label, Mark.credentials, Mark.caption_line, Mark.watermark}
    assert all(mark.ok for mark in checked.marks)


def test_two_packs_of_the_same_post_are_the_same_bytes(world: World, delivery: Delivery, content: bytes) -> None:
    world.later(hours=1)
    world.post(title="Another")
    assert packed(world, delivery.post_id) == content


def test_any_flipped_byte_is_named(content: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = members(content)
    for name, whole in found.items():
        changed = bytearray(whole)
        changed[len(changed) // 2] ^= 1
        with pytest.raises(Refused) as refused:
            evidence_check.verify(written(tmp_path, evidence_pack._zipped({**found, name: bytes(changed)})))
        assert name in refused.value.message
    with capsys.disabled():
        sys.stdout.write(f"{len(found)} members, one byte flipped in each: {len(found)} named\n")


def test_a_missing_and_an_added_member_are_named(content: bytes, tmp_path: Path) -> None:
    found = members(content)
    for name in found:
        rest = {kept: whole for kept, whole in found.items() if kept != name}
        with pytest.raises(Refused) as refused:
            evidence_check.verify(written(tmp_path, evidence_pack._zipped(rest)))
        assert name in refused.value.message
    with pytest.raises(Refused, match=r"more\.txt"):
        evidence_check.verify(written(tmp_path, evidence_pack._zipped({**found, "more.txt": b"more"})))


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("version/manifest.json", b"Onions", b"Garlic"),
        ("version/version.json", b'"number": 1', b'"number": 2'),
        ("version/order.json", b"Maya", b"Mina"),
        ("records/approvals.json", b'"decision": "approved"', b'"decision": "rejected"'),
        ("records/receipts.json", b'"attempt_id": "', b'"attempt_id": "0'),
        ("records/attempts.json", b'"manifest_sha256": "', b'"manifest_sha256": "0'),
        ("records/deliveries.json", b'"id": "', b'"id": "0'),
        ("log/entries.json", b"approval.approved", b"approval.rejected"),
        ("log/entries.json", b'"actor": "', b'"actor": "x'),
        ("log/checkpoint.json", b'"hash": "', b'"hash": "0'),
        ("media/video.mp4", b"mdat", b"mdaT"),
        ("credentials/video.c2pa", b"Onions", b"Garlic"),
    ],
)
def test_a_lie_is_named_also_when_the_pack_was_signed_again(
    world: World, content: bytes, tmp_path: Path, name: str, old: bytes, new: bytes
) -> None:
    found = members(content)
    assert old in found[name]
    found[name] = found[name].replace(old, new, 1)
    with pytest.raises(Refused) as refused:
        evidence_check.verify(written(tmp_path, resigned(world, found)))
    assert name in refused.value.message


def test_another_root_than_the_studios_is_found(content: bytes, stills: Film, tmp_path: Path) -> None:
    chain.make_chain(tmp_path / "other", "Somebody Else", utc_now())
    pack = written(tmp_path, content)
    with pytest.raises(Refused, match=r"root\.pem"):
        evidence_check.verify(pack, (tmp_path / "other" / "root.pem").read_text())
    ours = members(content)["credentials/root.pem"].decode()
    assert evidence_check.verify(pack, ours).pinned


def test_no_secret_and_nothing_of_other_posts_is_in_it(world: World, delivery: Delivery, content: bytes) -> None:
    with world.read() as session:
        other = session.exec(select(Post).where(Post.title == "Meanwhile")).one()
    whole = b"".join(members(content).values())
    secrets = [(world.settings.keys / "credentials" / "watermark.key").read_bytes()]
    for path in world.settings.keys.rglob("*.pem"):
        for block in re.findall(rb"-----BEGIN PRIVATE KEY-----(.*?)-----END", path.read_bytes(), re.DOTALL):
            secrets += [line for line in block.splitlines() if line]
    assert len(secrets) >= 5
    assert [secret for secret in secrets if secret in whole] == []
    assert b"PRIVATE KEY" not in whole
    assert other.id.encode() not in whole
    assert b"intent" not in whole


def test_pictures_too(world: World, stills: Film, tmp_path: Path) -> None:
    version = world.version(world.post(form="stills", template=stills.order["text"]), stills)
    copies.signed(world, version, stills)
    world.look(version)
    world.approve(version)
    world.publish(world.delivery(version))
    content = packed(world, version.post_id)
    assert {"media/image1.jpg", "media/image3.jpg", "credentials/image2.c2pa"} <= set(members(content))
    checked = evidence_check.verify(written(tmp_path, content))
    assert all(mark.ok for mark in checked.marks)


def test_of_what_was_never_rendered_there_is_none(world: World) -> None:
    with pytest.raises(NotFound):
        packed(world, world.post().id)


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x03\x04 cut"])
def test_what_is_no_pack(settings: object, tmp_path: Path, content: bytes) -> None:
    with pytest.raises(Invalid):
        evidence_check.verify(written(tmp_path, content))
