"""HeyGen's API v3 (https://developers.heygen.com): an avatar's look speaks a script; a film after 5 to 15 minutes.

The create call carries an Idempotency-Key and is still made once: their own command line refuses to repeat one that
timed out. What became of it is read from the list of videos, where our key is the end of the title.
"""

import hmac
import json
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from avatar_scheduler.domain.errors import Invalid, OutcomeUnknown
from avatar_scheduler.outbound import Outbound, Reply
from avatar_scheduler.renderers.base import Order
from avatar_scheduler.renderers.contract import Absent, Account, Beat, Hook, NotTheirs, Plan, Purchase, Status
from avatar_scheduler.renderers.wire import Wire, ids, past, plan, said, staged
from avatar_scheduler.rules.renderers import vendor

HOME = "https://api.heygen.com"
STATES = {
    "pending": "queued",
    "waiting": "queued",
    "queued": "queued",
    "processing": "working",
    "completed": "ready",
    "failed": "failed",
}
"""`waiting` is what the create call answers and `queued` what the batch list says; both are pending."""
REFUSED_CONTENT = frozenset({"400105", "40039", "moderation", "content_policy_violation"})
SKEW = timedelta(seconds=300)
MOST_PAGES = 20
_LOOSE = timedelta(minutes=2)
"""Between their clock and ours."""


class Heygen:
    name = "heygen"
    home = HOME

    def __init__(self, outbound: Outbound) -> None:
        self.vendor = vendor(self.name)
        self.wire = Wire(outbound, self.vendor, self.name, HOME, _headers, _explain)

    def plan(self, order: Order) -> Plan:
        ids(order, self.vendor, "avatar_id")
        return plan(order, self.vendor, can=_can(order))

    def submit(self, account: Account, purchase: Purchase, seconds: float) -> str:
        answer = self.wire.post(
            account,
            "/v3/videos",
            _body(purchase, ids(purchase.order, self.vendor, "avatar_id")),
            seconds=seconds,
            headers={"Idempotency-Key": purchase.key},
        )
        found = _data(answer).get("video_id")
        if not isinstance(found, str) or not found:
            raise OutcomeUnknown("HeyGen answered without a video id.")
        return found

    def find(self, account: Account, purchase: Purchase) -> str | Absent:
        for video in self._videos(account, purchase.asked_at - _LOOSE):
            if str(video.get("title", "")).endswith(purchase.key):
                return str(video["id"])
        return Absent("No video in the list carries our key.")

    def _videos(self, account: Account, since: datetime) -> Iterator[dict[str, Any]]:
        """Those made since then and maybe others. Raises OutcomeUnknown when the list does not reach that far."""
        token = ""
        for _ in range(MOST_PAGES):
            page = self.wire.get(account, "/v3/videos?limit=100" + (f"&token={token}" if token else ""))
            videos = page.get("data")
            if not isinstance(videos, list):
                raise OutcomeUnknown("HeyGen's list of videos cannot be read.")
            yield from videos
            token = str(page.get("next_token") or "")
            if not token or past(videos, "created_at", since):
                return
        raise OutcomeUnknown("HeyGen's list of videos is too long to look through.")

    def poll(self, account: Account, purchase: Purchase) -> Status:
        found = _data(self.wire.get(account, f"/v3/videos/{purchase.vendor_id}"))
        state = STATES.get(str(found.get("status")))
        if state is None:
            raise OutcomeUnknown(f"HeyGen says “{str(found.get('status'))[:40]}”, which we do not know.")
        why = str(found.get("failure_message") or found.get("failure_code") or "it gave no reason")
        if state == "failed" and str(found.get("failure_code")) in REFUSED_CONTENT:
            state = "rejected"
        return Status(state, int(found.get("progress") or 0), why if state in ("failed", "rejected") else "")  # type: ignore[arg-type]  # one of the table's

    def fetch(self, account: Account, purchase: Purchase, target: Path, beat: Beat) -> None:
        url = _data(self.wire.get(account, f"/v3/videos/{purchase.vendor_id}")).get("video_url")
        if not isinstance(url, str):
            raise OutcomeUnknown("HeyGen names no address for the finished video.")
        self.wire.download(url, target, beat)

    def cancel(self, account: Account, purchase: Purchase) -> None:
        self.wire.delete(account, f"/v3/videos/{purchase.vendor_id}")

    def hook(self, headers: Mapping[str, str], body: bytes, secret: str, now: datetime) -> Hook:
        """The timestamp is not inside the MAC, so an old one proves nothing and a fresh one neither: the id counts."""
        if secret:
            _check(headers, body, secret, now)
        try:
            event = json.loads(body)
            data = event["event_data"]
            event_id = headers.get("heygen-event-id") or event.get("event_id") or sha256(body).hexdigest()
            return Hook(str(event_id), str(data.get("video_id", "")), str(data.get("callback_id") or ""))
        except (ValueError, KeyError, TypeError, AttributeError):
            raise Invalid("This is no message of HeyGen's.", code="hook") from None

    def health(self, account: Account) -> str:
        me = _data(self.wire.get(account, "/v3/users/me"))
        kind = str(me.get("billing_type") or "unknown")
        left = me.get(kind) if isinstance(me.get(kind), dict) else {}
        return f"{kind}: " + (", ".join(f"{k} {v}" for k, v in sorted((left or {}).items())) or "no figures")


def make(outbound: Outbound) -> Heygen:
    return Heygen(outbound)


def _headers(account: Account) -> dict[str, str]:
    return {"X-Api-Key": account.secrets.get("api_key", "")}


def _explain(reply: Reply) -> tuple[str, str]:
    error = reply.json().get("error")
    if not isinstance(error, dict):
        return "", ""
    return str(error.get("code", "")), str(error.get("message", ""))


def _data(answer: Mapping[str, Any]) -> dict[str, Any]:
    data = answer.get("data")
    if not isinstance(data, dict):
        raise OutcomeUnknown("HeyGen's answer cannot be read.")
    return data


def _can(order: Order) -> frozenset[str]:
    return frozenset({"background"} if staged(order).background.kind == "color" else ())


def _body(purchase: Purchase, known: Mapping[str, str]) -> dict[str, Any]:
    asked = staged(purchase.order)
    voice = asked.voice or known.get("voice_id", "")
    return {
        "type": "avatar",
        "avatar_id": known["avatar_id"],
        "script": said(purchase.order),
        "title": purchase.title,
        "aspect_ratio": asked.format,
        "resolution": "1080p",
        "output_format": "mp4",
        "callback_id": purchase.key,
        "voice_settings": {"speed": asked.speed},
        **({"voice_id": voice} if voice else {}),
        **({"callback_url": purchase.hook_url} if purchase.hook_url else {}),
        **({"background": {"type": "color", "value": asked.background.value}} if _can(purchase.order) else {}),
    }


def _check(headers: Mapping[str, str], body: bytes, secret: str, now: datetime) -> None:
    told = headers.get("heygen-signature") or headers.get("signature") or ""
    made = hmac.new(secret.encode(), body, sha256).hexdigest()
    if not hmac.compare_digest(told.lower().encode(), made.encode()):
        raise NotTheirs
    stamp = headers.get("heygen-timestamp", "")
    if stamp and (not stamp.isdigit() or abs(now.timestamp() - int(stamp)) > SKEW.total_seconds()):
        raise NotTheirs
