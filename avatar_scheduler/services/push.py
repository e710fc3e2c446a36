"""Web Push: encrypted for one browser (RFC 8291), signed as this installation (RFC 8292)."""

import base64
import binascii
import json
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlsplit

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from avatar_scheduler import keyfiles
from avatar_scheduler.config import Settings
from avatar_scheduler.domain.errors import Invalid, Refused
from avatar_scheduler.outbound import Outbound

KEY_NAME = "push"
SECONDS = 15.0
LONGEST = 24 * 3600
"""Seconds a push service may keep a message, and a signature holds."""
MOST_TEXT = 3000
"""Bytes; services take 4096 with the encryption around it."""
_TOPIC = re.compile(r"[A-Za-z0-9_-]{1,32}")


class Gone(Refused):
    """The browser unsubscribed. Nothing reaches it any more."""

    code = "push_gone"


@dataclass(frozen=True)
class Subscription:
    endpoint: str
    p256dh: bytes
    """The browser's public key: an uncompressed point of P-256, 65 bytes."""
    auth: bytes
    """16 bytes."""

    def text(self) -> str:
        keys = {"p256dh": _b64(self.p256dh), "auth": _b64(self.auth)}
        return json.dumps({"endpoint": self.endpoint, "keys": keys})


def read(text: str, settings: Settings) -> Subscription:
    """From what PushSubscription.toJSON() gives. Raises Invalid, or Refused for an address nothing may be sent to."""
    try:
        data = json.loads(text)
        endpoint, keys = data["endpoint"], data["keys"]
        point, auth = _unb64(keys["p256dh"]), _unb64(keys["auth"])
        if not isinstance(endpoint, str) or len(endpoint) > 2048 or len(auth) != 16:
            raise ValueError("shape")
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    except (ValueError, KeyError, TypeError, RecursionError, binascii.Error):
        raise Invalid("This browser’s subscription cannot be read. Turn notices on again.", code="push") from None
    outbound(settings).check(endpoint)
    return Subscription(endpoint, point, auth)


def outbound(settings: Settings) -> Outbound:
    return Outbound(private_hosts=settings.allow_hosts)


def make_key(settings: Settings) -> Path:
    """The private key file, made on the first call and kept ever after: a new one would end every subscription."""
    private, public = (settings.keys / f"{KEY_NAME}.{part}.pem" for part in ("private", "public"))
    if not (private.exists() and public.exists()):
        keyfiles.create(private, public, ec.generate_private_key(ec.SECP256R1()))
    return private


def public_key(settings: Settings) -> str:
    """What the browser asks for as `applicationServerKey`: base64url of the point."""
    return _public_key(make_key(settings))


@lru_cache(maxsize=4)
def _public_key(private: Path) -> str:
    key = keyfiles.load_public(private.with_name(f"{KEY_NAME}.public.pem"))
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise Invalid(f"{private} is not a key for push.")
    return _b64(key.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint))


def send(settings: Settings, to: Subscription, text: str, topic: str, seconds_left: int) -> None:
    """Returns once the push service took it. A message with the same topic replaces one that is still there.

    Raises Gone; Refused when it did not leave or was not taken; OutcomeUnknown when nobody answered.
    """
    if not _TOPIC.fullmatch(topic) or len(text.encode()) > MOST_TEXT:
        raise Invalid("This is too much for one push message.", code="push")
    headers = {
        "Content-Encoding": "aes128gcm",
        "Content-Type": "application/octet-stream",
        "TTL": str(max(0, min(seconds_left, LONGEST))),
        "Urgency": "high",
        "Topic": topic,
        **_signed(settings, to.endpoint),
    }
    reply = outbound(settings).call("POST", to.endpoint, seconds=SECONDS, headers=headers, content=_encrypted(to, text))
    if reply.status in (404, 410):
        raise Gone("This browser does not take notices any more.")
    if not 200 <= reply.status < 300:
        raise Refused(f"The push service answered {reply.status}.", code="push_refused")


def _encrypted(to: Subscription, text: str) -> bytes:
    import http_ece

    once = ec.generate_private_key(ec.SECP256R1())
    sealed: bytes = http_ece.encrypt(
        text.encode(), private_key=once, dh=to.p256dh, auth_secret=to.auth, version="aes128gcm"
    )
    return sealed


def _signed(settings: Settings, endpoint: str) -> dict[str, str]:
    from time import time

    from py_vapid import Vapid02

    origin = urlsplit(endpoint)
    claims = {"aud": f"{origin.scheme}://{origin.netloc}", "exp": int(time()) + LONGEST // 2, "sub": _contact(settings)}
    key = Vapid02.from_pem(make_key(settings).read_bytes())
    headers: dict[str, str] = key.sign(claims)
    return headers


def _contact(settings: Settings) -> str:
    """Whom a push service may write to about us."""
    if settings.base_url.startswith("https://"):
        return settings.base_url
    address = re.search(r"[^\s<>@]+@[^\s<>@]+\.[^\s<>@]+", settings.mail_from)
    return f"mailto:{address[0] if address else 'nobody@example.org'}"


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _unb64(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
