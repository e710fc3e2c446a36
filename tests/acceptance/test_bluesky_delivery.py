"""A whole delivery to a real Bluesky server: sealed credentials, the gate, one record in the server's own list."""

import json

import pytest

from avatar_scheduler import vault
from avatar_scheduler.db.tables import Channel, Creator, Delivery, Version
from avatar_scheduler.domain.delivery import DeliveryState
from avatar_scheduler.domain.errors import Refused
from avatar_scheduler.domain.version import canonical, sha256
from avatar_scheduler.publishers import publisher
from avatar_scheduler.publishers.base import Account
from avatar_scheduler.publishers.bluesky import Bluesky, record
from avatar_scheduler.services import dispatch, incidents, installation, parcels, settle
from avatar_scheduler.services import publish as publishing
from tests.peers import pds as peers
from tests.platforms.conftest import names, pds
from tests.platforms.wire import LOSE_ANSWER, LOSE_REQUEST, wire
from tests.world import World

__all__ = ["pds"]
pytestmark = [pytest.mark.timeout(600), pytest.mark.xdist_group("pds")]


def connect(world: World, person: peers.Person, endpoint: str) -> Channel:
    world.settings.allow_hosts["127.0.0.1"] = ["127.0.0.1/32"]
    secrets = {"identifier": person.handle, "password": person.password}
    did, _ = publisher("bluesky", world.settings).connect(Account("", "bluesky", person.handle, endpoint, secrets))
    with world.write() as session:
        row = installation.add_channel(session, world.ada, world.maya, "bluesky", did, endpoint, "", world.now)
        sealer = vault.Sealer(world.settings.keys / "vault.public.pem")
        row.sealed = sealer.seal(json.dumps(secrets), vault.Belongs(row.organization_id, row.id, "credentials"))
        session.flush()
        return row


def test_a_video_goes_out_once_with_its_marks(world: World, pds: peers.Pds) -> None:
    person = pds.create_account(f"world{next(names)}")
    channel = connect(world, person, pds.base_url)
    assert person.password not in channel.sealed
    delivery = world.publish(world.approved("reply", channels=("bluesky",)))
    assert delivery.state is DeliveryState.published
    [record] = pds.posts(channel.address)
    value = record["value"]
    assert isinstance(value, dict)
    assert value["text"].startswith("AI-generated avatar video.")
    assert value["labels"]["values"] == [{"val": "ai-generated"}]
    assert value["embed"]["$type"] == "app.bsky.embed.video"


def test_mutation_of_the_record_by_whoever_builds_it_sends_nothing(
    world: World, pds: peers.Pds, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each flag and the line dropped in turn, past the publisher's own look: what clears the request finds it."""
    channel = connect(world, pds.create_account(f"world{next(names)}"), pds.base_url)
    honest = record.post_record
    monkeypatch.setattr(Bluesky, "check", lambda *_: None)
    for name, value in (("labels", None), ("tags", ["onions"]), ("text", "Onions.")):
        delivery = world.approved(channels=("bluesky",))
        with monkeypatch.context() as dropping:
            dropping.setattr(record, "post_record", lambda *given, drop={name: value}: {**honest(*given), **drop})
            failed = world.publish(delivery)
        assert failed.state is DeliveryState.failed
        assert "Kept back, nothing was posted." in failed.reason
    assert pds.posts(channel.address) == []


def test_a_day_later_a_post_without_its_label_is_taken_down(world: World, pds: peers.Pds) -> None:
    person = pds.create_account(f"world{next(names)}")
    channel = connect(world, person, pds.base_url)
    with world.write() as session:
        maya = session.get_one(Creator, world.maya.id)
        installation.set_rules(session, world.ada, maya, None, "auto", world.now)
    delivery = world.publish(world.approved(channels=("bluesky",)))
    [there] = pds.posts(channel.address)
    assert isinstance(there["value"], dict)
    edited = {k: v for k, v in there["value"].items() if k != "labels"}
    signed_in = pds.call(
        "POST",
        "com.atproto.server.createSession",
        body={"identifier": person.handle, "password": person.password},
    ).json()
    body = {
        "repo": channel.address,
        "collection": record.COLLECTION,
        "rkey": str(there["uri"]).rpartition("/")[2],
        "record": edited,
    }
    headers = {"Authorization": f"Bearer {signed_in['accessJwt']}"}
    assert pds.call("POST", "com.atproto.repo.putRecord", body=body, headers=headers).status == 200
    world.later(hours=24)
    settle.run(world.settings, delivery.id, world.clock)
    assert pds.posts(channel.address) == []
    with world.read() as session:
        assert [one.state for one in incidents.open_for(session, world.ada)] == ["taken_down"]


def test_a_lost_answer_is_settled_by_reading_back(world: World, pds: peers.Pds) -> None:
    person = pds.create_account(f"world{next(names)}")
    with wire(pds.base_url) as line:
        channel = connect(world, person, line.base_url)
        delivery = world.approved(channels=("bluesky",))
        world.due(delivery)
        line.next("putRecord", LOSE_ANSWER)
        publishing.run(world.settings, delivery.id, world.clock)
        assert world.again(delivery).state is DeliveryState.unconfirmed
        settled = settle_until(world, delivery)
    assert settled.state is DeliveryState.published
    assert len(pds.posts(channel.address)) == 1


def test_a_lost_request_is_sent_again_only_after_proof(world: World, pds: peers.Pds) -> None:
    person = pds.create_account(f"world{next(names)}")
    with wire(pds.base_url) as line:
        channel = connect(world, person, line.base_url)
        delivery = world.approved(channels=("bluesky",))
        world.due(delivery)
        line.next("putRecord", LOSE_REQUEST)
        publishing.run(world.settings, delivery.id, world.clock)
        assert world.again(delivery).state is DeliveryState.unconfirmed
        assert pds.posts(channel.address) == []
        settled = settle_until(world, delivery)
    assert settled.state is DeliveryState.published
    assert len(pds.posts(channel.address)) == 1


def settle_until(world: World, delivery: Delivery) -> Delivery:
    sweeper = dispatch.Sweeper(world.settings)
    for _ in range(5):
        sweeper.sweep(world.later(seconds=30))
        settle.run(world.settings, delivery.id, world.clock)
        publishing.run(world.settings, delivery.id, world.clock)
    return world.again(delivery)


def test_credentials_of_another_channel_do_not_open(world: World, pds: peers.Pds) -> None:
    one = connect(world, pds.create_account(f"world{next(names)}"), pds.base_url)
    two = connect(world, pds.create_account(f"world{next(names)}"), pds.base_url)
    delivery = world.approved(channels=(f"bluesky:{two.address}",))
    world.sql("UPDATE channel SET sealed = :s WHERE id = :id", s=one.sealed, id=two.id)
    kept = world.publish(delivery)
    assert kept.state is DeliveryState.kept_back
    assert "belong to another channel" in kept.reason
    assert pds.posts(two.address) == []


def test_what_will_not_fit_is_said_before_anybody_reviews(world: World, pds: peers.Pds) -> None:
    connect(world, pds.create_account(f"world{next(names)}"), pds.base_url)
    version = world.version(world.post(channels=("bluesky",), title="word " * 24))
    with world.write() as session:
        row = session.get_one(Version, version.id)
        data = json.loads(row.manifest)
        data["caption"] = f"{data['disclosure_line']}\n\n{'word ' * 100}"
        row.manifest = canonical(data)
        row.sha256 = sha256(row.manifest)
        with pytest.raises(Refused, match="Bluesky does not take this post"):
            parcels.check_fits(session, world.settings, row)
