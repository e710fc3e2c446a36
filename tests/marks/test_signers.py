import os
import shutil
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from PIL import Image

from avatar_scheduler.domain.errors import Refused
from avatar_scheduler.marks import chain, credentials, signers, source_types, xmp
from tests.marks.operators import YEAR, Operator, key_pem
from tests.marks.test_credentials import second_opinion

ORGANIZATION = "0198c0de-0000-7000-8000-000000000001"
INSTALL = "On Debian as root: apt-get update && apt-get install softhsm2 opensc openssl"
TOKEN_LIBRARY = "/usr/lib/softhsm/libsofthsm2.so"


@pytest.fixture
def keys(tmp_path: Path, now: datetime) -> Path:
    chain.make_chain(tmp_path / "keys", "Studio Ada", now)
    return tmp_path / "keys"


@pytest.fixture
def operator(keys: Path, now: datetime) -> Operator:
    return Operator.at(keys / ORGANIZATION, now)


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "post.jpg"
    Image.linear_gradient("L").convert("RGB").save(path)
    xmp.write(path, source_types.TRAINED)
    return path


def sign(picture: Path, keys: Path, now: datetime, organization: str = ORGANIZATION) -> Path:
    target = picture.with_name("signed.jpg")
    credentials.sign(
        picture, target, folder=keys, title="post.jpg", software="0.1.0", when=now, organization=organization
    )
    return target


def program(name: str) -> str:
    found = shutil.which(name)
    assert found, INSTALL
    return found


class TestPlace:
    def test_an_organization_without_a_folder_signs_with_the_installations_chain(self, keys: Path) -> None:
        assert signers.place(keys, ORGANIZATION) == keys

    def test_its_own_folder_goes_first(self, keys: Path, operator: Operator) -> None:
        assert signers.place(keys, ORGANIZATION) == operator.folder

    @pytest.mark.parametrize("odd", ["", ".", "..", "../keys", "/", "a/../..", f"{ORGANIZATION}/.."])
    def test_no_id_leads_elsewhere(self, keys: Path, operator: Operator, odd: str) -> None:
        assert signers.place(keys, odd) == keys


class TestAKeyHandedIn:
    @pytest.mark.parametrize("curve", [ec.SECP256R1(), ec.SECP384R1()], ids=["P-256", "P-384"])
    def test_it_signs_for_its_organization_and_both_readers_agree(
        self, keys: Path, operator: Operator, picture: Path, now: datetime, curve: ec.EllipticCurve
    ) -> None:
        operator.hand_in(ec.generate_private_key(curve))
        signed, root = sign(picture, keys, now), signers.read_root(keys, ORGANIZATION)
        assert credentials.report(signed, root).signer == "Agency Grace"
        assert credentials.measure(signed, root).ok
        assert second_opinion(signed, root) == ("valid", "match", "Trusted")
        assert credentials.measure(signed, signers.read_root(keys)).summary == "Signed by somebody else."

    def test_the_others_still_sign_with_the_installations_chain(
        self, keys: Path, operator: Operator, picture: Path, now: datetime
    ) -> None:
        operator.hand_in()
        signed = sign(picture, keys, now, "0198c0de-0000-7000-8000-000000000002")
        assert credentials.report(signed, signers.read_root(keys)).signer == "Studio Ada"

    def test_a_page_for_everybody_knows_all_roots(
        self, keys: Path, operator: Operator, picture: Path, now: datetime
    ) -> None:
        operator.hand_in()
        both = [sign(picture, keys, now, organization).read_bytes() for organization in (ORGANIZATION, "")]
        for number, data in enumerate(both):
            (path := picture.with_name(f"{number}.jpg")).write_bytes(data)
            assert credentials.measure(path, signers.roots(keys)).ok

    def test_what_was_signed_before_it_still_holds(self, keys: Path, picture: Path, now: datetime) -> None:
        signed = sign(picture, keys, now)
        Operator.at(keys / ORGANIZATION, now).hand_in()
        assert credentials.measure(signed, signers.read_root(keys, ORGANIZATION)).ok

    def test_what_it_signed_names_its_provider(
        self, keys: Path, operator: Operator, picture: Path, now: datetime
    ) -> None:
        operator.hand_in()
        assert signers.open_signer(keys, now, ORGANIZATION).provider == "Agency Grace"


