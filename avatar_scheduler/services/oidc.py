"""OpenID Connect: an organization's own sign-in. Code flow with PKCE (RFC 7636), state, nonce and `iss` (RFC 9207).

A provider speaks for one domain of e-mail addresses, and makes new members of the lowest role. It never becomes a
member who is here already: those link it themselves, signed in, from their own page.
"""

import base64
import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from sqlalchemy import CursorResult, update
from sqlmodel import Session, col, select

from avatar_scheduler.config import Settings
from avatar_scheduler.db import audits
from avatar_scheduler.db.tables import Identity, IdentityProvider, Member, OidcVisit
from avatar_scheduler.domain.errors import Conflict, Forbidden, Invalid, NotFound, OutcomeUnknown, Refused
from avatar_scheduler.services import mail
from avatar_scheduler.services.one_time_codes import seal, unseal
from avatar_scheduler.services.people import Person, digest
from avatar_scheduler.services.roles import RULE, require

if TYPE_CHECKING:
    from avatar_scheduler.outbound import Outbound

LIFE = timedelta(minutes=10)
CALL_SECONDS = 10.0
SKEW_SECONDS = 60
"""Clocks of two servers differ."""
ALGORITHMS = ("RS256", "ES256", "EdDSA")
LOWEST, ASSIGNED = "analyst", "assigned"
BACK = "/sign-in/back"
_WELL_KNOWN = "/.well-known/openid-configuration"


@dataclass(frozen=True)
class Returned:
    """A visit that came back, taken out of the database; what follows talks to the provider without a transaction."""

    provider: IdentityProvider
    nonce: str
    verifier: str
    came_for: str
    linking: bool


def add(
    session: Session, settings: Settings, who: Person, name: str, issuer: str, client_id: str, secret: str, domain: str,
    now: datetime,
) -> IdentityProvider:  # fmt: skip
    """Raises Refused for an issuer no call would go to."""
    require(who, RULE, "set up sign-in")
    _outbound(settings).check(issuer)
    domain = domain.strip().lower().lstrip("@")
    if "." not in domain or "@" in domain:
        raise Invalid("Name the domain of its e-mail addresses, like example.org.", code="domain")
    row = IdentityProvider(
        organization_id=who.organization_id, name=name, issuer=issuer, client_id=client_id, domain=domain,
        created_at=now,
    )  # fmt: skip
    row.sealed_secret = seal(settings, who.organization_id, f"oidc:{row.id}", "client_secret", secret)
    session.add(row)
    session.flush()
    audits.append(
        session, at=now, organization=who.organization_id, actor=who.member_id, action="provider.added",
        noun="provider", noun_id=row.id,
        data={"name": name, "issuer": issuer, "client_id": client_id, "domain": domain},
    )  # fmt: skip
    return row


def standing(session: Session, organization_id: str = "") -> list[IdentityProvider]:
    query = select(IdentityProvider).where(col(IdentityProvider.disabled_at).is_(None))
    if organization_id:
        query = query.where(IdentityProvider.organization_id == organization_id)
    return list(session.exec(query.order_by(col(IdentityProvider.name))))


def linked(session: Session, member_id: str) -> frozenset[str]:
    """Ids of the providers a member signs in through."""
    return frozenset(session.exec(select(Identity.provider_id).where(Identity.member_id == member_id)))


def provider(session: Session, provider_id: str) -> IdentityProvider:
    row = session.get(IdentityProvider, provider_id)
    if row is None or row.disabled_at is not None:
        raise NotFound("There is no such way to sign in.", code="provider")
    return row


def discover(settings: Settings, row: IdentityProvider) -> Mapping[str, Any]:
    """What the provider says of itself. Talks to it: never inside a transaction."""
    found = _json(settings, "GET", row.issuer.rstrip("/") + _WELL_KNOWN)
    if found.get("issuer") != row.issuer:
        raise _refused("it calls itself by another name than its address")
    for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
        if not isinstance(found.get(name), str):
            raise _refused(f"it does not say its {name}")
    # The browser is sent there, so it must be an address and not a script.
    _outbound(settings).check(found["authorization_endpoint"])
    return found


