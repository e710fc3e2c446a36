"""WebAuthn (Level 3): enrolling, signing in, and answers that are kept with an approval.

A passkey is what the log says it is: `passkey.enrolled` names its public key and its owner, and a row that says
otherwise, or that the log does not know, signs nothing.
"""

import json
import secrets
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from sqlalchemy import CursorResult, delete, update
from sqlmodel import Session, col, select

from avatar_scheduler.config import Settings
from avatar_scheduler.db import audits
from avatar_scheduler.db.tables import Challenge, Member, Passkey
from avatar_scheduler.domain.errors import Conflict, Forbidden, Invalid, NotFound, Refused
from avatar_scheduler.services.people import Person, has_codes

if TYPE_CHECKING:
    from webauthn.helpers.structs import AuthenticationCredential, PublicKeyCredentialDescriptor

CHALLENGE_LIFE = timedelta(minutes=5)
MOST = 20
"""Passkeys of one person."""
MAX_ANSWER = 16 * 1024
"""Characters of an authenticator's answer."""
NAME_LENGTH = 60
ENROL, SIGN_IN = "enrol", "sign_in"
_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_ASK_SECONDS = 120


class Cloned(Refused):
    """The counter went back: two devices hold this key. `record_clone` writes it down once this was rolled back."""

    code = "passkey_cloned"

    def __init__(self, passkey_id: str, counter: int) -> None:
        super().__init__("This passkey may have been copied. Use another one, and revoke it on your account page.")
        self.passkey_id, self.counter = passkey_id, counter


def rp_id(settings: Settings) -> str:
    """The host passkeys are bound to. An address is no valid one (WebAuthn 5.1.3), so on one machine it is its name."""
    host = urlsplit(settings.base_url).hostname or ""
    return "localhost" if host in _LOOPBACK else host


def origin(settings: Settings) -> str:
    """The only one an answer may come from."""
    parts = urlsplit(settings.base_url)
    usual = {"http": 80, "https": 443}.get(parts.scheme)
    return f"{parts.scheme}://{rp_id(settings)}" + (f":{parts.port}" if parts.port not in (None, usual) else "")


def standing(session: Session, member_id: str) -> list[Passkey]:
    """Those not revoked, oldest first."""
    query = select(Passkey).where(Passkey.member_id == member_id, col(Passkey.revoked_at).is_(None))
    return list(session.exec(query.order_by(col(Passkey.created_at))))


def has_any(session: Session, member_id: str) -> bool:
    query = select(Passkey.id).where(Passkey.member_id == member_id, col(Passkey.revoked_at).is_(None))
    return session.exec(query.limit(1)).first() is not None


def enrol_options(session: Session, settings: Settings, who: Person, now: datetime) -> str:
    """JSON for `navigator.credentials.create`; its challenge is good once, for five minutes, for this person."""
    from webauthn import generate_registration_options, options_to_json
    from webauthn.helpers import structs

    member = session.get_one(Member, who.member_id)
    known = standing(session, who.member_id)
    if not who.proven and (known or has_codes(session, who.member_id)):
        # A stolen session must not make itself a key of its own.
        raise Forbidden("Sign in with a passkey or a code first, then add another passkey.", code="prove")
    if len(known) >= MOST:
        raise Conflict(f"You have {MOST} passkeys. Revoke one you do not use any more.", code="too_many")
    return options_to_json(
        generate_registration_options(
            rp_id=rp_id(settings),
            rp_name="Avatar Scheduler",
            user_id=member.id.encode(),
            user_name=member.email,
            user_display_name=member.name,
            challenge=_challenge(session, ENROL, who.member_id, now),
            timeout=_ASK_SECONDS * 1000,
            attestation=structs.AttestationConveyancePreference.NONE,
            authenticator_selection=structs.AuthenticatorSelectionCriteria(
                resident_key=structs.ResidentKeyRequirement.PREFERRED,
                user_verification=structs.UserVerificationRequirement.REQUIRED,
            ),
            exclude_credentials=_descriptors(known),
        )
    )


