import contextlib
import http.client
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import encypher_c2pa
import pytest
from PIL import Image

from avatar_scheduler.domain.errors import Refused
from avatar_scheduler.marks import chain, credentials, reading, signers, source_types, timestamps, xmp
from avatar_scheduler.outbound import Outbound
from tests.marks.operators import Operator
from tests.marks.test_credentials import flip
from tests.peers import tsa

ORGANIZATION = "grace"
OPEN = Outbound(private_hosts={"127.0.0.1": ("127.0.0.0/8",)})
LATER = """
import json, pathlib, sys
from avatar_scheduler.marks import credentials
found = credentials.report(pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3])
print(json.dumps([found.state, found.problem, found.stamped_by]))
"""
SIGN = """
import datetime, pathlib, sys
from avatar_scheduler.marks import credentials
from avatar_scheduler.outbound import Outbound
picture, folder = map(pathlib.Path, sys.argv[1:3])
made = credentials.sign(
    picture, picture.with_name("signed.jpg"), folder=folder, title="post", software="0.1.0",
    when=datetime.datetime.now(datetime.UTC), timestamp_authority=sys.argv[3],
    outbound=Outbound(private_hosts={"127.0.0.1": ["127.0.0.0/8"]}),
)
print(made.timestamped_by)
"""
REVOCATION = "com.encypher.conformance.revocationInformationMissing"


@pytest.fixture
def authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tsa.Authority]:
    with tsa.running(tmp_path_factory.mktemp("tsa")) as running:
        yield running


@dataclass(frozen=True)
class Studio:
    """Its certificate lives for an hour; it believes the authority."""

    folder: Path
    picture: Path
    authority: tsa.Authority
    now: datetime

    @property
    def root(self) -> str:
        return signers.read_root(self.folder, ORGANIZATION)

    @property
    def roots(self) -> str:
        return timestamps.read_roots(self.folder)

    def sign(
        self, url: str | None = None, *, source: Path | None = None, outbound: Outbound = OPEN
    ) -> credentials.Signed:
        return credentials.sign(
            source or self.picture, self.signed, folder=self.folder, title="post", software="0.1.0", when=self.now,
            organization=ORGANIZATION, timestamp_authority=self.authority.url if url is None else url,
            outbound=outbound,
        )  # fmt: skip

    @property
    def signed(self) -> Path:
        return self.picture.with_name("signed.jpg")

    def after_two_days(self, time_roots: str) -> list[str]:
        """What a reader says whose clock stands there."""
        faketime = shutil.which("faketime")
        assert faketime, "On Debian as root: apt-get update && apt-get install faketime"
        command = [faketime, "-f", "+2d", sys.executable, "-c", LATER, str(self.signed), self.root, time_roots]
        done = subprocess.run(command, check=True, capture_output=True, timeout=120)
        return list(json.loads(done.stdout))


@pytest.fixture
def studio(tmp_path: Path, authority: tsa.Authority, now: datetime) -> Studio:
    chain.make_chain(tmp_path / "keys", "Studio Ada", now)
    Operator.at(tmp_path / "keys" / ORGANIZATION, now).hand_in(life=timedelta(hours=1))
    (tmp_path / "keys" / timestamps.ROOTS).write_text(authority.root_pem)
    picture = tmp_path / "post.jpg"
    Image.linear_gradient("L").convert("RGB").save(picture)
    xmp.write(picture, source_types.TRAINED)
    return Studio(tmp_path / "keys", picture, authority, now)


def strictly(path: Path, root: str, time_roots: str, at: datetime | None = None) -> tuple[str, list[str]]:
    """State and failures by the profile of C2PA's conformance programme, as a second reader sees them."""
    when = at.isoformat() if at else None
    found = encypher_c2pa.verify(
        str(path), trust_pem=root, tsa_trust_pem=time_roots or None, no_default_trust=True, telemetry=False,
        strict_conformance=at is None, validation_time=when,
    )  # fmt: skip
    return found["validation_state"], sorted({failure["code"] for failure in found["validation_results"]["failure"]})