def leave(
    session: Session, settings: Settings, row: IdentityProvider, about: Mapping[str, Any], browser: str, came_for: str,
    now: datetime,
) -> str:  # fmt: skip
    """Where to send the browser. `browser` is what only this one holds, and must bring back."""
    state, nonce, verifier = (
        f"state_{secrets.token_urlsafe(32)}",
        secrets.token_urlsafe(32),
        secrets.token_urlsafe(48),
    )
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    session.add(
        OidcVisit(
            provider_id=row.id, state_sha256=digest(state), browser_sha256=digest(browser), nonce=nonce,
            verifier=verifier, came_for=came_for, expires_at=now + LIFE,
        )
    )  # fmt: skip
    asked = {
        "response_type": "code", "client_id": row.client_id, "redirect_uri": settings.base_url + BACK,
        "scope": "openid email profile", "state": state, "nonce": nonce, "code_challenge": challenge,
        "code_challenge_method": "S256",
    }  # fmt: skip
    address = str(about["authorization_endpoint"])
    return f"{address}{'&' if '?' in address else '?'}{urlencode(asked)}"


def linking(who: Person) -> str:
    """What only this signed-in session holds: an answer meant for one account never lands in another."""
    return f"link {who.session_id}"


def come_back(session: Session, state: str, browser: str, who: Person | None, now: datetime) -> Returned:
    """Takes the visit: once, within ten minutes, in the browser that left. Raises Refused."""
    row = session.exec(select(OidcVisit).where(OidcVisit.state_sha256 == digest(state))).first()
    if row is None or row.expires_at <= now:
        raise _refused("this answer was not asked for")
    links = who is not None and row.browser_sha256 == digest(linking(who))
    if not links and row.browser_sha256 != digest(browser):
        raise _refused("it was asked for in another browser")
    once = update(OidcVisit).where(col(OidcVisit.id) == row.id, col(OidcVisit.used_at).is_(None)).values(used_at=now)
    result = session.execute(once)
    if not isinstance(result, CursorResult) or result.rowcount != 1:
        raise _refused("this answer was used already")
    return Returned(provider(session, row.provider_id), row.nonce, row.verifier, row.came_for, links)


def claims(settings: Settings, visit: Returned, code: str, iss: str, now: datetime) -> Mapping[str, Any]:
    """What the provider says of the person, checked. Talks to it: never inside a transaction."""
    about = discover(settings, visit.provider)
    if iss != visit.provider.issuer and (iss or about.get("authorization_response_iss_parameter_supported")):
        raise _refused("the answer comes from another provider")
    row = visit.provider
    secret = unseal(settings, row.organization_id, f"oidc:{row.id}", "client_secret", row.sealed_secret)
    asked = {
        "grant_type": "authorization_code", "code": code, "redirect_uri": settings.base_url + BACK,
        "code_verifier": visit.verifier,
    }  # fmt: skip
    basic = base64.b64encode(f"{quote(row.client_id, safe='')}:{quote(secret, safe='')}".encode()).decode()
    said = _json(settings, "POST", str(about["token_endpoint"]), asked, {"Authorization": f"Basic {basic}"})
    keys = _json(settings, "GET", str(about["jwks_uri"]))
    found = check_token(row, said.get("id_token"), keys, visit.nonce, now)
    return check_person(row, {**_person(settings, about, said, found), **found})


def _person(
    settings: Settings, about: Mapping[str, Any], said: Mapping[str, Any], found: Mapping[str, Any]
) -> Mapping[str, Any]:
    """Providers that follow the letter put name and address not into the token (OpenID Connect Core 5.4)."""
    if "email" in found or not isinstance(about.get("userinfo_endpoint"), str):
        return {}
    bearer = {"Authorization": f"Bearer {said.get('access_token')}"}
    person = _json(settings, "GET", about["userinfo_endpoint"], headers=bearer)
    if person.get("sub") != found.get("sub"):  # Core 5.3.2: it may be about somebody else
        raise _refused("it speaks of two people")
    return person


def check_token(
    row: IdentityProvider, token: object, keys: Mapping[str, Any], nonce: str, now: datetime
) -> Mapping[str, Any]:
    """The claims of an ID token (OpenID Connect Core 3.1.3.7). Raises Refused."""
    from joserfc import jwt
    from joserfc.errors import JoseError
    from joserfc.jwk import KeySet

    try:
        found = jwt.decode(str(token), KeySet.import_key_set(dict(keys)), algorithms=list(ALGORITHMS)).claims  # type: ignore[arg-type]
    except (JoseError, ValueError, TypeError, LookupError) as why:
        raise _refused("its signature does not hold") from why
    audience = found.get("aud")
    if found.get("iss") != row.issuer:
        raise _refused("the token was made by another provider")
    if audience not in (row.client_id, [row.client_id]) or found.get("azp", row.client_id) != row.client_id:
        raise _refused("the token is meant for somebody else")
    if found.get("nonce") != nonce:
        raise _refused("the token answers another question")
    _check_times(found, now)
    return found


