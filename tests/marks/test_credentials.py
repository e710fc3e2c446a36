import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import c2pa
import encypher_c2pa
import pytest
from PIL import Image

from avatar_scheduler.domain.disclosure import Evidence, Mark
from avatar_scheduler.domain.errors import Invalid, Refused
from avatar_scheduler.marks import credentials, digest, reading, signers, source_types, statement, xmp
from tests.marks.test_label import remux

Copy = Callable[[Path], Path]
MARK_ID = "0a1b2c3d"


@dataclass(frozen=True)
class Bound:
    source: Path
    path: Path
    made: credentials.Signed


@pytest.fixture(scope="module")
def root(folder: Path) -> str:
    return credentials.read_root(folder)


@pytest.fixture(scope="module")
def other_root(tmp_path_factory: pytest.TempPathFactory, now: datetime) -> str:
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "chain"
    credentials.make_chain(elsewhere, "Studio Ada", now)
    return credentials.read_root(elsewhere)


def reason(evidence: Evidence) -> str:
    assert not evidence.ok
    return evidence.summary


def flip(path: Path, at: int) -> Path:
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)
    return path


def second_opinion(path: Path, root: str) -> tuple[str, str, str]:
    found = encypher_c2pa.verify(str(path), trust_pem=root, no_default_trust=True, telemetry=False)
    return found["integrity"], found["hard_binding"], found["validation_state"]


