"""The clock sees to the certificates before they end."""

from datetime import timedelta

from cryptography import x509

from avatar_scheduler.marks import chain
from avatar_scheduler.services import certificates
from tests.world import World


def leaf(world: World) -> x509.Certificate:
    pem = (world.settings.keys / "credentials" / "signer.pem").read_bytes()
    return x509.load_pem_x509_certificates(pem)[0]


def test_our_own_is_renewed_before_it_ends(world: World) -> None:
    before = leaf(world)
    assert certificates.watch(world.settings, world.now) == []
    assert leaf(world) == before
    assert certificates.watch(world.settings, before.not_valid_after_utc - timedelta(days=20)) == []
    assert leaf(world).serial_number != before.serial_number


def test_an_organizations_own_is_named_when_it_nears_its_end(world: World) -> None:
    own = world.settings.keys / "credentials" / world.ada.organization_id
    chain.make_chain(own, "Studio", world.now)
    ends = world.now + chain.LEAF_LIFE
    [line] = certificates.watch(world.settings, ends - timedelta(days=3))
    assert str(own) in line
    assert "in 2 days" in line or "in 3 days" in line
    (own / "signer.pem").unlink()
    [line] = certificates.watch(world.settings, world.now)
    assert "signer.pem" in line
