"""Talking to the server: addresses, answers, and who we are while we talk."""

import base64
import hashlib
import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from avatar_scheduler.domain.errors import OutcomeUnknown, Refused
from avatar_scheduler.outbound import Outbound, Reply, TooSoon
from avatar_scheduler.publishers.base import Account
from avatar_scheduler.publishers.bluesky.record import RULES

SIGN_IN_AGAIN, WITHOUT_EFFECT = RULES.words("errors_of_sign_in"), RULES.words("errors_without_effect")
SESSION_OVER = frozenset({"ExpiredToken", "InvalidToken"})
SECONDS = 30.0
JSON = {"Content-Type": "application/json"}


@dataclass(frozen=True)
class Session:
    did: str
    handle: str
    access: str = field(repr=False)
    renew: str = field(repr=False)
    good_until: float
    """On the monotonic clock."""

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.access}"}


@dataclass
class Seat:
    lock: threading.Lock = field(default_factory=threading.Lock)
    session: Session | None = None


class Sessions:
    """Signed-in accounts, in memory only. Bluesky counts sign-ins by the day, so one is used until it is over."""

    def __init__(self, outbound: Outbound) -> None:
        self._outbound = outbound
        self._seats: dict[tuple[str, str, str], Seat] = {}
        self._lock = threading.Lock()

    def get(self, account: Account, *, over: Session | None = None, lasting: float = 60.0) -> Session:
        seat = self._seat(account)
        with seat.lock:  # a refresh token works once, so one worker at a time renews; other accounts go on
            held = seat.session
            if held and held is not over and held.good_until > time.monotonic() + lasting:
                return held
            seat.session = (held and self._renewed(account, held)) or self.sign_in(account)
            return seat.session

    def forget(self, account: Account) -> None:
        self._seat(account).session = None

    def use(self, account: Account, send: Callable[[Session], Reply]) -> tuple[Session, Reply]:
        """For calls that may be repeated: signs in anew, once, when the session turns out to be over."""
        session = self.get(account)
        reply = harmless(lambda: send(session))
        if reply.json().get("error") in SESSION_OVER:
            session = self.get(account, over=session)
            reply = harmless(lambda: send(session))
        return session, reply

    def _seat(self, account: Account) -> Seat:
        secrets = json.dumps(sorted(account.secrets.items())).encode()
        key = (account.channel_id, account.endpoint, hashlib.sha256(secrets).hexdigest())
        with self._lock:
            return self._seats.setdefault(key, Seat())

    def sign_in(self, account: Account) -> Session:
        body = json.dumps({name: account.secrets.get(name, "") for name in ("identifier", "password")}).encode()
        reply = self._post(account, "com.atproto.server.createSession", JSON, body)
        if reply.status != 200:
            raise refusal(reply) or Refused(f"Signing in failed, nothing was posted. {said(reply)}", code="not_sent")
        return _session(reply, account)

    def _renewed(self, account: Account, held: Session) -> Session | None:
        headers = {"Authorization": f"Bearer {held.renew}"}
        reply = self._post(account, "com.atproto.server.refreshSession", headers, None)
        return _session(reply, account) if reply.status == 200 else None

    def _post(self, account: Account, method: str, headers: dict[str, str], body: bytes | None) -> Reply:
        target = url(account, method)
        return harmless(lambda: self._outbound.call("POST", target, seconds=SECONDS, headers=headers, content=body))


def url(account: Account, method: str) -> str:
    return f"{account.endpoint.rstrip('/')}/xrpc/{method}"


def harmless(call: Callable[[], Reply]) -> Reply:
    """For calls that post nothing: a lost answer is a failure and leaves no question open."""
    try:
        return call()
    except OutcomeUnknown as why:
        raise Refused(f"{why.message} Nothing was posted.", code="not_sent") from why


def refusal(reply: Reply) -> Refused | None:
    """Only what is documented to have had no effect; None leaves the question open."""
    error = reply.json().get("error")
    if reply.status == 429 and error == "RateLimitExceeded":
        return TooSoon(f"Bluesky wants a pause of {reply.retry_after // 60} minutes.", reply.retry_after)
    if reply.status not in {400, 401, 403, 413}:
        return None
    if error == "ExpiredToken":
        return Refused("The session at Bluesky ran out. Nothing was posted.", code="not_sent")
    if error in SIGN_IN_AGAIN:
        return Refused(f"Bluesky refuses these credentials. Reconnect the channel. {said(reply)}", code="reconnect")
    if error in WITHOUT_EFFECT:
        return Refused(f"Bluesky refused the post. {said(reply)}", code="rejected")
    return None


def said(reply: Reply) -> str:
    """The server's own words, made safe for one line of ours."""
    answer = reply.json()
    words = f"{answer.get('error', '')} {answer.get('message', '')}".encode("ascii", "replace").decode()
    shown = "".join(c if c.isprintable() else " " for c in words)
    return f"It said {reply.status}: {' '.join(shown.split())[:200] or 'nothing'}."


def _session(reply: Reply, account: Account) -> Session:
    answer = reply.json()
    did, handle, access, renew = (str(answer.get(k, "")) for k in ("did", "handle", "accessJwt", "refreshJwt"))
    if not (did.startswith("did:") and access and renew):
        raise Refused(f"{account.endpoint} answered a sign-in with something else. Check its address.", code="not_sent")
    wanted = account.address.removeprefix("@").lower()
    if wanted not in {"", did.lower(), handle.lower()}:
        raise Refused(f"These credentials are for {handle}, not {wanted}. Reconnect the channel.", code="reconnect")
    if answer.get("active") is False:
        raise Refused(f"Bluesky says the account {handle} is not active. {said(reply)}", code="reconnect")
    return Session(did, handle, access, renew, time.monotonic() + _lifetime(access))


def _lifetime(token: str) -> float:
    """Seconds between the token's own two dates, so that neither clock matters. A hint: the server decides."""
    try:
        claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
        return max(0.0, float(claims["exp"] - claims["iat"]))
    except (ValueError, LookupError, TypeError):
        return 600.0
