from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from stat import S_IMODE
from threading import Barrier

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509.oid import ExtensionOID, NameOID

from avatar_scheduler.domain.errors import Refused
from avatar_scheduler.marks import chain, signers

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    chain.make_chain(tmp_path / "keys", "Studio Ada", NOW)
    return tmp_path / "keys"


def certificates(folder: Path) -> list[x509.Certificate]:
    """Leaf, intermediate, root."""
    signer = signers.open_signer(folder, NOW)
    return x509.load_pem_x509_certificates((signer.chain_pem + signer.root_pem).encode())


class TestMakeChain:
    def test_each_certificate_is_issued_by_the_next(self, folder: Path) -> None:
        leaf, issuer, root = certificates(folder)
        leaf.verify_directly_issued_by(issuer)
        issuer.verify_directly_issued_by(root)
        root.verify_directly_issued_by(root)

    def test_the_leaf_may_sign_claims_and_nothing_else(self, folder: Path) -> None:
        leaf, issuer, root = certificates(folder)
        purposes = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        assert list(purposes) == [chain.CLAIM_SIGNING]
        lengths = [c.extensions.get_extension_for_class(x509.BasicConstraints).value for c in (leaf, issuer, root)]
        assert [(length.ca, length.path_length) for length in lengths] == [(False, None), (True, 0), (True, 1)]
        assert leaf.extensions.get_extension_for_class(x509.KeyUsage).value.digital_signature

    def test_every_certificate_names_the_organization_and_its_keys(self, folder: Path) -> None:
        for certificate in certificates(folder):
            assert certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)[0].value == "Studio Ada"
            oids = {extension.oid for extension in certificate.extensions}
            assert {ExtensionOID.SUBJECT_KEY_IDENTIFIER, ExtensionOID.AUTHORITY_KEY_IDENTIFIER} <= oids

    def test_root_lives_ten_years_and_leaf_two(self, folder: Path) -> None:
        leaf, _, root = certificates(folder)
        assert root.not_valid_after_utc - NOW > timedelta(days=3650)
        assert leaf.not_valid_after_utc - NOW == timedelta(days=730)

    def test_keys_are_for_the_owner_only(self, folder: Path) -> None:
        assert S_IMODE(folder.stat().st_mode) == 0o700
        assert {S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}

    def test_the_roots_key_is_kept_nowhere(self, folder: Path) -> None:
        root = certificates(folder)[2].public_key()
        written = [path.read_bytes() for path in folder.iterdir()]
        keys = [load_pem_private_key(pem, None).public_key() for pem in written if b"PRIVATE KEY" in pem]
        assert len(keys) == 2
        assert root not in keys

    def test_a_second_call_changes_nothing(self, folder: Path) -> None:
        before = {path: path.read_bytes() for path in folder.iterdir()}
        chain.make_chain(folder, "Somebody Else", NOW + timedelta(days=600))
        assert {path: path.read_bytes() for path in folder.iterdir()} == before

    def test_processes_that_start_together_end_up_with_one_chain(self, tmp_path: Path) -> None:
        folder, start = tmp_path / "keys", Barrier(8)

        def make(_: int) -> str:
            start.wait()
            chain.make_chain(folder, "Studio Ada", NOW)
            return signers.read_root(folder)

        with ThreadPoolExecutor(8) as pool:
            assert set(pool.map(make, range(8))) == {signers.read_root(folder)}
        assert list(tmp_path.iterdir()) == [folder]

    def test_a_leaf_near_its_end_is_renewed_under_the_same_root(self, folder: Path) -> None:
        old, root = signers.open_signer(folder, NOW), signers.read_root(folder)
        later = NOW + timedelta(days=710)
        chain.make_chain(folder, "Studio Ada", later)
        fresh = signers.open_signer(folder, later + timedelta(days=700))
        assert fresh.leaf.public_key() != old.leaf.public_key()
        assert fresh.root_pem == root
        leaf, issuer = x509.load_pem_x509_certificates(fresh.chain_pem.encode())
        leaf.verify_directly_issued_by(issuer)

    def test_after_ten_years_a_person_must_decide(self, folder: Path) -> None:
        with pytest.raises(Refused, match="reached their end"):
            chain.make_chain(folder, "Studio Ada", NOW + timedelta(days=3640))

    def test_a_long_organization_name_is_cut_to_what_a_certificate_holds(self, tmp_path: Path) -> None:
        chain.make_chain(tmp_path / "keys", "Ada " * 40, NOW)
        assert signers.open_signer(tmp_path / "keys", NOW)