class TestACommand:
    """The form for tokens and key services."""

    def test_a_real_token_signs_and_its_key_is_nowhere_on_disk(
        self, keys: Path, operator: Operator, picture: Path, now: datetime, tmp_path: Path
    ) -> None:
        tokens, settings = tmp_path / "tokens", tmp_path / "softhsm2.conf"
        tokens.mkdir()
        settings.write_text(f"directories.tokendir = {tokens}\nobjectstore.backend = file\nlog.level = ERROR\n")
        environment = os.environ | {"SOFTHSM2_CONF": str(settings)}
        tool = [program("pkcs11-tool"), "--module", TOKEN_LIBRARY, "--token-label", "grace", "--pin", "1234"]
        for command in (
            [
                program("softhsm2-util"),
                "--init-token",
                "--free",
                "--label",
                "grace",
                "--pin",
                "1234",
                "--so-pin",
                "5678",
            ],
            [*tool, "--keypairgen", "--key-type", "EC:prime256v1", "--id", "01", "--sensitive"],
            [*tool, "--read-object", "--type", "pubkey", "--id", "01", "-o", str(tmp_path / "public.der")],
        ):
            subprocess.run(command, env=environment, check=True, capture_output=True, timeout=60)
        public = serialization.load_der_public_key((tmp_path / "public.der").read_bytes())
        assert isinstance(public, ec.EllipticCurvePublicKey)
        ask = [*tool, "--sign", "--mechanism", "ECDSA", "--id", "01"]
        more = f"input = 'digest'\n[environment]\nSOFTHSM2_CONF = '{settings}'"
        operator.command(ask, operator.certify(public), more)

        signed, root = sign(picture, keys, now), signers.read_root(keys, ORGANIZATION)

        assert credentials.measure(signed, root).ok
        assert second_opinion(signed, root) == ("valid", "match", "Trusted")
        assert {path.name for path in operator.folder.iterdir()} == {"root.pem", "chain.pem", "signer.toml"}
        assert not any(b"PRIVATE KEY" in path.read_bytes() for path in operator.folder.iterdir())

    @pytest.mark.parametrize(("curve", "hash_name"), [(ec.SECP256R1(), "sha256"), (ec.SECP384R1(), "sha384")])
    def test_one_that_takes_the_bytes_and_answers_der(
        self, keys: Path, operator: Operator, picture: Path, now: datetime, tmp_path: Path, curve: ec.EllipticCurve,
        hash_name: str,
    ) -> None:  # fmt: skip
        key = ec.generate_private_key(curve)
        (tmp_path / "elsewhere.pem").write_bytes(key_pem(key))
        command = [program("openssl"), "dgst", f"-{hash_name}", "-sign", str(tmp_path / "elsewhere.pem")]
        operator.command(command, operator.certify(key.public_key()))
        assert credentials.measure(sign(picture, keys, now), signers.read_root(keys, ORGANIZATION)).ok

    def test_one_with_another_key_signs_nothing(
        self, keys: Path, operator: Operator, picture: Path, now: datetime, tmp_path: Path
    ) -> None:
        key, other = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
        (tmp_path / "elsewhere.pem").write_bytes(key_pem(other))
        command = [program("openssl"), "dgst", "-sha256", "-sign", str(tmp_path / "elsewhere.pem")]
        operator.command(command, operator.certify(key.public_key()))
        with pytest.raises(Refused, match="no signature of the key in the certificate"):
            sign(picture, keys, now)
        assert sorted(path.name for path in tmp_path.iterdir()) == ["elsewhere.pem", "keys", "post.jpg"]

    @pytest.mark.parametrize(
        ("code", "words"),
        [
            ("import time; time.sleep(20)", "did not answer within 1 seconds"),
            ("import sys; sys.exit('the token is locked')", "failed: the token is locked"),
            ("print('x' * 100)", "no signature of the key"),
            ("import sys; sys.stdout.buffer.write(bytes(64))", "no signature of the key"),
            ("", "no signature of the key"),
        ],
    )
    def test_what_goes_wrong_is_said_and_nothing_is_kept(
        self, keys: Path, operator: Operator, picture: Path, now: datetime, code: str, words: str
    ) -> None:
        chain_pem = operator.certify(ec.generate_private_key(ec.SECP256R1()).public_key())
        operator.command([sys.executable, "-c", code], chain_pem, "seconds = 1" if "sleep" in code else "")
        with pytest.raises(Refused, match=words):
            sign(picture, keys, now)
        assert sorted(path.name for path in picture.parent.iterdir()) == ["keys", "post.jpg"]

    def test_one_that_is_not_there_is_named(self, keys: Path, operator: Operator, picture: Path, now: datetime) -> None:
        chain_pem = operator.certify(ec.generate_private_key(ec.SECP256R1()).public_key())
        operator.command(["no-such-tool"], chain_pem)
        with pytest.raises(Refused, match="no-such-tool cannot be started: No such file"):
            sign(picture, keys, now)

    @pytest.mark.parametrize(
        "told",
        [
            "command = 'openssl'",
            "command = []",
            "chain = 'chain.pem'",
            "command = ['x']\ninput = 'hash'",
            "command = ['x']\nseconds = 600",
            "command = ['x']\nsecond = 6",
            "command = ['x']\nchain = 7",
            "command = ['x']\n[environment]\nA = 7",
            "not toml",
        ],
    )
    def test_settings_nobody_thought_of_are_refused(
        self, keys: Path, operator: Operator, now: datetime, told: str
    ) -> None:
        operator.command(["x"], b"").write_text(told)
        with pytest.raises(Refused, match=r"signer\.toml (must say|cannot be read)"):
            signers.open_signer(keys, now, ORGANIZATION)

    def test_a_command_others_may_change_is_not_run(self, keys: Path, operator: Operator, now: datetime) -> None:
        operator.command(["x"], b"").chmod(0o666)
        with pytest.raises(Refused, match="can be changed by others"):
            signers.open_signer(keys, now, ORGANIZATION)