def enrol(session: Session, settings: Settings, who: Person, answer: str, name: str, now: datetime) -> Passkey:
    """Raises Refused for an answer that was not asked for, comes from elsewhere, or was given without verification."""
    from webauthn import verify_registration_response
    from webauthn.helpers import bytes_to_base64url

    challenge = _take(session, ENROL, who.member_id, _challenge_in(answer), now)
    try:
        made = verify_registration_response(
            credential=answer, expected_challenge=challenge, expected_rp_id=rp_id(settings),
            expected_origin=[origin(settings)], require_user_verification=True,
        )  # fmt: skip
    except _unfit() as why:
        raise _refused() from why
    credential_id = bytes_to_base64url(made.credential_id)
    if session.exec(select(Passkey.id).where(Passkey.credential_id == credential_id)).first():
        raise Conflict("This passkey is here already.", code="passkey_known")
    row = Passkey(
        organization_id=who.organization_id, member_id=who.member_id, credential_id=credential_id,
        public_key=bytes_to_base64url(made.credential_public_key), sign_count=made.sign_count,
        name=_name(name) if name.strip() else "", transports=_transports(answer), created_at=now,
    )  # fmt: skip
    session.add(row)
    session.flush()
    said = {"credential_id": credential_id, "public_key": row.public_key, "member": who.member_id, "name": row.name}
    _note(session, row, who.member_id, "passkey.enrolled", now, said)
    return row


def sign_in_options(session: Session, settings: Settings, now: datetime) -> str:
    """JSON for `navigator.credentials.get` that names nobody: the authenticator knows who it belongs to."""
    return _get_options(settings, _challenge(session, SIGN_IN, "", now), [])


def sign_in(session: Session, settings: Settings, answer: str, now: datetime) -> Member:
    """Whose passkey answered our challenge. Raises Refused, and Cloned when its counter went back."""
    found = _parsed(answer)
    row = session.exec(select(Passkey).where(Passkey.credential_id == found.id)).first()
    challenge = _take(session, SIGN_IN, "", _challenge_in(answer), now)
    member = session.get(Member, row.member_id) if row else None
    handle = found.response.user_handle
    if row is None or member is None or member.disabled_at is not None or handle not in (None, member.id.encode()):
        raise _refused()
    key = check_assertion(session, settings, member.id, answer, challenge, fresh=True)
    key.last_used_at = now
    return member


def request_options(session: Session, settings: Settings, who: Person, challenge: bytes) -> str:
    """JSON for `navigator.credentials.get`, limited to this person's own passkeys. "" when they have none."""
    known = standing(session, who.member_id)
    return _get_options(settings, challenge, _descriptors(known)) if known else ""


def check_assertion(
    session: Session, settings: Settings, member_id: str, assertion: str, challenge: bytes, *, fresh: bool
) -> Passkey:
    """Whether a standing passkey of this person signed exactly these bytes here, after verifying its owner.

    Needs rows, log and nothing else. `fresh`: the answer was given just now, so the counter must have moved, and is
    kept. Raises Refused, with `fresh` also Cloned.
    """
    from webauthn import verify_authentication_response
    from webauthn.helpers import base64url_to_bytes

    answer = _parsed(assertion)
    row = session.exec(select(Passkey).where(Passkey.credential_id == answer.id)).first()
    if row is None or row.member_id != member_id:
        raise _refused()
    _believe(session, row)
    try:
        done = verify_authentication_response(
            credential=answer, expected_challenge=challenge, expected_rp_id=rp_id(settings),
            expected_origin=[origin(settings)], credential_public_key=base64url_to_bytes(row.public_key),
            credential_current_sign_count=0, require_user_verification=True,
        )  # fmt: skip
    except _unfit() as why:
        raise _refused() from why
    if fresh:
        # Synced passkeys always say 0; one that ever counted must go on counting.
        if row.sign_count and done.new_sign_count <= row.sign_count:
            raise Cloned(row.id, done.new_sign_count)
        row.sign_count = done.new_sign_count
    return row


def record_clone(session: Session, cloned: Cloned, now: datetime) -> None:
    """In a transaction of its own: the one that found it was rolled back."""
    row = session.get_one(Passkey, cloned.passkey_id)
    _note(session, row, row.member_id, "passkey.cloned", now, {"counter": str(cloned.counter)})


def rename(session: Session, who: Person, passkey_id: str, name: str, now: datetime) -> None:
    row = _own(session, who, passkey_id)
    row.name = _name(name)
    _note(session, row, who.member_id, "passkey.renamed", now, {"name": row.name})


def revoke(session: Session, who: Person, passkey_id: str, now: datetime) -> None:
    """It signs nothing any more, and what it approved but was not sent yet has to be approved again."""
    row = _own(session, who, passkey_id)
    row.revoked_at = now
    _note(session, row, who.member_id, "passkey.revoked", now, {"revoked": now.isoformat()})


