import hashlib
import itertools
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from avatar_scheduler.outbound import Outbound
from avatar_scheduler.publishers.base import Account, MediaPart, Parcel
from avatar_scheduler.publishers.bluesky import Bluesky
from tests.peers import pds as peers
from tests.platforms.wire import Wire, wire
from tests.publishers.ruled import required

LINE = "AI avatar of Maya Okafor"
names = itertools.count(1)


@pytest.fixture(scope="session")
def pds() -> Iterator[peers.Pds]:
    with peers.running() as server:
        yield server


@pytest.fixture
def line(pds: peers.Pds) -> Iterator[Wire]:
    with wire(pds.base_url) as made:
        yield made


@pytest.fixture
def maya(pds: peers.Pds) -> peers.Person:
    return pds.create_account(f"maya{next(names)}")


@pytest.fixture
def account(maya: peers.Person, line: Wire) -> Account:
    return account_of(maya, line.base_url)


def account_of(person: peers.Person, endpoint: str) -> Account:
    secrets = {"identifier": person.handle, "password": person.password}
    return Account(f"channel-{person.handle}", "bluesky", person.did, endpoint, secrets)


@pytest.fixture
def bluesky() -> Bluesky:
    return Bluesky(Outbound(private_hosts={"127.0.0.1": ["127.0.0.1/32"]}))


@pytest.fixture(scope="session")
def picture(tmp_path_factory: pytest.TempPathFactory) -> MediaPart:
    path = tmp_path_factory.mktemp("media") / "picture.png"
    Image.new("RGB", (320, 200), (200, 30, 90)).save(path)
    return part("image", path, "image/png", 320, 200, 0, "Maya holds a red cup")


@pytest.fixture(scope="session")
def film(tmp_path_factory: pytest.TempPathFactory) -> MediaPart:
    """One second of H.264, about as small as it gets."""
    path = tmp_path_factory.mktemp("media") / "film.mp4"
    with av.open(str(path), "w") as file:
        stream = file.add_stream("libx264", rate=Fraction(10))
        stream.width, stream.height, stream.pix_fmt = 90, 160, "yuv420p"
        for shade in range(10):
            frame = av.VideoFrame.from_ndarray(np.full((240, 90), 25 * shade, np.uint8), format="yuv420p")
            file.mux(stream.encode(frame))
        file.mux(stream.encode())
    return part("video", path, "video/mp4", 90, 160, 1000, "Maya waves")


def part(kind: str, path: Path, mime: str, width: int, height: int, duration_ms: int, alt: str) -> MediaPart:
    data = path.read_bytes()
    sha256 = hashlib.sha256(data).hexdigest()
    return MediaPart(kind, sha256, path, mime, len(data), width, height, duration_ms, alt)


@pytest.fixture
def parcel(picture: MediaPart) -> Parcel:
    number = next(names)
    return Parcel(
        delivery_id=f"delivery-{number}",
        attempt_id="attempt-1",
        manifest_sha256="0" * 64,
        creator_name="Maya Okafor",
        creator_slug="maya",
        title="Sunday",
        caption=f"{LINE}\nGood morning, Lagos! ☀️ More on https://example.org/maya. #sunday",
        disclosure_line=LINE,
        language="en",
        media=(picture,),
        captions_vtt=None,
        poster=None,
        created_at=datetime(2026, 11, 22, 9, 30, 15, 123456, UTC),
        proof_url="https://example.org/proof/1",
        required=required("bluesky", "image"),
    )


@pytest.fixture
def film_parcel(parcel: Parcel, film: MediaPart, tmp_path: Path) -> Parcel:
    captions = tmp_path / "captions.vtt"
    captions.write_text("WEBVTT\n\n00:00.000 --> 00:01.000\nGood morning, Lagos!\n")
    return replace(parcel, media=(film,), captions_vtt=captions)
