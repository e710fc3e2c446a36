"""Checkpoints: signed, sent elsewhere, and what an insider does afterwards is found with them."""

import csv
import io
import json
import logging
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from moto.server import ThreadedMotoServer

from avatar_scheduler import signing
from avatar_scheduler.audit import Verdict
from avatar_scheduler.config import Settings
from avatar_scheduler.db import audits
from avatar_scheduler.domain.errors import Forbidden, Refused
from avatar_scheduler.services import audit_export, checkpoint_places, checkpoints
from tests.services import cast
from tests.world import World


def note(world: World, number: int, organization: str = "") -> None:
    with world.write() as session:
        audits.append(
            session, at=world.now, organization=organization or world.ada.organization_id, actor="ada",
            action="test.noted", noun="note", noun_id=f"n{number}", data={"say": "=1+1"},
        )  # fmt: skip


def going_to(world: World, *places: str, **more: Any) -> Settings:
    return world.settings.model_copy(update={"checkpoints": list(places), **more})


def checked(world: World, known: dict[tuple[str, int], str]) -> Verdict:
    with world.read() as session:
        return audits.check(session, None, known)


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    return tmp_path / "elsewhere.jsonl"


class TestFile:
    def test_one_of_everything_and_one_of_each_organization_when_it_grew(self, world: World, kept: Path) -> None:
        note(world, 1, "other")
        settings = going_to(world, kept.as_uri())
        checkpoints.run(settings, world.now)
        known = checkpoints.read_file(settings, kept)
        assert {"*", "other", world.ada.organization_id} <= {name for name, _ in known}
        assert checked(world, known).ok
        size = kept.stat().st_size
        checkpoints.run(settings, world.now)
        assert kept.stat().st_size == size
        note(world, 2)
        checkpoints.run(settings, world.now)
        assert kept.stat().st_size > size
        assert len(checkpoints.read_file(settings, kept)) == len(known) + 2

    def test_a_tail_cut_or_written_anew_is_found(self, world: World, kept: Path) -> None:
        note(world, 1)
        settings = going_to(world, kept.as_uri())
        checkpoints.run(settings, world.now)
        known = checkpoints.read_file(settings, kept)
        world.sql("DELETE FROM audit WHERE noun_id = 'n1'")
        assert "knows entry" in checked(world, known).problem
        note(world, 2)  # a genuine entry in the place of the one that is gone
        assert "not the one of the checkpoint" in checked(world, known).problem
        with pytest.raises(Refused, match="signed before"):
            checkpoints.run(settings, world.now)
        assert checkpoints.read_file(settings, kept) == known

    def test_a_forged_end_is_not_signed(self, world: World, kept: Path) -> None:
        world.sql("UPDATE audit SET mac = hash WHERE seq = (SELECT max(seq) FROM audit)")
        with pytest.raises(Refused, match="not as this installation wrote it"):
            checkpoints.run(going_to(world, kept.as_uri()), world.now)
        assert not kept.exists()

    @pytest.mark.parametrize("part", ["hash", "number", "organization", "at", "origin", "signature"])
    def test_a_swapped_checkpoint_is_refused(self, world: World, kept: Path, part: str) -> None:
        settings = going_to(world, kept.as_uri())
        checkpoints.run(settings, world.now)
        said = json.loads(kept.read_text().splitlines()[0])
        said[part] = said[part] + 1 if part == "number" else "AAAA"
        kept.write_text(json.dumps(said))
        with pytest.raises(Refused, match="Line 1 is not a checkpoint"):
            checkpoints.read_file(settings, kept)

    def test_two_signed_logs_contradict_each_other(self, world: World, kept: Path) -> None:
        made = [checkpoints.statement(world.settings, "*", 3, digest * 64, world.now) for digest in "ab"]
        kept.write_text("\n".join(made))
        with pytest.raises(Refused, match="contradicts"):
            checkpoints.read_file(world.settings, kept)

    def test_an_approvals_signature_is_no_checkpoint(self, world: World, kept: Path) -> None:
        said = json.loads(checkpoints.statement(world.settings, "*", 1, "a" * 64, world.now))
        rest = {name: value for name, value in said.items() if name != "signature"}
        said["signature"] = signing.sign(world.settings.keys, "approval", json.dumps(rest, sort_keys=True).encode())
        kept.write_text(json.dumps(said))
        with pytest.raises(Refused, match="not a checkpoint"):
            checkpoints.read_file(world.settings, kept)

    def test_a_place_that_fails_gets_everything_later_and_stops_no_other(
        self, world: World, kept: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        away = tmp_path / "not-mounted" / "log.jsonl"
        settings = going_to(world, away.as_uri(), "ftp://nobody", kept.as_uri())
        with caplog.at_level(logging.ERROR):
            checkpoints.run(settings, world.now)
            note(world, 1)
            checkpoints.run(settings, world.now)
        assert "not-mounted" in caplog.text
        assert "no place for checkpoints" in caplog.text
        away.parent.mkdir()
        checkpoints.run(settings, world.now)
        assert away.read_text() == kept.read_text()

    def test_while_another_clock_signs_this_one_does_not(self, world: World, kept: Path) -> None:
        with checkpoints._alone(world.settings) as first:
            assert first
            checkpoints.run(going_to(world, kept.as_uri()), world.now)
        assert not kept.exists()


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, Any]]:
    """A real S3 server on loopback, and a client of its own maker to look into it."""
    import boto3  # type: ignore[import-untyped]

    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = ThreadedMotoServer("127.0.0.1", port, verbose=False)
    server.start()
    url = f"http://127.0.0.1:{port}"
    for name, value in {"AWS_ENDPOINT_URL": url, "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "s3cret",
                        "AWS_DEFAULT_REGION": "eu-west-3"}.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    client = boto3.client("s3", endpoint_url=url, region_name="eu-west-3")
    client.create_bucket(Bucket="logs", CreateBucketConfiguration={"LocationConstraint": "eu-west-3"})
    yield url, client
    for found in client.list_objects_v2(Bucket="logs").get("Contents", []):
        client.delete_object(Bucket="logs", Key=found["Key"])
    client.delete_bucket(Bucket="logs")
    server.stop()