class TestMeasure:
    def test_a_file_signed_here_holds(self, signed: Path, root: str) -> None:
        evidence = credentials.measure(signed, root)
        assert evidence.ok
        assert evidence.mark is Mark.credentials
        assert evidence.summary == "signed by Studio Ada, file matches"
        assert evidence.subject == digest.of_file(signed)
        assert evidence.measured == {"state": "trusted", "failures": "", "mark_id": "", "stamped_by": ""}

    def test_an_independent_reader_agrees(self, signed: Path, root: str) -> None:
        assert second_opinion(signed, root) == ("valid", "match", "Trusted")

    def test_one_flipped_byte_of_the_picture_breaks_it(self, signed: Path, root: str, copy: Copy) -> None:
        path = copy(signed)
        flip(path, path.read_bytes().index(b"mdat") + 5000)
        assert reason(credentials.measure(path, root)) == reading.CHANGED
        assert second_opinion(path, root)[1] != "match"

    def test_nothing_can_be_hidden_where_players_do_not_look(self, signed: Path, root: str, copy: Copy) -> None:
        path = copy(signed)
        with path.open("ab") as file:
            file.write(b"\0\0\0\x10free" + b"a secret")
        assert reason(credentials.measure(path, root)) == reading.CHANGED
        assert second_opinion(path, root)[1] != "match"

    def test_a_flipped_byte_of_the_claim_breaks_it(self, signed: Path, root: str, copy: Copy) -> None:
        path = copy(signed)
        flip(path, path.read_bytes().index(b"trainedAlgorithmicMedia"))
        assert reason(credentials.measure(path, root)) == reading.CHANGED

    def test_xmp_edited_after_signing_breaks_it(self, signed: Path, root: str, copy: Copy) -> None:
        path = copy(signed)
        xmp.write(path, source_types.COMPOSITE)
        assert reason(credentials.measure(path, root)) == reading.CHANGED

    def test_a_remux_strips_it(self, signed: Path, root: str, tmp_path: Path) -> None:
        remux(signed, path := tmp_path / "copy.mp4")
        assert reason(credentials.measure(path, root)) == "No Content Credentials in this file."

    def test_an_unsigned_file_has_none(self, labelled: Path, root: str) -> None:
        assert reason(credentials.measure(labelled, root)) == "No Content Credentials in this file."

    def test_another_installation_of_the_same_name_is_somebody_else(self, signed: Path, other_root: str) -> None:
        assert reason(credentials.measure(signed, other_root)) == "Signed by somebody else."
        assert second_opinion(signed, other_root)[2] != "Trusted"

    @pytest.mark.parametrize("nobody", ["", "not a certificate"])
    def test_without_a_root_nobody_is_trusted(self, signed: Path, nobody: str) -> None:
        assert not credentials.measure(signed, nobody).ok

    def test_trust_from_a_list_that_is_not_ours_is_somebody_else(self, signed: Path, root: str) -> None:
        settings = reading.settings("")
        settings["trust"]["trust_anchors"] = root
        context = c2pa.Context(settings=c2pa.Settings.from_dict(settings))
        with c2pa.Reader(signed, context=context) as reader:
            found = reading._judge(json.loads(reader.json()))
        assert (found.state, found.failures) == ("trusted", ())
        assert found.problem == "Signed by somebody else."

    def test_an_intact_manifest_that_does_not_say_ai_is_not_enough(
        self, labelled: Path, root: str, folder: Path, tmp_path: Path, now: datetime
    ) -> None:
        camera = {
            "action": "c2pa.created",
            "digitalSourceType": source_types.TRAINED.replace("trainedAlgorithmicMedia", "digitalCapture"),
        }
        manifest = {"assertions": [{"label": "c2pa.actions.v2", "data": {"actions": [camera]}}]}
        context = credentials._context(signers.open_signer(folder, now), [])
        c2pa.Builder(manifest, context=context).sign_file(labelled, tmp_path / "camera.mp4")
        assert "do not say that this was made by AI" in reason(credentials.measure(tmp_path / "camera.mp4", root))

    @pytest.mark.parametrize("content", [b"", b"garbage" * 1000])
    def test_garbage_says_why(self, root: str, tmp_path: Path, content: bytes) -> None:
        path = tmp_path / "post.mp4"
        path.write_bytes(content)
        assert "cannot be read" in reason(credentials.measure(path, root))

    def test_a_missing_file_says_why(self, root: str, tmp_path: Path) -> None:
        assert "cannot be read" in reason(credentials.measure(tmp_path / "nowhere.mp4", root))

    def test_no_truncation_passes(self, signed: Path, root: str, copy: Copy) -> None:
        whole = signed.read_bytes()
        for size in range(1000, len(whole), len(whole) // 12):
            path = copy(signed)
            path.write_bytes(whole[:size])
            assert not credentials.measure(path, root).ok


class TestSign:
    def test_images_are_signed_too(self, folder: Path, root: str, tmp_path: Path, now: datetime) -> None:
        for kind in ("jpg", "png"):
            poster = tmp_path / f"poster.{kind}"
            Image.linear_gradient("L").convert("RGB").save(poster)
            xmp.write(poster, source_types.TRAINED)
            target = tmp_path / f"signed.{kind}"
            credentials.sign(poster, target, folder=folder, title=target.name, software="0.1.0", when=now)
            assert credentials.measure(target, root).ok
            assert xmp.measure(target).ok

    def test_threads_may_sign_at_once(
        self, labelled: Path, folder: Path, root: str, tmp_path: Path, now: datetime
    ) -> None:
        def sign(number: int) -> bool:
            target = tmp_path / f"{number}.mp4"
            credentials.sign(labelled, target, folder=folder, title="post.mp4", software="0.1.0", when=now)
            return credentials.measure(target, root).ok

        with ThreadPoolExecutor(4) as pool:
            assert all(pool.map(sign, range(8)))

    def test_an_expired_chain_signs_nothing_until_renewed(self, labelled: Path, tmp_path: Path, now: datetime) -> None:
        keys, target = tmp_path / "keys", tmp_path / "signed.mp4"
        credentials.make_chain(keys, "Studio Ada", now - timedelta(days=3 * 365))
        with pytest.raises(Refused, match="ended on"):
            credentials.sign(labelled, target, folder=keys, title="post.mp4", software="0.1.0", when=now)
        assert not target.exists()
        credentials.make_chain(keys, "Studio Ada", now)
        credentials.sign(labelled, target, folder=keys, title="post.mp4", software="0.1.0", when=now)
        assert credentials.measure(target, credentials.read_root(keys)).ok

    def test_a_missing_chain_signs_nothing(self, labelled: Path, tmp_path: Path, now: datetime) -> None:
        with pytest.raises(Refused, match="No signing certificate"):
            credentials.sign(labelled, tmp_path / "x.mp4", folder=tmp_path / "no", title="", software="0", when=now)

    def test_what_is_no_media_is_refused_and_leaves_nothing(self, folder: Path, tmp_path: Path, now: datetime) -> None:
        source = tmp_path / "source.mp4"
        source.write_bytes(b"garbage" * 1000)
        with pytest.raises(Invalid, match=r"source\.mp4 cannot be signed"):
            credentials.sign(source, tmp_path / "x.mp4", folder=folder, title="", software="0", when=now)
        assert list(tmp_path.iterdir()) == [source]


class TestReport:
    def test_it_tells_the_whole_statement(self, signed: Path, root: str, now: datetime) -> None:
        found = credentials.report(signed, root)
        assert (found.state, found.problem, found.failures) == ("trusted", "", ())
        assert (found.signer, found.software) == ("Studio Ada", "avatar-scheduler 0.1.0")
        assert found.when == now.strftime("%Y-%m-%dT%H:%M:%SZ")
        assert found.actions == ("c2pa.created", "c2pa.edited", "c2pa.published")
        assert found.source_types == (source_types.TRAINED, source_types.COMPOSITE)

    def test_it_forbids_training_and_the_signer_vouches_for_it(self, signed: Path, root: str) -> None:
        with c2pa.Reader(signed, context=reading._context(root)) as reader:
            assertions = reader.get_active_manifest()["assertions"]
        denial = next(a for a in assertions if a["label"] == "cawg.training-mining")
        assert {use["use"] for use in denial["data"]["entries"].values()} == {"notAllowed"}
        assert all(a.get("created") for a in assertions)

    def test_without_a_root_the_file_is_intact_and_the_signer_unknown(self, signed: Path) -> None:
        found = credentials.report(signed, None)
        assert (found.state, found.problem) == ("valid", "Signed by somebody else.")
        assert found.failures == ("signingCredential.untrusted",)

    def test_a_file_without_any_is_not_an_error(self, labelled: Path) -> None:
        assert credentials.report(labelled, None).state == "none"

    def test_an_unreadable_file_is(self, tmp_path: Path) -> None:
        (tmp_path / "post.mp4").write_bytes(b"garbage" * 1000)
        with pytest.raises(Invalid, match="cannot be read"):
            credentials.report(tmp_path / "post.mp4", None)

    def test_it_carries_the_four_latent_fields(self, signed: Path, root: str, now: datetime) -> None:
        """California B&P 22757.3(b)."""
        latent = assertion(signed, root, statement.LATENT)
        assert latent["provider"] == "Studio Ada"
        assert (latent["system"], latent["version"]) == ("avatar-scheduler", "0.1.0")
        assert latent["time"] == now.strftime("%Y-%m-%dT%H:%M:%SZ")
        assert UUID(latent["id"].removeprefix("urn:uuid:")).version == 4


def assertion(path: Path, root: str, label: str) -> dict[str, Any]:
    with c2pa.Reader(path, context=reading._context(root)) as reader:
        found = [a["data"] for a in reader.get_active_manifest()["assertions"] if a["label"] == label]
    (data,) = found
    return dict(data)


@pytest.fixture(params=["mp4", "jpg", "png"])
def bound(request: pytest.FixtureRequest, labelled: Path, folder: Path, tmp_path: Path, now: datetime) -> Bound:
    """A signed file that names its watermark, and what signing gave back."""
    source = tmp_path / f"source.{request.param}"
    if request.param == "mp4":
        source.write_bytes(labelled.read_bytes())
    else:
        Image.effect_noise((200, 200), 60).convert("RGB").save(source)
    path = tmp_path / f"post.{request.param}"
    made = credentials.sign(source, path, folder=folder, title="post", software="0.1.0", when=now, mark_id=MARK_ID)
    return Bound(source, path, made)


class TestTheWatermarkItIsBoundTo:
    def test_the_shape_is_the_specifications(self, bound: Bound, root: str) -> None:
        said = assertion(bound.path, root, "c2pa.soft-binding")
        assert said == {"alg": "avatar-scheduler.watermark.1", "blocks": [{"scope": {}, "value": MARK_ID}]}

    def test_the_second_reader_still_agrees(self, bound: Bound, root: str) -> None:
        assert second_opinion(bound.path, root) == ("valid", "match", "Trusted")

    def test_the_right_one_is_asked_for(self, bound: Bound, root: str) -> None:
        evidence = credentials.measure(bound.path, root, mark_id=MARK_ID)
        assert evidence.ok
        assert evidence.measured["mark_id"] == MARK_ID
        other = credentials.measure(bound.path, root, mark_id="ffffffff")
        assert reason(other) == "The Content Credentials name another watermark."

    def test_none_is_another(self, signed: Path, root: str) -> None:
        assert reason(credentials.measure(signed, root, mark_id=MARK_ID)) == (
            "The Content Credentials name another watermark."
        )

    @pytest.mark.parametrize(
        "bindings",
        [
            [("someone.else.1", MARK_ID)],
            [(statement.WATERMARK, MARK_ID), (statement.WATERMARK, "ffffffff")],
        ],
    )
    def test_what_is_not_ours_or_not_one_is_none(self, bindings: list[tuple[str, str]]) -> None:
        data = [{"alg": alg, "blocks": [{"scope": {}, "value": value}]} for alg, value in bindings]
        manifest = {"assertions": [{"label": statement.SOFT_BINDING, "data": each} for each in data]}
        assert reading._mark_id(manifest) == ""


class TestAManifestKeptApart:
    def test_signing_gives_back_what_stands_in_the_file(self, bound: Bound, folder: Path, now: datetime) -> None:
        assert credentials.manifest_of(bound.path) == bound.made.manifest
        assert bound.made.certificate == f"{signers.open_signer(folder, now).leaf.serial_number:x}"
        assert bound.made.timestamped_by == ""

    def test_it_is_read_back_whole_from_many_segments(
        self, folder: Path, root: str, tmp_path: Path, now: datetime
    ) -> None:
        parts = []
        for number in range(12):
            Image.effect_noise((64, 64), 60).convert("RGB").save(plain := tmp_path / f"{number}.jpg")
            part = tmp_path / f"part-{number}.jpg"
            credentials.sign(plain, part, folder=folder, title=part.name, software="0.1.0", when=now)
            parts.append(credentials.Ingredient(part, part.name, "image/jpeg"))
        target = tmp_path / "collage.jpg"
        made = credentials.sign(
            tmp_path / "0.jpg", target, folder=folder, title="collage", software="0.1.0", when=now, placed=parts
        )
        assert len(made.manifest) > 0xFFFF
        assert credentials.manifest_of(target) == made.manifest

    def test_room_left_behind_it_is_not_part_of_it(self, folder: Path, tmp_path: Path, now: datetime) -> None:
        Image.new("RGB", (8, 8)).save(source := tmp_path / "source.png")
        made = credentials.sign(source, source, folder=folder, title="post", software="0.1.0", when=now)
        data = source.read_bytes()
        at = data.index(b"caBX")
        size = int.from_bytes(data[at - 4 : at])
        roomy = (size + 8).to_bytes(4) + data[at : at + 4 + size] + bytes(8) + data[at + 4 + size :]
        source.write_bytes(data[: at - 4] + roomy)
        assert credentials.manifest_of(source) == made.manifest

    def test_a_file_without_any_has_none(self, bound: Bound) -> None:
        assert credentials.manifest_of(bound.source) == b""

    def test_alone_it_tells_whose_it_is(self, bound: Bound, root: str) -> None:
        found = credentials.report_manifest(None, bound.made.manifest, root)
        assert (found.state, found.problem, found.failures) == ("trusted", "", ())
        assert (found.signer, found.mark_id) == ("Studio Ada", MARK_ID)

    def test_alone_it_is_somebody_elses_to_others(self, bound: Bound, other_root: str) -> None:
        for nobody in (other_root, None):
            found = credentials.report_manifest(None, bound.made.manifest, nobody)
            assert (found.state, found.problem) == ("valid", "Signed by somebody else.")

    def test_beside_its_file_it_holds(self, bound: Bound, root: str) -> None:
        sidecar = credentials.report_manifest(bound.path, bound.made.manifest, root)
        assert (sidecar.state, sidecar.problem) == ("trusted", "")

    def test_beside_another_file_it_does_not(self, bound: Bound, root: str) -> None:
        flip(bound.source, -100)
        found = credentials.report_manifest(bound.source, bound.made.manifest, root)
        assert found.problem == reading.CHANGED

    def test_a_flipped_byte_breaks_it(self, bound: Bound, root: str) -> None:
        whole = bound.made.manifest
        for at in (whole.index(b"trainedAlgorithmicMedia"), whole.index(MARK_ID.encode()), whole.index(b"Studio Ada")):
            spoiled = bytearray(whole)
            spoiled[at] ^= 1
            try:
                assert credentials.report_manifest(None, bytes(spoiled), root).problem
            except Invalid:
                continue  # too broken to read is broken enough

    @pytest.mark.parametrize("manifest", [b"", b"rubbish" * 100])
    def test_rubbish_says_so(self, manifest: bytes, root: str) -> None:
        with pytest.raises(Invalid, match="cannot be read"):
            credentials.report_manifest(None, manifest, root)


class TestWhatItWasMadeFrom:
    def test_one_was_opened_and_others_were_placed(
        self, labelled: Path, signed: Path, folder: Path, root: str, tmp_path: Path, now: datetime
    ) -> None:
        Image.linear_gradient("L").convert("RGB").save(portrait := tmp_path / "portrait.png")
        target = tmp_path / "post.mp4"
        credentials.sign(
            labelled, target, folder=folder, title="post.mp4", software="0.1.0", when=now,
            ingredient=credentials.Ingredient(signed, "Film made by Studio X"),
            placed=[credentials.Ingredient(portrait, "Portrait", "image/png")],
        )  # fmt: skip
        assert credentials.report(target, root).actions == (
            "c2pa.opened",
            "c2pa.placed",
            "c2pa.edited",
            "c2pa.published",
        )
        assert credentials.measure(target, root).ok
        assert second_opinion(target, root) == ("valid", "match", "Trusted")
        with c2pa.Reader(target, context=reading._context(root)) as reader:
            ingredients = reader.get_active_manifest()["ingredients"]
        named = {ingredient["title"]: ingredient["relationship"] for ingredient in ingredients}
        assert named == {"Film made by Studio X": "parentOf", "Portrait": "componentOf"}

    def test_an_ingredient_that_cannot_be_read_is_said(
        self, labelled: Path, folder: Path, tmp_path: Path, now: datetime
    ) -> None:
        (tmp_path / "portrait.png").write_bytes(b"rubbish")
        with pytest.raises(Invalid, match="cannot be signed"):
            credentials.sign(
                labelled, tmp_path / "post.mp4", folder=folder, title="post.mp4", software="0.1.0", when=now,
                placed=[credentials.Ingredient(tmp_path / "portrait.png", "Portrait", "image/png")],
            )  # fmt: skip
        assert [path.name for path in tmp_path.iterdir()] == ["portrait.png"]
