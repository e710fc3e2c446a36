import io
from collections.abc import Callable
from pathlib import Path

import av
import pytest
from PIL import Image, PngImagePlugin

from avatar_scheduler.domain.disclosure import Evidence, Mark
from avatar_scheduler.domain.errors import Invalid
from avatar_scheduler.marks import containers, digest, source_types, xmp

OTHER_TOOL = """<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" dc:format="video/mp4"
  xmlns:e="http://iptc.org/std/Iptc4xmpExt/2008-02-29/">{said}</rdf:Description></rdf:RDF></x:xmpmeta>"""
ENTITY = (
    f'<!DOCTYPE x [<!ENTITY word "{source_types.TRAINED}">]>'
    + OTHER_TOOL.format(said="<e:DigitalSourceType>&word;</e:DigitalSourceType>")
).encode()
CAMERA = "http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture"


@pytest.fixture(params=["mp4", "jpg", "png"])
def media(request: pytest.FixtureRequest, tmp_path: Path, labelled: Path) -> Path:
    path = tmp_path / f"post.{request.param}"
    if request.param == "mp4":
        path.write_bytes(labelled.read_bytes())
    else:
        Image.linear_gradient("L").convert("RGB").save(path)
    return path


def picture(media: Path) -> bytes:
    """The decoded pixels: of an image all, of a video those of ten frames."""
    if media.suffix == ".mp4":
        with av.open(media) as container:
            return b"".join(frame.to_ndarray().tobytes() for frame, _ in zip(container.decode(video=0), range(10)))  # noqa: B905
    with Image.open(media) as image:
        return image.tobytes()


def reason(evidence: Evidence) -> str:
    assert not evidence.ok
    return evidence.summary


class TestWrite:
    def test_it_reads_back_and_the_picture_is_untouched(self, media: Path) -> None:
        before = picture(media)
        assert xmp.read(media) is None
        xmp.write(media, source_types.TRAINED)
        assert xmp.read(media) == source_types.TRAINED
        assert picture(media) == before

    def test_a_second_write_replaces_the_first(self, media: Path) -> None:
        xmp.write(media, source_types.TRAINED)
        size = media.stat().st_size
        xmp.write(media, source_types.COMPOSITE)
        assert xmp.read(media) == source_types.COMPOSITE
        assert media.stat().st_size - size == len(source_types.COMPOSITE) - len(source_types.TRAINED)
        assert len(containers.of(media).packets(media)) == 1

    def test_what_another_tool_said_stays_except_about_the_source(self, media: Path) -> None:
        said = f"<e:DigitalSourceType>{CAMERA}</e:DigitalSourceType><dc:title>Onions</dc:title>"
        containers.of(media).put(media, OTHER_TOOL.format(said=said).encode())
        xmp.write(media, source_types.TRAINED)
        assert xmp.read(media) == source_types.TRAINED
        packet = containers.of(media).packets(media)[0]
        assert b"Onions" in packet
        assert b"video/mp4" in packet
        assert CAMERA.encode() not in packet

    def test_only_words_for_ai_are_written(self, media: Path) -> None:
        with pytest.raises(Invalid, match="does not say"):
            xmp.write(media, CAMERA)

    def test_other_kinds_of_file_are_refused(self, tmp_path: Path) -> None:
        path = tmp_path / "post.mp4"
        path.write_bytes(b"RIFF....WEBPVP8 ")
        with pytest.raises(Invalid, match="not an MP4 video, a JPEG or a PNG"):
            xmp.write(path, source_types.TRAINED)


