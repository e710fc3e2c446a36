"""Hostile files, each with the reason it must be refused for. Made while the tests run: none is in the repository."""

import gzip
import io
import lzma
import random
import stat
import struct
import tarfile
import wave
import zipfile
import zlib
from collections.abc import Iterator
from typing import NamedTuple

import av
from PIL import Image

from tests.uploads import good


class Case(NamedTuple):
    name: str
    kind: str
    filename: str
    data: bytes
    code: str
    words: str
    """Of the message: a reason, not just a no."""


HTML = b"<html><body onload=alert(1)><script>fetch('http://127.0.0.1:%d/html')</script></body></html>"


def every(port: int) -> list[Case]:
    """`port` is of a server on this machine that nothing here may ever reach."""
    return [*two_faces(port), *bombs(), *pictures(port), *sounds(), *films(port), *packs(), *lies(), *strangers()]


def two_faces(port: int) -> Iterator[Case]:
    archive, page = _zip({"a.txt": b"hidden"}), HTML % port
    for name, kind, filename, data, words in (
        ("jpeg+zip", "image", "a.jpg", good.picture("JPEG") + archive, "a JPEG picture and a ZIP archive at once"),
        ("jpeg+zip+php", "image", "a.jpg", good.picture("JPEG") + archive + b"<?php echo 1;", "a script at once"),
        ("jpeg+zip+tail", "image", "a.jpg", good.picture("JPEG") + archive + bytes(99), "and a ZIP archive at once"),
        ("png+html", "image", "a.png", good.picture("PNG") + page, "a PNG picture and an HTML page at once"),
        ("webp+pdf", "image", "a.webp", good.picture("WEBP") + b"%PDF-1.7\n%%EOF", "a WebP picture and a PDF document"),
        ("jpeg comment html", "image", "a.jpg", good.picture("JPEG", comment=page), "a JPEG picture and an HTML page"),
        ("wav+html", "audio", "a.wav", good.sound("wav", "pcm_s16le") + page, "a WAV sound and an HTML page"),
        ("mp4+html", "clip", "a.mp4", good.clip() + _box(b"free", page), "an MP4 or MOV film and an HTML page"),
        ("mp4+zip", "clip", "a.mp4", good.clip() + archive, "an MP4 or MOV film and a ZIP archive"),
    ):
        yield Case(name, kind, filename, data, "upload_two_faces", words)
    yield Case("gif+html", "image", "a.gif", b"GIF89a/*" + page, "upload_type", "a GIF picture")


def bombs() -> Iterator[Case]:
    flat = good.picture("PNG", Image.new("L", (8192, 8192)))
    yield Case("png 8192", "image", "a.png", flat, "upload_pixels", "8192x8192")
    yield Case("png 50000", "photo", "a.png", _png(50_000, 50_000), "upload_pixels", "50000x50000")
    yield Case("png 1x2^31", "image", "a.png", _png(2**31 - 1, 20), "upload_pixels", "2147483647x20")
    yield Case("jpeg 65500", "photo", "a.jpg", _jpeg_size(65_500, 65_500), "upload_pixels", "65500x65500")
    yield Case("webp 16384", "image", "a.webp", _webp(0, 16_384, 16_384), "upload_pixels", "16384x16384")
    frames = b"".join(_chunk4(b"ANMF", bytes(24)) for _ in range(100_000))
    yield Case("webp 100000 frames", "image", "a.webp", _webp(2, 64, 64, frames), "upload_animated", "moves")
    text = _png(64, 64, _chunk(b"zTXt", b"note\0\0" + zlib.compress(bytes(20 << 20))))
    yield Case("png text bomb", "image", "a.png", text, "upload_damaged", "damaged")
    profile = _png(64, 64, _chunk(b"iCCP", b"icc\0\0" + zlib.compress(bytes(20 << 20))))
    yield Case("png profile bomb", "image", "a.png", profile, "upload_damaged", "damaged")
    exif = _png(64, 64, _chunk(b"eXIf", b"II*\0" + bytes(2 << 20)))
    yield Case("huge exif", "photo", "a.png", exif, "upload_metadata", "more than 1 MB of metadata")
    pack = good.pack(**{"huge.svg": bytes(60 << 20)})
    yield Case("zip bomb", "pack", "a.zip", pack, "pack", "unpacks to over 200 times its size")
    yield Case("gzip bomb", "pack", "a.zip", gzip.compress(bytes(50 << 20)), "upload_type", "a gzip archive")
    film = good.clip(size=(8192, 8192), frames=1, sound_codec="")
    yield Case("film 8192", "clip", "a.mp4", film, "upload_pixels", "8192x8192")