class TestAStamp:
    def test_it_says_who_gave_it_and_when(self, studio: Studio) -> None:
        assert studio.sign().timestamped_by == tsa.NAME
        found = credentials.report(studio.signed, studio.root, studio.roots)
        assert (found.state, found.stamped_by, found.problem) == ("trusted", tsa.NAME, "")
        assert abs(datetime.fromisoformat(found.when) - datetime.now(UTC)) < timedelta(minutes=5)
        measured = credentials.measure(studio.signed, studio.root, time_roots=studio.roots).measured
        assert measured["stamped_by"] == tsa.NAME

    def test_with_it_the_signature_outlives_its_certificate(self, studio: Studio) -> None:
        studio.sign()
        assert studio.after_two_days(studio.roots) == ["trusted", "", tsa.NAME]

    def test_without_one_it_does_not(self, studio: Studio) -> None:
        assert studio.sign("").timestamped_by == ""
        assert studio.after_two_days(studio.roots)[1:] == ["The signing certificate has ended.", ""]

    def test_nor_with_one_that_nobody_vouches_for(self, studio: Studio) -> None:
        studio.sign()
        assert studio.after_two_days("")[1:] == ["The signing certificate has ended.", ""]

    def test_it_is_of_these_bytes(self, studio: Studio) -> None:
        studio.sign()
        flip(studio.signed, -2000)
        assert credentials.measure(studio.signed, studio.root, time_roots=studio.roots).summary == reading.CHANGED

    def test_two_signatures_are_two_stamps(self, studio: Studio) -> None:
        studio.sign()
        studio.sign()
        assert len({*studio.authority.asked}) == 2


class TestASecondReader:
    @pytest.fixture(params=["mp4", "jpg", "png"])
    def media(self, request: pytest.FixtureRequest, labelled: Path, studio: Studio) -> Path:
        path = studio.picture.with_name(f"source.{request.param}")
        if request.param == "mp4":
            path.write_bytes(labelled.read_bytes())
        else:
            Image.linear_gradient("L").convert("RGB").save(path)
        xmp.write(path, source_types.TRAINED)
        return path

    def test_by_the_strict_profile_only_revocation_is_missing(self, studio: Studio, media: Path) -> None:
        signed = media.with_name(f"signed.{media.suffix}")
        for url, missing in (
            (None, [REVOCATION]),
            ("", [REVOCATION, "com.encypher.conformance.trustedTimeStampMissing"]),
        ):
            credentials.sign(
                media, signed, folder=studio.folder, title="post", software="0.1.0", when=studio.now,
                mark_id="0a1b2c3d", organization=ORGANIZATION, outbound=OPEN,
                timestamp_authority=studio.authority.url if url is None else url,
            )  # fmt: skip
            assert strictly(signed, studio.root, studio.roots)[1] == missing

    def test_it_too_lets_a_stamped_signature_outlive_its_certificate(self, studio: Studio) -> None:
        later = studio.now + timedelta(days=2)
        studio.sign()
        assert strictly(studio.signed, studio.root, studio.roots, later) == ("Trusted", [])
        studio.sign("")
        state, failures = strictly(studio.signed, studio.root, studio.roots, later)
        assert state != "Trusted"
        assert failures