def _believe(session: Session, row: Passkey) -> None:
    """The log against the row."""
    said = audits.said(session, "passkey", row.id)
    logged = (said.get("credential_id"), said.get("public_key"), said.get("member"))
    if logged != (row.credential_id, row.public_key, row.member_id):
        raise Refused("This passkey is not the one that was enrolled. Enrol it again.", code="passkey")
    if row.revoked_at is not None or "revoked" in said:
        raise Refused("This passkey was revoked. Use another one.", code="passkey_revoked")


def _challenge(session: Session, purpose: str, member_id: str, now: datetime) -> bytes:
    from webauthn.helpers import bytes_to_base64url

    session.execute(delete(Challenge).where(col(Challenge.expires_at) <= now))
    value = secrets.token_bytes(32)
    session.add(
        Challenge(
            purpose=purpose, member_id=member_id, value=bytes_to_base64url(value), expires_at=now + CHALLENGE_LIFE
        )
    )
    return value


def _take(session: Session, purpose: str, member_id: str, value: str, now: datetime) -> bytes:
    """Ours, for this purpose and person, not late, and not answered before: taking it and finding it is one step."""
    from webauthn.helpers import base64url_to_bytes

    once = update(Challenge).where(
        col(Challenge.value) == value, col(Challenge.purpose) == purpose, col(Challenge.member_id) == member_id,
        col(Challenge.used_at).is_(None), col(Challenge.expires_at) > now,
    )  # fmt: skip
    result = session.execute(once.values(used_at=now))
    if not isinstance(result, CursorResult) or result.rowcount != 1:
        raise Refused("That took too long, or was answered already. Try again.", code="challenge")
    return base64url_to_bytes(value)


def _challenge_in(answer: str) -> str:
    from webauthn.helpers import base64url_to_bytes

    try:
        return str(json.loads(base64url_to_bytes(json.loads(answer)["response"]["clientDataJSON"]))["challenge"])
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as why:
        raise _refused() from why


def _parsed(assertion: str) -> "AuthenticationCredential":
    from webauthn.helpers import parse_authentication_credential_json

    if len(assertion) > MAX_ANSWER:
        raise _refused()
    try:
        return parse_authentication_credential_json(assertion)
    except _unfit() as why:
        raise _refused() from why


def _unfit() -> tuple[type[Exception], ...]:
    """What the library raises for bytes that are wrong, and for bytes that are not even that."""
    from cbor2 import CBORDecodeError
    from webauthn.helpers.exceptions import WebAuthnException

    return (WebAuthnException, CBORDecodeError, ValueError, TypeError, LookupError, AttributeError, RecursionError)


def _get_options(settings: Settings, challenge: bytes, allowed: "list[PublicKeyCredentialDescriptor]") -> str:
    from webauthn import generate_authentication_options, options_to_json
    from webauthn.helpers.structs import UserVerificationRequirement

    return options_to_json(
        generate_authentication_options(
            rp_id=rp_id(settings), challenge=challenge, timeout=_ASK_SECONDS * 1000, allow_credentials=allowed,
            user_verification=UserVerificationRequirement.REQUIRED,
        )
    )  # fmt: skip


def _descriptors(rows: list[Passkey]) -> "list[PublicKeyCredentialDescriptor]":
    from webauthn.helpers import base64url_to_bytes
    from webauthn.helpers.structs import AuthenticatorTransport, PublicKeyCredentialDescriptor

    return [
        PublicKeyCredentialDescriptor(
            id=base64url_to_bytes(row.credential_id),
            transports=[AuthenticatorTransport(name) for name in json.loads(row.transports)],
        )
        for row in rows
    ]


def _transports(answer: str) -> str:
    from webauthn.helpers.structs import AuthenticatorTransport

    said = json.loads(answer)["response"].get("transports")
    known = {transport.value for transport in AuthenticatorTransport}
    return json.dumps([name for name in said if name in known] if isinstance(said, list) else [])


def _name(name: str) -> str:
    name = " ".join(name.split())
    if not name or len(name) > NAME_LENGTH:
        raise Invalid(f"A name has 1 to {NAME_LENGTH} characters.", code="name")
    return name


def _own(session: Session, who: Person, passkey_id: str) -> Passkey:
    row = session.get(Passkey, passkey_id)
    if row is None or row.member_id != who.member_id or row.revoked_at is not None:
        raise NotFound("There is no such passkey of yours.")
    return row


def _note(session: Session, row: Passkey, actor: str, action: str, now: datetime, data: dict[str, str]) -> None:
    audits.append(
        session, at=now, organization=row.organization_id, actor=actor, action=action, noun="passkey", noun_id=row.id,
        data=data,
    )  # fmt: skip


def _refused() -> Refused:
    return Refused("This passkey does not open this. Use one you enrolled here.", code="passkey")