def pictures(port: int) -> Iterator[Case]:
    jpeg, png, webp = (good.picture(kind) for kind in ("JPEG", "PNG", "WEBP"))
    still = good.scene(64, 64)
    moving = {"save_all": True, "append_images": [Image.new("RGB", (64, 64), colour) for colour in ("red", "blue")]}
    yield Case("animated png", "image", "a.png", good.picture("PNG", still, **moving), "upload_animated", "moves")
    yield Case("animated webp", "image", "a.webp", good.picture("WEBP", still, **moving), "upload_animated", "moves")
    for name, data in (("jpeg", jpeg), ("png", png), ("webp", webp)):
        yield Case(f"half a {name}", "image", f"a.{name}", data[: len(data) // 2], "upload_damaged", "cut off")
    yield Case("jpeg head only", "image", "a.jpg", jpeg[:3], "upload_damaged", "damaged")
    yield Case(
        "png with a broken sum", "image", "a.png", _flip(png, png.index(b"IDAT") + 9), "upload_damaged", "damaged"
    )
    yield Case(
        "png of noise", "image", "a.png", png[:33] + random.Random(1).randbytes(9000), "upload_damaged", "damaged"
    )
    yield Case("one pixel", "photo", "a.png", good.picture("PNG", Image.new("RGB", (1, 1))), "upload_small", "1x1")
    entity = (
        f'<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY x SYSTEM "http://127.0.0.1:{port}/svg">]>'
        '<svg xmlns="http://www.w3.org/2000/svg"><text>&x;</text></svg>'
    ).encode()
    yield Case("svg entity", "image", "a.svg", entity, "upload_type", "an SVG drawing")
    yield Case("svg script", "image", "a.png", b"<svg onload='alert(1)'/>", "upload_type", "an SVG drawing")
    gif = b"GIF89a" + bytes(7) + (b"!\xf9\x04" + bytes(5) + b"," + bytes(9) + b"\x02\x00") * 100_000
    yield Case("gif 100000 frames", "image", "a.gif", gif, "upload_type", "a GIF picture")
    magick = f"push graphic-context\nimage over 0,0 0,0 'http://127.0.0.1:{port}/mvg'\n".encode()
    yield Case("drawing commands", "image", "a.jpg", magick, "upload_type", "a text")


def sounds() -> Iterator[Case]:
    yield Case("no samples", "audio", "a.wav", _wav(1, 48_000, 0), "upload_silent", "no sound")
    yield Case("flac without samples", "audio", "a.flac", _empty_flac(), "upload_silent", "no sound")
    yield Case("96 kHz, 8 channels", "audio", "a.wav", _wav(8, 96_000, 9600), "upload_channels", "8 channels")
    yield Case("384 kHz", "music", "a.wav", _wav(1, 384_000, 38_400), "upload_rate", "384000 samples")
    yield Case("eleven minutes", "music", "a.wav", _wav(1, 8_000, 8_000 * 660), "upload_long", "10 minutes")
    noise = random.Random(2).randbytes(20_000)
    yield Case("noise as mp3", "audio", "a.mp3", b"ID3\x04\0\0\0\0\0\0" + noise, "upload_damaged", "damaged")
    yield Case("noise as ogg", "audio", "a.ogg", b"OggS" + noise, "upload_damaged", "damaged")
    odd = good.sound("wav", "adpcm_ms", channels=1)
    yield Case("odd codec", "audio", "a.wav", odd, "upload_codec", "adpcm_ms")
    yield Case("film as recording", "audio", "a.mp4", good.clip(), "upload_type", "This is a film")
    yield Case(
        "playlist as song", "music", "a.mp3", b"#EXTM3U\nhttp://127.0.0.1/a.mp3\n", "upload_type", "an HLS playlist"
    )


def films(port: int) -> Iterator[Case]:
    address = f"http://127.0.0.1:{port}"
    hls = f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{address}/hls.ts\n#EXT-X-ENDLIST\n".encode()
    yield Case("hls as mp4", "clip", "a.mp4", hls, "upload_type", "an HLS playlist")
    concat = f"ffconcat version 1.0\nfile '{address}/concat.mp4'\nfile subfile,,start,0,end,64,,:/etc/passwd\n".encode()
    yield Case("concat script", "clip", "a.mp4", concat, "upload_type", "an FFmpeg script")
    yield Case("subfile address", "clip", "a.mp4", b"subfile,,start,0,end,64,,:/etc/passwd", "upload_type", "a text")
    dash = f"<MPD><Period><BaseURL>{address}/dash</BaseURL></Period></MPD>".encode()
    yield Case("dash", "clip", "a.mp4", dash, "upload_type", "a DASH playlist")
    sdp = b"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\nm=video %d RTP/AVP 96\r\n" % port
    yield Case("sdp", "clip", "a.mp4", sdp, "upload_type", "an SDP description")
    hidden = _box(b"ftyp", b"isom\0\0\0\0") + hls
    yield Case("hls behind an mp4 head", "clip", "a.mp4", hidden, "upload_damaged", "damaged")
    whole = good.clip()
    yield Case("half an mp4", "clip", "a.mp4", whole[: len(whole) // 2], "upload_damaged", "cut off")
    yield Case("100 streams", "clip", "a.mp4", _many_streams(100), "upload_streams", "streams; 16 is the most")
    yield Case("two films", "clip", "a.mp4", good.clip(films=2, sound_codec=""), "upload_streams", "2 films")
    yield Case("no film", "clip", "a.m4a", good.sound("mp4", "aac"), "upload_streams", "0 films")
    yield Case("a year long", "clip", "a.mp4", _timed(whole, timescale=1), "upload_long", "3 minutes")
    yield Case("says 30 years", "clip", "a.webm", _lasting(1e12), "upload_long", "3 minutes")
    yield Case("240 frames a second", "clip", "a.mp4", good.clip(rate=240, frames=120), "upload_frames", "240 frames")
    yield Case("sound in 8 channels", "clip", "a.mkv",
               good.clip("matroska", sound_codec="pcm_s16le", channels=8), "upload_channels", "8 channels")  # fmt: skip
    yield Case("magicyuv", "clip", "a.mov", _magicyuv(), "upload_codec", "magicyuv")
    yield Case("mpeg4", "clip", "a.mp4", good.clip(codec="mpeg4"), "upload_codec", "mpeg4")
    yield Case("avi as mp4", "clip", "a.mp4", good.clip("avi", "mpeg4", "", frames=2), "upload_type", "an AVI film")
    noise = b"\x1a\x45\xdf\xa3" + random.Random(3).randbytes(20_000)
    yield Case("noise as webm", "clip", "a.webm", noise, "upload_damaged", "damaged")


def packs() -> Iterator[Case]:
    yield Case("up and out", "pack", "a.zip", good.pack(**{"../../evil.svg": b"<svg/>"}), "invalid", "not a file name")
    yield Case("absolute", "pack", "a.zip", good.pack(**{"/etc/passwd": b"x"}), "invalid", "not a file name")
    yield Case("a link", "pack", "a.zip", _zip({"mouth_a.svg": b"/etc/passwd"}, mode=stat.S_IFLNK), "pack", "is a link")
    yield Case("a zip in a zip", "pack", "a.zip", _zip({"avatar.zip": good.pack()}), "invalid", "avatar.toml")
    many = _zip({f"{number}.svg": b"" for number in range(5000)})
    yield Case("5000 entries", "pack", "a.zip", many, "invalid", "5000 entries")
    yield Case("a torn zip", "pack", "a.zip", good.pack()[:-200], "invalid", "zip file that can be opened")
    script = good.pack(**{"body.svg": b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'})
    yield Case("script in a layer", "pack", "a.zip", script, "pack", "body.svg")
    yield Case("no pack at all", "pack", "a.zip", _zip({"notes.txt": b"hello"}), "invalid", "avatar.toml")


def lies() -> Iterator[Case]:
    jpeg, film = good.picture("JPEG"), good.clip()
    yield Case("picture called mp4", "image", "a.mp4", jpeg, "upload_name_lies", "ends in .mp4, but the file is a JPEG")
    yield Case("jpeg called png", "image", "a.png", jpeg, "upload_name_lies", "ends in .png, but the file is a JPEG")
    yield Case("wav called mp3", "audio", "a.mp3", good.sound("wav", "pcm_s16le"), "upload_name_lies", "is a WAV sound")
    yield Case("picture called html", "photo", "a.html", jpeg, "upload_name_lies", "ends in .html")
    yield Case("picture called svg", "image", "a.jpg.svg", jpeg, "upload_name_lies", "ends in .svg")
    yield Case("odd ending", "image", "a.\x1b[2Jexe", jpeg, "upload_name_lies", "ends in .[2jexe")
    yield Case("film called jpg", "clip", "a.jpg", film, "upload_name_lies", "ends in .jpg")
    yield Case("film as picture", "image", "a.png", film, "upload_type", "an MP4 or MOV film")
    yield Case("pack as picture", "photo", "a.png", good.pack(), "upload_type", "a ZIP archive")
    yield Case("empty", "image", "a.png", b"", "upload_empty", "empty")


def strangers() -> Iterator[Case]:
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("a"))
    small = good.scene(32, 32)
    for name, data in (
        ("a TIFF picture", good.picture("TIFF", small)),
        ("a BMP picture", good.picture("BMP", small)),
        ("an AVIF picture", good.picture("AVIF", small)),
        ("a HEIC picture", _box(b"ftyp", b"heic\0\0\0\0mif1")),
        ("a Photoshop file", b"8BPS\0\1" + bytes(40)),
        ("a PDF document", b"%PDF-1.7\n1 0 obj"),
        ("a PostScript file", b"%!PS-Adobe-3.0 EPSF-3.0\n"),
        ("an xz archive", lzma.compress(b"x")),
        ("a tar archive", tar.getvalue()),
        ("a program", b"\x7fELF" + bytes(60)),
        ("a script", b"#!/bin/sh\nrm -rf /\n"),
        ("an HTML page", b"<!DOCTYPE html><title>x</title>"),
        ("an XML document", b'<?xml version="1.0"?><a/>'),
        ("a text", b'{"json": true}'),
        ("of no kind we know", bytes(range(256))),
    ):
        yield Case(name, "image", "a.png", data, "upload_type", f"The file is {name}. For image, bring")


def _zip(files: dict[str, bytes], mode: int = stat.S_IFREG) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            entry = zipfile.ZipInfo(name)
            entry.external_attr = (mode | 0o644) << 16
            archive.writestr(entry, data)
    return out.getvalue()


def _box(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body) + 8) + name + body


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def _png(width: int, height: int, more: bytes = b"") -> bytes:
    head = _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + more + _chunk(b"IDAT", zlib.compress(bytes(1000))) + _chunk(b"IEND", b"")


def _jpeg_size(width: int, height: int) -> bytes:
    data = bytearray(good.picture("JPEG"))
    at = data.index(b"\xff\xc0") + 5
    data[at : at + 4] = struct.pack(">HH", height, width)
    return bytes(data)


def _chunk4(name: bytes, body: bytes) -> bytes:
    return name + struct.pack("<I", len(body)) + body


def _webp(flags: int, width: int, height: int, more: bytes = b"") -> bytes:
    size = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    body = b"WEBP" + _chunk4(b"VP8X", bytes([flags, 0, 0, 0]) + size) + more
    return _chunk4(b"RIFF", body)


def _flip(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 0xFF]) + data[at + 1 :]


def _wav(channels: int, rate: int, samples: int) -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as sound:
        sound.setnchannels(channels)
        sound.setsampwidth(1)
        sound.setframerate(rate)
        sound.writeframes(bytes([128]) * samples * channels)
    return out.getvalue()


def _empty_flac() -> bytes:
    out = io.BytesIO()
    with av.open(out, "w", format="flac") as film:
        stream = film.add_stream("flac", rate=48_000, layout="mono")
        film.start_encoding()
        film.mux(stream.encode(None))
    return out.getvalue()


def _magicyuv() -> bytes:
    """What CVE-2026-8461 came in: a codec hardly anybody needs, in a container everybody opens."""
    return good.clip("mov", "mjpeg", "", pixels="yuvj420p", frames=2).replace(b"jpeg", b"M8RG")


def _many_streams(count: int) -> bytes:
    out = io.BytesIO()
    with av.open(out, "w", format="mp4") as film:
        streams = [film.add_stream("aac", rate=48_000, layout="mono") for _ in range(count)]
        for stream in streams:
            frame = good.tone(0.02, 48_000)
            for part in av.AudioResampler("fltp", "mono", 48_000).resample(frame):
                film.mux(stream.encode(part))
            film.mux(stream.encode(None))
    return out.getvalue()


def _timed(film: bytes, timescale: int) -> bytes:
    """The header of the film and of every track in it count time in other units."""
    data = bytearray(film)
    for name in (b"mvhd", b"mdhd"):
        at = data.find(name)
        while at >= 0:
            data[at + 16 : at + 20] = struct.pack(">I", timescale)
            at = data.find(name, at + 4)
    return bytes(data)


def _lasting(milliseconds: float) -> bytes:
    data = good.clip("webm", "libvpx-vp9", "libopus")
    at = data.index(b"\x44\x89\x88") + 3
    return data[:at] + struct.pack(">d", milliseconds) + data[at + 8 :]
