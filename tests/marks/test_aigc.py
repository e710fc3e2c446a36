import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import av
import pytest

from avatar_scheduler.domain.disclosure import Evidence, Mark
from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.marks import aigc, containers, credentials, digest, mp4_keys, source_types, xmp
from tests.marks.test_xmp import media, picture
from tests.peers import exiftool

__all__ = ["media"]

Copy = Callable[[Path], Path]
PRODUCER = 'Studio Ada <&"> 工作室'


def mark(path: Path) -> Path:
    aigc.write(path, producer=PRODUCER, produce_id="0a1b2c3d")
    return path


def tag(**changed: str | None) -> str:
    whole = dict.fromkeys(aigc.KEYS, "") | {"Label": "1", "ContentProducer": "A", "ProduceID": "7"} | changed
    return json.dumps({key: value for key, value in whole.items() if value is not None})


def put(path: Path, text: str) -> None:
    """As another tool would."""
    xmp.put(path, aigc.PROPERTY, text)
    if path.suffix == ".mp4":
        mp4_keys.write(path, {aigc.KEY: text})


def reason(evidence: Evidence) -> str:
    assert not evidence.ok
    return evidence.summary


class TestWrite:
    def test_it_reads_back_and_the_picture_is_untouched(self, media: Path) -> None:
        before = picture(media)
        assert aigc.read(media) is None
        mark(media)
        assert aigc.read(media) == {
            "Label": "1",
            "ContentProducer": PRODUCER,
            "ProduceID": "0a1b2c3d",
            "ReservedCode1": "",
            "ContentPropagator": "",
            "PropagateID": "",
            "ReservedCode2": "",
        }
        assert picture(media) == before

    def test_exiftool_reads_both_marks_in_every_kind_of_file(self, media: Path) -> None:
        xmp.write(media, source_types.TRAINED)
        mark(media)
        found = exiftool.read(media, "AIGC", "DigitalSourceType")
        assert found["XMP-iptcExt:DigitalSourceType"] == source_types.TRAINED
        assert json.loads(found["XMP-TC260:Aigc"]) == aigc.read(media)
        if media.suffix == ".mp4":
            assert json.loads(found["Keys:AIGC"]) == aigc.read(media)

    def test_the_player_reads_it_in_a_film(self, labelled: Path, copy: Copy) -> None:
        path = mark(copy(labelled))
        with av.open(path) as container:
            assert json.loads(container.metadata["AIGC"]) == aigc.read(path)

    def test_a_second_write_replaces_the_first(self, media: Path) -> None:
        mark(media)
        aigc.write(media, producer="B", produce_id="8", propagator="C", propagate_id="9")
        said = aigc.read(media)
        assert said is not None
        assert [said[key] for key in ("ProduceID", "ContentPropagator", "PropagateID")] == ["8", "C", "9"]

    def test_it_stays_beside_the_source_type_and_under_the_signature(
        self, media: Path, folder: Path, now: datetime
    ) -> None:
        mark(media)
        xmp.write(media, source_types.TRAINED)
        signed = media.with_name(f"signed{media.suffix}")
        credentials.sign(media, signed, folder=folder, title="post", software="0.1.0", when=now)
        root = credentials.read_root(folder)
        assert all(e.ok for e in (aigc.measure(signed), xmp.measure(signed), credentials.measure(signed, root)))
        aigc.write(signed, producer="Somebody else", produce_id="1")
        assert not credentials.measure(signed, root).ok

    @pytest.mark.parametrize(("producer", "produce_id"), [("", "7"), ("A", "")])
    def test_it_names_somebody_and_something(self, media: Path, producer: str, produce_id: str) -> None:
        with pytest.raises(Invalid, match="needs a producer and an id"):
            aigc.write(media, producer=producer, produce_id=produce_id)


class TestMeasure:
    def test_the_tag_is_the_mark(self, media: Path) -> None:
        evidence = aigc.measure(mark(media))
        assert evidence.ok
        assert evidence.mark is Mark.aigc
        assert evidence.subject == digest.of_file(media)
        assert evidence.measured == {"id": "0a1b2c3d"}

    def test_silence_is_not_the_mark(self, media: Path) -> None:
        assert reason(aigc.measure(media)) == "No AIGC tag in the file."

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            (tag(Label="2"), "does not say"),
            (tag(Label=""), "does not say"),
            (tag(ContentProducer=""), "no producer"),
            (tag(ProduceID=""), "no id"),
            (tag(ReservedCode2=None), "seven keys"),
            (tag(More="x"), "seven keys"),
            ("[]", "seven keys"),
            (tag().replace('"1"', "1"), "seven keys"),
            ("made by AI", "no JSON"),
            ("[" * 20_000, "no JSON"),
        ],
    )
    def test_another_tag_is_not_the_mark(self, media: Path, text: str, words: str) -> None:
        put(media, text)
        assert words in reason(aigc.measure(media))

    def test_one_place_of_two_is_half_a_mark(self, labelled: Path, copy: Copy) -> None:
        path = copy(labelled)
        xmp.put(path, aigc.PROPERTY, tag())
        assert "one of its two places" in reason(aigc.measure(path))
        mark(path)
        xmp.put(path, aigc.PROPERTY, tag())
        assert "differ" in reason(aigc.measure(path))

    def test_what_cannot_be_read_is_not_the_mark(self, media: Path, tmp_path: Path) -> None:
        mark(media)
        cut = 400 if media.suffix == ".jpg" else media.stat().st_size - 10
        media.write_bytes(media.read_bytes()[:cut])
        assert "damaged or cut short" in reason(aigc.measure(media))
        assert "No such file" in reason(aigc.measure(tmp_path / "nowhere.mp4"))