class TestNoStampNoSignature:
    def refused(self, studio: Studio, url: str | None = None, outbound: Outbound = OPEN) -> str:
        before = studio.picture.read_bytes()
        with pytest.raises(Refused) as refused:
            studio.sign(url, outbound=outbound)
        assert studio.picture.read_bytes() == before
        assert sorted(path.name for path in studio.picture.parent.iterdir()) == ["keys", "post.jpg"]
        return refused.value.message

    def test_nobody_there(self, studio: Studio) -> None:
        said = self.refused(studio, "http://127.0.0.1:9/stamp")
        assert "gave no stamp" in said
        assert "cannot be reached" in said
        assert "Nothing was signed" in said

    def test_an_error(self, studio: Studio) -> None:
        studio.authority.status = 503
        assert "answered 503" in self.refused(studio)

    def test_a_page_of_words(self, studio: Studio) -> None:
        studio.authority.kind, studio.authority.answer = "text/html", b"<h1>Out of order</h1>"
        assert "no stamp" in self.refused(studio)

    @pytest.mark.parametrize("answer", [b"", b"rubbish" * 100, bytes.fromhex("30053003020102")])
    def test_rubbish_and_a_refusal(self, studio: Studio, answer: bytes) -> None:
        studio.authority.answer = answer
        assert "what it sent is no stamp for this signature" in self.refused(studio)

    def test_more_than_any_stamp(self, studio: Studio) -> None:
        studio.authority.answer = bytes(timestamps.ANSWER_BYTES + 1)
        assert "answered with more than" in self.refused(studio)

    def test_the_stamp_of_something_else(self, studio: Studio) -> None:
        studio.sign()
        studio.signed.unlink()
        studio.authority.answer = studio.authority.stamp(studio.authority.asked[0])
        assert "what it sent is no stamp for this signature" in self.refused(studio)

    def test_an_authority_nobody_vouches_for(self, studio: Studio) -> None:
        (studio.folder / timestamps.ROOTS).write_text(studio.root)
        assert "does not lead to those in timestamp-roots.pem" in self.refused(studio)

    def test_no_roots_at_all(self, studio: Studio) -> None:
        (studio.folder / timestamps.ROOTS).unlink()
        assert "timestamp-roots.pem is missing" in self.refused(studio)
        assert not studio.authority.asked

    def test_an_address_the_installation_may_not_call(self, studio: Studio) -> None:
        assert "must be reached over https" in self.refused(studio, outbound=Outbound())
        assert not studio.authority.asked


class TestTheWayThere:
    @pytest.mark.parametrize("others", ["", "elsewhere.example"])
    def test_a_proxy_set_for_others_is_not_asked(self, studio: Studio, others: str) -> None:
        """In a process of its own: c2pa looks at these variables once."""
        proxies = dict.fromkeys(("HTTP_PROXY", "http_proxy", "ALL_PROXY"), "http://127.0.0.1:9")
        environment = os.environ | proxies | dict.fromkeys(("NO_PROXY", "no_proxy"), others)
        command = [sys.executable, "-c", SIGN, str(studio.picture), str(studio.folder), studio.authority.url]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
        assert done.stdout.strip() == tsa.NAME, done.stderr

    @pytest.mark.parametrize(
        ("method", "path", "body"),
        [
            ("POST", "/", b"query"),
            ("POST", "/guess", b"query"),
            ("POST", None, bytes(timestamps.QUERY_BYTES + 1)),
            ("GET", None, b""),
            ("POST", None, None),
        ],
    )
    def test_the_relay_carries_nothing_else(
        self, authority: tsa.Authority, method: str, path: str | None, body: bytes | None
    ) -> None:
        with timestamps.relay(authority.url, OPEN) as relay:
            address = urlsplit(relay.url)
            assert address.hostname == "127.0.0.1"
            line = http.client.HTTPConnection("127.0.0.1", address.port or 0, timeout=10)
            with contextlib.closing(line):
                line.putrequest(method, path or address.path)
                if body is not None:
                    line.putheader("Content-Length", str(len(body)))
                line.endheaders(body)
                assert line.getresponse().status >= 400
        assert not authority.asked

    def test_the_relay_is_gone_afterwards(self, authority: tsa.Authority) -> None:
        with timestamps.relay(authority.url, OPEN) as relay:
            port = urlsplit(relay.url).port or 0
        with pytest.raises(ConnectionRefusedError):
            http.client.HTTPConnection("127.0.0.1", port, timeout=10).connect()