class TestBucket:
    def test_one_object_for_each_checkpoint(self, world: World, bucket: tuple[str, Any], kept: Path) -> None:
        url, client = bucket
        host = urlsplit(url).hostname
        settings = going_to(world, "s3://logs/of studio", kept.as_uri(), allow_hosts={host: ["127.0.0.0/8"]})
        checkpoints.run(settings, world.now)
        note(world, 1)
        checkpoints.run(settings, world.now)
        keys = [found["Key"] for found in client.list_objects_v2(Bucket="logs")["Contents"]]
        assert all(key.startswith("of studio/") for key in keys)
        lines = [client.get_object(Bucket="logs", Key=key)["Body"].read().decode() for key in keys]
        assert sorted(lines) == sorted(kept.read_text().splitlines(keepends=True))
        assert checked(world, checkpoints.read(signing.public_pem(settings.keys, "checkpoint"), lines)).ok

    def test_a_private_server_nobody_allowed_gets_nothing(
        self, world: World, bucket: tuple[str, Any], caplog: pytest.LogCaptureFixture
    ) -> None:
        checkpoints.run(going_to(world, "s3://logs/x"), world.now)
        assert "not taken by s3:logs/x" in caplog.text
        assert "Contents" not in bucket[1].list_objects_v2(Bucket="logs")


class TestExport:
    def lines(self, world: World) -> list[str]:
        note(world, 1)
        checkpoints.run(world.settings, world.now)
        note(world, 2)
        with world.read() as session:
            return list(audit_export.lines(session, world.settings, world.ada))

    def test_it_is_checked_without_database_and_key(self, world: World) -> None:
        note(world, 9, "other")
        lines = self.lines(world)
        verdict = audit_export.check(lines)
        assert verdict.ok
        assert verdict.entries == sum('"entry"' in line for line in lines)
        assert "other" not in {json.loads(line).get("entry", {}).get("organization") for line in lines}
        assert sum('"checkpoint"' in line for line in lines) == 1

    @pytest.mark.parametrize("how", ["edit", "drop", "swap", "checkpoint", "text", "empty"])
    def test_whatever_is_done_to_the_file_is_found(self, world: World, how: str) -> None:
        lines = self.lines(world)
        if how == "edit":
            lines[2] = lines[2].replace('"actor": "', '"actor": "x')
        elif how == "drop":
            del lines[2]
        elif how == "swap":
            lines[2], lines[3] = lines[3], lines[2]
        elif how == "checkpoint":
            lines[-1] = lines[-1].replace('"number": ', '"number": 1')
        lines = {"text": ["hello"], "empty": []}.get(how, lines)
        if how in ("edit", "drop", "swap"):
            assert not audit_export.check(lines).ok
        else:
            with pytest.raises(Refused):
                audit_export.check(lines)

    def test_only_those_who_may_see_all_of_it_take_it_along(self, world: World) -> None:
        for role in ("manager", "editor", "creator", "client", "analyst"):
            who = cast.person(world, role)
            with pytest.raises(Forbidden), world.read() as session:
                list(audit_export.lines(session, world.settings, who))

    @pytest.mark.parametrize("text", ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
    def test_no_cell_of_the_table_is_a_formula(self, world: World, text: str) -> None:
        with world.write() as session:
            audits.append(session, at=world.now, organization=world.ada.organization_id, actor=text, action="x",
                          noun="n", noun_id="n1")  # fmt: skip
        with world.read() as session:
            rows = list(csv.reader(io.StringIO("\n".join(audit_export.table(session, world.ada)), newline="")))
        assert rows[0][:4] == ["seq", "at", "organization", "actor"]
        assert rows[-1][3] == f"'{text}"
        assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for row in rows for cell in row)


def test_an_address_with_a_password_is_not_said() -> None:
    assert "geheim" not in checkpoint_places.named("s3://ada:geheim@logs/x")