class TestOpenSigner:
    def test_a_missing_chain_is_refused(self, tmp_path: Path, now: datetime) -> None:
        with pytest.raises(Refused, match="No signing certificate") as refused:
            signers.open_signer(tmp_path / "keys", now)
        assert refused.value.code == "chain_missing"

    def test_an_expired_leaf_is_refused_with_its_day(self, keys: Path, now: datetime) -> None:
        ends = (now + timedelta(days=730)).date()
        with pytest.raises(Refused, match=f"ended on {ends}") as refused:
            signers.open_signer(keys, now + timedelta(days=731))
        assert refused.value.code == "chain_expired"

    def test_a_clock_that_runs_behind_is_refused(self, keys: Path, now: datetime) -> None:
        with pytest.raises(Refused, match="clock"):
            signers.open_signer(keys, now - timedelta(days=2))

    def test_an_organizations_broken_signer_is_not_replaced_by_another(
        self, keys: Path, operator: Operator, now: datetime
    ) -> None:
        with pytest.raises(Refused, match="No signing certificate"):
            signers.open_signer(keys, now, ORGANIZATION)

    def test_a_root_must_be_there(self, keys: Path, operator: Operator, now: datetime) -> None:
        operator.hand_in()
        (operator.folder / "root.pem").unlink()
        with pytest.raises(Refused, match=r"root\.pem cannot be read"):
            signers.open_signer(keys, now, ORGANIZATION)

    def test_a_root_that_did_not_issue_them_is_refused(self, keys: Path, operator: Operator, now: datetime) -> None:
        operator.hand_in()
        (operator.folder / "root.pem").write_bytes((keys / "root.pem").read_bytes())
        with pytest.raises(Refused, match="do not follow from one another"):
            signers.open_signer(keys, now, ORGANIZATION)

    def test_certificates_in_the_wrong_order_are_refused(self, keys: Path, operator: Operator, now: datetime) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        leaf, issuer = operator.certify(key.public_key()).split(b"-----END CERTIFICATE-----\n", 1)
        path = operator.hand_in(key)
        path.write_bytes(key_pem(key) + issuer + leaf + b"-----END CERTIFICATE-----\n")
        with pytest.raises(Refused, match="do not follow from one another"):
            signers.open_signer(keys, now, ORGANIZATION)

    def test_the_key_must_be_the_certificates(self, keys: Path, operator: Operator, now: datetime) -> None:
        key, other = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
        operator.hand_in(key).write_bytes(key_pem(other) + operator.certify(key.public_key()))
        with pytest.raises(Refused, match="not that of its first certificate"):
            signers.open_signer(keys, now, ORGANIZATION)

    @pytest.mark.parametrize("pem", [b"", b"-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n"])
    def test_what_is_no_certificate_is_said(self, keys: Path, operator: Operator, now: datetime, pem: bytes) -> None:
        operator.hand_in().write_bytes(pem)
        with pytest.raises(Refused, match="cannot be read"):
            signers.open_signer(keys, now, ORGANIZATION)

    def test_a_file_without_its_key_is_said(self, keys: Path, operator: Operator, now: datetime) -> None:
        certificates = operator.certify(ec.generate_private_key(ec.SECP256R1()).public_key())
        operator.hand_in().write_bytes(certificates)
        with pytest.raises(Refused, match="holds no private key"):
            signers.open_signer(keys, now, ORGANIZATION)

    def test_a_curve_nobody_signs_claims_with_is_refused(self, keys: Path, operator: Operator, now: datetime) -> None:
        operator.hand_in(ec.generate_private_key(ec.SECP521R1()))
        with pytest.raises(Refused, match="P-256 or P-384"):
            signers.open_signer(keys, now, ORGANIZATION)

    def test_a_key_others_may_read_is_not_used(self, keys: Path, operator: Operator, now: datetime) -> None:
        operator.hand_in().chmod(0o644)
        with pytest.raises(Refused, match="chmod 600"):
            signers.open_signer(keys, now, ORGANIZATION)