def film(path: Path, source: Path, options: dict[str, str], metadata: dict[str, str] | None = None) -> Path:
    """The same pictures in another arrangement of the container."""
    with av.open(source) as old, av.open(path, "w", options=options) as new:
        new.metadata.update(metadata or {})
        stream = new.add_stream_from_template(old.streams.video[0])
        for packet in old.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                new.mux(packet)
    return path


class TestKeysOfAFilm:
    @pytest.mark.parametrize(
        "flags", ["+faststart", "-faststart", "+use_metadata_tags", "+faststart+use_metadata_tags"]
    )
    def test_wherever_its_index_stands_every_picture_is_found(self, labelled: Path, tmp_path: Path, flags: str) -> None:
        media = film(tmp_path / "film.mp4", labelled, {"movflags": flags}, {"title": "Onions"})
        before = picture(media)
        mp4_keys.write(media, {"AIGC": "one", "Other": "zwei ü"})
        assert mp4_keys.read(media).items() >= {"AIGC": "one", "Other": "zwei ü"}.items()
        assert picture(media) == before
        with av.open(media) as container:
            assert container.metadata["AIGC"] == "one"
            assert (container.metadata["title"], container.metadata["Other"]) == ("Onions", "zwei ü")
            assert sum(1 for _ in container.decode(video=0)) == 150
        mp4_keys.write(media, {"AIGC": "two"})
        assert mp4_keys.read(media).items() >= {"AIGC": "two", "Other": "zwei ü"}.items()
        assert picture(media) == before

    def test_offsets_of_64_bits_move_too(self, labelled: Path, copy: Copy) -> None:
        media = film(copy(labelled).with_name("film.mp4"), labelled, {"movflags": "faststart"})
        before = picture(media)
        widen(media)
        assert picture(media) == before
        mp4_keys.write(media, {"AIGC": "one"})
        assert picture(media) == before

    def test_a_film_in_fragments_is_refused(self, labelled: Path, tmp_path: Path) -> None:
        media = film(tmp_path / "film.mp4", labelled, {"movflags": "frag_keyframe+empty_moov"})
        with pytest.raises(Invalid, match="fragments"):
            mp4_keys.write(media, {"AIGC": "one"})

    def test_a_damaged_index_is_refused_and_the_file_left_alone(self, labelled: Path, copy: Copy) -> None:
        media = copy(labelled)
        data = bytearray(media.read_bytes())
        data[data.index(b"trak") - 4 : data.index(b"trak")] = b"\xff\xff\xff\xff"
        media.write_bytes(data)
        with pytest.raises(Invalid, match="index is damaged"):
            mp4_keys.write(media, {"AIGC": "one"})
        assert media.read_bytes() == data

    def test_a_file_without_an_index_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "a.mp4").write_bytes(b"\0\0\0\x10ftypisom\0\0\0\0")
        with pytest.raises(Invalid, match="no index"):
            mp4_keys.read(tmp_path / "a.mp4")


def widen(media: Path) -> None:
    """Replaces the one table of 32-bit chunk offsets by one of 64 bits, in a film whose index comes first."""
    boxes = {box.name: box for box in containers.Mp4().boxes(media)}
    data = media.read_bytes()
    at = data.index(b"stco") - 4
    size, count = int.from_bytes(data[at : at + 4]), int.from_bytes(data[at + 12 : at + 16])
    grown = count * 4
    offsets = [int.from_bytes(data[at + 16 + 4 * n : at + 20 + 4 * n]) + grown for n in range(count)]
    table = (size + grown).to_bytes(4) + b"co64" + data[at + 8 : at + 16] + b"".join(o.to_bytes(8) for o in offsets)
    fresh = bytearray(data[:at] + table + data[at + size :])
    for name in (b"moov", b"trak", b"mdia", b"minf", b"stbl"):
        start = data.index(name, boxes[b"moov"].at) - 4
        fresh[start : start + 4] = (int.from_bytes(data[start : start + 4]) + grown).to_bytes(4)
    media.write_bytes(fresh)
