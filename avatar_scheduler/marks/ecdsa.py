"""The two kinds of key that sign claims (ES256, ES384), and their signatures as COSE wants them: r||s."""

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from avatar_scheduler.domain.errors import Refused

HASHES: dict[int, hashes.SHA256 | hashes.SHA384] = {256: hashes.SHA256(), 384: hashes.SHA384()}
"""By size of the curve, in bits."""


def bits(leaf: x509.Certificate) -> int:
    """Raises Refused for a key of any other kind."""
    key = leaf.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey) or key.curve.key_size not in HASHES:
        raise Refused("The signing certificate must be for an ECDSA key on P-256 or P-384.", code="signer")
    return key.curve.key_size


def hash_of(leaf: x509.Certificate) -> hashes.SHA256 | hashes.SHA384:
    return HASHES[bits(leaf)]


def half(leaf: x509.Certificate) -> int:
    """Bytes of r, and of s."""
    return bits(leaf) // 8


def raw(der: bytes, leaf: x509.Certificate) -> bytes:
    return b"".join(number.to_bytes(half(leaf)) for number in decode_dss_signature(der))