class TestExpiry:
    def test_the_own_chain_is_quiet_while_it_is_renewed(self, keys: Path, now: datetime) -> None:
        found = signers.expiry(keys, now)
        assert (found.day, found.warning) == ((now + timedelta(days=730)).date(), "")

    def test_a_month_before_a_person_is_told(self, keys: Path, operator: Operator, now: datetime) -> None:
        operator.hand_in(life=timedelta(days=40))
        assert not signers.expiry(keys, now, ORGANIZATION).warning
        told = signers.expiry(keys, now + timedelta(days=28), ORGANIZATION).warning
        assert f"{operator.folder} ends on {(now + timedelta(days=40)).date()}, in 1" in told

    def test_an_ended_one_is_told_too(self, keys: Path, operator: Operator, now: datetime) -> None:
        operator.hand_in(life=timedelta(days=40))
        told = signers.expiry(keys, now + YEAR, ORGANIZATION).warning
        assert f"ended on {(now + timedelta(days=40)).date()}" in told

    def test_a_command_is_watched_by_its_chain(self, keys: Path, operator: Operator, now: datetime) -> None:
        public = ec.generate_private_key(ec.SECP256R1()).public_key()
        operator.command(["x"], operator.certify(public, timedelta(days=5)))
        assert "in 4 days" in signers.expiry(keys, now + timedelta(minutes=1), ORGANIZATION).warning


def test_each_signature_is_checked_by_the_certificates_key(keys: Path, now: datetime) -> None:
    signer = signers.open_signer(keys, now)
    key = signer.leaf.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    raw = signer.sign(b"claim")
    der = encode_dss_signature(int.from_bytes(raw[:32]), int.from_bytes(raw[32:]))
    key.verify(der, b"claim", ec.ECDSA(hashes.SHA256()))
    assert x509.load_pem_x509_certificates(signer.chain_pem.encode())[0] == signer.leaf