class TestRead:
    @pytest.mark.parametrize(
        "said",
        [
            f"<e:DigitalSourceType>{source_types.TRAINED}</e:DigitalSourceType>",
            f'<e:DigitalSourceType rdf:resource="{source_types.TRAINED}"/>',
        ],
    )
    def test_the_ways_other_tools_write_it(self, media: Path, said: str) -> None:
        containers.of(media).put(media, OTHER_TOOL.format(said=said).encode())
        assert xmp.read(media) == source_types.TRAINED

    def test_pillow_finds_the_same_packet(self, media: Path) -> None:
        if media.suffix != ".mp4":
            xmp.write(media, source_types.TRAINED)
            with Image.open(media) as image:
                assert source_types.TRAINED.encode() in image.info["xmp"]

    def test_a_packet_that_pillow_wrote_is_found(self, tmp_path: Path) -> None:
        said = f'<e:DigitalSourceType rdf:resource="{source_types.TRAINED}"/>'
        packet = OTHER_TOOL.format(said=said)
        image, text = Image.new("RGB", (8, 8)), PngImagePlugin.PngInfo()
        text.add_itxt("XML:com.adobe.xmp", packet, lang="en")
        image.save(tmp_path / "a.png", pnginfo=text)
        image.save(tmp_path / "a.jpg", xmp=packet.encode())
        assert {xmp.read(tmp_path / name) for name in ("a.png", "a.jpg")} == {source_types.TRAINED}

    def test_an_mp4_box_in_the_middle_is_found_and_retired(self, labelled: Path, tmp_path: Path) -> None:
        tagged = tmp_path / "tagged.mp4"
        tagged.write_bytes(labelled.read_bytes())
        xmp.write(tagged, source_types.TRAINED)
        with tagged.open("ab") as file:
            file.write(b"\0\0\0\x10free" + bytes(8))
        before = picture(tagged)
        xmp.write(tagged, source_types.COMPOSITE)
        assert xmp.read(tagged) == source_types.COMPOSITE
        assert picture(tagged) == before


class TestMeasure:
    @pytest.mark.parametrize("word", sorted(source_types.AI))
    def test_a_word_for_ai_is_the_mark(self, media: Path, word: str) -> None:
        xmp.write(media, word)
        evidence = xmp.measure(media)
        assert evidence.ok
        assert evidence.mark is Mark.xmp
        assert evidence.subject == digest.of_file(media)
        assert evidence.measured == {"source_type": word}

    def test_silence_is_not_the_mark(self, media: Path) -> None:
        assert reason(xmp.measure(media)) == "No source type in the file's XMP."

    @pytest.mark.parametrize("word", [CAMERA, "trainedAlgorithmicMedia", source_types.TRAINED + "s"])
    def test_another_word_is_not_the_mark(self, media: Path, word: str) -> None:
        said = f"<e:DigitalSourceType>{word}</e:DigitalSourceType>"
        containers.of(media).put(media, OTHER_TOOL.format(said=said).encode())
        assert "not AI" in reason(xmp.measure(media))

    def test_two_different_words_are_no_answer(self, media: Path) -> None:
        both = "".join(f"<e:DigitalSourceType>{word}</e:DigitalSourceType>" for word in (source_types.TRAINED, CAMERA))
        containers.of(media).put(media, OTHER_TOOL.format(said=both).encode())
        assert "more than one" in reason(xmp.measure(media))

    @pytest.mark.parametrize("packet", [b"<x", b"", b"<a/>", ENTITY])
    def test_a_broken_packet_is_not_the_mark(self, media: Path, packet: bytes) -> None:
        containers.of(media).put(media, packet)
        assert "XMP" in reason(xmp.measure(media))

    def test_a_truncated_file_is_not_the_mark(self, media: Path) -> None:
        xmp.write(media, source_types.TRAINED)
        cut = 400 if media.suffix == ".jpg" else media.stat().st_size - 10
        media.write_bytes(media.read_bytes()[:cut])
        assert "damaged or cut short" in reason(xmp.measure(media))

    def test_a_missing_file_is_not_the_mark(self, tmp_path: Path) -> None:
        assert "No such file" in reason(xmp.measure(tmp_path / "nowhere.mp4"))


def test_a_packet_too_large_for_a_jpeg_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    image = io.BytesIO()
    Image.new("RGB", (8, 8)).save(image, "JPEG")
    path = tmp_path / "a.jpg"
    path.write_bytes(image.getvalue())
    with pytest.raises(Invalid, match="larger than a JPEG segment"):
        containers.of(path).put(path, bytes(70_000))
    assert path.read_bytes() == image.getvalue()


def test_a_box_size_of_64_bits_is_understood(labelled: Path, copy: Callable[[Path], Path]) -> None:
    media = copy(labelled)
    with media.open("ab") as file:
        file.write(b"\0\0\0\x01free" + (24).to_bytes(8) + bytes(8))
    xmp.write(media, source_types.TRAINED)
    assert xmp.read(media) == source_types.TRAINED