def check_person(row: IdentityProvider, found: Mapping[str, Any]) -> Mapping[str, Any]:
    """Raises Refused for whom this provider may not speak for."""
    email = found.get("email")
    if not isinstance(found.get("sub"), str) or not found["sub"] or not isinstance(email, str):
        raise _refused("it does not say who this is")
    if found.get("email_verified") is not True:
        raise _refused("it has not verified this e-mail address")
    try:
        mail.address(email)
    except Invalid as why:  # a second address in it, or a line end
        raise _refused("it does not say who this is") from why
    host = email.rpartition("@")[2]
    # The Kelvin sign is a "k" once it is in lower case.
    if host.lower() != row.domain or host.isascii() != row.domain.isascii():
        raise _refused("it may not speak for this e-mail address")
    return found


def _check_times(found: Mapping[str, Any], now: datetime) -> None:
    at = now.timestamp()
    times = [one for one in (found.get("exp"), found.get("iat"), found.get("nbf", 0)) if isinstance(one, int | float)]
    if len(times) != 3:
        raise _refused("the token has no times")
    expires, *begun = times
    # Asked this way round, since NaN, which Python reads in JSON, is neither before nor after.
    if not (expires > at - SKEW_SECONDS and all(one <= at + SKEW_SECONDS for one in begun)):
        raise _refused("the token is not valid now")


def arrive(session: Session, visit: Returned, found: Mapping[str, Any], who: Person | None, now: datetime) -> Member:
    """The member behind the claims: known, linked now, or new. Raises Conflict where an address is taken."""
    row, subject, email = visit.provider, str(found["sub"]), str(found["email"]).lower()
    known = session.exec(
        select(Identity).where(Identity.provider_id == row.id, Identity.subject == subject)
    ).first()  # fmt: skip
    if visit.linking:
        return _link(session, visit, subject, known, who, now)
    if known is not None:
        member = session.get_one(Member, known.member_id)
        if member.disabled_at is not None or member.organization_id != row.organization_id:
            raise Forbidden("You may not sign in here any more. Ask an owner.", code="disabled")
        return member
    if session.exec(select(Member.id).where(Member.email == email)).first():
        raise Conflict(
            "Somebody with this e-mail address is here already. Sign in as usual, and link it on your account page.",
            code="link_first",
        )
    name = " ".join(str(found.get("name") or email.partition("@")[0]).split())[:80]
    member = Member(
        organization_id=row.organization_id, name=name, email=email, role=LOWEST, reach=ASSIGNED, created_at=now
    )
    session.add(member)
    session.flush()
    audits.append(
        session, at=now, organization=row.organization_id, actor=member.id, action="member.joined", noun="member",
        noun_id=member.id, data={"role": LOWEST, "reach": ASSIGNED, "provider": row.id},
    )  # fmt: skip
    _identify(session, row, subject, member, now)
    return member


def _link(
    session: Session, visit: Returned, subject: str, known: Identity | None, who: Person | None, now: datetime
) -> Member:
    if who is None or who.organization_id != visit.provider.organization_id:
        raise _refused("it belongs to another organization")
    if known is not None and known.member_id != who.member_id:
        raise Conflict("That sign-in belongs to somebody else here.", code="linked")
    member = session.get_one(Member, who.member_id)
    if known is None:
        _identify(session, visit.provider, subject, member, now)
    return member


def _identify(session: Session, row: IdentityProvider, subject: str, member: Member, now: datetime) -> None:
    session.add(Identity(provider_id=row.id, subject=subject, member_id=member.id, created_at=now))
    audits.append(
        session, at=now, organization=row.organization_id, actor=member.id, action="identity.linked", noun="member",
        noun_id=member.id, data={"provider": row.id},
    )  # fmt: skip


def _json(
    settings: Settings, method: str, url: str, form: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> dict[str, Any]:  # fmt: skip
    told = {"Accept": "application/json", **(headers or {})}
    if form is not None:
        told["Content-Type"] = "application/x-www-form-urlencoded"
    try:
        reply = _outbound(settings).call(
            method, url, seconds=CALL_SECONDS, headers=told, content=urlencode(form).encode() if form else None
        )
        found = json.loads(reply.body)
    except (OutcomeUnknown, ValueError, RecursionError) as why:
        raise _refused("it does not answer as it should") from why
    if reply.status != 200 or not isinstance(found, dict):
        raise _refused(f"it answered {reply.status}")
    return found


def _outbound(settings: Settings) -> "Outbound":
    from avatar_scheduler.outbound import Outbound

    return Outbound(private_hosts=settings.allow_hosts)


def _refused(why: str) -> Refused:
    return Refused(f"Signing in through your organization did not work: {why}. Start again.", code="oidc")
